"""Fingerprint audio with the shipped graphs: float front end, int8 encoder, unit vectors; no TensorFlow."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fingerprinter.overhang import QueryOverhang
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.errors import ConfigError, CorruptArtifactError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["Fingerprinter", "QueryFingerprints", "embedding_space", "window_starts"]

ROLE = "fingerprinter"
_ENOUGH_OF_A_WINDOW = 0.95
_LEVEL_FLOOR = 1e-10  # -100 dBFS, below the last bit of 16-bit audio


def embedding_space(files: dict[str, Any]) -> str:
    """Return the id of a front end and encoder pair: databases of another pair cannot be searched with it.

    Parameters
    ----------
    files : dict
        The manifest's file records of ``frontend.tflite`` and ``encoder.tflite``. A graph that was exported with
        metadata inside is known by the graph that it was made from (``graph_sha256``).

    Returns
    -------
    str
        16 hex digits.
    """
    import hashlib

    records = (files["frontend.tflite"], files["encoder.tflite"])
    pair = "".join(record.get("graph_sha256", record["sha256"]) for record in records)
    return hashlib.sha256(pair.encode()).hexdigest()[:16]


def window_starts(n_samples: int, window_samples: int, hop_samples: int) -> NDArray[np.int64]:
    """Return where each fingerprint's window begins; audio shorter than one window still gets one, zero-padded."""
    n_windows = max(1, (n_samples - window_samples) // hop_samples + 1)
    return np.arange(n_windows, dtype=np.int64) * hop_samples


@dataclass(frozen=True, slots=True)
class QueryFingerprints:
    """The fingerprints of a query.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n, dim), unit rows
        Row i covers ``[first_s + i hop, first_s + i hop + window)`` of the query.
    levels_dbfs : ndarray of float32, shape (n,), at least -100
        RMS level of each window.
    first_s : float <= 0, seconds
        Where the first window begins: before the query where a model's windows overhang it.
    """

    vectors: NDArray[np.float32]
    levels_dbfs: NDArray[np.float32]
    first_s: float


class Fingerprinter:
    """The encoder with its front end, opened and checked.

    Parameters
    ----------
    folder : ModelFolder
        A checked model folder of role "fingerprinter".
    n_threads : int >= 1
    reference_kernels : bool
        Run LiteRT's reference kernels, to whose last bit the Android core computes the encoder.

    Attributes
    ----------
    dim : int
    sample_rate_hz, window_samples : int
    window_s, reference_hop_s, query_hop_s : float
    overhang : QueryOverhang
        How far windows of short queries reach beyond their ends.
    embedding_space : str
        Identifies front end and encoder; equal in every database that this model can search.
    folder : ModelFolder

    Examples
    --------
    >>> import nowplaying
    >>> model = nowplaying.Fingerprinter.from_model()
    >>> model.embed_query(nowplaying.load_audio("query.wav")).vectors.shape
    (36, 96)
    """

    def __init__(self, folder: ModelFolder, *, n_threads: int = 1, reference_kernels: bool = False) -> None:
        manifest = folder.manifest
        self.folder = folder
        self.name: str = manifest["name"]
        self._front_end, self._encoder = (
            TfliteModel(folder.file(name), n_threads=n_threads, reference_kernels=reference_kernels)
            for name in ("frontend.tflite", "encoder.tflite")
        )
        self.embedding_space = embedding_space(manifest["files"])
        try:
            self.sample_rate_hz = int(manifest["front_end"]["sample_rate_hz"])
            self.reference_hop_s = float(manifest["reference_hop_s"])
            self.query_hop_s = float(manifest["query_hop_s"])
        except (KeyError, TypeError, ValueError) as error:
            message = (
                f"{folder.path / 'manifest.json'}: front-end settings are missing or wrong ({error!r}); export it again"
            )
            raise CorruptArtifactError(message) from error
        self.window_samples = self._front_end.input.shape[1]
        self.dim = self._encoder.output.shape[1]
        try:
            self.overhang = QueryOverhang.from_manifest(manifest, self.window_s)
        except ConfigError as error:
            message = f"{folder.path / 'manifest.json'}: {error}; export the model again"
            raise CorruptArtifactError(message) from error
        if self._front_end.output.shape != self._encoder.input.shape:
            message = (
                f"{folder.path}: the front end gives {self._front_end.output.shape}, "
                f"the encoder takes {self._encoder.input.shape}; export both again"
            )
            raise CorruptArtifactError(message)

    @classmethod
    def from_model(
        cls,
        source: str | Path | ModelFolder = SHIPPED_FINGERPRINTER,
        *,
        n_threads: int = 1,
        reference_kernels: bool = False,
    ) -> "Fingerprinter":
        """Open a model by its shipped name or by folder.

        Raises
        ------
        ArtifactError
            When it is missing, corrupt or not a fingerprinter.
        """
        folder = ModelFolder.open(source, role=ROLE)
        return cls(folder, n_threads=n_threads, reference_kernels=reference_kernels)

    @property
    def window_s(self) -> float:
        """Audio that one fingerprint covers, in seconds."""
        return self.window_samples / self.sample_rate_hz

    @property
    def shortest_query_s(self) -> float:
        """Audio that is enough for a fingerprint, in seconds: a window without its tapered edges."""
        return _ENOUGH_OF_A_WINDOW * self.window_s

    def embed(self, samples: NDArray[np.float32], hop_s: float) -> NDArray[np.float32]:
        """Fingerprint a recording.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,), in [-1, 1]
            Mono at ``sample_rate_hz``.
        hop_s : float > 0
            Seconds between fingerprints: ``reference_hop_s`` for a database. Queries go through `embed_query`.

        Returns
        -------
        ndarray of float32, shape (n_fingerprints, dim), unit rows
            Fingerprint i covers [i hop, i hop + window). Shorter audio than a window is padded with zeros.
        """
        return self.embed_with_levels(samples, hop_s)[0]

    def embed_with_levels(
        self, samples: NDArray[np.float32], hop_s: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Fingerprint a recording and also return each window's level.

        Returns
        -------
        (ndarray of float32, shape (n, dim), ndarray of float32, shape (n,))
            Unit rows, and RMS levels in dBFS, at least -100.
        """
        return self.embed_blocks([samples], hop_s)

    def embed_query(self, samples: NDArray[np.float32], hop_s: float | None = None) -> QueryFingerprints:
        """Fingerprint a query; windows of a short one reach beyond its ends as far as the manifest says.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,), in [-1, 1]
            Mono at ``sample_rate_hz``.
        hop_s : float > 0, seconds
            By default ``query_hop_s``.
        """
        beyond_s = self.overhang.seconds_for(samples.size / self.sample_rate_hz)
        padded = np.pad(samples, round(beyond_s * self.sample_rate_hz)) if beyond_s else samples
        vectors, levels_dbfs = self.embed_with_levels(padded, self.query_hop_s if hop_s is None else hop_s)
        return QueryFingerprints(vectors, levels_dbfs, -beyond_s if beyond_s else 0.0)

    def embed_blocks(
        self, blocks: Iterable[NDArray[np.float32]], hop_s: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Fingerprint a recording that comes in blocks, of which none is kept; see `embed_with_levels`.

        Parameters
        ----------
        blocks : iterable of ndarray of float32, shape (n,), in [-1, 1]
            Of any lengths; the result does not depend on them.
        hop_s : float > 0
        """
        hop, size = round(hop_s * self.sample_rate_hz), self.window_samples
        vectors: list[NDArray[np.float32]] = []
        levels: list[np.float32] = []
        window = np.zeros((1, size), np.float32)

        def add(part: NDArray[np.float32]) -> None:
            window[0, : len(part)] = part
            window[0, len(part) :] = 0.0
            vectors.append(self.encode(self.front_end(window))[0])
            levels.append(np.float32(10.0 * np.log10(np.mean(np.square(window, dtype=np.float64)) + _LEVEL_FLOOR)))

        rest, skipped = np.zeros(0, np.float32), 0
        for block in blocks:
            # A hop longer than a window leaves samples out between windows.
            passed = min(skipped, len(block))
            skipped -= passed
            rest, start = np.concatenate([rest, block[passed:]]), 0
            while len(rest) - start >= size:
                add(rest[start : start + size])
                start += hop
            skipped += max(start - len(rest), 0)
            rest = rest[start:].copy()
        if not vectors:
            add(rest)
        return np.stack(vectors), np.array(levels, np.float32)

    def front_end(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the log-mel image of one window: (1, window_samples) to (1, n_mels, n_frames, 1), float32."""
        return self._front_end.run(window)

    def encode(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the unit vector of one log-mel image: (1, n_mels, n_frames, 1) to (1, dim), float32."""
        raw = self._encoder.run(self._encoder.input.quantize(image))
        values = self._encoder.output.dequantize(raw)
        unit: NDArray[np.float32] = values / np.sqrt(np.sum(values**2, axis=1, keepdims=True) + np.float32(1e-12))
        return unit
