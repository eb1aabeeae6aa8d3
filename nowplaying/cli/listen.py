"""``nowplaying listen``: the live loop."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from nowplaying.cli import complete
from nowplaying.cli.options import Databases, DetectorModel, FingerprinterModel, Json, RawKind, RawRate
from nowplaying.cli.output import emit_json, note, say
from nowplaying.cli.sounds import announced, sound_of
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import EXIT_FOUND, EXIT_NOTHING_RECOGNIZED
from nowplaying_core.text import clock

__all__ = ["listen"]


def listen(
    databases: Databases,
    source: Annotated[
        str,
        typer.Argument(
            help="A file, - for raw 16 kHz s16le PCM, mic, or mic:DEVICE by number or name.",
            autocompletion=complete.sources,
        ),
    ] = "mic",
    detector: DetectorModel = SHIPPED_DETECTOR,
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    as_json: Json = False,
    raw_rate: RawRate = None,
    raw_format: RawKind = None,
) -> None:
    """Listen all day and print each song as it is recognized; Ctrl-C ends it."""
    from nowplaying.api.phone import listen as answers

    is_mic = source == "mic" or source.startswith("mic:")
    is_live, began = is_mic or source == "-", datetime.now(UTC)
    named = False
    sound = sound_of(source, raw_rate, raw_format)
    if is_mic:
        sound = announced(source)
    for answer in answers(databases, sound, detector=detector, fingerprinter=fingerprinter):
        # Live sound has a time of day; a file has none but its own. A pipe may be faster than time, and a microphone
        # slower: its clock drifts, and it stands still while the machine sleeps.
        at = (datetime.now(UTC) if is_mic else began + timedelta(seconds=answer.time_s)).astimezone()
        when = f"{at:%H:%M:%S}" if is_live else clock(answer.time_s)
        if answer.match is None:
            note(f"{when}  unknown music")
            continue
        named = True
        if as_json:
            emit_json(
                "song/1", answer.to_dict() | ({"wall_clock": at.isoformat(timespec="seconds")} if is_live else {})
            )
        else:
            say(f"{when}  {answer.match}")
    raise typer.Exit(EXIT_FOUND if named else EXIT_NOTHING_RECOGNIZED)
