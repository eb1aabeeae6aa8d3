"""``nowplaying recognize``: name the song in a recording."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nowplaying.cli.explain import print_explanation
from nowplaying.cli.options import (
    Databases,
    FingerprinterModel,
    Json,
    Plot,
    RawKind,
    RawRate,
    Sounds,
)
from nowplaying.cli.outcome import Outcome
from nowplaying.cli.output import doing, emit_json, note, say
from nowplaying.cli.sounds import expand_sources, sound_of, watched
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.errors import NowPlayingError
from nowplaying_core.text import clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nowplaying_core.audio import AudioSource
    from ondevice_db.answer import Recognition
    from ondevice_db.match.explain import Explanation
    from ondevice_db.recognizer import Recognizer

__all__ = ["recognize"]


def recognize(
    files: Sounds,
    databases: Databases,
    as_json: Json = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Also print candidates, the evidence of each fingerprint, and reasons."),
    ] = False,
    plot: Plot = None,
    at_s: Annotated[
        float | None,
        typer.Option("--at", min=0.0, metavar="SECONDS", help="Start of the query; else where music is surest."),
    ] = None,
    every_s: Annotated[
        float | None,
        typer.Option("--every", min=0.5, metavar="SECONDS", help="Recognize again and again, this far apart."),
    ] = None,
    popularity: Annotated[
        Path | None,
        typer.Option("--popularity", help="Table of track_id and count: prefer the popular of similar songs."),
    ] = None,
    speeds_percent: Annotated[
        float,
        typer.Option(
            "--speeds",
            min=0.0,
            max=20.0,
            metavar="PERCENT",
            help="Where the song is unknown, also try speeds up to so much lower and higher, in steps of 2.",
        ),
    ] = 0.0,
    min_score: Annotated[
        float | None,
        typer.Option(
            "--min-score",
            min=0.0,
            max=1.0,
            help="Reject matches scoring below this. Default: the model's fitted threshold.",
        ),
    ] = None,
    raw_rate: RawRate = None,
    raw_format: RawKind = None,
    model: FingerprinterModel = SHIPPED_FINGERPRINTER,
) -> None:
    """Name the song in each file: by default from the 8 seconds that hold music most surely."""
    from nowplaying_core.errors import ConfigError
    from ondevice_db.recognizer import Recognizer

    sources = expand_sources(files)
    _check_together(len(sources), at_s, every_s, plot)
    recognizer = Recognizer.open(databases, model, popularity=popularity, min_score=min_score)
    outcome = Outcome()
    lengths_s: dict[int, float] = {}
    for number, source in enumerate(sources, 1):
        answers: list[tuple[float, Recognition]] = []
        try:
            with doing() as show:
                sound = watched(
                    sound_of(source, raw_rate, raw_format),
                    show,
                    f"{number} of {len(sources)}: {Path(source).name}",
                    partial(lengths_s.__setitem__, number),
                )
                for start_s, answer in _answers(recognizer, sound, at_s, every_s, speeds_percent, explainable=explain):
                    if start_s is not None:
                        # Only what the summary needs: a day has ten thousand answers.
                        answers.append((start_s, replace(answer, query=None)))
                    if answer.match is not None:
                        outcome.found()
                    explanation = recognizer.explain(answer) if explain else None
                    if as_json:
                        emit_json("recognition/1", _record(source, start_s, answer, explanation))
                    else:
                        _print(source, start_s, answer, explanation)
                    if plot is not None:
                        _plot(recognizer, answer, plot)
        except ConfigError:
            raise  # a setting is wrong for every file
        except (NowPlayingError, MemoryError) as error:
            reason = error if isinstance(error, NowPlayingError) else f"{source}: there is not enough memory for it"
            outcome.failed(reason)
            if as_json:
                emit_json("recognition/1", {"file": source, "match": None, "error": str(reason)})
        if answers:
            _summarize(source, answers, lengths_s.get(number), as_json=as_json)
    raise typer.Exit(outcome.exit_code)


def _answers(
    recognizer: "Recognizer",
    sound: "str | AudioSource",
    at_s: float | None,
    every_s: float | None,
    speeds_percent: float,
    *,
    explainable: bool,
) -> "Iterator[tuple[float | None, Recognition]]":
    """Yield the answers as they come; the time is None where there is only one."""
    if every_s is None:
        yield None, recognizer.recognize(sound, at_s=at_s, speeds_percent=speeds_percent)
    else:
        yield from recognizer.recognize_every(sound, every_s, speeds_percent=speeds_percent, explainable=explainable)


def _summarize(
    source: str, answers: "list[tuple[float, Recognition]]", duration_s: float | None, *, as_json: bool
) -> None:
    """Print the songs of a long recording with their beginnings and ends."""
    from ondevice_db.tracklist import track_list

    songs = track_list(answers, duration_s)
    if as_json:
        emit_json("track-list/1", {"file": source, "songs": [song.to_dict() for song in songs]})
        return
    say(f"{source}: {len(songs)} {'song' if len(songs) == 1 else 'songs'}")
    for song in songs:
        say(f"  {clock(song.start_s)} to {clock(song.end_s)}  {song.match.track.name}")


def _record(
    source: str, start_s: float | None, answer: "Recognition", explanation: "Explanation | None"
) -> dict[str, Any]:
    """Return an answer in the form that scripts depend on."""
    return {
        "file": source,
        **({} if start_s is None else {"at_s": start_s}),
        **answer.to_dict(),
        **({} if explanation is None else {"explain": explanation.to_dict()}),
    }


def _print(source: str, start_s: float | None, answer: "Recognition", explanation: "Explanation | None") -> None:
    where = source if start_s is None else f"{source} at {clock(start_s)}"
    say(f"{where}: {answer.match or 'unknown'}")
    if explanation is not None:
        print_explanation(explanation)


def _check_together(n_files: int, at_s: float | None, every_s: float | None, plot: Path | None) -> None:
    """Refuse options that exclude each other, and what cannot be drawn, matplotlib missing included."""
    from nowplaying_core.errors import ConfigError
    from nowplaying_core.plotting import new_figure

    if at_s is not None and every_s is not None:
        message = "--at and --every exclude each other; give one of them"
        raise ConfigError(message)
    if plot is None:
        return
    if n_files > 1 or every_s is not None:
        message = f"--plot draws one answer: expected one file and no --every, found {n_files} files"
        raise ConfigError(message)
    new_figure()


def _plot(recognizer: "Recognizer", answer: "Recognition", path: Path) -> None:
    from nowplaying_core.plotting import save_figure

    alignment = recognizer.align(answer)
    if alignment is None:
        note(f"{path}: not drawn, there is no candidate to draw")
        return
    save_figure(alignment.plot(), path, dpi=120)
    note(f"{path}: alignment drawn")
