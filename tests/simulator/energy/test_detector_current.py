"""What the always-on detector draws."""

from dataclasses import replace

import pytest

from simulator.energy.detector_current import AVERAGE_DAY, current_table, detector_current, detector_currents
from simulator.energy.device import DeviceProfile
from simulator.energy.work import Models

PIXEL = DeviceProfile.load("pixel-2")
MODELS = replace(Models.load(), detector_macs_per_s=115_000.0, second_stage_macs=6e6)


def test_parts_are_the_published_current_and_the_second_stage() -> None:
    found = detector_current(PIXEL, MODELS, 3600.0)
    # A network of the published work leaves the published current as it is.
    assert found.total_ma == pytest.approx(0.4 + 6e6 * 150e-12 / 4.0 * 1000)
    assert found.parts_ma["microphone"] == pytest.approx(0.16)
    assert found.parts_ma["second stage"] == pytest.approx(0.225)
    assert detector_current(PIXEL, MODELS, 0.0).total_ma == pytest.approx(0.4)


def test_the_range_has_both_figures_at_their_ends() -> None:
    found = detector_current(PIXEL, MODELS, 1800.0)
    assert found.low_ma == pytest.approx(0.2 + 6e6 * 12e-12 / 4.0 * 1000 / 2)
    assert found.high_ma == pytest.approx(0.6 + 6e6 * 430e-12 / 4.0 * 1000 / 2)


def test_the_average_day_stands_before_the_kinds_of_sound() -> None:
    found = detector_currents(PIXEL, MODELS, 600.0, {"music": 3600.0, "quiet": 0.0})
    assert list(found) == [AVERAGE_DAY, "music", "quiet"]
    assert found["music"] == detector_current(PIXEL, MODELS, 3600.0)
    assert found["quiet"].total_ma < found[AVERAGE_DAY].total_ma < found["music"].total_ma
    heads, rows = current_table(found)
    assert {len(row) for row in rows} == {len(heads)}
    assert [row[:2] for row in rows] == [["average day", "600"], ["music", "3600"], ["quiet", "0"]]
    assert rows[1][-2] == f"{found['music'].total_ma:.2f}"
