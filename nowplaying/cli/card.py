"""``nowplaying card``: make a model's card from its manifest and metrics."""

from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli import complete
from nowplaying.cli.options import Json
from nowplaying.cli.output import wrote

__all__ = ["card"]


def card(
    model: Annotated[
        Path,
        typer.Argument(help="Model folder with manifest.json and metrics.json.", autocompletion=complete.databases),
    ],
    as_json: Json = False,
) -> None:
    """Write MODEL_CARD.md from a model's manifest and metrics."""
    from evaluation.model_card import write_card

    wrote(write_card(model), as_json=as_json)
