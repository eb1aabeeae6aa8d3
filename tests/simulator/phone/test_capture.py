"""When a capture ends and when the phone looks before, of music that began before the gate opened."""

from dataclasses import replace

import pytest

from detector.gate import GateConfig
from simulator.phone.capture import Capture
from simulator.phone.config import PhoneConfig

CONFIG = PhoneConfig(gate=GateConfig(), early_looks_s=(2.0, 3.0, 5.0), onset_in_window_s=2.5, max_capture_s=4.0)


def test_the_buffer_fills_with_music_from_its_beginning_on() -> None:
    plan = Capture.plan(CONFIG, 20.0, 19.0, is_afresh=False)
    assert plan.began_s == 16.5
    assert plan.until_s == pytest.approx(24.0)  # 24.5 is later than four seconds from now
    # Two and three seconds are over, and make one look at once.
    assert plan.early_looks_s == pytest.approx((20.0, 21.5))


def test_what_sounded_before_does_not_count_for_a_buffer_that_begins_afresh() -> None:
    plan = Capture.plan(CONFIG, 20.0, 12.0, is_afresh=True)
    assert (plan.began_s, plan.until_s) == (20.0, 28.0)
    assert plan.early_looks_s == pytest.approx((22.0, 23.0, 25.0))


def test_a_look_just_before_the_last_one_is_left_out() -> None:
    late = replace(CONFIG, early_looks_s=(6.4, 6.6))
    assert Capture.plan(late, 20.0, 19.0, is_afresh=False).early_looks_s == pytest.approx((22.9,))


def test_a_buffer_that_is_full_already_is_asked_about_at_once() -> None:
    plan = Capture.plan(CONFIG, 20.0, 9.0, is_afresh=False)
    assert (plan.until_s, plan.early_looks_s) == (20.0, ())


def test_times_are_the_ends_of_the_steps_in_which_the_buffer_grows() -> None:
    plan = Capture.plan(CONFIG, 20.001, 19.001, is_afresh=False)
    assert (plan.until_s, plan.early_looks_s) == (24.01, (20.001, 21.51))
