from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.gate import GateConfig
from evaluation.detector.rests import main, rest_metrics, wake_ups, wakes_of
from evaluation.detector.tracks import StreamTrack
from nowplaying_core.errors import ConfigError
from tests.evaluation.detector.test_tracks import made_track, region

GATE = GateConfig(window=1, enter_threshold=0.5, leave_threshold=0.3, consecutive_hits=1, cool_down_s=60.0)


def two_pieces(gap_s: float) -> StreamTrack:
    """Two pieces of 20 s, the second so long after the first."""
    regions = (region(100.0, 120.0), region(120.0 + gap_s, 140.0 + gap_s))
    track = made_track(0)
    inside = sum(((track.times_s > one.start_s + 2) & (track.times_s < one.end_s)).astype(int) for one in regions)
    return replace(track, regions=regions, outputs=(200 * np.asarray(inside)).astype(np.int64))


def test_a_rest_hides_the_next_piece_unless_it_listens() -> None:
    track = two_pieces(12.0)
    # The gate is closed for the gap and the two seconds that the network needs.
    assert len(wakes_of(track, GATE, None)) == len(wakes_of(track, GATE, 15.0)) == 1
    first, second = wakes_of(track, GATE, 10.0)
    assert 100 < first < 120
    assert 132 < second < 152


def test_a_phone_wakes_up_when_the_gate_opens_and_asks_later() -> None:
    # The shipped phone rests on within five seconds of the music before, and wakes for music after a longer gap.
    (only,) = wake_ups(two_pieces(2.0), GATE)
    first, second = wake_ups(two_pieces(12.0), GATE)
    assert only == first == pytest.approx(102.4, abs=0.64)
    assert second == pytest.approx(134.4, abs=0.64)
    assert wakes_of(two_pieces(12.0), GATE, 5.0)[0] > first
    # The music still plays when the rest is over.
    long = replace(two_pieces(12.0), outputs=np.where(two_pieces(12.0).times_s > 102, 200, 0))
    assert len(wake_ups(long, GATE)) > 1


def test_metrics_count_regions_and_wakes() -> None:
    rows = {row["gap_s"]: row for row in rest_metrics([two_pieces(12.0)] * 2, GATE, (None, 10.0))}
    assert rows[None]["recall"]["value"] == 0.5
    assert rows[10.0]["recall"]["value"] == 1.0
    # Ten minutes with one wake-up, or two.
    assert (rows[None]["wakes_per_hour"], rows[10.0]["wakes_per_hour"]) == (6.0, 12.0)
    assert rows[10.0]["false_wakes_per_hour"]["value"] == 0.0


def test_false_wakes_are_those_outside_music() -> None:
    track = replace(two_pieces(12.0), regions=())
    (row,) = rest_metrics([track, two_pieces(12.0)], GATE, (10.0,))
    assert row["false_wakes_per_hour"]["value"] == pytest.approx(
        2 / ((track.other_s + two_pieces(12.0).other_s) / 3600), abs=0.01
    )


def test_the_command_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="expected tracks"):
        main([str(tmp_path)])
    two_pieces(12.0).save(tmp_path / "a.json")
    assert main([str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert lines[2].startswith("| never | ")
