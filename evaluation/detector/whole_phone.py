"""The whole phone on streams with known music: detector, gate, capture, recognizer and rests together.

``python -m evaluation.detector.whole_phone --corpus C --cache-dir D --out JSON`` indexes the ``train`` and ``dev``
music of a corpus, lets the simulated phone listen to the streams that ``nowplaying evaluate detector`` composes, and
counts the regions whose song it names, after how long, and the names that no music there bears out. A region is
*namable* if the recognizer alone names it from one of three looks of eight seconds at its beginning. With
``--leave-out docs/detector-labels.tsv`` the streams are composed without the recordings whose labels are in doubt.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from detector.training.pools import SoundPools
from evaluation.committed import committed
from evaluation.detector.label_audit import read_table, without_doubtful
from evaluation.detector.streams import Region, Stream, compose_stream, stream_rng
from evaluation.detector.sweep import AUDIBLE_DB
from evaluation.retrieval.embedding import EmbeddingCache
from evaluation.retrieval.evaluation_set import index_corpus
from evaluation.retrieval.library import Library
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER, write_json
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.command import run_command
from nowplaying_core.statistics import poisson_rate, wilson
from nowplaying_core.text import markdown_table
from ondevice_db.answer import Match
from ondevice_db.places import QUERY_S
from simulator.phone.events import Answered
from simulator.phone_setup import Setup

__all__ = ["RegionResult", "StreamResult", "committed_table", "follow", "main", "summarize", "to_markdown"]

RESULTS: Final = {
    "All streams": "evaluation/whole_phone.json",
    "Composed without the recordings of doubtful label": "evaluation/whole_phone_cleaned.json",
}
_LOOKS_S: Final = (0.0, 4.0, 8.0)
_GRACE_S: Final = 8.0  # a buffer that ends so long after a region still holds some of its music


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionResult:
    """What the phone made of one region of music.

    Attributes
    ----------
    region : Region
    named_after_s : float or None
        From the region's beginning to the first right name; None without one.
    is_namable : bool
        Whether the recognizer alone names it.
    """

    region: Region
    named_after_s: float | None
    is_namable: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamResult:
    """What the phone made of one stream.

    Attributes
    ----------
    regions : tuple of RegionResult
    n_answers : int
    wrong_in_music, outside_music : int
        Names of other songs while music played, and names where none did.
    hours : float
    """

    regions: tuple[RegionResult, ...]
    n_answers: int
    wrong_in_music: int
    outside_music: int
    hours: float


def follow(stream: Stream, setup: Setup, library: Library, titles: Mapping[str, Sequence[int]]) -> StreamResult:
    """Let a phone listen to a stream to its end.

    Parameters
    ----------
    stream : Stream
    setup : Setup
        Its database is the library's.
    library : Library
    titles : mapping of str to sequence of int
        Songs of the library by their titles, which the stream's regions name.
    """
    answers = [event for event in setup.make_phone().run([stream.samples]) if isinstance(event, Answered)]
    groups = [_groups(library, titles, region.title) for region in stream.regions]
    named: dict[int, float] = {}
    wrong = outside = 0
    for event in answers:
        if event.match is None:
            continue
        begun_s = event.asked_at_s - event.answer.buffer_s
        inside = [
            number
            for number, region in enumerate(stream.regions)
            if begun_s < region.end_s + _GRACE_S and event.asked_at_s > region.start_s
        ]
        right = [number for number in inside if _group(library, event.match) in groups[number]]
        for number in right:
            named.setdefault(number, event.time_s - stream.regions[number].start_s)
        wrong += bool(inside and not right)
        outside += not inside
    results = tuple(
        RegionResult(
            region=region,
            named_after_s=named.get(number),
            is_namable=_is_namable(stream, region, setup, library, groups[number]),
        )
        for number, region in enumerate(stream.regions)
    )
    hours = stream.samples.size / SAMPLE_RATE_HZ / 3_600
    return StreamResult(
        regions=results, n_answers=len(answers), wrong_in_music=wrong, outside_music=outside, hours=hours
    )


def summarize(results: Sequence[StreamResult]) -> dict[str, Any]:
    """Return plain values: shares of regions named with their intervals, delays, and wrong names.

    Parameters
    ----------
    results : sequence of StreamResult
    """
    regions = [region for result in results for region in result.regions]
    audible = [one for one in regions if one.region.snr_db >= AUDIBLE_DB]
    namable = [one for one in audible if one.is_namable]
    delays_s = [one.named_after_s for one in audible if one.named_after_s is not None]
    hours = sum(result.hours for result in results)
    return {
        "hours": round(hours, 3),
        "n_answers": sum(result.n_answers for result in results),
        "named": {
            name: {"n": len(rows), **_share(rows)}
            for name, rows in (("all", regions), ("audible", audible), ("namable", namable))
        },
        "median_s": round(float(np.median(delays_s)), 2) if delays_s else None,
        "nine_in_ten_s": round(float(np.quantile(delays_s, 0.9)), 2) if delays_s else None,
        "wrong_in_music": sum(result.wrong_in_music for result in results),
        "outside_music": sum(result.outside_music for result in results),
        "outside_music_per_h": poisson_rate(sum(result.outside_music for result in results), max(hours, 1e-9)).to_dict(
            3
        ),
    }


def to_markdown(metrics: dict[str, Any]) -> str:
    """Return the figures as a table."""
    titles = {"all": "regions", "audible": f"at {AUDIBLE_DB:g} dB or more", "namable": "of those, namable"}
    rows = [
        (titles[name], str(row["n"]), f"{100 * row['value']:.1f}", f"{100 * row['low']:.1f} to {100 * row['high']:.1f}")
        for name, row in metrics["named"].items()
    ]
    table = markdown_table(("music", "regions", "named, %", "95 %"), rows, numbers=(1, 2))
    if metrics["median_s"] is None:
        return table
    return (
        f"{table}\n\nNamed {metrics['median_s']:g} s after the music's beginning in the median, "
        f"{metrics['nine_in_ten_s']:g} s nine in ten; {metrics['n_answers']} answers in {metrics['hours']:.1f} h; "
        f"names of other songs in music: {metrics['wrong_in_music']}, "
        f"names outside of music: {metrics['outside_music']}."
    )


def committed_table() -> str:
    """Return the tables of the kept runs."""
    return "\n\n".join(f"{title}:\n\n{to_markdown(committed(name))}" for title, name in RESULTS.items())


def _share(rows: Sequence[RegionResult]) -> dict[str, float | None]:
    return wilson(sum(one.named_after_s is not None for one in rows), len(rows)).to_dict()


def _groups(library: Library, titles: Mapping[str, Sequence[int]], title: str) -> set[int]:
    """Return the music that recordings of a title are."""
    return {int(library.groups[song]) for song in titles.get(title, ())}


def _group(library: Library, match: Match) -> int:
    return int(library.groups[library.songs[Path(match.track.source)]])


def _is_namable(stream: Stream, region: Region, setup: Setup, library: Library, groups: set[int]) -> bool:
    for look_s in _LOOKS_S:
        first = int((region.start_s + look_s) * SAMPLE_RATE_HZ)
        if region.start_s + look_s + QUERY_S > region.end_s:
            break
        query = stream.samples[first : first + int(QUERY_S * SAMPLE_RATE_HZ)]
        match = setup.recognizer.recognize((query, SAMPLE_RATE_HZ)).match
        if match is not None and _group(library, match) in groups:
            return True
    return False


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--detector", default=SHIPPED_DETECTOR)
    parser.add_argument("--fingerprinter", default=SHIPPED_FINGERPRINTER)
    parser.add_argument("--streams", type=int, default=30, help="of ten minutes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--leave-out", type=Path, help="table of recordings to leave out for their doubtful labels")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    options = parser.parse_args(arguments)
    library = index_corpus(options.corpus, EmbeddingCache(options.fingerprinter, options.cache_dir), options.cache_dir)
    setup = Setup.open(library.database, detector=options.detector, fingerprinter=options.fingerprinter)
    pools = SoundPools.from_sources(TrainingSources(corpus=options.corpus, cache_dir=options.cache_dir), "dev")
    if options.leave_out is not None:
        pools = without_doubtful(pools, read_table(options.leave_out))
    titles = defaultdict(list)
    for song in range(setup.songs.n_songs):
        titles[setup.songs.track(song).title].append(song)
    results = []
    for number in range(options.streams):
        stream = compose_stream(pools, stream_rng(options.seed, number))
        results.append(follow(stream, setup, library, titles))
        print(f"{number + 1} of {options.streams} streams", file=sys.stderr, flush=True)
    models = {one.role: one.name for one in setup.models_used}
    drawn = {"seed": options.seed, "n_streams": options.streams}
    metrics = {"schema": "whole-phone/1", "models": models, **drawn, **summarize(results)}
    write_json(options.out, metrics)
    sys.stdout.write(to_markdown(metrics) + "\n")
    return 0


if __name__ == "__main__":
    run_command(main)
