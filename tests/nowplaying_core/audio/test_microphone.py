"""The microphone, with a stand-in for PortAudio: the machines that run tests have none."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar, Self

import numpy as np
import pytest

from nowplaying_core.audio import SAMPLE_RATE_HZ, open_stream
from nowplaying_core.errors import AudioFormatError


class _Unplugged:
    """Gives its blocks and stops, as PortAudio's streams do when their device goes."""

    blocks: ClassVar[list[tuple[np.ndarray, str]]] = []

    def __init__(self, callback: Callable[..., None], finished_callback: Callable[[], None], **_: Any) -> None:
        self._hand_over, self._end = callback, finished_callback

    def __enter__(self) -> Self:
        for samples, status in self.blocks:
            self._hand_over(samples[:, None], len(samples), None, status)
        self._end()
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _heard(monkeypatch: pytest.MonkeyPatch, blocks: list[tuple[np.ndarray, str]], rate_hz: int) -> list[np.ndarray]:
    """Return the chunks of a microphone that takes one rate only, gives these blocks and is unplugged."""

    def check(*, samplerate: int, **_: Any) -> None:
        if samplerate != rate_hz:
            raise OSError

    library = SimpleNamespace(
        PortAudioError=OSError,
        InputStream=_Unplugged,
        query_devices=lambda *_: {"default_samplerate": float(rate_hz)},
        check_input_settings=check,
    )
    monkeypatch.setattr(_Unplugged, "blocks", blocks)
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    chunks: list[np.ndarray] = []
    with open_stream("mic") as source, pytest.raises(AudioFormatError, match="plugged in"):
        chunks.extend(source)
    return chunks


def test_a_microphone_that_is_unplugged_ends_with_its_reason_and_says_that_sound_was_lost(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    blocks = [
        (np.full(1_600, level, np.float32), status)
        for level, status in ((0.1, ""), (0.2, "input overflow"), (0.3, "input overflow"))
    ]
    chunks = _heard(monkeypatch, blocks, SAMPLE_RATE_HZ)
    assert [round(float(chunk[0]), 1) for chunk in chunks] == [0.1, 0.2, 0.3]
    assert [record.message for record in caplog.records] == [
        "microphone: sound was lost (input overflow); is this machine too busy?"
    ]


@pytest.mark.parametrize("rate_hz", [SAMPLE_RATE_HZ, 48_000])
def test_samples_that_are_no_numbers_count_as_silence_and_are_told_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, rate_hz: int
) -> None:
    n_samples = rate_hz // 10
    blocks = [np.full(n_samples, 0.5, np.float32) for _ in range(10)]
    blocks[3][7], blocks[4][8] = np.nan, np.inf
    sound = np.concatenate(_heard(monkeypatch, [(block, "") for block in blocks], rate_hz))
    n_silent = np.count_nonzero(np.abs(sound[: 8 * SAMPLE_RATE_HZ // 10]) < 0.25)
    assert np.isfinite(sound).all()
    assert n_silent == pytest.approx(2 * SAMPLE_RATE_HZ // 10, abs=20)
    (warning,) = caplog.records
    assert "no finite numbers" in warning.message
