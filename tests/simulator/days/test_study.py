"""A study on another device, and the ranges around figures that somebody states."""

from dataclasses import replace

import pytest

from simulator.days import sensitivity
from simulator.days.study import Study
from simulator.energy.device import DeviceProfile
from simulator.energy.latencies import PhoneLatencies


def test_latencies_that_one_phone_was_measured_with_are_no_other_phone_s() -> None:
    slow = PhoneLatencies(front_end_ms=100.0, encoder_ms=200.0, source="a phone")
    estimated = Study.load(device="pixel-6")
    measured = replace(estimated, latencies=slow)
    assert measured.modelled.answer_s > 2 * estimated.modelled.answer_s
    other = DeviceProfile.load("pixel-2")
    assert measured.on(other).modelled.answer_s == estimated.on(other).modelled.answer_s
    same = measured.device.with_constant("battery.capacity_mah", 4000.0)
    assert measured.on(same).modelled.answer_s == measured.modelled.answer_s


def test_the_range_of_the_detector_s_recall_is_around_what_is_stated() -> None:
    plain, halved = (
        next(row for row in sensitivity._behaviour(study) if row[0] == "detector.recall_factor")
        for study in (Study.load(), Study.load().with_value("detector.recall_factor", 0.5))
    )
    assert plain[1].value == 1.0
    for end in ("value", "low", "high"):
        assert getattr(halved[1], end) == pytest.approx(0.5 * getattr(plain[1], end))
    assert halved[2](halved[1].low).rates.recall_factor == halved[1].low
