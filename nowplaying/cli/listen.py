"""``nowplaying listen``: the live loop."""

from typing import Annotated

import typer

from nowplaying.cli.options import Databases, DetectorModel, FingerprinterModel, Json
from nowplaying.cli.output import emit_json, note, say
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import EXIT_FOUND, EXIT_NOTHING_RECOGNIZED
from nowplaying_core.text import clock

__all__ = ["listen"]


def listen(
    databases: Databases,
    source: Annotated[
        str, typer.Argument(help="A file, - for raw 16 kHz s16le PCM, mic, or mic:DEVICE by number or name.")
    ] = "mic",
    detector: DetectorModel = SHIPPED_DETECTOR,
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    as_json: Json = False,
) -> None:
    """Listen all day and print each song as it is recognized; Ctrl-C ends it."""
    from nowplaying.api.phone import listen as answers

    if source == "mic" or source.startswith("mic:"):
        note("listening; Ctrl-C ends it")
    named = False
    for answer in answers(databases, source, detector=detector, fingerprinter=fingerprinter):
        if answer.match is None:
            note(f"{clock(answer.time_s)}  unknown music")
            continue
        named = True
        if as_json:
            emit_json("song/1", answer.to_dict())
        else:
            say(f"{clock(answer.time_s)}  {answer.match}")
    raise typer.Exit(EXIT_FOUND if named else EXIT_NOTHING_RECOGNIZED)
