"""``nowplaying export``: the bundles for a phone and a DSP."""

from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli.options import DetectorModel, FingerprinterModel, Json
from nowplaying.cli.output import emit_json, say

__all__ = ["app"]

app = typer.Typer(help="Write models and databases for a phone and a DSP, and prove them.", invoke_without_command=True)


@app.callback()
def export(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option("--out", help="New folder for the bundles.", show_default=False)] = None,
    databases: Annotated[
        list[Path] | None,
        typer.Option("--db", help="Song database to include; several may be given.", show_default=False),
    ] = None,
    detector: DetectorModel = "detector-v1",
    fingerprinter: FingerprinterModel = "fingerprinter-v1",
    half: Annotated[
        bool, typer.Option("--fp16", help="Also write the encoder with float16 weights (needs the train extra).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the int8 models, their manifests, databases and C sources into one checked folder."""
    if context.invoked_subcommand is not None:
        return
    if out is None:
        message = "expected a new folder for the bundles, found none"
        raise typer.BadParameter(message, param_hint="--out")
    if half:
        from nowplaying.cli.train import require_tensorflow

        require_tensorflow()
    from export.bundle import export_bundle

    report = export_bundle(
        out, detector=detector, fingerprinter=fingerprinter, databases=tuple(databases or ()), half=half
    )
    if as_json:
        emit_json("bundle/1", {"path": str(report.path), **report.to_dict()})
        return
    for name, record in report.files.items():
        say(f"{record['bytes']:>10}  {name}")
    for name, facts in report.graphs.items():
        say(f"{name}: {', '.join(f'{count} {operator}' for operator, count in facts['operators'].items())}")
    for name, found in report.checks.items():
        say(f"checked {name}: {found}")
    say(f"{report.path}: {report.n_bytes / 1e6:.2f} MB")
