"""Two encoders, one task, from recordings to the table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

keras = pytest.importorskip("keras", reason="needs the train extra")

from fingerprinter.config import FrontEndConfig
from fingerprinter.mel import log_mel_reference
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from pretraining.encoder import WEIGHTS_NAME, load_encoder
from pretraining.probe.answers import frozen_answers, read_task
from pretraining.probe.finetune import fine_tune
from pretraining.probe.linear import PENALTIES, linear_probe, mean_by_owner, pooled_by_owner
from pretraining.probe.rows import BandStatistics
from pretraining.probe.run import ProbeSettings, open_encoders, probe
from pretraining.probe.windows import read_windows
from pretraining.tasks.task import Example, Task
from pretraining.train import pretrain
from tests.pretraining.material import small_config

pytestmark = pytest.mark.train
FRONT_END = small_config("random").front_end
RATE = 16_000


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """Return a task of low and high noise, which any encoder can tell apart."""
    folder = tmp_path_factory.mktemp("tones")
    rng = np.random.default_rng(4)
    parts: tuple[list[Example], list[Example]] = [], []
    for number in range(24):
        label = ("low", "high")[number % 2]
        sound = rng.standard_normal(RATE)
        sound = np.cumsum(sound) / 50 if label == "low" else np.diff(sound, prepend=0.0)
        path = folder / f"{number}.wav"
        soundfile.write(path, np.clip(0.1 * sound, -1, 1), RATE)
        parts[number >= 12].append(Example(path=path, label=label, unit=path.stem))
    return Task.of("tones", *parts, parted_by="file")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("encoder")
    pretrain(small_config("random"), TrainingSources(corpus=run, cache_dir=run), run)
    return run


def test_a_linear_probe_of_any_encoder_tells_high_from_low(task: Task, encoder: Path, tmp_path: Path) -> None:
    settings = ProbeSettings(label_shares=(0.2, 1.0), n_seeds=2, fine_tune_steps=2)
    result = probe([encoder], [task], settings, cache_dir=tmp_path)
    rows = {(row["mode"], row["label_share"]): row for row in result["results"]}
    assert set(rows) == {(mode, share) for mode in ("frozen", "fine-tuned") for share in (0.2, 1.0)}
    assert rows["frozen", 1.0]["accuracy"] == 1.0
    assert {row["n_runs"] for row in rows.values()} == {1}, "draws of the labels are no runs"
    assert result["tasks"][0]["chance"] == 0.5


def test_labels_that_say_nothing_are_not_learned(task: Task, encoder: Path, tmp_path: Path) -> None:
    """The gate can fail: with the labels of the training part drawn at random, accuracy is near chance."""
    turned = [Example(path=one.path, label=("low", "high")[k // 6], unit=one.unit) for k, one in enumerate(task.train)]
    false = Task.of("false", turned, task.test, parted_by="file")
    settings = ProbeSettings(label_shares=(1.0,), n_seeds=1)
    (row,) = probe([encoder], [false], settings, cache_dir=tmp_path)["results"]
    assert row["accuracy"] < 0.9


def test_encoders_of_other_front_ends_are_not_mixed(encoder: Path, task: Task, tmp_path: Path) -> None:
    other = FrontEndConfig(window_samples=5_120, fft_samples=320, hop_samples=160, n_mels=32, clip=3.0)
    pretrain(
        small_config("random", front_end=other), TrainingSources(corpus=encoder, cache_dir=encoder), tmp_path / "other"
    )
    with pytest.raises(ConfigError, match="front end"):
        probe([encoder, tmp_path / "other"], [task], ProbeSettings(), cache_dir=tmp_path)


def test_windows_cover_a_sound_and_short_ones_lie_in_silence(tmp_path: Path, rng: np.random.Generator) -> None:
    window = FRONT_END.window_samples
    sound = (0.3 * rng.standard_normal(5 * window + 100)).clip(-1, 1).astype(np.float32)
    soundfile.write(tmp_path / "sound.wav", sound, RATE, subtype="PCM_16")
    path, rate = tmp_path / "sound.wav", RATE
    examples = [
        Example(path=path, label="a", unit="1"),
        Example(path=path, label="b", unit="2", start_s=0.1, end_s=0.2),
        Example(path=path, label="c", unit="3", start_s=0.0, end_s=2 * window / rate),
    ]
    windows = read_windows(examples, FRONT_END, cache_dir=tmp_path, most_windows=3)
    assert windows.owners.tolist() == [0, 0, 0, 1, 2, 2]
    short = np.zeros(window, np.float32)
    short[(window - 1600) // 2 :][:1600] = sound[1600:3200]
    wanted = [sound[:window], sound[2 * window : 3 * window], sound[4 * window : 5 * window], short]
    for image, samples in zip(windows.images, wanted, strict=False):
        np.testing.assert_allclose(image[:, :, 0], log_mel_reference(samples, FRONT_END), atol=0.02)
    assert windows.of(np.array([0, 2])).tolist() == [0, 1, 2, 4, 5]


def test_labels_that_were_not_learned_get_nothing(rng: np.random.Generator) -> None:
    vectors = rng.standard_normal((40, 4)).astype(np.float32)
    labels = np.where(vectors[:, 0] > 0, 2, 0)
    units = [str(number) for number in range(40)]
    answers, penalty = linear_probe(vectors, labels, vectors, n_labels=3, units=units)
    assert penalty in PENALTIES
    assert np.all(answers[:, 1] == 0)
    assert np.mean(answers.argmax(axis=1) == labels) > 0.95
    np.testing.assert_allclose(mean_by_owner(answers, np.repeat([0, 1], 20))[1], answers[20:].mean(axis=0))


def test_the_penalty_is_chosen_on_units_that_were_held_out(rng: np.random.Generator) -> None:
    """Ten windows of a unit are nearly one: only held-out units show that 200 numbers fit them by heart."""
    labels = np.repeat(rng.integers(2, size=60), 10)
    per_unit = rng.standard_normal((60, 200)).repeat(10, axis=0)
    per_unit[:, 0] += 2.0 * labels
    vectors = (per_unit + 0.1 * rng.standard_normal((600, 200))).astype(np.float32)
    units = [str(number // 10) for number in range(600)]
    _, by_unit = linear_probe(vectors, labels, vectors, n_labels=2, units=units)
    _, by_window = linear_probe(vectors, labels, vectors, n_labels=2, units=[str(number) for number in range(600)])
    assert by_unit < by_window == max(PENALTIES)


def test_too_few_units_to_hold_out_leave_the_penalty_as_it_is(rng: np.random.Generator) -> None:
    vectors = rng.standard_normal((6, 3)).astype(np.float32)
    _, penalty = linear_probe(vectors, np.array([0, 0, 0, 1, 1, 1]), vectors, n_labels=2, units=list("abcdef"))
    assert penalty == 0.1


def test_pooling_gives_mean_and_deviation_of_each_sound(rng: np.random.Generator) -> None:
    rows = rng.standard_normal((7, 3)).astype(np.float32)
    pooled = pooled_by_owner(rows, np.array([0, 0, 0, 0, 1, 1, 2]))
    np.testing.assert_allclose(pooled[0], [*rows[:4].mean(axis=0), *rows[:4].std(axis=0)], atol=1e-6)
    np.testing.assert_allclose(pooled[2], [*rows[6], 0, 0, 0], atol=1e-3)


def _rhythm_task(folder: Path, rng: np.random.Generator) -> Task:
    """Return a task of low and high noise in turn against all low or all high, which no single window tells."""
    window, parts = FRONT_END.window_samples, ([], [])
    for number in range(96):
        label, phase = ("turns", "steady")[number % 2], number // 2 % 2
        noise = rng.standard_normal((6, window))
        low = slice(phase, None, 2) if label == "turns" else slice(6 * phase)
        noise[low] = np.repeat(noise[low, ::8], 8, axis=1)
        path = folder / f"rhythm{number}.wav"
        soundfile.write(path, np.clip(0.1 * noise.ravel(), -1, 1), RATE)
        parts[number >= 64].append(Example(path=path, label=label, unit=path.stem))
    return Task.of("rhythm", *parts, parted_by="file", pooled=True)


def test_a_pooled_task_is_answered_from_how_windows_differ(tmp_path: Path) -> None:
    task = _rhythm_task(tmp_path, np.random.default_rng(2))
    settings = ProbeSettings(label_shares=(1.0,), n_seeds=1)
    accuracy = {}
    for pooled in (True, False):
        sounds = read_task(replace(task, pooled=pooled), FRONT_END, cache_dir=tmp_path, most_windows=8)
        (answers,) = frozen_answers(sounds, BandStatistics(), settings, seed=1)
        accuracy[pooled] = answers.correct.mean()
    assert accuracy[True] > 0.95
    assert accuracy[False] < 0.8


def test_fine_tuning_learns_what_the_encoder_did_not_know(rng: np.random.Generator) -> None:
    config = small_config("random")
    from pretraining.methods.random import random_encoder

    encoder = random_encoder(config)
    weights = encoder.get_weights()
    images = rng.standard_normal((64, 32, 32, 1)).astype(np.float32)
    labels = rng.integers(2, size=64)
    images[labels == 1, :16] += 1.0
    answers = fine_tune(config, weights, images, labels, images, n_labels=2, n_steps=150, seed=1)
    assert np.mean(answers.argmax(axis=1) == labels) > 0.9
    assert all(np.array_equal(a, b) for a, b in zip(weights, encoder.get_weights(), strict=True))


@pytest.mark.parametrize("wrong", [{"label_shares": (0.0, 1.0)}, {"label_shares": ()}, {"n_seeds": 0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        ProbeSettings(**wrong)


def test_runs_of_other_settings_are_other_rows_and_one_counts_once(encoder: Path, tmp_path: Path) -> None:
    """Twice the same run would be two runs that agree, with an interval of no width between them."""
    config, opened = load_encoder(encoder)

    def finished(name: str, **changes: object) -> Path:
        (tmp_path / name).mkdir()
        write_json(tmp_path / name / "config.json", replace(config, **changes).to_dict())
        opened.save_weights(tmp_path / name / WEIGHTS_NAME)
        return tmp_path / name

    runs = [
        finished("short-1", method="cola", n_steps=2),
        finished("long-1", method="cola", n_steps=9),
        finished("short-2", method="cola", n_steps=2, seed=2),
        finished("other", method="random", n_steps=9, seed=3),
    ]
    names = [name for name, *_ in open_encoders([*runs, encoder])]
    assert names == ["cola (short-1)", "cola (long-1)", "cola (short-1)", "random", "random"]
    assert [name for name, *_ in open_encoders(runs[::2])] == ["cola", "cola"]
    with pytest.raises(ConfigError, match=r"again: expected a run of another seed .* than .*short-1"):
        open_encoders([*runs, finished("again", method="cola", n_steps=2)])
    with pytest.raises(ConfigError, match="label shares must differ"):
        ProbeSettings(label_shares=(0.1, 0.1))
