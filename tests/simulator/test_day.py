"""Simulated days: the published average, parts that add up, the same for the same seed."""

import numpy as np
import pytest

from nowplaying.errors import ConfigError
from simulator.day import DAYS, Day, energy_per_day
from simulator.device import DeviceProfile

PIXEL_2 = DeviceProfile.load("pixel-2")


def test_average_day_is_the_published_one() -> None:
    days = energy_per_day(PIXEL_2, DAYS["average"], 4000, np.random.default_rng(1)).to_dict()
    assert days["wakes_per_day"] == pytest.approx(100, rel=0.03)
    assert days["mah_per_day"] == pytest.approx(23.5, rel=0.02)
    low, high = days["mah_per_day_interval_95"]  # type: ignore[misc]
    assert low < days["mah_per_day"] < high
    assert high - low < 0.5


@pytest.mark.parametrize("name", DAYS)
def test_parts_add_up(name: str) -> None:
    days = energy_per_day(PIXEL_2, DAYS[name], 200, np.random.default_rng(2))
    np.testing.assert_allclose(days.detector_mah + days.music_mah + days.false_mah, days.total_mah)
    assert (days.music_mah >= 0).all()
    assert (days.false_mah >= 0).all()
    np.testing.assert_allclose(days.music_mah + days.false_mah, days.n_wakes * PIXEL_2.mah(2000.0), atol=1e-9)


def test_silence_costs_the_detector_alone() -> None:
    days = energy_per_day(PIXEL_2, DAYS["silence"], 3, np.random.default_rng(3))
    np.testing.assert_allclose(days.total_mah, 0.4 * 24)


def test_cool_down_bounds_the_wake_ups() -> None:
    busy = Day(title="busy", n_music_regions=10_000, recall=1.0, sounding_h=24, source="test")
    days = energy_per_day(PIXEL_2, busy, 50, np.random.default_rng(4))
    assert days.n_wakes.max() <= 24 * 60 + 1e-6


def test_same_seed_same_days_and_a_cheaper_wake_costs_less() -> None:
    first, second = (energy_per_day(PIXEL_2, DAYS["average"], 20, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.total_mah, second.total_mah)
    cheap = energy_per_day(PIXEL_2, DAYS["average"], 20, np.random.default_rng(5), wake_j=0.5)
    assert (cheap.total_mah < first.total_mah).all()


@pytest.mark.parametrize(
    "settings",
    [{"recall": 1.5}, {"sounding_h": 25.0}, {"listening_h": 3.0}, {"false_triggers_per_h": -1.0}, {"variation": -1.0}],
)
def test_refuses_impossible_days(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="test"):
        Day(title="test", source="test", **settings)  # type: ignore[arg-type]


def test_refuses_no_days() -> None:
    with pytest.raises(ConfigError, match="n_days"):
        energy_per_day(PIXEL_2, DAYS["average"], 0, np.random.default_rng(0))
