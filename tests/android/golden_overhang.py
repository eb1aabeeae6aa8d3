"""Golden vectors of queries that windows overhang: models, short sounds, their fingerprints and answers."""

import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio import load, to_float32, to_int16
from ondevice_db.format.arrays import save_array
from ondevice_db.levels import SILENCE_DBFS
from ondevice_db.lookup import acceptance_of
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase
from simulator.scenes.recordings import demo_recordings
from tests.android.golden_database import answer_record
from tests.changed_models import changed_fingerprinter

__all__ = ["write_overhang_goldens"]

# No whole number of hops: windows begin where those of a query without overhang do not.
_OVERHANG: Final = {"query_overhang_s": 0.7, "query_overhang_below_s": 4.0}
_LENGTHS_S: Final = (1.0, 2.0, 2.048, 2.5, 3.0, 3.99, 4.0, 8.0)
_REFUSED: Final = (
    {"query_overhang_s": "0.7"},
    {"query_overhang_s": 1.1},
    {"query_overhang_s": -0.1},
    {"query_overhang_below_s": 0},
)


def write_overhang_goldens(folder: Path) -> None:
    """Write models with overhangs, one that opens and some that are refused, and queries of one to eight seconds.

    Parameters
    ----------
    folder : Path
        That has ``demo.npdb`` already; gets ``overhanging``, ``overhang.json``, ``overhang-pcm.npy`` and
        ``overhang-rows.npy``.
    """
    models = folder / "overhanging"
    shutil.rmtree(models, ignore_errors=True)
    fingerprinter = Fingerprinter.from_model(changed_fingerprinter(models / "opens", _OVERHANG), reference_kernels=True)
    for number, entries in enumerate(_REFUSED):
        changed_fingerprinter(models / f"refused-{number}", entries)
    database = SongDatabase.open(folder / "demo.npdb", fingerprinter.embedding_space)
    matcher = Matcher(database, acceptance_of(fingerprinter))
    rng = np.random.default_rng(37)
    sounds, rows, queries = [], [], []
    for number, recording in enumerate(demo_recordings().values()):
        samples = load(recording.path)
        size = round(_LENGTHS_S[number % len(_LENGTHS_S)] * fingerprinter.sample_rate_hz)
        start = int(rng.integers(0, samples.size - size))
        pcm = to_int16(samples[start : start + size])
        found = fingerprinter.embed_query(to_float32(pcm))
        vectors = np.where((found.levels_dbfs <= SILENCE_DBFS)[:, None], np.float32(0), found.vectors)
        match = matcher.match(vectors, fingerprinter.query_hop_s, first_s=found.first_s)
        queries.append(
            {"samples": size, "rows": len(vectors), "first_s": found.first_s, "answer": answer_record(match)}
        )
        sounds.append(pcm)
        rows.append(vectors)
    save_array(folder / "overhang-pcm.npy", np.concatenate(sounds))
    save_array(folder / "overhang-rows.npy", np.concatenate(rows).astype(np.float32))
    record: dict[str, Any] = {
        "embedding_space": fingerprinter.embedding_space,
        "refused": len(_REFUSED),
        "queries": queries,
    }
    write_json(folder / "overhang.json", record)
