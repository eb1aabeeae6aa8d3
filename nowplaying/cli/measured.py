"""What commands that measure share: options, and where figures go."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nowplaying.cli.options import OutFolder
from nowplaying.cli.output import emit_json, note, say_lines

__all__ = ["Cache", "Corpus", "Out", "enter", "finish", "write_result"]

Corpus = Annotated[Path, typer.Option("--corpus", help="Folder with music, noise, speech, rir.", show_default=False)]
Cache = Annotated[Path, typer.Option("--cache-dir", help="For decoded audio and features.", show_default=False)]
Out = OutFolder


def enter(folder: Path, values: dict[str, Any]) -> None:
    """Enter values in a model's manifest."""
    from nowplaying_core.artifacts import MODEL_SCHEMA_VERSION, read_manifest, write_json

    path = folder / "manifest.json"
    write_json(path, {**read_manifest(path, kind="model", schema_version=MODEL_SCHEMA_VERSION), **values})


def finish(
    name: str, result: dict[str, Any], text: str, folder: Path, *, out: Path | None, metrics: bool, as_json: bool
) -> None:
    """Show and write a model's figures; with ``metrics`` also enter them in its folder, and write its card anew."""
    write_result(name, result, text, out, as_json=as_json)
    if metrics:
        from evaluation.model_card import METRICS_NAME, write_card
        from nowplaying_core.artifacts import write_json

        write_json(folder / METRICS_NAME, result)
        note(f"wrote {write_card(folder)}")


def write_result(name: str, result: dict[str, Any], text: str, out: Path | None, *, as_json: bool) -> None:
    """Show a table, and write it with its figures as ``name.md`` and ``name.json`` where a folder is given."""
    from nowplaying_core.artifacts import write_json, write_text

    if as_json:
        emit_json("evaluation/1", {"name": name, "result": result})
    else:
        say_lines(text)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / f"{name}.json", result)
        write_text(out / f"{name}.md", text)
