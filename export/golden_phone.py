"""Golden vectors of a phone's bundle: one sound on its whole way, from PCM to the song's name."""

import hashlib
import json
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.gate import STEPS, Gate
from detector.stream import StreamingDetector
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import write_text
from nowplaying_core.audio import SAMPLE_RATE_HZ, to_float32
from nowplaying_core.errors import CorruptArtifactError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel
from ondevice_db.format.track import Track
from ondevice_db.index.base import SearchOptions
from ondevice_db.index.choose_codebook import shipped_codebook
from ondevice_db.match.evidence import MEASURES
from ondevice_db.recognizer import Recognizer
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.settings import FingerprintSettings
from ondevice_db.store.store import SongDatabase

__all__ = ["GOLDEN_SONG", "write_golden"]

GOLDEN_SONG: Final = 2
"""The song that the golden query is cut from."""

_N_SONGS: Final = 3
_SONG_S: Final = 20
_QUERY_S: Final = 8
_START_S: Final = 1.3
_NEAREST: Final = 5


def write_golden(folder: Path, detector: ModelFolder, fingerprinter: Fingerprinter, codebook: Path) -> str:
    """Write ``query.s16le``, ``golden.json`` and ``golden.npdb``, three made songs.

    Parameters
    ----------
    folder : Path
        Made here.
    detector : ModelFolder
    fingerprinter : Fingerprinter
    codebook : Path
        Model folder with the fingerprinter's codebook.

    Returns
    -------
    str
        What the query was answered with.
    """
    folder.mkdir()
    songs = [_song(number) for number in range(_N_SONGS)]
    database = folder / "golden.npdb"
    _index(songs, database, fingerprinter, codebook)
    start = round(_START_S * SAMPLE_RATE_HZ)
    noise = np.random.default_rng(7).normal(0, 400, _QUERY_S * SAMPLE_RATE_HZ)
    pcm = np.rint(songs[GOLDEN_SONG][start : start + noise.size] + noise).astype("<i2")
    (folder / "query.s16le").write_bytes(pcm.tobytes())

    listener = StreamingDetector.from_model(detector, reference_kernels=True)
    frames = listener.features(pcm)
    outputs = [round(one.probability * STEPS) for one in listener.process_features(frames)]
    gate = Gate(listener.gate_config)
    samples = to_float32(pcm)
    encoder = TfliteModel(fingerprinter.folder.file("encoder.tflite"))
    opened = SongDatabase.open(database, fingerprinter.embedding_space)
    recognition = Recognizer(opened, fingerprinter).recognize(samples, at_s=0.0)
    query = recognition.query
    if query is None or query.match.evidence is None:
        message = f"{fingerprinter.folder.path}: the golden query finds no neighbors; export the model again"
        raise CorruptArtifactError(message)
    begun = np.pad(samples, (round(-query.first_s * SAMPLE_RATE_HZ), 0))
    image = fingerprinter.front_end(begun[None, : fingerprinter.window_samples])
    neighbors = opened.index.nearest(query.embeddings, _NEAREST, SearchOptions())
    best = query.match.candidates[0]
    golden = {
        "kind": "golden",
        "schema_version": 1,
        "pcm": "query.s16le",
        "database": "golden.npdb",
        "detector": {
            "frames": frames.tolist(),
            "outputs": outputs,
            "is_music": [gate.step(output / STEPS).is_open for output in outputs],
        },
        "fingerprinter": {
            "log_mel_int8": encoder.input.quantize(image).ravel().tolist(),
            "first_s": query.first_s,
            "embeddings": [[round(float(value), 7) for value in row] for row in query.embeddings],
        },
        "neighbors": [
            [[int(number), round(float(similarity), 6)] for number, similarity in zip(*row, strict=True)]
            for row in zip(neighbors.fingerprints, neighbors.similarities, strict=True)
        ],
        "answer": {
            "song": best.song_index,
            "title": opened.track(best.song_index).title,
            "offset_s": round(best.offset_s, 4),
            "raw_score": round(best.raw_score, 6),
            "score": round(best.score, 6),
            "threshold": round(query.match.threshold, 6),
            "evidence": [round(float(value), 6) for value in query.match.evidence.to_vector()[: len(MEASURES)]],
        },
    }
    lines = [f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in golden.items()]
    write_text(folder / "golden.json", "{\n" + ",\n".join(lines) + "\n}\n")
    return f"song {best.song_index} at {best.offset_s:.2f} s, score {best.score:.3f}"


def _song(seed: int) -> NDArray[np.float64]:
    """Return a melody of fading triangle waves, int16 values."""
    rng = np.random.default_rng(100 + seed)
    time_s = np.arange(_SONG_S * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    length_s = 0.2 + 0.07 * seed
    note = (time_s / length_s).astype(np.int64)
    age_s = time_s - note * length_s
    sound = np.zeros(time_s.size)
    for octave in (1, 2):
        hz = 110.0 * octave * 2 ** (rng.choice([0, 2, 4, 5, 7, 9, 11, 12], note[-1] + 1)[note] / 12)
        for harmonic in (1, 2, 3, 5):
            sound += (2 * np.abs(2 * (hz * harmonic * age_s % 1) - 1) - 1) / harmonic
    return 2_500 * sound * np.exp(-age_s / length_s)


def _index(songs: list[NDArray[np.float64]], path: Path, fingerprinter: Fingerprinter, codebook: Path) -> None:
    settings = FingerprintSettings(
        embedding_space=fingerprinter.embedding_space,
        encoder=fingerprinter.name,
        dim=fingerprinter.dim,
        hop_s=fingerprinter.reference_hop_s,
        window_s=fingerprinter.window_s,
    )
    with DatabaseWriter(path, settings=settings, codebook=shipped_codebook(codebook)) as writer:
        for number, song in enumerate(songs):
            pcm = np.rint(song).astype("<i2")
            track = Track(
                track_id=hashlib.sha256(pcm.tobytes()).hexdigest()[:16],
                title=f"Golden song {number}",
                source="generated",
                duration_s=float(_SONG_S),
            )
            writer.add(track, fingerprinter.embed(to_float32(pcm), fingerprinter.reference_hop_s))
        writer.finish()
