"""The microphone, with a stand-in for PortAudio: the machines that run tests have none."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import pytest

from nowplaying_core.audio import open_stream
from nowplaying_core.errors import AudioFormatError


class _Unplugged:
    """Gives three blocks and stops, as PortAudio's streams do when their device goes."""

    def __init__(self, callback: Callable[..., None], finished_callback: Callable[[], None], **options: Any) -> None:
        self._hand_over, self._end, self._n = callback, finished_callback, options["blocksize"]

    def __enter__(self) -> Self:
        for level, status in ((0.1, ""), (0.2, "input overflow"), (0.3, "input overflow")):
            self._hand_over(np.full((self._n, 1), level, np.float32), self._n, None, status)
        self._end()
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_a_microphone_that_is_unplugged_ends_with_its_reason_and_says_that_sound_was_lost(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    library = SimpleNamespace(
        PortAudioError=OSError,
        InputStream=_Unplugged,
        query_devices=lambda *_: {"default_samplerate": 48_000.0},
        check_input_settings=lambda **_: None,
    )
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    blocks = []
    with open_stream("mic") as source, pytest.raises(AudioFormatError, match="plugged in"):
        blocks.extend(source)
    assert [round(float(chunk[0]), 1) for chunk in blocks] == [0.1, 0.2, 0.3]
    assert [record.message for record in caplog.records] == [
        "microphone: sound was lost (input overflow); is this machine too busy?"
    ]
