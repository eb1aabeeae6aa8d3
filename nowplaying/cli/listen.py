"""``nowplaying listen``: the live loop."""

from typing import TYPE_CHECKING, Annotated

import typer

from nowplaying.cli.options import Databases, DetectorModel, FingerprinterModel, Json
from nowplaying.cli.output import emit_json, note, say
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import EXIT_FOUND, EXIT_NOTHING_RECOGNIZED
from nowplaying_core.text import clock

if TYPE_CHECKING:
    from simulator.phone.events import Event

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
    from simulator.phone.events import Answered
    from simulator.run import Setup, simulate_source

    def show(event: "Event") -> None:
        if not isinstance(event, Answered):
            return
        song = event.answer.match
        if song is None:
            note(f"{clock(event.time_s)}  unknown music")
        elif as_json:
            emit_json("song/1", event.to_dict())
        else:
            name = " - ".join(part for part in (song.track.artist, song.track.title) if part)
            say(f"{clock(event.time_s)}  {name}  at {clock(song.offset_s)}  ({song.score:.3f})")

    if source == "mic" or source.startswith("mic:"):
        note("listening; Ctrl-C ends it")
    setup = Setup.open(databases, detector=detector, fingerprinter=fingerprinter, is_live=True)
    result = simulate_source(source, setup, on_event=show)
    raise typer.Exit(EXIT_FOUND if result.recognitions else EXIT_NOTHING_RECOGNIZED)
