"""A teacher's outputs over a stream: at the detector's times, from its own probabilities."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.network import DECISION_S, WINDOW_S
from evaluation.detector.operating import committed_kinds, committed_table, judge, teacher_metrics
from evaluation.detector.streams import Part, Region, Stream
from evaluation.detector.sweep import best_row
from nowplaying_core.audio import SAMPLE_RATE_HZ

DURATION_S = 120


@dataclass(frozen=True)
class LoudIsMusic:
    """A teacher that takes all that is louder than a tenth for music."""

    name: str = "loud is music"
    hop_s: float = 0.01

    def music_probability(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        steps = np.abs(samples).reshape(-1, SAMPLE_RATE_HZ // 100).max(axis=1)
        return np.where(steps > 0.1, 0.98, 0.02).astype(np.float32)


@pytest.fixture
def stream() -> Stream:
    samples = np.full(DURATION_S * SAMPLE_RATE_HZ, 0.01, dtype=np.float32)
    samples[30 * SAMPLE_RATE_HZ : 60 * SAMPLE_RATE_HZ] = 0.5
    region = Region(
        start_s=30, end_s=60, snr_db=20, level_dbfs=-6, behind="noise", onset_class="rhythmic", title="loud"
    )
    return Stream(samples, (region,), (Part(start_s=0, end_s=DURATION_S, kind="noise", label="noise", files=()),))


def test_outputs_stand_at_the_detectors_times_and_follow_the_last_step(stream: Stream) -> None:
    track = judge(LoudIsMusic(), stream)
    assert track.times_s[0] == WINDOW_S
    assert np.allclose(np.diff(track.times_s), DECISION_S)
    music = (track.times_s >= 30 + DECISION_S) & (track.times_s <= 60)
    assert set(track.outputs[music].tolist()) == {251}
    assert set(track.outputs[(track.times_s < 30) | (track.times_s > 60 + DECISION_S)].tolist()) == {5}


def test_its_best_gate_finds_the_region_without_a_false_wake_up(stream: Stream) -> None:
    track = judge(LoudIsMusic(), stream)
    metrics = teacher_metrics([track], [track], "loud is music")
    assert (metrics["teacher"], metrics["n_streams"]) == ("loud is music", 1)
    best = best_row(metrics["best_gates"], max_false_per_hour=1.0)
    assert best is not None
    assert (best["recall_audible"], best["false_triggers_per_hour"]) == (1.0, 0.0)
    assert best["median_delay_s"] < 2
    assert best_row([{"false_triggers_per_hour": 2.0, "recall_audible": 1.0}], max_false_per_hour=1.0) is None


def test_the_page_compares_both_at_three_rates() -> None:
    rows = [line for line in committed_table().splitlines()[2:] if line.startswith("|")]
    assert len(rows) == 6


def test_what_it_finds_is_kept_by_kind_and_in_room_tone(stream: Stream) -> None:
    music = judge(LoudIsMusic(), stream)
    tone = replace(music, regions=())
    metrics = teacher_metrics([music], [tone], "loud is music")
    assert metrics["streams"]["recall_by_onset_class"]["rhythmic"]["value"] == 1.0
    assert metrics["streams"]["false_triggers_by_label"]["noise"]["n"] == 0
    assert metrics["room_tone"]["n_triggers"] == 1


def test_the_page_compares_both_by_kind_and_in_room_tone() -> None:
    rows = committed_kinds().splitlines()[2:]
    assert any(row.startswith("| sustained music: found, %") for row in rows)
    assert rows[-1].startswith("| room tone: false wake-ups | 8.0 h |")
