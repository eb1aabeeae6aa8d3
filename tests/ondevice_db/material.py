"""Fingerprints, codebooks and databases for tests, without a trained network."""

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from fingerprinter.fingerprint import QueryFingerprints
from ondevice_db.format.manifest import load_manifest
from ondevice_db.format.track import Track
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.normalize import l2_normalize
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.ingest.report import IndexReport
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.settings import FingerprintSettings
from ondevice_db.store.versions import last_good

__all__ = [
    "DIM",
    "SETTINGS",
    "SPACE",
    "SpectrumFingerprinter",
    "build_database",
    "make_codebook",
    "make_residual_codebook",
    "make_track",
    "named_files",
    "walk",
    "worsen",
]

DIM = 96
SPACE = "0123456789abcdef"
SETTINGS = FingerprintSettings(embedding_space=SPACE, encoder="spectrum", dim=DIM, hop_s=1.0, window_s=2.048)


def walk(rng: np.random.Generator, n: int, dim: int = DIM) -> np.ndarray:
    """Return a song's unit vectors: slow changes about a mean of its own, as real fingerprints of a song have."""
    steps = rng.standard_normal((n, dim))
    rows = np.empty((n, dim))
    state = rng.standard_normal(dim)
    for number in range(n):
        state = 0.75 * state + np.sqrt(1 - 0.75**2) * steps[number]
        rows[number] = state
    return l2_normalize(rows + 0.5 * rng.standard_normal(dim))


def worsen(rng: np.random.Generator, vectors: np.ndarray, level: float) -> np.ndarray:
    """Return unit vectors with noise of ``level`` times their length."""
    return l2_normalize(vectors + level * rng.standard_normal(vectors.shape) / np.sqrt(vectors.shape[1]))


def make_codebook(vectors: np.ndarray, n_cells: int = 32, n_subspaces: int = 12, seed: int = 5) -> Codebook:
    """Return a usable, untrained codebook: cells and sub-centroids are samples of the data."""
    rng = np.random.default_rng(seed)
    dim = vectors.shape[1]
    centroids = vectors[rng.choice(len(vectors), n_cells, replace=False)] * np.float32(0.8)
    rotation = np.linalg.qr(rng.standard_normal((dim, dim)))[0].astype(np.float32)
    cells = np.argmax(vectors @ centroids.T, axis=1)
    rotated = (vectors - centroids[cells]) @ rotation.T
    parts = rotated.reshape(len(vectors), n_subspaces, -1)
    chosen = rng.choice(len(vectors), 256, replace=len(vectors) < 256)
    return Codebook(centroids, rotation, np.ascontiguousarray(parts[chosen].transpose(1, 0, 2)))


def make_residual_codebook(vectors: np.ndarray, n_cells: int = 32, n_bytes: int = 12, seed: int = 5) -> Codebook:
    """Return a usable codebook of whole vectors: each byte's words are samples of what those before leave over."""
    rng = np.random.default_rng(seed)
    centroids = vectors[rng.choice(len(vectors), n_cells, replace=False)] * np.float32(0.8)
    left = vectors - centroids[np.argmax(vectors @ centroids.T, axis=1)]
    words = np.empty((n_bytes, 256, vectors.shape[1]), np.float32)
    for of_byte in words:
        of_byte[:] = np.float32(0.7) * left[rng.choice(len(left), 256, replace=len(left) < 256)]
        of_byte[0] = 0  # nothing need be added
        left = left - of_byte[np.argmax(left @ of_byte.T - 0.5 * np.square(of_byte).sum(axis=1), axis=1)]
    return Codebook(centroids, np.eye(vectors.shape[1], dtype=np.float32), words)


def make_track(number: int) -> Track:
    return Track(
        track_id=f"{number:016x}",
        title=f"Song {number}",
        artist="Nobody",
        album="Nothing",
        duration_s=30.0 + number,
        source=f"/music/{number}.flac",
        external_ids={"isrc": f"XX{number:010}"},
    )


def build_database(
    path: Path, songs: list[np.ndarray], layout: str = "pq", n_cells: int = 32, codebook: Codebook | None = None
) -> Path:
    """Write a database of songs given by their fingerprints, one a second."""
    codebook = codebook if codebook is not None else make_codebook(np.concatenate(songs), n_cells)
    with DatabaseWriter(path, settings=SETTINGS, codebook=codebook, layout=layout) as writer:
        for number, vectors in enumerate(songs):
            writer.add(make_track(number), vectors)
        writer.finish()
    return path


def named_files(database: Path) -> set[str]:
    """Return the names of all files that belong into a database's folder: of its version and of the one before."""
    before = last_good(database)
    kept = [load_manifest(database)] + ([before] if before else [])
    names = {str(record["name"]) for manifest in kept for record in manifest.files.values()}
    return names | {"manifest.json"} | ({f"manifest-{before.generation}.json"} if before else set())


class SpectrumFingerprinter:
    """Stands in for a `Fingerprinter`: log band levels over time through a fixed random projection."""

    folder = SimpleNamespace(path=Path("no-such-model"), manifest={})
    name = "spectrum"
    dim = DIM
    embedding_space = SPACE
    reference_hop_s = 1.0
    query_hop_s = 0.5
    window_s = 2.048

    def embed_blocks(self, blocks: Iterable[np.ndarray], hop_s: float) -> tuple[np.ndarray, np.ndarray]:
        return self.embed_with_levels(np.concatenate(list(blocks)), hop_s)

    def embed_query(self, samples: np.ndarray, hop_s: float = query_hop_s) -> QueryFingerprints:
        return QueryFingerprints(*self.embed_with_levels(samples, hop_s), 0.0)

    def embed_with_levels(self, samples: np.ndarray, hop_s: float) -> tuple[np.ndarray, np.ndarray]:
        window, hop = 32_768, round(hop_s * 16_000)
        n = max(1, (len(samples) - window) // hop + 1)
        padded = np.pad(samples, (0, max(0, window - len(samples))))
        frames = np.stack([padded[start : start + window] for start in range(0, n * hop, hop)][:n])
        levels = 10 * np.log10(np.mean(frames.astype(np.float64) ** 2, axis=1) + 1e-10)
        power = np.abs(np.fft.rfft(frames.reshape(n, 8, 4096) * np.hanning(4096), axis=2)) ** 2
        edges = np.unique(np.geomspace(40, 1800, 49).astype(int))
        levels_of_bands = np.add.reduceat(power, edges, axis=2)[:, :, :-1].reshape(n, -1)
        bands = np.log(levels_of_bands + 1e-3 * levels_of_bands.mean(axis=1, keepdims=True) + 1e-12)
        bands -= bands.mean(axis=1, keepdims=True)
        projection = np.random.default_rng(8).standard_normal((bands.shape[1], DIM))
        return l2_normalize(bands @ projection), levels.astype(np.float32)


class Interrupting(SpectrumFingerprinter):
    """Works for a while, then fails as a disk or a user would make it fail."""

    def __init__(self, n_files: int, error: BaseException | None) -> None:
        self.left, self.error, self.n_done = n_files, error, 0

    def embed_with_levels(self, samples: np.ndarray, hop_s: float) -> tuple[np.ndarray, np.ndarray]:
        if self.left == 0 and self.error is not None:
            raise self.error
        self.left -= 1
        self.n_done += 1
        return super().embed_with_levels(samples, hop_s)


def index_spectra(paths: list[Path], database: Path, codebook: Codebook, **options: object) -> IndexReport:
    """Index files with `SpectrumFingerprinter`."""
    return index_paths(paths, database, SpectrumFingerprinter(), codebook=codebook, **options)  # type: ignore[arg-type]
