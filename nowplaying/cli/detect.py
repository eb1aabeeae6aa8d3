"""``nowplaying detect``: find the music in recordings and streams."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nowplaying.cli.options import (
    DetectorModel,
    Json,
    RawKind,
    RawRate,
    SavedWakes,
    Sounds,
)
from nowplaying.cli.outcome import Outcome
from nowplaying.cli.output import doing, emit_json, note, say
from nowplaying.cli.sounds import expand_sources, sound_of, watched, write_wav
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.errors import NowPlayingError
from nowplaying_core.text import clock

if TYPE_CHECKING:
    from detector.live import LiveEvent
    from nowplaying_core.audio import AudioSource

__all__ = ["detect"]


def detect(
    files: Sounds,
    model: DetectorModel = SHIPPED_DETECTOR,
    as_json: Json = False,
    stream: Annotated[
        bool,
        typer.Option("--stream", help="Print segments as they happen, through the phone's gate; one file, - or mic."),
    ] = False,
    save_wakes: SavedWakes = None,
    raw_rate: RawRate = None,
    raw_format: RawKind = None,
) -> None:
    """List the segments of music in each file; none is a result too."""
    if stream:
        if len(files) != 1:
            message = f"--stream listens to one source, found {len(files)}"
            raise typer.BadParameter(message)
        _follow(sound_of(files[0], raw_rate, raw_format), model, as_json=as_json, save_wakes=save_wakes)
        return
    if save_wakes is not None:
        message = "--save-wakes needs --stream"
        raise typer.BadParameter(message)
    from detector.segments import Detector

    sources = expand_sources(files)
    detector = Detector.open(model)
    outcome = Outcome()
    for number, source in enumerate(sources, 1):
        try:
            with doing() as show:
                sound = watched(
                    sound_of(source, raw_rate, raw_format), show, f"{number} of {len(sources)}: {Path(source).name}"
                )
                found = detector.detect(sound)
        except (NowPlayingError, MemoryError) as error:
            reason = error if isinstance(error, NowPlayingError) else f"{source}: there is not enough memory for it"
            outcome.failed(reason)
            if as_json:
                emit_json("detection/1", {"file": source, "segments": None, "error": str(reason)})
            continue
        if as_json:
            emit_json("detection/1", {"file": source, **found.to_dict()})
            continue
        if not found:
            say(f"{source}: no music")
        for one in found:
            say(f"{source}: music {clock(one.start_s)} to {clock(one.end_s)} (probability {one.probability:.3f})")
    raise typer.Exit(outcome.failure_code)


def _follow(source: "str | AudioSource", model: str, *, as_json: bool, save_wakes: Path | None) -> None:
    from detector.live import LiveSegments
    from detector.stream import StreamingDetector
    from nowplaying_core.audio import SAMPLE_RATE_HZ, open_stream
    from simulator.phone.ring import MulawRing

    detector = StreamingDetector.from_model(model)
    segments, ring, n_samples = LiveSegments(detector.gate_config), MulawRing(), 0
    if save_wakes is not None:
        save_wakes.mkdir(parents=True, exist_ok=True)

    def show(event: "LiveEvent") -> None:
        if as_json:
            times = {name: None if value is None else round(value, 3) for name, value in _times(event).items()}
            emit_json("music/1", {"event": event.event, **times, "probability": round(event.probability, 4)})
        elif event.event == "begin":
            note(f"{clock(event.time_s)}  music since {clock(event.start_s)}")
        elif event.event == "end":
            say(f"music {clock(event.start_s)} to {clock(event.end_s or 0.0)} (probability {event.probability:.3f})")
        if event.event == "wake" and save_wakes is not None:
            # Mu-law decoded to 16 bits loses nothing more.
            write_wav(save_wakes / f"wake-{event.time_s:010.2f}s.wav", ring.read())

    try:
        opened = (
            open_stream(source, chunk_samples=SAMPLE_RATE_HZ // 10, lenient=True) if isinstance(source, str) else source
        )
        with opened as sound:
            for chunk in sound:
                n_samples += len(chunk)
                ring.write(chunk)
                for event in segments.process(detector.process(chunk)):
                    show(event)
    finally:
        # Ctrl-C ends the sound too.
        for event in segments.finish(n_samples / SAMPLE_RATE_HZ):
            show(event)


def _times(event: "LiveEvent") -> dict[str, float | None]:
    return {"time_s": event.time_s, "start_s": event.start_s, "end_s": event.end_s}
