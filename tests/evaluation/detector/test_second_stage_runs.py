"""Runs of a second stage are counted by kind of sound."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.detector.second_stage_runs import runs_per_hour
from evaluation.detector.streams import Part
from tests.evaluation.detector.test_tracks import made_track


def test_runs_are_counted_by_kind_of_sound() -> None:
    track = made_track(1)
    outputs = np.zeros_like(track.outputs)
    outputs[track.region_of >= 0] = 64
    others = np.flatnonzero(track.is_other)
    outputs[others] = 63
    outputs[others[: others.size // 4]] = 200
    rates = runs_per_hour([replace(track, first_outputs=outputs)] * 2, 64)
    assert rates["music"]["value"] == 5625.0
    assert rates["other"]["value"] == pytest.approx(5625 * (others.size // 4) / others.size, abs=0.1)
    assert rates["quiet"]["value"] == 0.0
    assert rates["other"]["hours"] == pytest.approx(2 * track.other_s / 3600, abs=1e-3)
    assert runs_per_hour([replace(track, first_outputs=outputs)], 65)["music"]["value"] == 0.0


def test_the_interval_holds_the_difference_between_streams() -> None:
    track = made_track(1)
    silent, loud = (replace(track, first_outputs=np.full_like(track.outputs, output)) for output in (0, 255))
    other = runs_per_hour([silent, loud] * 4, 64)["other"]
    assert other["low"] < other["value"] == 2812.5 < other["high"]


def test_a_kind_of_sound_that_no_stream_has_is_left_out() -> None:
    noise = Part(start_s=0.0, end_s=600.0, kind="noise", label="rain", files=())
    track = made_track(1)
    rates = runs_per_hour([replace(track, first_outputs=track.outputs, parts=(noise,))], 64)
    assert set(rates) == {"music", "other"}
