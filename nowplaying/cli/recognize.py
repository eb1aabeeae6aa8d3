"""``nowplaying recognize``: name the song in a recording."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nowplaying.cli.options import Databases, FingerprinterModel, Json, Sounds, expand_sources, read_source
from nowplaying.cli.outcome import Outcome
from nowplaying.cli.output import emit_json, note, say
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.errors import NowPlayingError
from nowplaying_core.text import clock

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ondevice_db.recognizer import Recognition, Recognizer

__all__ = ["match_record", "recognize"]


def recognize(
    files: Sounds,
    databases: Databases,
    json_output: Json = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also tell the candidates, the evidence second by second, and why.")
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE.png", help="Draw the alignment with the best candidate; one file only."),
    ] = None,
    at_s: Annotated[
        float | None,
        typer.Option("--at", min=0.0, metavar="SECONDS", help="Listen from here on, not where it gets loud enough."),
    ] = None,
    every_s: Annotated[
        float | None,
        typer.Option("--every", min=0.5, metavar="SECONDS", help="Listen again and again, this far apart."),
    ] = None,
    popularity: Annotated[
        Path | None,
        typer.Option("--popularity", help="Table of track_id and count: of songs that sound alike, the popular one."),
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option("--min-score", min=0.0, max=1.0, help="Smallest score that is an answer; else the model says."),
    ] = None,
    model: FingerprinterModel = SHIPPED_FINGERPRINTER,
) -> None:
    """Name the song in each file: by default from its first 8 seconds above silence."""
    from nowplaying_core.errors import ConfigError

    if at_s is not None and every_s is not None:
        message = "--at and --every exclude each other; give one of them"
        raise ConfigError(message)
    sources = expand_sources(files)
    if plot is not None and (len(sources) > 1 or every_s is not None):
        message = f"--plot draws one answer: expected one file and no --every, found {len(sources)} files"
        raise ConfigError(message)
    recognizer = _open(databases, model, popularity, min_score)
    outcome = Outcome()
    for source in sources:
        try:
            samples = read_source(source)
            if every_s is not None:
                answers = recognizer.recognize_every(samples, every_s)
            else:
                answers = [(at_s or 0.0, recognizer.recognize(samples, at_s=at_s))]
        except NowPlayingError as error:
            outcome.failed(error)
            if json_output:
                emit_json("recognition/1", {"file": source, "match": None, "error": str(error)})
            continue
        if plot is not None:
            _plot(recognizer, samples, at_s, plot)
        for start_s, answer in answers:
            if answer.match is not None:
                outcome.found()
            record = match_record(source, answer, start_s=start_s if every_s is not None else None, explain=explain)
            if json_output:
                emit_json("recognition/1", record)
            else:
                _print(record)
    raise typer.Exit(outcome.exit_code)


def _open(databases: list[Path], model: str, popularity: Path | None, min_score: float | None) -> "Recognizer":
    from fingerprinter.fingerprint import Fingerprinter
    from ondevice_db.match.popularity import read_popularity
    from ondevice_db.recognizer import Recognizer, acceptance_of
    from ondevice_db.store.packs import open_packs

    fingerprinter = Fingerprinter.from_model(model)
    songs = open_packs(databases, fingerprinter.embedding_space)
    prior = None if popularity is None else read_popularity(popularity, songs)
    acceptance = acceptance_of(fingerprinter)
    if min_score is not None:
        acceptance = replace(acceptance, threshold=min_score, threshold_single=min_score)
    return Recognizer(songs, fingerprinter, acceptance, log_prior=prior)


def match_record(
    source: str, answer: "Recognition", *, start_s: float | None = None, explain: bool = False
) -> dict[str, Any]:
    """Return an answer in the form that scripts depend on."""
    record: dict[str, Any] = {"file": source}
    if start_s is not None:
        record["at_s"] = start_s
    record["match"] = answer.match.to_dict() if answer.match is not None else None
    record["latency_ms"] = round(answer.latency_ms, 2)
    record["n_fingerprints"] = answer.n_fingerprints
    if explain:
        record["explain"] = answer.explain
    return record


def _print(record: dict[str, Any]) -> None:
    where = f"{record['file']} at {clock(record['at_s'])}" if "at_s" in record else record["file"]
    match = record["match"]
    if match is None:
        say(f"{where}: unknown")
    else:
        name = " - ".join(part for part in (match["artist"], match["title"]) if part)
        say(f"{where}: {name} at {clock(match['offset_s'])} (score {match['score']:.3f})")
    if "explain" in record:
        from nowplaying.cli.explain import print_explanation

        print_explanation(record)


def _plot(recognizer: "Recognizer", samples: "NDArray[np.float32]", at_s: float | None, path: Path) -> None:
    from ondevice_db.match.alignment import plot_alignment

    alignment = recognizer.align(samples, at_s)
    if alignment is None:
        note(f"{path}: not drawn, there is no candidate to draw")
        return
    plot_alignment(alignment, path)
    note(f"{path}: alignment drawn")
