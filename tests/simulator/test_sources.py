"""One loop for all sources: a file, standard input and a microphone with the same sound give the same events."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying_core.audio import open_stream, stream, to_int16
from simulator.phone.events import Event
from tests.simulator.bench import answers_of, build_bench, known_song, make_sound


@pytest.fixture(scope="module")
def pcm() -> np.ndarray:
    return to_int16(make_sound((4.003, 0.001), (15, 0.5), (3, 0.001)))


@pytest.fixture(scope="module")
def expected(pcm: np.ndarray) -> list[Event]:
    events = list(build_bench(known_song("a")).phone.run([pcm.astype(np.float32) / 32_768]))
    assert [event.kind for event in answers_of(events)] == ["recognized"]
    return events


def test_file(pcm: np.ndarray, expected: list[Event], tmp_path: Path) -> None:
    soundfile.write(tmp_path / "sound.wav", pcm, 16_000, subtype="PCM_16")
    with open_stream(tmp_path / "sound.wav") as source:
        assert list(build_bench(known_song("a")).phone.run(source)) == expected


@pytest.mark.parametrize("chunk_samples", [160, 1600, 4001, None])
def test_standard_input(pcm: np.ndarray, expected: list[Event], chunk_samples: int | None) -> None:
    raw = io.BytesIO(pcm.astype("<i2").tobytes())
    with open_stream("-", stdin=raw, chunk_samples=chunk_samples) as source:
        assert list(build_bench(known_song("a")).phone.run(source)) == expected


def test_microphone(pcm: np.ndarray, expected: list[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    def frames() -> Iterator[np.ndarray]:
        for start in range(0, len(pcm), 479):
            yield (pcm[start : start + 479].astype(np.float32) / 32_768)[:, None]

    monkeypatch.setattr(stream, "microphone_frames", lambda device: (16_000, frames()))
    with open_stream("mic") as source:
        assert list(build_bench(known_song("a")).phone.run(source)) == expected


def test_events_come_while_the_sound_still_runs(pcm: np.ndarray) -> None:
    """A live source never ends: a song must be reported when it is known, not at the end."""
    samples = pcm.astype(np.float32) / 32_768
    n_given = 0

    def endless() -> Iterator[np.ndarray]:
        nonlocal n_given
        for start in range(0, len(samples), 1600):
            n_given = start + 1600
            yield samples[start : start + 1600]

    for event in build_bench(known_song("a")).phone.run(endless()):
        assert event.time_s * 16_000 <= n_given
        if event.kind == "recognized":
            assert n_given / 16_000 - event.time_s < 0.2
            return
    pytest.fail("the song was never reported")
