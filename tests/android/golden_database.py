"""Golden answers of the database and the matcher: real queries, a committed database, and databases to be refused."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from evaluation.endurance.forgery import damage_bytes, forge_manifest, forged_array
from evaluation.endurance.trials import TRIAL_SETTINGS, trial_database, trial_song
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, write_json
from nowplaying_core.audio import load, to_float32, to_int16
from nowplaying_core.errors import NowPlayingError
from ondevice_db.format.arrays import save_array
from ondevice_db.format.layouts import CODE_KINDS
from ondevice_db.format.manifest import MANIFEST_NAME, load_manifest
from ondevice_db.format.packing import width_of
from ondevice_db.format.radix import sort_by_cell
from ondevice_db.index.base import SearchOptions
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.levels import SILENCE_DBFS
from ondevice_db.lookup import acceptance_of
from ondevice_db.match.accept import DEFAULT_ACCEPTANCE, Acceptance
from ondevice_db.match.direction import LEAST_LEAD, TURNED_HOPS
from ondevice_db.match.evidence import MEASURES
from ondevice_db.match.match import Ranking
from ondevice_db.match.matcher import Matcher
from ondevice_db.recognizer import Recognizer
from ondevice_db.store.packs import SongPacks
from ondevice_db.store.store import SongDatabase
from simulator.demo import index_demo_songs
from simulator.scenes.recordings import demo_recordings

__all__ = ["answer_record", "write_answers", "write_database_goldens"]

_FITTED_TO_LESS: Final = replace(DEFAULT_ACCEPTANCE, n_fitted=100, size_slope=-0.2, size_slope_x_log_fingerprints=0.3)
_QUERY_ROWS: Final = 12
_QUERIES_PER_RECORDING: Final = 8
_N_DAMAGED: Final = 120
_TURNED_SAMPLES: Final = 128_000
_OPTIONS: Final = {
    "default": SearchOptions(),
    "probe": SearchOptions(n_probe=6),  # through Annoy, which a small database does without
    "few": SearchOptions(n_probe=24, n_neighbors=40, n_candidates=16, n_best=2),
}


def write_database_goldens(folder: Path) -> None:
    """Write databases, queries and answers.

    Parameters
    ----------
    folder : Path
        For ``demo.npdb``, ``committed.npdb`` and ``damaged``, with their answers beside them.
    """
    fingerprinter = Fingerprinter.from_model(SHIPPED_FINGERPRINTER, reference_kernels=True)
    queries = write_answers(folder, fingerprinter)
    _write_sounds(folder)
    _write_packs(folder, queries, fingerprinter)
    _write_damaged(folder / "damaged")


def write_answers(folder: Path, fingerprinter: Fingerprinter) -> NDArray[np.float32]:
    """Write databases of the demo, of schema 2 and of schema 3, with queries and answers; return the demo's queries."""
    shutil.rmtree(folder / "demo.npdb", ignore_errors=True)
    index_demo_songs(folder / "demo.npdb")
    queries = np.concatenate([_queries_of(rows, starts) for _, rows, starts in _demo_sounds(fingerprinter)])
    rng = np.random.default_rng(24)
    for query in queries[::10]:
        query[rng.integers(0, _QUERY_ROWS, 8)] = 0  # pauses, and queries of a few fingerprints
    _write_answers(folder, "demo", queries, fingerprinter.query_hop_s, acceptance_of(fingerprinter))
    trial_queries = np.stack([trial_song(number)[3:10] for number in (*range(12), 300, 301)])
    committed = Path(__file__).resolve().parents[1] / "ondevice_db" / "fixtures" / "v2" / "pq.npdb"
    shutil.rmtree(folder / "committed.npdb", ignore_errors=True)
    shutil.copytree(committed, folder / "committed.npdb")
    # The demo is smaller than what acceptance was fitted to; these databases are larger.
    _write_answers(folder, "committed", trial_queries, TRIAL_SETTINGS.hop_s, _FITTED_TO_LESS)
    shutil.rmtree(folder / "residual.npdb", ignore_errors=True)
    trial_database(folder / "residual.npdb", range(12), kind="residual")
    _write_answers(folder, "residual", trial_queries, TRIAL_SETTINGS.hop_s, _FITTED_TO_LESS)
    return queries


def _write_packs(folder: Path, queries: NDArray[np.float32], fingerprinter: Fingerprinter) -> None:
    """Write the demo's songs as two packs that share some, and the answers."""
    paths = [one.path for one in demo_recordings().values() if one.indexed]
    packs = []
    for name, part in (("first", paths[:8]), ("second", paths[5:])):
        pack = folder / f"{name}.npdb"
        shutil.rmtree(pack, ignore_errors=True)
        index_paths(part, pack, fingerprinter)
        packs.append(SongDatabase.open(pack, fingerprinter.embedding_space))
    _write_pack_answers(folder / "packs.json", packs, queries, fingerprinter)
    packs[1] = _copies(folder / "copies.npdb", paths[:8], fingerprinter)
    _write_pack_answers(folder / "copies.json", packs, queries, fingerprinter)


def _copies(database: Path, paths: list[Path], fingerprinter: Fingerprinter) -> SongDatabase:
    """Return a database of other encodings of songs: every other one begins later and has an artist."""
    shutil.rmtree(database, ignore_errors=True)
    rng = np.random.default_rng(29)
    with tempfile.TemporaryDirectory() as encoded:
        copies = [Path(encoded) / f"{number}.flac" for number in range(len(paths))]
        for number, (path, copy) in enumerate(zip(paths, copies, strict=True)):
            samples = load(path)[number % 2 * 12_345 :]
            with soundfile.SoundFile(copy, "w", 16_000, 1, "PCM_16", format="FLAC") as file:
                if number % 2:
                    file.artist = "Somebody"
                # Noise, because equal codes make ties, whose order is nobody's business.
                file.write(0.7 * samples + 0.01 * rng.standard_normal(samples.size))
        index_paths(copies, database, fingerprinter)
    return SongDatabase.open(database, fingerprinter.embedding_space)


def _write_pack_answers(
    file: Path, packs: list[SongDatabase], queries: NDArray[np.float32], fingerprinter: Fingerprinter
) -> None:
    songs = SongPacks(packs)
    acceptance = acceptance_of(fingerprinter)
    matcher = Matcher(songs, acceptance)
    hop_s = fingerprinter.query_hop_s
    write_json(
        file,
        {
            "embedding_space": fingerprinter.embedding_space,
            "hop_s": fingerprinter.query_hop_s,
            "acceptance": acceptance.to_dict(),
            "n_songs": songs.n_songs,
            "songs": [songs.track(index).to_dict() for index in range(songs.song_starts.size - 1)],
            "answers": [_answer(matcher, query, hop_s, SearchOptions()) for query in queries[::2]],
        },
    )


_Sound = tuple[NDArray[np.int16], NDArray[np.float32], NDArray[np.int64]]


def _demo_sounds(fingerprinter: Fingerprinter) -> Iterator[_Sound]:
    """Yield every recording of the demo, clean or in noise, its fingerprints, and where queries of 8 s begin."""
    rng = np.random.default_rng(23)
    for number, recording in enumerate(demo_recordings().values()):
        samples = load(recording.path)
        level = (0.0, 0.3, 1.0)[number % 3] * float(np.sqrt(np.mean(np.square(samples))))
        noisy = to_int16(samples + level * rng.standard_normal(samples.size).astype(np.float32))
        rows, levels_dbfs = fingerprinter.embed_with_levels(to_float32(noisy), fingerprinter.query_hop_s)
        rows = np.where((levels_dbfs <= SILENCE_DBFS)[:, None], np.float32(0), rows)
        yield noisy, rows, rng.integers(0, len(rows) - _QUERY_ROWS, _QUERIES_PER_RECORDING)


def _queries_of(rows: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.stack([rows[start : start + _QUERY_ROWS] for start in starts]).astype(np.float32)


def _write_sounds(folder: Path) -> None:
    """Write the samples that the demo's queries are cut from, and the songs that LiteRT's default kernels name.

    Of each sound's first eight seconds the songs that are named forwards and backwards stand apart, with whether a song
    was refused because it runs backwards.
    """
    fingerprinter = Fingerprinter.from_model(SHIPPED_FINGERPRINTER)
    matcher = Matcher(SongDatabase.open(folder / "demo.npdb"), acceptance_of(fingerprinter))
    recognizer = Recognizer(SongDatabase.open(folder / "demo.npdb"), fingerprinter)
    sounds, pcm, turned = [], [], []
    for samples, rows, starts in _demo_sounds(fingerprinter):
        answers = [
            _answer(matcher, query, fingerprinter.query_hop_s, SearchOptions()) for query in _queries_of(rows, starts)
        ]
        queries = [[int(start), answer["best"]] for start, answer in zip(starts, answers, strict=True)]
        sounds.append({"samples": samples.size, "queries": queries})
        pcm.append(samples)
        query = to_float32(samples[:_TURNED_SAMPLES])
        found = [recognizer.recognize(np.ascontiguousarray(part), at_s=0.0) for part in (query, query[::-1])]
        turned.append([None if one.match is None else one.match.track.track_id for one in found])
        turned[-1].append(any(one.query is not None and one.query.is_backwards for one in found))
    constants = {"hops": TURNED_HOPS, "least_lead": LEAST_LEAD}
    write_json(folder / "demo-turned.json", {"samples": _TURNED_SAMPLES, "songs": turned, **constants})
    save_array(folder / "demo-sounds.npy", np.concatenate(pcm))
    write_json(folder / "demo-sounds.json", {"sounds": sounds})


def _write_answers(folder: Path, name: str, queries: NDArray[np.float32], hop_s: float, acceptance: Acceptance) -> None:
    database = SongDatabase.open(folder / f"{name}.npdb", check_hashes=True)
    save_array(folder / f"{name}-queries.npy", queries)
    for case, options in _OPTIONS.items():
        sounding = queries.reshape(-1, queries.shape[2])
        sounding = sounding[sounding.any(axis=1)][:: 7 if name == "demo" else 1]
        neighbors = [database.index.nearest(row[None], options.n_neighbors, options) for row in sounding]
        save_array(folder / f"{name}-{case}-rows.npy", sounding)
        save_array(folder / f"{name}-{case}-neighbors.npy", np.concatenate([one.fingerprints for one in neighbors]))
        save_array(folder / f"{name}-{case}-similarities.npy", np.concatenate([one.similarities for one in neighbors]))
    matcher = Matcher(database, acceptance)
    write_json(
        folder / f"{name}.json",
        {
            "embedding_space": database.manifest.embedding_space,
            "hop_s": hop_s,
            "acceptance": acceptance.to_dict(),
            "options": {
                case: [options.n_probe or 0, options.n_neighbors, options.n_candidates, options.n_best]
                for case, options in _OPTIONS.items()
            },
            "answers": {
                case: [_answer(matcher, query, hop_s, options) for query in queries]
                for case, options in _OPTIONS.items()
            },
        },
    )


def _answer(matcher: Matcher, query: NDArray[np.float32], hop_s: float, options: SearchOptions) -> dict[str, Any]:
    return answer_record(matcher.match(query, hop_s, options))


def answer_record(match: Ranking) -> dict[str, Any]:
    """Return an answer as Java's tests compare it."""
    vector = match.evidence.to_vector()[: len(MEASURES)].tolist() if match.evidence is not None else []
    found = [
        [one.song_index, one.offset_s, one.raw_score, one.score, [other.song_index for other in one.also]]
        for one in match.candidates
    ]
    return {
        "best": None if match.best is None else match.best.song_index,
        "threshold": match.threshold,
        "n_scanned": match.n_scanned,
        "evidence": vector,
        "candidates": found,
    }


def _write_damaged(folder: Path) -> None:
    """Write databases that were damaged, or forged so that their hashes agree, and whether they are refused."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    wholes = [trial_database(folder / f"{kind}.npdb", range(14), kind=kind) for kind in CODE_KINDS]
    queries = np.stack([trial_song(3)[4:11], trial_song(300)[:7]])
    save_array(folder / "queries.npy", queries)
    cases = []
    for number in range(_N_DAMAGED):
        rng = np.random.default_rng([31, number])
        path = Path(shutil.copytree(wholes[number % 2], folder / f"{number}.npdb"))
        names = {role: str(one["name"]) for role, one in load_manifest(path).files.items() if role != "songs"}
        role = sorted(names)[number // 5 % len(names)]
        kind = ("damaged file", "damaged manifest", "forged file", "forged array", "forged manifest")[number % 5]
        file = path / (MANIFEST_NAME if kind == "damaged manifest" else names[role])
        if kind == "forged array" and file.suffix == ".npy":
            file.write_bytes(forged_array(file, rng))
        elif kind != "forged manifest":
            file.write_bytes(damage_bytes(file.read_bytes(), rng))
        if kind.startswith("forged"):
            forge_manifest(path, role, rng if kind == "forged manifest" else None)
        cases.append({"number": number, "kind": kind, "role": role, "error": _error_of(path, queries)})
    for number, whole in enumerate(wholes, _N_DAMAGED):
        path = Path(shutil.copytree(whole, folder / f"{number}.npdb"))
        _move_a_fingerprint(path)
        cases.append(
            {"number": number, "kind": "another order", "role": "order_bits", "error": _error_of(path, queries)}
        )
    write_json(folder / "cases.json", {"embedding_space": TRIAL_SETTINGS.embedding_space, "cases": cases})


def _move_a_fingerprint(path: Path) -> None:
    """Put a fingerprint into the next cell, in an order that agrees with itself but not with the cells' lists."""
    manifest = load_manifest(path)
    names = {role: path / str(one["name"]) for role, one in manifest.files.items()}
    lists = np.diff(np.load(names["list_starts"]).astype(np.int64))
    n_silent = manifest.n_fingerprints - manifest.n_codes
    cells = np.repeat(np.arange(manifest.n_cells + 1), np.append(lists, n_silent))
    cells[0] += 1
    _, order = sort_by_cell(cells, width_of(manifest.n_cells + 1))
    for role, array in (("order_bits", order.bits), ("order_counts", order.counts)):
        names[role].unlink()
        save_array(names[role], array)
        forge_manifest(path, role, None)


def _error_of(path: Path, queries: NDArray[np.float32]) -> str | None:
    try:
        database = SongDatabase.open(path, TRIAL_SETTINGS.embedding_space, check_hashes=True)
        for query in queries:
            Matcher(database).match(query, TRIAL_SETTINGS.hop_s)
    except NowPlayingError as error:
        return type(error).__name__
    return None
