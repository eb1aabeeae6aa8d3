"""Frequency responses of loudspeakers and microphones: band limits of random edge and slope, and a smooth tilt."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BandLimit", "draw_band_limit", "response"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BandLimit:
    """One device's response.

    Attributes
    ----------
    low_hz, high_hz : float
        Where a Butterworth high-pass and low-pass are 3 dB down.
    low_order, high_order : int
        Their orders; 6 dB an octave each.
    tilt_db : tuple of float
        Gain at octave-spaced points from 125 Hz to 8 kHz, interpolated in between.
    """

    low_hz: float
    high_hz: float
    low_order: int
    high_order: int
    tilt_db: tuple[float, ...]


_N_POINTS = 257
_TILT_HZ = np.array([125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0])


def draw_band_limit(
    rng: np.random.Generator,
    *,
    low_hz: tuple[float, float] = (20.0, 300.0),
    high_hz: tuple[float, float] = (3000.0, 7800.0),
    tilt_db: float = 3.0,
) -> BandLimit:
    """Draw a device: edges log-uniform in their ranges, orders 2 to 8, and a tilt of this standard deviation."""
    return BandLimit(
        low_hz=float(np.exp(rng.uniform(*np.log(low_hz)))),
        high_hz=float(np.exp(rng.uniform(*np.log(high_hz)))),
        low_order=int(rng.integers(2, 7)),
        high_order=int(rng.integers(3, 9)),
        tilt_db=tuple(float(gain) for gain in rng.normal(0.0, tilt_db, len(_TILT_HZ))),
    )


def response(limit: BandLimit, frequencies_hz: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the magnitude response at the given frequencies; zero phase, since a delay would move the label.

    Parameters
    ----------
    limit : BandLimit
    frequencies_hz : ndarray of float64, shape (n,)

    Returns
    -------
    ndarray of float32, shape (n,)
    """
    # The curve is smooth: computed at 257 points, it is drawn for every FFT bin at a tenth of the cost.
    points_hz = np.linspace(0.0, float(frequencies_hz[-1]), _N_POINTS)
    safe_hz = np.maximum(points_hz, 1.0)
    high_pass = 1.0 / np.sqrt(1.0 + (limit.low_hz / safe_hz) ** (2 * limit.low_order))
    low_pass = 1.0 / np.sqrt(1.0 + (safe_hz / limit.high_hz) ** (2 * limit.high_order))
    tilt_db = np.interp(np.log2(safe_hz), np.log2(_TILT_HZ), limit.tilt_db)
    curve = high_pass * low_pass * 10.0 ** (tilt_db / 20.0)
    drawn: NDArray[np.float32] = np.interp(frequencies_hz, points_hz, curve).astype(np.float32)
    return drawn
