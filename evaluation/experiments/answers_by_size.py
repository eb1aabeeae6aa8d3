"""Answers in smaller and in larger libraries: python -m evaluation.experiments.answers_by_size --corpus C --out DIR ...

The fit of acceptance by size (:mod:`evaluation.experiments.sizes`) needs the evidence of right and of wrong answers in
libraries that are not the corpus. Matching takes long, so it is a step of its own, which goes on where it was stopped.

- ``small``: the songs are dealt out to seven libraries of about a hundred. Every known query is asked of its own
  library, and of the next one, to which it is unknown; unknown music and sounds are asked of one library each.
- ``large``: the corpus among 30,000 synthetic distractors (evaluation/retrieval/distractors.py), with cells of its own.
  Known queries are asked with their songs in the index, and with them masked.
"""

import argparse
import itertools
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.conditions import CLEAN, Condition, paired_conditions
from evaluation.retrieval.evaluation_set import EvaluationSet, build_evaluation_set
from evaluation.retrieval.library import grow_library
from evaluation.retrieval.matching import System, match_all
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, write_arrays
from nowplaying_core.command import run_command
from ondevice_db.index.codebook_files import load_codebook
from ondevice_db.match.evidence import N_FEATURES
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.settings import FingerprintSettings
from ondevice_db.store.store import SongDatabase

__all__ = ["SIZES", "SOUND_CONDITIONS", "Answers", "Asked", "main"]

Size = Literal["small", "large"]
SIZES: tuple[Size, ...] = ("small", "large")
SOUND_CONDITIONS = (CLEAN, Condition(length_s=2.0))


@dataclass(frozen=True, slots=True)
class Answers:
    """The best answer to each query of a plan under a condition, in libraries of one size.

    Attributes
    ----------
    features : ndarray of float64, shape (n, N_FEATURES)
        NaN where there was no candidate.
    is_correct : ndarray of bool, shape (n,)
    halves : ndarray of int64, 0 or 1, shape (n,)
        Half of the tracks that the query is in (:meth:`~evaluation.retrieval.evaluation_set.EvaluationSet.halves`).
    n_searched : ndarray of int64, shape (n,)
        Fingerprints in the library that was asked.
    """

    features: NDArray[np.float64]
    is_correct: NDArray[np.bool_]
    halves: NDArray[np.int64]
    n_searched: NDArray[np.int64]

    def save(self, path: Path) -> None:
        """Write the four arrays as ``.npz``."""
        write_arrays(path, {name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def load(cls, path: Path) -> "Answers":
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(*(stored[name] for name in cls.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class Asked:
    """The libraries of one size.

    Attributes
    ----------
    databases : tuple of Path
    songs : tuple of ndarray of int64
        For each database the numbers that its songs have in the corpus; what is behind them is no song of it.
    data : EvaluationSet
    jobs : int >= 1
    """

    databases: tuple[Path, ...]
    songs: tuple[NDArray[np.int64], ...]
    data: EvaluationSet
    jobs: int

    @classmethod
    def small(cls, data: EvaluationSet, n_libraries: int, folder: Path, jobs: int, seed: int = 7) -> "Asked":
        """Deal the songs out to several libraries, all songs that are the same music to one."""
        library, own = data.library, SongDatabase.open(data.library.database)
        names = ("embedding_space", "encoder", "dim", "hop_s", "window_s")
        settings = FingerprintSettings(**{name: getattr(own.manifest, name) for name in names})
        codebook = load_codebook(data.embeddings.fingerprinter.folder.path)
        part = np.random.default_rng(seed).permutation(library.groups.size)[library.groups] % n_libraries
        songs = tuple(np.flatnonzero(part == number) for number in range(n_libraries))
        folder.mkdir(parents=True, exist_ok=True)
        databases = tuple(folder / f"{number}.npdb" for number in range(n_libraries))
        for database, members in zip(databases, songs, strict=True):
            with DatabaseWriter(database, settings=settings, codebook=codebook) as writer:
                for song in members.tolist():
                    rows = library.vectors[library.song_starts[song] : library.song_starts[song + 1]]
                    writer.add(own.track(song), rows)
                writer.finish()
        return cls(databases, songs, data, jobs)

    @classmethod
    def large(cls, data: EvaluationSet, n_distractors: int, folder: Path, jobs: int) -> "Asked":
        """Put synthetic distractors behind the corpus."""
        codebook = load_codebook(data.embeddings.fingerprinter.folder.path)
        folder.mkdir(parents=True, exist_ok=True)
        grow_library(data.library, [], n_distractors, folder / "grown.npdb", codebook)
        return cls((folder / "grown.npdb",), (np.arange(data.library.song_starts.size - 1),), data, jobs)

    def ask(self, plan: str, condition: Condition, every: int = 1) -> Answers:
        """Match a plan's queries, or every nth of them; ``masked`` are the known ones without their songs."""
        source, seed = "known" if plan == "masked" else plan, 1
        rows = np.arange(len(self.data.plans[source].queries))[::every]
        queries = self.data.embeddings.queries(self.data.plans[source], condition)[rows]
        true = self.data.true_songs[rows] if source == "known" else np.full(rows.size, -1)
        hidden: Sequence[tuple[int, ...]] | None = None
        asked = np.arange(rows.size) % len(self.databases)
        if source == "known":
            homes = np.zeros(self.data.library.groups.size, np.int64)
            for number, members in enumerate(self.songs):
                homes[members] = number
            asked = (homes[true] + (plan == "masked")) % len(self.databases)
            if plan == "masked" and len(self.databases) == 1:
                hidden = [self.data.library.members(song) for song in true.tolist()]
        features = np.full((rows.size, N_FEATURES), np.nan)
        is_correct, n_searched = np.zeros(rows.size, bool), np.zeros(rows.size, np.int64)
        groups = self.data.library.groups
        for number, (database, members) in enumerate(zip(self.databases, self.songs, strict=True)):
            mine = np.flatnonzero(asked == number)
            if mine.size == 0:
                continue
            library = replace(self.data.library, database=database, vectors=self.data.library.vectors[:0])
            system = System(library=library, hop_s=self.data.embeddings.query_hop_s)
            masked = None if hidden is None else [hidden[row] for row in mine.tolist()]
            first_s = self.data.embeddings.first_s(condition)
            found = match_all(system, queries[mine], masked, first_s=first_s, jobs=self.jobs)
            features[mine] = found.features
            n_searched[mine] = SongDatabase.open(database).manifest.n_fingerprints
            of_corpus = (found.songs >= 0) & (found.songs < members.size) & (true[mine] >= 0)
            named = members[np.where(of_corpus, found.songs, 0)]
            is_correct[mine] = of_corpus & (groups[named] == groups[true[mine]])
        return Answers(features, is_correct, self.data.halves(source, seed)[rows], n_searched)


def questions(data: EvaluationSet) -> Iterator[tuple[str, Condition]]:
    """Yield each plan with each of its conditions."""
    yield from itertools.product(("known", "masked", "unknown"), paired_conditions())
    sounds = [name for name in ("speech", "noise", "train speech", "train noise") if name in data.plans]
    yield from itertools.product(sounds, SOUND_CONDITIONS)


def main() -> None:
    """Match what has not been matched yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=SHIPPED_FINGERPRINTER)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--small-libraries", type=int, default=7, help="that the songs are dealt out to")
    parser.add_argument("--distractors", type=int, default=30_000)
    parser.add_argument("--every", type=int, default=1, help="take every nth query of each plan")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="folder for the answers")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    data = build_evaluation_set(options.model, options.corpus, options.cache_dir, jobs=options.jobs)
    for size in options.sizes:
        files = {
            question: options.out / f"{size}, {question[0]}, {question[1].name}.npz" for question in questions(data)
        }
        missing = {question: file for question, file in files.items() if not file.is_file()}
        if not missing:
            continue
        folder = options.out / size
        shutil.rmtree(folder, ignore_errors=True)
        if size == "small":
            asked = Asked.small(data, options.small_libraries, folder, options.jobs)
        else:
            asked = Asked.large(data, options.distractors, folder, options.jobs)
        print(size, "built", flush=True)
        for (plan, condition), file in missing.items():
            answers = asked.ask(plan, condition, options.every)
            answers.save(file)
            print(f"{file.stem}: {answers.is_correct.size}, {answers.is_correct.mean():.3f} right", flush=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    run_command(main)
