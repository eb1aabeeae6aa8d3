import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.features import features_of, frontend_settings
from detector.front_end import FrontEndSettings
from detector.gate import Gate
from detector.stream import MODEL_FILE, StreamingDetector
from nowplaying_core.artifacts import (
    SHIPPED_DETECTOR,
    SHIPPED_FINGERPRINTER,
    builtin_model_dir,
    file_record,
    sha256_file,
)
from nowplaying_core.audio import to_int16
from nowplaying_core.errors import CorruptArtifactError, ManifestMismatchError
from nowplaying_core.runtime import TfliteModel
from tests.detector.sounds import noise, pcm
from tests.synthesis import song

SIGNAL = np.concatenate([noise(5, 2.0), song(1, 6.0)])


@pytest.fixture(scope="module")
def detector() -> StreamingDetector:
    return StreamingDetector.from_model(SHIPPED_DETECTOR)


def probabilities(detector: StreamingDetector, samples: np.ndarray) -> list[float]:
    detector.reset()
    return [decision.probability for decision in detector.process(samples)]


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, SIGNAL.size), max_size=8))
def test_decisions_do_not_depend_on_the_chunks(detector: StreamingDetector, cuts: list[int]) -> None:
    detector.reset()
    whole = detector.process(SIGNAL)
    detector.reset()
    parts = [decision for part in np.split(SIGNAL, sorted(cuts)) for decision in detector.process(part)]
    assert parts == whole


def test_clock_starts_at_one_window_and_ticks_every_640_ms(detector: StreamingDetector) -> None:
    detector.reset()
    times = [decision.time_s for decision in detector.process(SIGNAL)]
    assert times[0] == pytest.approx(4.48)
    assert all(later - earlier == pytest.approx(0.64) for earlier, later in pairwise(times))
    assert len(times) == 1 + int((8.0 - 4.48) / 0.64)


def test_a_decision_depends_on_the_last_446_frames_alone(detector: StreamingDetector) -> None:
    frames, found = features_of(pcm(SIGNAL)), probabilities(detector, SIGNAL)
    assert len(found) == 6
    for step, probability in enumerate(found):
        detector.reset()
        (decision,) = detector.process_features(frames[64 * step : 64 * step + 446])
        assert decision.probability == probability


def test_float_and_int16_samples_give_the_same_decisions(detector: StreamingDetector) -> None:
    detector.reset()
    by_float = detector.process(SIGNAL)
    detector.reset()
    assert detector.process_pcm(to_int16(SIGNAL)) == by_float
    assert len(by_float) == 6


def test_memory_reset_and_independence(detector: StreamingDetector) -> None:
    first = probabilities(detector, SIGNAL)
    other = StreamingDetector.from_model(SHIPPED_DETECTOR)
    other.process(noise(9, 7.0, level=0.5))
    assert probabilities(detector, SIGNAL) == first
    assert probabilities(other, SIGNAL) == first


def test_silence_and_noise_are_no_music_and_music_is(detector: StreamingDetector) -> None:
    assert max(probabilities(detector, np.zeros(16_000 * 12, dtype=np.float32))) < 0.3
    assert max(probabilities(detector, noise(1, 12.0, level=0.02))) < 0.5
    assert np.mean([np.mean(probabilities(detector, song(seed, 12.0))) for seed in range(4)]) > 0.7


def test_gate_of_the_manifest_opens_for_music_only(detector: StreamingDetector) -> None:
    def opened(samples: np.ndarray) -> bool:
        detector.reset()
        gate, decisions = Gate(detector.gate_config), detector.process(samples)
        assert len(decisions) > 30
        return any(gate.step(decision.probability).entered for decision in decisions)

    assert opened(np.concatenate([song(2, 15.0), song(3, 15.0)]))
    assert not opened(noise(7, 30.0, level=0.05))
    assert not opened(np.zeros(16_000 * 30, dtype=np.float32))


def test_manifest_agrees_with_the_files_and_the_graph() -> None:
    folder = builtin_model_dir(SHIPPED_DETECTOR)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    model = TfliteModel(folder / MODEL_FILE)
    assert manifest["files"][MODEL_FILE] == file_record(folder / MODEL_FILE)
    assert manifest["tensors"][MODEL_FILE] == model.tensors()
    assert manifest["float_weights"]["sha256"] == sha256_file(folder / manifest["float_weights"]["file"])
    assert (model.output.scale, model.output.zero_point) == (1 / 256, -128)
    assert manifest["cost"]["n_parameters"] == 5_601


def test_model_fits_in_12_kb() -> None:
    assert (builtin_model_dir(SHIPPED_DETECTOR) / MODEL_FILE).stat().st_size <= 12 * 1024


def copy_of_model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    shutil.copytree(builtin_model_dir(SHIPPED_DETECTOR), folder)
    return folder


def test_one_flipped_byte_is_refused(tmp_path: Path) -> None:
    folder = copy_of_model(tmp_path)
    content = bytearray((folder / MODEL_FILE).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / MODEL_FILE).write_bytes(content)
    with pytest.raises(CorruptArtifactError, match="SHA-256"):
        StreamingDetector.from_model(folder)


@pytest.mark.parametrize(
    "change",
    [{"frontend": {"name": "other"}}, {"frontend": None}, {"gate": {"window": 2}}, {"gate": None}, {"gate": {}}],
)
def test_a_manifest_for_another_front_end_or_without_a_gate_is_refused(tmp_path: Path, change: dict) -> None:
    folder = copy_of_model(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, **change}), encoding="utf-8")
    with pytest.raises(ManifestMismatchError, match=r"manifest\.json"):
        StreamingDetector.from_model(folder)


def test_a_manifest_may_name_other_settings_of_the_front_end(tmp_path: Path) -> None:
    folder = copy_of_model(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    other = FrontEndSettings(min_signal_remaining=1.0, gain_strength=0.0, full_scale=900)
    changed = {**manifest, "frontend": frontend_settings(other), "gate": {**manifest["gate"], "silence_dbfs": None}}
    (folder / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
    detector = StreamingDetector.from_model(folder)
    assert np.array_equal(detector.features(pcm(SIGNAL)), features_of(pcm(SIGNAL), other))
    assert not np.array_equal(features_of(pcm(SIGNAL)), features_of(pcm(SIGNAL), other))
    changed["frontend"]["settings"]["gain_strength"] = 2.0
    (folder / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(ManifestMismatchError, match=r"manifest\.json: frontend: .*gain_strength"):
        StreamingDetector.from_model(folder)


def test_a_fingerprinter_is_no_detector() -> None:
    with pytest.raises(CorruptArtifactError, match="detector"):
        StreamingDetector.from_model(SHIPPED_FINGERPRINTER)
