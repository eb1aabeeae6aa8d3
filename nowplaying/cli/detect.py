"""``nowplaying detect``: where is music?"""

import typer

from nowplaying.cli.options import DetectorModel, Json, Sounds, expand_sources, read_source
from nowplaying.cli.outcome import Outcome
from nowplaying.cli.output import clock, emit_json, say
from nowplaying.errors import NowPlayingError

__all__ = ["detect"]


def detect(
    files: Sounds,
    model: DetectorModel = "detector-v1",
    json_output: Json = False,
) -> None:
    """List the segments of music in each file; none is a result too, with exit code 0."""
    from detector.segments import music_segments
    from detector.stream import StreamingDetector

    sources = expand_sources(files)
    detector = StreamingDetector.from_model(model)
    outcome = Outcome()
    for source in sources:
        try:
            segments, track = music_segments(read_source(source), detector)
        except NowPlayingError as error:
            outcome.failed(error)
            if json_output:
                emit_json("detection/1", {"file": source, "segments": None, "error": str(error)})
            continue
        rows = [[round(one.start_s, 3), round(one.end_s, 3), round(one.probability, 4)] for one in segments]
        if json_output:
            probabilities = [[round(time_s, 3), round(probability, 4)] for time_s, probability in track]
            emit_json("detection/1", {"file": source, "segments": rows, "probabilities": probabilities})
            continue
        if not rows:
            say(f"{source}: no music")
        for start_s, end_s, probability in rows:
            say(f"{source}: music {clock(start_s)} to {clock(end_s)} (probability {probability:.3f})")
    raise typer.Exit(outcome.failure_code)
