"""An indexed corpus, and queries from known music, unknown music and no music."""

import atexit
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.calibration import split_tracks
from evaluation.retrieval.embedding import EmbeddingCache, load_long_enough
from evaluation.retrieval.library import Library, build_library
from evaluation.retrieval.queries import Plan, draw_plan
from evaluation.retrieval.rooms import load_dev_rooms, room_response
from evaluation.retrieval.same_music import SameMusic
from nowplaying_core.artifacts import write_arrays
from nowplaying_core.audio.cache import load_cached
from nowplaying_core.audio.corpus import CorpusFile, Group, read_corpus, recordings_if_any
from nowplaying_core.audio.rooms import from_direct_sound
from ondevice_db.index.codebook import Codebook

__all__ = [
    "EvaluationSet",
    "build_evaluation_set",
    "dev_room_responses",
    "dev_rooms",
    "index_corpus",
    "measured_room_responses",
    "measured_rooms",
    "plan_known",
]

_MAX_ROOM_SAMPLES = 19_200


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """An indexed corpus with its queries.

    Attributes
    ----------
    embeddings : EmbeddingCache
    library : Library
        The music of splits ``train`` and ``dev``.
    plans : dict of str to Plan
        ``known`` (cut from dev music), and as far as the corpus has them ``unknown`` (music that is not indexed),
        ``speech`` and ``noise`` of split ``dev``, ``train speech`` and ``train noise``.
    true_songs : ndarray of int64, shape (n_known,)
        Song index of every known query.
    from_seen_source : ndarray of bool, shape (n_known,)
        Whether the ``train`` split has other music from where the query's recording comes from.
    duplicates : list of Path
        Unknown music, speech and noise that is the same recording as something indexed, or holds a part of it, and is
        therefore left out: games use one ambience both as noise and in their music.
    """

    embeddings: EmbeddingCache
    library: Library
    plans: dict[str, Plan]
    true_songs: NDArray[np.int64]
    from_seen_source: NDArray[np.bool_]
    duplicates: list[Path]

    @property
    def masks(self) -> list[tuple[int, ...]]:
        """For each known query its song and the duplicates of it."""
        return [self.library.members(int(song)) for song in self.true_songs]

    def halves(self, plan: str, seed: int) -> NDArray[np.int64]:
        """Divide the queries of a plan by the tracks that they are cut from, duplicates of one together.

        Returns
        -------
        ndarray of int64, 0 or 1, shape (n_queries,)
        """
        rng = np.random.default_rng([seed, 98])
        if plan == "known":
            return split_tracks(self.library.groups[self.true_songs].tolist(), rng)
        return split_tracks([query.path for query in self.plans[plan].queries], rng)


def build_evaluation_set(
    model: str | Path,
    corpus: Path,
    cache: Path,
    *,
    n_queries: int = 2000,
    n_unknown: int = 900,
    n_sounds: int = 500,
    seed: int = 1,
    room_kinds: Collection[str] = ("simulated", "measured"),
    reference_hop_s: float | None = None,
    codebook: Codebook | None = None,
    jobs: int = 1,
) -> EvaluationSet:
    """Index a corpus and draw the queries.

    Parameters
    ----------
    model : str or Path
        Fingerprinter.
    corpus : Path
        As :func:`~nowplaying_core.audio.corpus.read_corpus` reads it; ``dev`` music and ``dev`` noise are needed.
    cache : Path
        Folder for decoded audio, fingerprints and the database.
    n_queries, n_unknown, n_sounds : int >= 1
        Queries from known music, unknown music, and each of speech and noise.
    seed : int
    room_kinds : collection of str
        Which rooms the conditions need; simulating a hundred takes a minute the first time.
    reference_hop_s : float, optional, seconds
        Of the database; by default the model's.
    codebook : Codebook, optional
    jobs : int >= 1
    """
    embeddings = EmbeddingCache(model, cache, reference_hop_s=reference_hop_s, jobs=jobs)
    library = index_corpus(corpus, embeddings, cache, codebook)

    # The last number seeds the draw; the splits of a group have the same.
    groups: dict[str, tuple[Group, str, int]] = {
        "unknown": ("music", "unknown", 1),
        "speech": ("speech", "dev", 2),
        "noise": ("noise", "dev", 3),
        "train speech": ("speech", "train", 2),
        "train noise": ("noise", "train", 3),
    }
    plans = {"known": plan_known(corpus, cache, room_kinds, n_queries=n_queries, seed=seed)}
    noises, rooms = plans["known"].noises, plans["known"].rooms
    duplicates: list[Path] = []
    for name, (group, split, number) in groups.items():
        recordings = recordings_if_any(corpus, group, split)
        # What has no split is of both, and judged: then it must not be fitted to.
        paths = [file.path for file in recordings if file.split or split != "train"]
        known = _known_among(paths, embeddings, library) if paths else []
        duplicates += [] if split == "train" else known
        kept, rng = [path for path in paths if path not in known], np.random.default_rng([seed, number])
        if kept:
            n = n_unknown if name == "unknown" else n_sounds
            plans[name] = _plan(kept, noises, rooms, cache, n_queries=n, rng=rng)
    paths = [query.path for query in plans["known"].queries]
    seen = {file.source for file in recordings_if_any(corpus, "music", "train") if file.split}
    source = {file.path: file.source for file in read_corpus(corpus, "music", "dev")}
    return EvaluationSet(
        embeddings=embeddings,
        library=library,
        plans=plans,
        true_songs=np.array([library.songs[path] for path in paths]),
        from_seen_source=np.array([source[path] in seen for path in paths]),
        duplicates=duplicates,
    )


def index_corpus(corpus: Path, embeddings: EmbeddingCache, cache: Path, codebook: Codebook | None = None) -> Library:
    """Index the music of splits ``train`` and ``dev`` into a database of this process in the cache folder."""
    space = embeddings.fingerprinter.embedding_space
    # Its own, because evaluations that run at the same time may want other codes of the same music.
    database = cache / f"corpus-{space}-{embeddings.reference_hop_s:g}-{os.getpid()}.npdb"
    shutil.rmtree(database, ignore_errors=True)
    atexit.register(shutil.rmtree, database, ignore_errors=True)
    # Music of no split is of both.
    music = [*recordings_if_any(corpus, "music", "train"), *read_corpus(corpus, "music", "dev")]
    files = {file.path: file for file in music}
    return build_library(list(files.values()), embeddings, database, codebook=codebook)


def plan_known(corpus: Path, cache: Path, room_kinds: Collection[str], *, n_queries: int, seed: int) -> Plan:
    """Draw queries from the ``dev`` music, the same for every model."""
    paths = _paths(corpus, "music", "dev")
    noises = [load_cached(path, cache) for path in _paths(corpus, "noise", "dev")]
    rooms = dev_rooms(corpus, cache, room_kinds)
    return _plan(paths, noises, rooms, cache, n_queries=n_queries, rng=np.random.default_rng([seed, 0]))


def _plan(
    paths: Sequence[Path],
    noises: Sequence[NDArray[np.float32]],
    rooms: Mapping[str, Sequence[NDArray[np.float32]]],
    cache: Path,
    *,
    n_queries: int,
    rng: np.random.Generator,
) -> Plan:
    return draw_plan({path: load_long_enough(path, cache) for path in paths}, noises, rooms, n_queries, rng)


def _known_among(paths: list[Path], embeddings: EmbeddingCache, library: Library) -> list[Path]:
    music, rows = SameMusic.among(library.paths, embeddings), embeddings.shipped().references(paths)
    return [path for path, vectors in zip(paths, rows, strict=True) if vectors.any() and music.find(vectors)]


def dev_rooms(corpus: Path, cache: Path, kinds: Collection[str]) -> dict[str, list[NDArray[np.float32]]]:
    """Return the responses of the kinds of rooms that conditions need."""
    rooms: dict[str, list[NDArray[np.float32]]] = {"simulated": [], "measured": []}
    if "measured" in kinds:
        rooms["measured"] = measured_room_responses(corpus, cache)
    if set(kinds) - {"none", "measured"}:
        rooms["simulated"] = dev_room_responses(cache)
        for room, response in zip(load_dev_rooms(), rooms["simulated"], strict=True):
            rooms.setdefault(f"T60 {room.t60_target_s:g} s", []).append(response)
    return rooms


def dev_room_responses(cache: Path) -> list[NDArray[np.float32]]:
    """Return the responses of the hundred dev rooms, simulated once and kept in a cache folder.

    Raises
    ------
    MissingExtraError
        When they are not in the cache and pyroomacoustics is not installed.
    """
    file = cache / "rooms_dev-v1.npz"
    if not file.is_file():
        responses = {f"{number:03}": room_response(room) for number, room in enumerate(load_dev_rooms())}
        cache.mkdir(parents=True, exist_ok=True)
        write_arrays(file, responses)
    with np.load(file, allow_pickle=False) as stored:
        return [stored[name] for name in sorted(stored.files)]


def measured_room_responses(corpus: Path, cache: Path) -> list[NDArray[np.float32]]:
    """Return the measured dev rooms of a corpus, if any, from the direct sound on, with unit energy."""
    return [from_direct_sound(load_cached(file.path, cache), _MAX_ROOM_SAMPLES) for file in measured_rooms(corpus)]


def measured_rooms(corpus: Path) -> list[CorpusFile]:
    """List the measured dev rooms of a corpus; responses that it labels as something else, such as plates, are none."""
    return [file for file in recordings_if_any(corpus, "rir", "dev") if file.label in {"", "room"}]


def _paths(corpus: Path, group: Group, split: str) -> list[Path]:
    return [file.path for file in read_corpus(corpus, group, split)]
