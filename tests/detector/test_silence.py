import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.features import FeatureStream
from detector.gate import GateConfig
from detector.network import StreamingNetwork
from detector.silence import QuietHops, quiet_energy
from detector.stream import MODEL_FILE, StreamingDetector
from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir
from nowplaying_core.audio import to_int16
from nowplaying_core.runtime import TfliteModel
from tests.detector.sounds import noise
from tests.synthesis import song

MODEL = builtin_model_dir(SHIPPED_DETECTOR) / MODEL_FILE


def test_the_limit_is_the_energy_of_a_hop_at_the_level() -> None:
    tone = np.rint(32_767 * 10 ** (-50 / 20) * np.sqrt(2) * np.sin(2 * np.pi * np.arange(160) / 16)).astype(np.int64)
    assert quiet_energy(-50.0) == pytest.approx(int(np.square(tone).sum()), rel=0.02)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 48_000), max_size=6))
def test_there_is_one_value_for_each_frame_whatever_the_chunks(cuts: list[int]) -> None:
    pcm = to_int16(np.concatenate([noise(1, 1.0), noise(2, 1.5, 1e-4), noise(3, 0.5)]))
    whole = QuietHops(-60.0).process(pcm)
    assert len(whole) == len(FeatureStream().process(pcm))
    meter = QuietHops(-60.0)
    parts = [meter.process(part) for part in np.split(pcm, sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    # Silent from 640 ms after the sound has stopped until it comes again: hops 164 to 249, frames 162 to 247.
    np.testing.assert_array_equal(np.flatnonzero(whole), np.arange(161, 248))


def test_quiet_sound_is_silence_to_the_detector_and_other_sound_is_untouched() -> None:
    loud = np.concatenate([noise(4, 2.0), song(1, 8.0)])
    quiet = loud * np.float32(1e-3)
    plain = StreamingDetector(TfliteModel(MODEL))
    short = StreamingDetector(TfliteModel(MODEL), gate_config=GateConfig(silence_dbfs=-60.0))
    assert short.process(loud) == plain.process(loud)
    for detector in (plain, short):
        detector.reset()
    silence = StreamingDetector(TfliteModel(MODEL)).process(np.zeros_like(quiet))
    # The first 640 ms do not count as silence yet.
    assert short.process(quiet)[2:] == silence[2:]
    assert plain.process(quiet)[2:] != silence[2:]


class CountingModel:
    """A graph that counts its runs."""

    def __init__(self) -> None:
        self._model, self.n_runs = TfliteModel(MODEL), 0
        self.input, self.inputs, self.outputs = self._model.input, self._model.inputs, self._model.outputs

    def run_all(self, values: list[np.ndarray]) -> list[np.ndarray]:
        self.n_runs += 1
        return self._model.run_all(values)


def test_lasting_silence_costs_nothing_and_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    sound = rng.integers(-128, 0, (700, 40)).astype(np.int8)
    frames = np.concatenate([sound, np.full((3_000, 40), -128, np.int8), sound])
    counting = CountingModel()
    found = StreamingNetwork(counting).process(frames)
    assert found == every_step(frames)
    assert counting.n_runs < len(found) - 30


def every_step(frames: np.ndarray) -> list[tuple[int, int]]:
    """Return the outputs of the graph run on all frames, silent or not."""
    model, found = TfliteModel(MODEL), []
    states = [np.full(spec.shape, -128, np.int8) for spec in model.inputs[1:]]
    padded = np.concatenate([np.full((4, 40), -128, np.int8), frames])  # two frames that are kept, two of silence
    for stop in range(66, len(padded) + 1, 64):
        output, *joined = model.run_all([padded[None, stop - 66 : stop, None], *states])
        states = [rows[:, -state.shape[1] :] for state, rows in zip(states, joined, strict=True)]
        found.append((stop - 4, output.item() + 128))
    return [(n_frames, output) for n_frames, output in found if n_frames >= 446]
