"""``nowplaying ship``: turn a finished training run into a model folder."""

from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli.output import say
from nowplaying.cli.train import require_tensorflow

__all__ = ["ship"]


def ship(
    run_dir: Annotated[Path, typer.Option("--run-dir", help="Finished run.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="Model folder to write.", show_default=False)],
    corpus: Annotated[Path, typer.Option("--corpus", help="As in training.", show_default=False)],
    cache_dir: Annotated[Path, typer.Option("--cache-dir", help="As in training.", show_default=False)],
    renderings: Annotated[Path | None, typer.Option("--renderings", help="As in training.")] = None,
    name: Annotated[str, typer.Option("--name")] = "fingerprinter-v1",
    version: Annotated[str, typer.Option("--version-tag", help="Semantic version of the artifact.")] = "1.0.0",
    precision: Annotated[str, typer.Option("--precision", help="int8, or float32 for comparison.")] = "int8",
    jobs: Annotated[int, typer.Option("--jobs", min=1)] = 1,
) -> None:
    """Convert a fingerprinter run to TFLite and train the codebook that ships with it."""
    require_tensorflow()
    from export.finish import finish_fingerprinter

    if precision not in ("int8", "float32"):
        message = f"expected int8 or float32, found {precision!r}"
        raise typer.BadParameter(message, param_hint="--precision")
    folder = finish_fingerprinter(
        run_dir,
        out,
        corpus=corpus,
        cache_dir=cache_dir,
        renderings=renderings,
        name=name,
        version=version,
        precision=precision,  # type: ignore[arg-type]
        jobs=jobs,
    )
    say(str(folder))
