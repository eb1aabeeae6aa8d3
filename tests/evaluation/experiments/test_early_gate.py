from pathlib import Path

import numpy as np
import pytest

from detector.gate import GateConfig
from evaluation.detector.tracks import entries
from evaluation.experiments.early_gate import (
    _openings,
    average,
    choose,
    main,
    measure,
    sequential,
    two_windows,
)
from nowplaying_core.errors import ConfigError
from tests.evaluation.detector.test_tracks import made_track


def opened(rule: object, outputs: list[int]) -> list[int]:
    return _openings(*rule(np.array(outputs)))  # type: ignore[operator]


def test_the_average_is_the_shipped_gate() -> None:
    rng = np.random.default_rng(3)
    outputs = np.clip(rng.normal(150, 80, 2_000), 0, 255).astype(np.int64)
    for window, threshold, hits in ((1, 200, 1), (3, 160, 2), (6, 170, 1)):
        leave = 0.6 * threshold / 256
        gate = GateConfig(window=window, enter_threshold=threshold / 256, leave_threshold=leave, consecutive_hits=hits)
        found = opened(average(window, threshold, hits), outputs.tolist())
        assert len(found) > 5
        assert found == entries(outputs, gate).tolist()


def test_clear_music_opens_two_windows_at_once_and_doubtful_music_later() -> None:
    rule = two_windows(6, 200, 2, 244)
    assert opened(rule, [0] * 8 + [250] * 8) == [9]
    assert opened(rule, [0] * 8 + [210] * 8) == [13]
    assert opened(rule, [0] * 8 + [190] * 8) == []
    # It closes only when both windows have fallen, and may open again.
    assert opened(rule, [0] * 8 + [250] * 8 + [0] * 8 + [250] * 8) == [9, 25]


def test_the_sequential_test_answers_clear_music_earlier() -> None:
    rule = sequential(180, 140, 100)
    assert opened(rule, [0] * 4 + [255] * 8) == [5]
    assert opened(rule, [0] * 4 + [215] * 8) == [7]
    assert opened(rule, [0] * 4 + [180] * 50) == []
    assert opened(rule, [255] * 50 + [0] * 2 + [255] * 3) == [1, 53]


def test_a_gate_is_chosen_within_both_limits() -> None:
    tracks = [made_track(seed) for seed in range(3)]
    outcomes = {name: measure(tracks, average(*name)) for name in ((1, 140, 1), (4, 130, 1), (8, 120, 2))}
    named = [(str(name), one) for name, one in outcomes.items()]
    assert choose(named, per_h=0.0, delay_s=0.0) is None
    best = choose(named, per_h=1e9, delay_s=1e9)
    assert best is not None
    assert dict(named)[best].recall == max(one.recall for one in outcomes.values())


def test_the_command_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="expected tracks"):
        main([str(tmp_path), str(tmp_path)])
    made_track(1).save(tmp_path / "a.json")
    assert main([str(tmp_path), str(tmp_path)]) == 0
    assert "two windows" in capsys.readouterr().out
