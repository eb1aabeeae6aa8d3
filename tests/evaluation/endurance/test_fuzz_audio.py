"""The short form of the fuzz run over damaged audio files."""

from evaluation.endurance.fuzz_audio import run_cases
from tests.robustness.sounds import need


def test_damaged_heads_neither_crash_nor_hang_nor_become_songs() -> None:
    need("ffmpeg")
    result = run_cases(56, seed=3)
    assert result["wrong"] == []
    assert sum(result["outcomes"].values()) == 56
    assert result["outcomes"]["read"] > 5
    assert result["outcomes"]["refused"] > 5
