"""Work of an answer: counted from the models' manifests and the database's size, then timed for a device."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fingerprinter.overhang import QueryOverhang
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import ManifestMismatchError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.settings import require_not_negative, require_positive
from ondevice_db.index.base import SearchOptions
from ondevice_db.match.direction import TURNED_HOPS
from ondevice_db.places import QUERY_S
from simulator.energy.device import DeviceProfile

__all__ = ["AnswerTimes", "DatabaseSize", "Models", "Work", "answer_times", "front_end_ops", "work_of_answer"]

BUFFER_BYTES = 128_000
"""Eight seconds at 16 kHz, one mu-law byte a sample."""

_SUBSPACES = 12
_BYTES_A_CODE = 16  # twelve of code, the rest its place in a song
_REFINED_HITS = 3 * 128  # codes that are decoded for each query fingerprint
_RESCORED_WINDOWS = 15  # reference fingerprints for each candidate alignment
_RESCORED_SHIFTS = 3  # the alignment itself, and others of the same song that it must beat


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseSize:
    """Size of a database.

    Attributes
    ----------
    n_songs : int >= 0
    song_s : float > 0, seconds
        Mean length of a song.
    hop_s : float > 0, seconds
        Between two fingerprints of a song.
    """

    n_songs: int = 10_000
    song_s: float = 210.0
    hop_s: float = 1.0

    def __post_init__(self) -> None:
        require_not_negative(self, "n_songs", table="database size")
        require_positive(self, "song_s", "hop_s", table="database size")

    @property
    def n_fingerprints(self) -> int:
        """Fingerprints of all songs."""
        return round(self.n_songs * self.song_s / self.hop_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class Models:
    """Work of the two models.

    Attributes
    ----------
    detector_macs_per_s : float >= 0
        Of the always-on network.
    second_stage_macs : float >= 0
        Of one run of the detector's second stage; 0 for a detector of one stage.
    encoder_macs : float >= 0
        Of one fingerprint.
    model_bytes : float >= 0
        Read from storage or memory at each wake-up: front end and encoder.
    front_end_ops : float >= 0
        Float operations of the log-mel of one fingerprint.
    n_fingerprints : int >= 1
        Of a query of eight seconds.
    dim, n_cells : int >= 1
        Numbers of a fingerprint; cells of the coarse quantizer.
    """

    detector_macs_per_s: float
    encoder_macs: float
    model_bytes: float
    front_end_ops: float
    n_fingerprints: int = 12
    dim: int = 96
    n_cells: int = 1024
    second_stage_macs: float = 0.0

    @classmethod
    def load(
        cls,
        detector: str | Path | ModelFolder = SHIPPED_DETECTOR,
        fingerprinter: str | Path | ModelFolder = SHIPPED_FINGERPRINTER,
    ) -> "Models":
        """Count the work of two models from their manifests.

        Raises
        ------
        ArtifactError
            When a folder is missing or damaged, or does not state the work of its second stage.
        """
        listener = ModelFolder.open(detector, role="detector")
        manifest = ModelFolder.open(fingerprinter, role="fingerprinter").manifest
        front_end = manifest["front_end"]
        window_s = front_end["window_samples"] / front_end["sample_rate_hz"]
        beyond_s = QueryOverhang.from_manifest(manifest, window_s).seconds_for(QUERY_S)
        files = manifest["files"]
        return cls(
            detector_macs_per_s=float(listener.manifest["cost"]["macs_per_second"]),
            encoder_macs=float(manifest["encoder"]["n_macs"]),
            model_bytes=float(files["frontend.tflite"]["bytes"] + files["encoder.tflite"]["bytes"]),
            front_end_ops=front_end_ops(front_end),
            n_fingerprints=int((QUERY_S + 2 * beyond_s - window_s) / manifest["query_hop_s"]) + 1,
            dim=int(manifest["encoder"]["dim"]),
            second_stage_macs=_second_stage_macs(listener),
        )

    @property
    def n_windows(self) -> int:
        """Windows that an answer fingerprints: those of its query, and half as many of the same query turned round.

        Only a query that is named is turned round (:mod:`ondevice_db.match.direction`).
        """
        return self.n_fingerprints + math.ceil(self.n_fingerprints / TURNED_HOPS)

    def scaled(self, factor: float) -> "Models":
        """Return models whose encoder is so many times bigger, in work and in bytes."""
        return replace(self, encoder_macs=self.encoder_macs * factor, model_bytes=self.model_bytes * factor)


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """Work of one answer.

    Attributes
    ----------
    front_end_ops, encoder_macs, matching_macs, lookups : float >= 0
        Float operations, int8 multiply-accumulates, float multiply-accumulates of the matcher, table look-ups.
    n_bytes : float >= 0
        Read from memory.
    """

    front_end_ops: float
    encoder_macs: float
    matching_macs: float
    lookups: float
    n_bytes: float


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerTimes:
    """How long the parts of an answer take on a device, in s: buffer to features, encoder, matching, memory."""

    front_end_s: float
    encoder_s: float
    match_s: float
    memory_s: float


def _second_stage_macs(detector: ModelFolder) -> float:
    """Return the work of one run of a detector's second stage; 0 where it has none."""
    cascade = detector.manifest.get("cascade")
    if cascade is None:
        return 0.0
    n_macs = cascade.get("n_macs") if isinstance(cascade, Mapping) else None
    if isinstance(n_macs, bool) or not isinstance(n_macs, int | float) or n_macs <= 0:
        message = (
            f"{detector.path / 'manifest.json'}: cascade: expected n_macs, the multiply-accumulates of a run of the "
            f"second stage, found {n_macs!r}; export the model again"
        )
        raise ManifestMismatchError(message)
    return float(n_macs)


def front_end_ops(front_end: Mapping[str, Any]) -> float:
    """Return the float operations of the log-mel image of one window, from a manifest's ``front_end``."""
    n_frames = front_end["window_samples"] / front_end["hop_samples"]
    fft, n_mels = front_end["fft_samples"], front_end["n_mels"]
    # A real transform of n points takes about 2.5 n log2 n operations; its power and the mel triangles add to it.
    return float(n_frames * (2.5 * fft * math.log2(fft) + 3 * fft / 2 + 2 * fft + 4 * n_mels))


def work_of_answer(models: Models, database: DatabaseSize) -> Work:
    """Return the work of fingerprinting eight seconds and looking them up, as if every answer named a song.

    Parameters
    ----------
    models : Models
    database : DatabaseSize
        A bigger one has more codes to scan: all of a small one, a few hundredths of a large one.
    """
    options, n, dim = SearchOptions(), models.n_windows, models.dim
    n_scanned = min(database.n_fingerprints, options.n_to_scan(database.n_fingerprints))
    n_decoded = n * min(_REFINED_HITS, n_scanned)
    n_rescored = min(options.n_candidates * _RESCORED_WINDOWS * _RESCORED_SHIFTS, database.n_fingerprints)
    return Work(
        front_end_ops=n * models.front_end_ops,
        encoder_macs=n * models.encoder_macs,
        matching_macs=n * models.n_cells * dim + n * 256 * dim + n_decoded * 2 * dim + n_rescored * n * dim,
        lookups=n * n_scanned * _SUBSPACES,
        n_bytes=BUFFER_BYTES
        + models.model_bytes
        + 2 * (n_scanned + n_rescored) * _BYTES_A_CODE
        + n_decoded * _BYTES_A_CODE
        + models.n_cells * dim * 4,
    )


def answer_times(device: DeviceProfile, work: Work) -> AnswerTimes:
    """Return how long an answer takes on one core of a device, from its throughputs."""
    processor = device.processor
    return AnswerTimes(
        front_end_s=work.front_end_ops / (1e9 * processor.float_gops_per_s),
        encoder_s=work.encoder_macs / (1e9 * processor.int8_gmacs_per_s),
        match_s=2 * work.matching_macs / (1e9 * processor.float_gops_per_s)
        + work.lookups / (1e6 * processor.lookups_m_per_s),
        memory_s=work.n_bytes / (1e9 * device.memory.gb_per_s),
    )
