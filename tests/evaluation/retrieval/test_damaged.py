"""Damaged recordings: what the damages are, and how the named ones are counted."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from evaluation.retrieval.damaged import DAMAGES, damaged, quiet_noise
from nowplaying_core.audio import SAMPLE_RATE_HZ
from tests.synthesis import song


class Listener:
    """Names any sound that varies, as the first of its songs."""

    def __init__(self, source: str) -> None:
        self.answer = SimpleNamespace(match=SimpleNamespace(track=SimpleNamespace(source=source), also=()))
        self.asked: list[np.ndarray] = []

    def recognize(self, sound: object) -> object:
        samples = sound[0] if isinstance(sound, tuple) else sound
        self.asked.append(np.asarray(samples))
        return self.answer if np.std(samples) > 2e-3 else SimpleNamespace(match=None)


@pytest.fixture(scope="module")
def head() -> np.ndarray:
    return song(3, 8.0)


def test_right_songs_are_counted_in_both_forms(head: np.ndarray) -> None:
    listener = Listener(str(Path("a.wav").absolute()))
    rows = damaged(listener, {Path("a.wav"): head, Path("b.wav"): head})  # type: ignore[arg-type]
    by_name = {row["damage"]: row for row in rows}
    assert (by_name["none"]["n"], by_name["none"]["recording"], by_name["none"]["buffer"]) == (2, 1, 1)
    assert "buffer" not in by_name["channels that cancel"]
    assert by_name["16-bit samples at -75 dBFS"] == {
        "damage": "16-bit samples at -75 dBFS",
        "n": 2,
        "recording": 0,
        "buffer": 0,
    }
    assert {one.shape[0] for one in listener.asked} == {8 * SAMPLE_RATE_HZ}


def test_damages_are_what_they_are_called(head: np.ndarray) -> None:
    clicked = DAMAGES["a click every 2 s in music at -65 dBFS"](head)
    assert np.flatnonzero(np.abs(clicked) > 0.5).size == 4 * 160
    assert DAMAGES["an offset of 0.3, music at -50 dBFS"](head).mean() == pytest.approx(0.3, abs=1e-3)
    left, right = DAMAGES["channels that cancel"](head).T
    np.testing.assert_array_equal(left, -right)
    assert np.mean(np.abs(DAMAGES["clipped by 20 dB"](head)) >= 1) > 0.1
    assert np.sqrt(np.mean(np.square(DAMAGES["16-bit samples at -70 dBFS"](head)))) == pytest.approx(10**-3.5, rel=0.05)


def test_quiet_noise_is_asked_for_at_each_level(tmp_path: Path, head: np.ndarray) -> None:
    import soundfile

    soundfile.write(tmp_path / "noise.wav", head[:32_000], SAMPLE_RATE_HZ)
    rows = quiet_noise(Listener("a.wav"), [tmp_path / "noise.wav"])  # type: ignore[arg-type]
    assert [(row["level_dbfs"], row["named"], row["n"]) for row in rows] == [(-50, 1, 1), (-60, 0, 1), (-70, 0, 1)]
