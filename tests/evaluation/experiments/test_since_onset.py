from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.experiments.since_onset import main, shares
from tests.evaluation.detector.test_tracks import made_track, region


def test_outputs_are_counted_by_the_time_since_the_music_began() -> None:
    track = made_track(0)
    regions = (region(100.0, 140.0), region(300.0, 330.0, 0.0), region(400.0, 430.0, onset_class="sustained"))
    age_s = track.times_s - 100.0
    # Found for six seconds, then lost.
    outputs = np.where((age_s > 0) & (age_s < 6.99), 200, 20)
    found = shares([replace(track, outputs=outputs, regions=regions)], "rhythmic", 0.5)
    assert [one.value for one in found if one] == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    assert [one.value for one in shares([replace(track, regions=regions)], "sustained", 2.0) if one] == [0.0] * 6


def test_regions_below_5_db_do_not_count() -> None:
    track = replace(made_track(0), regions=(region(100.0, 140.0, 4.9),))
    assert shares([track], "rhythmic", 0.5) == [None] * 6


def test_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_track(1).save(tmp_path / "one.json")
    assert main([str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines] == ["music", "---", "rhythmic", "sustained"]
    assert "100.0 (100.0 to 100.0)" in lines[2]
    assert set(lines[3].split("|")[2:-1]) == {"  "}, "its only region is below 5 dB"
