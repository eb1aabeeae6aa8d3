"""The energy of a day before any hardware exists: wake-ups drawn from stated rates, many days, mean and interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nowplaying.errors import ConfigError
from simulator.device import DeviceProfile

__all__ = ["DAYS", "Day", "DayEnergy", "energy_per_day"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """How much sound and music somebody's day holds, and how the detector answers it.

    Attributes
    ----------
    title : str
    listening_h : float in [0, 24], hours
        How long the detector is on.
    sounding_h : float in [0, listening_h], hours
        Sound without music that is not silence.
    n_music_regions : float >= 0
        Stretches of music that one meets in a day, on average.
    false_triggers_per_h : float >= 0
        Wake-ups per hour of sound without music. Now Playing's operating point: about one in 20 minutes.
    recall : float in [0, 1]
        Share of the stretches of music that wake the phone. Now Playing: 0.755.
    variation : float >= 0
        Standard deviation from one day to the next of the music and of the false triggers, over their mean.
    cool_down_s : float >= 0, seconds
        Least time between wake-ups; a bound on their number.
    source : str
        Where the figures come from.
    """

    title: str
    listening_h: float = 24.0
    sounding_h: float = 16.0
    n_music_regions: float = 69.0
    false_triggers_per_h: float = 3.0
    recall: float = 0.755
    variation: float = 0.5
    cool_down_s: float = 60.0
    source: str

    def __post_init__(self) -> None:
        if not 0 <= self.sounding_h <= self.listening_h <= 24:
            found = f"{self.sounding_h} and {self.listening_h}"
            message = f"day {self.title!r}: expected 0 <= sounding_h <= listening_h <= 24, found {found}"
            raise ConfigError(message)
        for name in ("n_music_regions", "false_triggers_per_h", "variation", "cool_down_s"):
            if not getattr(self, name) >= 0:
                message = f"day {self.title!r}: expected {name} >= 0, found {getattr(self, name)}"
                raise ConfigError(message)
        if not 0 <= self.recall <= 1:
            message = f"day {self.title!r}: expected a recall from 0 to 1, found {self.recall}"
            raise ConfigError(message)


_NOW_PLAYING = "rates: Agüera y Arcas et al., arXiv:1711.10958 (one false trigger in 20 minutes, recall 0.755); "
DAYS = {
    "average": Day(
        title="average day",
        source=_NOW_PLAYING + "16 h of sound and 69 stretches of music are the assumption that gives its 100 wake-ups",
    ),
    "quiet": Day(
        title="quiet day at home",
        sounding_h=6.0,
        n_music_regions=10.0,
        source=_NOW_PLAYING + "hours and stretches of music are assumptions",
    ),
    "music": Day(
        title="day full of music",
        sounding_h=12.0,
        n_music_regions=250.0,
        source=_NOW_PLAYING + "hours and stretches of music are assumptions",
    ),
    "silence": Day(title="silence", sounding_h=0.0, n_music_regions=0.0, source="no sound, no wake-ups"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class DayEnergy:
    """Simulated days.

    Attributes
    ----------
    device : DeviceProfile
    day : Day
    n_wakes : ndarray of float, shape (n_days,)
    detector_mah, music_mah, false_mah : ndarray of float, shape (n_days,), mAh
        Parts of a day: the always-on detector, wake-ups for music, wake-ups for other sound.
    """

    device: DeviceProfile
    day: Day
    n_wakes: NDArray[np.float64]
    detector_mah: NDArray[np.float64]
    music_mah: NDArray[np.float64]
    false_mah: NDArray[np.float64]

    @property
    def total_mah(self) -> NDArray[np.float64]:
        """Charge of each day, the sum of its parts."""
        return self.detector_mah + self.music_mah + self.false_mah

    def to_dict(self) -> dict[str, object]:
        """Return means, the 95 % interval of the mean, and the 5th to 95th percentile of days, in mAh and percent."""
        total = self.total_mah
        percent = 100.0 / self.device.battery.capacity_mah
        margin = 1.96 * float(total.std(ddof=1)) / len(total) ** 0.5 if len(total) > 1 else 0.0
        mean = float(total.mean())
        low, high = (float(one) for one in np.percentile(total, [5, 95]))
        return {
            "device": self.device.name,
            "day": self.day.title,
            "n_days": len(total),
            "wakes_per_day": float(self.n_wakes.mean()),
            "mah_per_day": mean,
            "mah_per_day_interval_95": [mean - margin, mean + margin],
            "mah_per_day_p5_p95": [low, high],
            "battery_percent_per_day": mean * percent,
            "battery_percent_interval_95": [(mean - margin) * percent, (mean + margin) * percent],
            "battery_percent_p5_p95": [low * percent, high * percent],
            "parts_mah": {
                "detector": float(self.detector_mah.mean()),
                "wakes_for_music": float(self.music_mah.mean()),
                "wakes_for_other_sound": float(self.false_mah.mean()),
            },
            "sleeping_phone_mah": self.device.phone.suspend_ma * 24.0,
        }


def energy_per_day(
    device: DeviceProfile, day: Day, n_days: int, rng: np.random.Generator, *, wake_j: float | None = None
) -> DayEnergy:
    """Draw days and return what each of them costs.

    The stretches of music and the false triggers of a day are Poisson around a mean that itself varies from day to
    day as a gamma distribution, since days are not alike.

    Parameters
    ----------
    device : DeviceProfile
    day : Day
    n_days : int >= 1
    rng : numpy.random.Generator
    wake_j : float >= 0, optional
        Energy of a wake-up, such as `simulator.energy.modelled_wake_j` gives; the published one by default.

    Raises
    ------
    ConfigError
        When a number is out of its range.
    """
    if n_days < 1 or (wake_j is not None and not wake_j >= 0):
        message = f"energy per day: expected n_days >= 1 and wake_j >= 0, found {n_days} and {wake_j}"
        raise ConfigError(message)
    wake_j = device.wake.published_j if wake_j is None else wake_j
    music = rng.poisson(day.n_music_regions * day.recall * _daily_factor(day, n_days, rng)).astype(np.float64)
    false = rng.poisson(day.sounding_h * day.false_triggers_per_h * _daily_factor(day, n_days, rng)).astype(np.float64)
    # The cool-down bounds the day's wake-ups; what is too much is taken from both kinds alike.
    if day.cool_down_s > 0:
        limit = day.listening_h * 3600.0 / day.cool_down_s
        kept = np.minimum(1.0, limit / np.maximum(music + false, 1.0))
        music, false = music * kept, false * kept
    wake_mah = device.mah(1000.0 * wake_j)
    detector_mj = device.milliwatts(device.dsp.detector_ma) * day.listening_h * 3600.0
    return DayEnergy(
        device=device,
        day=day,
        n_wakes=music + false,
        detector_mah=np.full(n_days, device.mah(detector_mj)),
        music_mah=music * wake_mah,
        false_mah=false * wake_mah,
    )


def _daily_factor(day: Day, n_days: int, rng: np.random.Generator) -> NDArray[np.float64]:
    if day.variation == 0:
        return np.ones(n_days)
    shape = 1.0 / day.variation**2
    return rng.gamma(shape, 1.0 / shape, n_days)
