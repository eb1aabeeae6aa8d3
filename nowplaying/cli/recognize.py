"""``nowplaying recognize``: name the song in a recording."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nowplaying.cli.explain import print_explanation
from nowplaying.cli.options import Databases, FingerprinterModel, Json, Plot, Sounds, expand_sources
from nowplaying.cli.outcome import Outcome
from nowplaying.cli.output import emit_json, note, say
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.errors import NowPlayingError
from nowplaying_core.text import clock

if TYPE_CHECKING:
    from ondevice_db.match.explain import Explanation
    from ondevice_db.recognizer import Recognition, Recognizer

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
        typer.Option(
            "--at", min=0.0, metavar="SECONDS", help="Start of the query; else the first sound above -60 dBFS."
        ),
    ] = None,
    every_s: Annotated[
        float | None,
        typer.Option("--every", min=0.5, metavar="SECONDS", help="Recognize again and again, this far apart."),
    ] = None,
    popularity: Annotated[
        Path | None,
        typer.Option("--popularity", help="Table of track_id and count: prefer the popular of similar songs."),
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option(
            "--min-score",
            min=0.0,
            max=1.0,
            help="Reject matches scoring below this. Default: the model's fitted threshold.",
        ),
    ] = None,
    model: FingerprinterModel = SHIPPED_FINGERPRINTER,
) -> None:
    """Name the song in each file: by default from its first 8 seconds above silence."""
    from nowplaying_core.audio import load
    from nowplaying_core.errors import ConfigError
    from ondevice_db.recognizer import Recognizer

    if at_s is not None and every_s is not None:
        message = "--at and --every exclude each other; give one of them"
        raise ConfigError(message)
    sources = expand_sources(files)
    if plot is not None and (len(sources) > 1 or every_s is not None):
        message = f"--plot draws one answer: expected one file and no --every, found {len(sources)} files"
        raise ConfigError(message)
    recognizer = Recognizer.open(databases, model, popularity=popularity, min_score=min_score)
    outcome = Outcome()
    for source in sources:
        try:
            samples = load(source)
            answers: list[tuple[float | None, Recognition]]
            if every_s is not None:
                answers = [*recognizer.recognize_every(samples, every_s)]
            else:
                answers = [(None, recognizer.recognize(samples, at_s=at_s))]
        except NowPlayingError as error:
            outcome.failed(error)
            if as_json:
                emit_json("recognition/1", {"file": source, "match": None, "error": str(error)})
            continue
        if plot is not None:
            _plot(recognizer, answers[0][1], plot)
        for start_s, answer in answers:
            if answer.match is not None:
                outcome.found()
            explanation = recognizer.explain(answer) if explain else None
            if as_json:
                emit_json("recognition/1", _record(source, start_s, answer, explanation))
            else:
                _print(source, start_s, answer, explanation)
    raise typer.Exit(outcome.exit_code)


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


def _plot(recognizer: "Recognizer", answer: "Recognition", path: Path) -> None:
    alignment = recognizer.align(answer)
    if alignment is None:
        note(f"{path}: not drawn, there is no candidate to draw")
        return
    alignment.plot().savefig(path, dpi=120)
    note(f"{path}: alignment drawn")
