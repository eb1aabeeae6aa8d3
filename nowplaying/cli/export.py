"""``nowplaying export``: the bundle for a phone or a DSP."""

from pathlib import Path
from typing import Annotated

import typer

from nowplaying.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying.cli.output import emit_json, say

__all__ = ["export"]


def export(
    out: Annotated[Path, typer.Option("--out", help="New folder for the bundle.", show_default=False)],
    db: Annotated[Path | None, typer.Option("--db", help="Song database to include.")] = None,
    detector: Annotated[str, typer.Option("--detector", help="Detector: shipped name or folder.")] = SHIPPED_DETECTOR,
    fingerprinter: Annotated[
        str, typer.Option("--fingerprinter", help="Fingerprinter: shipped name or folder.")
    ] = SHIPPED_FINGERPRINTER,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write the int8 models, their manifests and a database into one checked folder."""
    from export.bundle import export_bundle

    report = export_bundle(out, detector=detector, fingerprinter=fingerprinter, database=db)
    if as_json:
        emit_json("bundle/1", {"path": str(report.path), "bytes": report.n_bytes, "files": report.files})
        return
    for name, record in report.files.items():
        say(f"{record['bytes']:>10}  {name}")
    for name, found in report.checks.items():
        say(f"checked {name}: {found}")
    say(f"{report.path}: {report.n_bytes / 1e6:.2f} MB")
