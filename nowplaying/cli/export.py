"""``nowplaying export``: the bundles for a phone and a DSP."""

from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli import complete
from nowplaying.cli.app import App
from nowplaying.cli.options import DetectorModel, FingerprinterModel, Json, writable_folder
from nowplaying.cli.output import emit_json, note, paragraph, say, table
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER

__all__ = ["app"]

app = App(help="Write models and databases for a phone and a DSP; export verify checks them.")


def export(
    _context: typer.Context,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="New folder for the bundles; needed unless a command follows.",
            show_default=False,
            callback=writable_folder,
        ),
    ] = None,
    databases: Annotated[
        list[Path] | None,
        typer.Option(
            "--db",
            help="Song database to include; several may be given.",
            show_default=False,
            autocompletion=complete.databases,
        ),
    ] = None,
    detector: DetectorModel = SHIPPED_DETECTOR,
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    half: Annotated[
        bool, typer.Option("--fp16", help="Also write the encoder with float16 weights (needs the train extra).")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export.")] = False,
    sign: Annotated[
        Path | None,
        typer.Option("--sign", metavar="PEM", help="Private P-256 key that signs all of it.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the int8 models, their manifests, databases and C sources into one checked folder."""
    if out is None:
        message = "expected a new folder for the bundles, found none"
        raise typer.BadParameter(message, param_hint="--out")
    if half:
        from nowplaying.cli.train import require_tensorflow

        require_tensorflow()
    from export.bundle import export_bundle

    report = export_bundle(
        out,
        detector=detector,
        fingerprinter=fingerprinter,
        databases=tuple(databases or ()),
        half=half,
        force=force,
        private_key=sign,
    )
    if as_json:
        emit_json("bundle/1", {"path": str(report.path), **report.to_dict()})
        return
    for name, record in report.files.items():
        say(f"{record['bytes']:>10}  {name}")
    for name, facts in report.graphs.items():
        operators = ", ".join(f"{count} {operator}" for operator, count in facts["operators"].items())
        paragraph(f"{name}: {operators}", indent=2)
    for name, found in report.checks.items():
        paragraph(f"checked {name}: {found}", indent=2)
    say(f"{report.path}: {report.n_bytes / 1e6:.2f} MB")


def verify(
    source: Annotated[
        str,
        typer.Argument(help="What 'export' wrote, a model folder, or a shipped name.", autocompletion=complete.models),
    ],
    corpus: Annotated[
        Path | None,
        typer.Option("--corpus", help="Corpus, or folder of music, to compare on; else the demo's recordings."),
    ] = None,
    weights: Annotated[
        list[Path] | None,
        typer.Option("--weights", help="Model folder with the float weights, where it is no shipped model."),
    ] = None,
    max_items: Annotated[
        int, typer.Option("--max-items", min=1, help="Largest number of recordings, of music and of other sounds each.")
    ] = 24,
    strict: Annotated[bool, typer.Option("--strict", help="Fail where something cannot be compared here.")] = False,
    public_key: Annotated[
        Path | None,
        typer.Option("--public-key", metavar="PEM", help="Publisher's key; all files must bear its signature."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for verification.json and .md.", callback=writable_folder)
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove exported graphs equal to what was evaluated, on real sound; fails where a figure leaves its tolerance."""
    from export.parity.verify import verify_export
    from nowplaying_core.artifacts import write_json, write_text

    if public_key is not None:
        from export.signing import check_export_signature

        note(f"{source}: {check_export_signature(Path(source), public_key)} files as their publisher signed them")
    music, other = _recordings(corpus)
    report = verify_export(source, music=music, other=other, weights=tuple(weights or ()), max_items=max_items)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / "verification.json", report.to_dict())
        write_text(out / "verification.md", report.to_markdown())
    if as_json:
        emit_json("parity/1", report.to_dict())
    else:
        rows = [
            ["ok" if figure.is_within else "OUT", figure.name, f"{figure.value:.6g}", figure.bound, figure.detail]
            for figure in report.figures
        ]
        table(["", "figure", "value", "tolerance", "measured on"], rows)
        for name, reason in report.left_out.items():
            say(f"left out: {name}: {reason}")
    report.check(strict=strict)


def _recordings(corpus: Path | None) -> tuple[list[Path], list[Path]]:
    """Return music and other sounds of a corpus; what it does not have comes from the demo."""
    from nowplaying_core.audio.corpus import GROUPS, Group, read_corpus, recordings_if_any
    from simulator.scenes.recordings import demo_recordings
    from simulator.scenes.scene import SoundKind

    demo = demo_recordings().values()
    music = [one.path for one in demo if one.kind is SoundKind.MUSIC]
    other = [one.path for one in demo if one.kind is not SoundKind.MUSIC]
    if corpus is None:
        return music, other
    music = [file.path for file in read_corpus(corpus, "music", "dev")]
    is_divided = any((corpus / one).is_dir() or (corpus / f"{one}.tsv").is_file() for one in GROUPS)
    kinds: tuple[Group, ...] = ("noise", "speech")
    found = [file.path for kind in kinds for file in recordings_if_any(corpus, kind, "dev")] if is_divided else []
    return music, found or other


app.add_default(export, example="nowplaying export --out bundle --db music.npdb")
app.add(verify, example="nowplaying export verify bundle")
