# Ported from TensorFlow, Copyright 2018 The TensorFlow Authors, Apache License 2.0 (see NOTICE); changed.
"""The micro front end's second half with settings of its own: noise reduction, gain control and logarithm in integers.

Per-channel energy normalization (Wang et al., "Trainable frontend for robust and far-field keyword spotting", ICASSP
2017) as TensorFlow Lite Micro's ``microfrontend`` has it: a slow average of every channel is subtracted from it, and
the channel is multiplied by a power of that average. Both can be weakened or left out; the C code takes the same
settings.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.band_levels import CORRECTION_BITS, N_CHANNELS, BandLevels, significant_bits
from nowplaying_core.settings import RunSettings, require_between

__all__ = ["SHIPPED_FRONT_END", "Adaptation", "FrontEnd", "FrontEndSettings"]

_SMOOTHING_BITS: Final = 10
_SHARE_BITS: Final = 14
_SNR_BITS: Final = 12
_OUTPUT_BITS: Final = 6
_LOG_SHIFT: Final = 6
_LOG_COEFFICIENT: Final = 45_426  # ln 2 in 16 bits
_BLOCK: Final = 50  # frames at once, for the processor's cache where there are many streams
_UINT32: Final = np.uint64(0xFFFFFFFF)

Levels = NDArray[np.uint32]


@dataclass(frozen=True, kw_only=True, slots=True)
class FrontEndSettings(RunSettings):
    """What the front end does with the levels of its channels; the defaults are those of the shipped detectors.

    Attributes
    ----------
    even_smoothing, odd_smoothing : float in [0.0001, 1]
        Share of a new frame in the slow average of channels of even and odd number: 0.025 follows in 0.4 s, 0.06 in
        0.17 s.
    min_signal_remaining : float in [0, 1]
        Smallest share of a channel that subtracting its average leaves; 1 subtracts nothing.
    gain_strength : float in [0, 1]
        The gain is the average, plus ``gain_offset``, to the power of minus this; 0 is no gain control.
    gain_offset : float in [1, 65536]
        Amplitudes below it are amplified alike.
    gain_bits : int in [15, 24]
        Bits of the gain's fraction; with as many as fit 16 bits of gain at the offset it is most exact.
    full_scale : int in [64, 2048]
        Raw value that becomes the top int8 step.
    """

    even_smoothing: float = 0.025
    odd_smoothing: float = 0.06
    min_signal_remaining: float = 0.05
    gain_strength: float = 0.95
    gain_offset: float = 80.0
    gain_bits: int = 21
    full_scale: int = 666

    def __post_init__(self) -> None:
        require_between(self, 1e-4, 1, "even_smoothing", "odd_smoothing")
        require_between(self, 0, 1, "min_signal_remaining", "gain_strength")
        require_between(self, 1, 65_536, "gain_offset")
        require_between(self, 15, 24, "gain_bits")
        require_between(self, 64, 2_048, "full_scale")

    @property
    def has_gain_control(self) -> bool:
        """Whether the channels are multiplied by a gain at all."""
        return self.gain_strength > 0


SHIPPED_FRONT_END: Final = FrontEndSettings()


class Adaptation:
    """Noise reduction, gain control and logarithm with their memory.

    Parameters
    ----------
    settings : FrontEndSettings
    """

    def __init__(self, settings: FrontEndSettings) -> None:
        even, odd = (_share(value) for value in (settings.even_smoothing, settings.odd_smoothing))
        self._smoothing = np.where(np.arange(N_CHANNELS) % 2 == 0, even, odd).astype(np.uint64)
        self._remaining = np.uint64(_share(settings.min_signal_remaining))
        self._gains = _GainControl(settings) if settings.has_gain_control else None
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        self._average: NDArray[np.uint64] | None = None

    def process(self, levels: Levels) -> NDArray[np.uint16]:
        """Return the raw features of frames that follow those before.

        Parameters
        ----------
        levels : ndarray of uint32, shape (n_frames, 40) or (n_frames, n_streams, 40)
            Of one stream or of many at once.

        Returns
        -------
        ndarray of uint16, same shape
        """
        if len(levels) > _BLOCK:
            starts = range(0, len(levels), _BLOCK)
            return np.concatenate([self.process(levels[start : start + _BLOCK]) for start in starts])
        signal = levels.astype(np.uint64)
        scaled = (signal << np.uint64(_SMOOTHING_BITS)) & _UINT32
        averages = self._averages(scaled)
        subtracted = (scaled - np.minimum(averages, scaled)) >> np.uint64(_SMOOTHING_BITS)
        left = np.maximum(subtracted, (signal * self._remaining) >> np.uint64(_SHARE_BITS))
        if self._gains is not None:
            left = self._gains.apply(left, averages)
        return _logarithm(left)

    def _averages(self, scaled: NDArray[np.uint64]) -> NDArray[np.uint64]:
        averages = np.empty_like(scaled)
        last = np.zeros(scaled.shape[1:], dtype=np.uint64) if self._average is None else self._average
        fresh, kept = scaled * self._smoothing, np.uint64(1 << _SHARE_BITS) - self._smoothing
        for number in range(len(scaled)):
            last = ((fresh[number] + last * kept) >> np.uint64(_SHARE_BITS)) & _UINT32
            averages[number] = last
        self._average = last
        return averages


class FrontEnd:
    """The whole front end with its memory: PCM in pieces of any length, raw frames out.

    Parameters
    ----------
    settings : FrontEndSettings
    """

    def __init__(self, settings: FrontEndSettings = SHIPPED_FRONT_END) -> None:
        self._levels, self._adaptation = BandLevels(), Adaptation(settings)

    def process(self, pcm: NDArray[np.int16]) -> NDArray[np.uint16]:
        """Return the frames that these samples complete, as :meth:`detector.features.FeatureStream.process`."""
        return self._adaptation.process(self._levels.process(pcm))

    def reset(self) -> None:
        """Forget all samples."""
        self._levels.reset()
        self._adaptation.reset()


class _GainControl:
    """A gain that falls with a channel's average, from a table of parabolas, and a soft knee."""

    def __init__(self, settings: FrontEndSettings) -> None:
        self._shift = np.uint64(settings.gain_bits - CORRECTION_BITS - _SNR_BITS)
        starts = np.ldexp(1.0, np.arange(1, 32))
        ends = np.where(starts == 2.0**31, 2 * starts - 1, 2 * starts)
        self._first = _gain(settings, np.array([0.0, 1.0]))
        y0, y1, y2 = (_gain(settings, values) for values in (starts, 1.5 * starts, ends))
        slope = 4 * (y1 - y0) - (y2 - y0)
        self._parabolas = np.stack([y0, _wrapped(slope), _wrapped(y2 - y0 - slope)], axis=1)

    def apply(self, signal: NDArray[np.uint64], averages: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the channels times their gains."""
        bits = significant_bits(averages.astype(np.uint32))
        y0, slope, bend = np.moveaxis(self._parabolas[np.maximum(bits - 2, 0)], -1, 0)
        x = averages.astype(np.int64)
        fraction = np.where(bits < 11, x << np.maximum(11 - bits, 0), x >> np.maximum(bits - 11, 0)) & 0x3FF
        change = ((((bend * fraction) >> 5) + (slope << 5)) * fraction + (1 << 14)) >> 15
        gains = np.where(averages < 2, self._first[np.minimum(x, 1)], _wrapped(y0 + change))
        snr = ((signal * (gains.astype(np.uint64) & _UINT32)) >> self._shift) & _UINT32
        square = ((snr * snr) & _UINT32) >> np.uint64(2 + 2 * _SNR_BITS - _OUTPUT_BITS)
        straight = (snr >> np.uint64(_SNR_BITS - _OUTPUT_BITS)) - np.uint64(1 << _OUTPUT_BITS)
        return np.where(snr < 2 << _SNR_BITS, square, straight)


def _gain(settings: FrontEndSettings, averages: NDArray[np.float64]) -> NDArray[np.int64]:
    level = averages.astype(np.float32) / np.float32(1 << (_SMOOTHING_BITS - CORRECTION_BITS))
    base = (level + np.float32(settings.gain_offset)).astype(np.float64)
    # In double precision and rounded once, as powf does.
    power = np.power(base, -np.float64(np.float32(settings.gain_strength))).astype(np.float32)
    gain = np.float32(1 << settings.gain_bits) * power
    return np.where(gain > 32_767, 32_767, (gain + np.float32(0.5)).astype(np.int64))


def _wrapped(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return values.astype(np.int16).astype(np.int64)


def _share(value: float) -> int:
    return int(np.float32(value) * np.float32(1 << _SHARE_BITS))


def _logarithm(values: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Return 64 ln(8 value) rounded, by a table of what log2 has beyond a straight line; 0 for less than 2."""
    moved = ((values << np.uint64(CORRECTION_BITS)) & _UINT32).astype(np.int64)
    whole = np.maximum(significant_bits(moved.astype(np.uint32)) - 1, 0)
    fraction = moved - (np.int64(1) << whole)
    fraction = np.where(whole < 16, fraction << np.maximum(16 - whole, 0), fraction >> np.maximum(whole - 16, 0))
    segment = np.clip(fraction >> 9, 0, 127)
    bent = _BEYOND_LINE[segment]
    bent = bent + (((_BEYOND_LINE[segment + 1] - bent) * (fraction - 512 * segment)) >> 16)
    natural = (_LOG_COEFFICIENT * ((whole << 16) + fraction + bent) + (1 << 15)) >> 16
    logged = ((natural << _LOG_SHIFT) + (1 << 15)) >> 16
    return np.where(moved > 1, logged, 0).astype(np.uint16)


_BEYOND_LINE: Final = np.array(
    [
        *(0, 224, 442, 654, 861, 1063, 1259, 1450, 1636, 1817, 1992, 2163, 2329, 2490, 2646, 2797, 2944, 3087, 3224),
        *(3358, 3487, 3611, 3732, 3848, 3960, 4068, 4172, 4272, 4368, 4460, 4549, 4633, 4714, 4791, 4864, 4934, 5001),
        *(5063, 5123, 5178, 5231, 5280, 5326, 5368, 5408, 5444, 5477, 5507, 5533, 5557, 5578, 5595, 5610, 5622, 5631),
        *(5637, 5640, 5641, 5638, 5633, 5626, 5615, 5602, 5586, 5568, 5547, 5524, 5498, 5470, 5439, 5406, 5370, 5332),
        *(5291, 5249, 5203, 5156, 5106, 5054, 5000, 4944, 4885, 4825, 4762, 4697, 4630, 4561, 4490, 4416, 4341, 4264),
        *(4184, 4103, 4020, 3935, 3848, 3759, 3668, 3575, 3481, 3384, 3286, 3186, 3084, 2981, 2875, 2768, 2659, 2549),
        *(2437, 2323, 2207, 2090, 1971, 1851, 1729, 1605, 1480, 1353, 1224, 1094, 963, 830, 695, 559, 421, 282, 142),
        *(0, 0),
    ],
    dtype=np.int64,
)
