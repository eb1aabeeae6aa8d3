import csv
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from fingerprinter.config import EncoderConfig
from fingerprinter.objectives.config import ObjectiveConfig
from fingerprinter.training.config import TrainingConfig
from fingerprinter.training.model import build_training_model, predict
from fingerprinter.training.pairs import divided_music, training_sampler
from fingerprinter.training.train import train
from fingerprinter.training.validation import Validation
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from tests.detector.sounds import corpus_folder
from tests.pretraining.material import interrupted_at

pytestmark = pytest.mark.train

CONFIG = TrainingConfig(
    n_steps=4,
    pairs_per_step=4,
    warmup_steps=1,
    n_simulated_rooms=4,
    checkpoint_every=2,
    validate_every=100,
    n_validation_queries=8,
    encoder=EncoderConfig(channels=(8, 8, 8, 8, 16), dim=32, branch_units=4),
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> TrainingSources:
    root = tmp_path_factory.mktemp("fingerprinter")
    return TrainingSources(corpus=corpus_folder(root / "corpus", seconds=4.0), cache_dir=root / "cache")


def weights_of(path: Path) -> list[np.ndarray]:
    encoder = build_training_model(CONFIG).get_layer("encoder")
    encoder.load_weights(path)
    return encoder.get_weights()


def test_an_interrupted_run_goes_on_to_the_same_weights(
    sources: TrainingSources, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = weights_of(train(CONFIG, sources, tmp_path / "whole"))
    # The line of step 4 is logged before its checkpoint is written, so the run starts again at step 2.
    with interrupted_at("step 4,", "fingerprinter.training.loop", caplog):
        train(CONFIG, sources, tmp_path / "parts")
    foreign = tmp_path / "whole" / "encoder.weights.h5"
    with pytest.raises(ConfigError, match=r"was given init_from: none, not"):
        train(CONFIG, sources, tmp_path / "parts", init_from=foreign)
    with pytest.raises(ConfigError, match=r"was given rendered MIDI: 0, not 4"):
        train(CONFIG, replace(sources, rendered_midi=sources.corpus / "music"), tmp_path / "parts")
    caplog.clear()
    parts = weights_of(train(CONFIG, sources, tmp_path / "parts"))
    assert "resuming at step 2" in caplog.messages
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(whole, parts, strict=True))
    rows = list(csv.DictReader((tmp_path / "whole" / "log.csv").open()))
    assert [int(row["step"]) for row in rows] == [2, 4]
    assert float(rows[-1]["dev_top1"]) >= 0
    assert next((tmp_path / "whole" / "tensorboard").iterdir()).name.startswith("events.")
    with pytest.raises(ConfigError, match="has reached its 4 steps"):
        train(CONFIG, sources, tmp_path / "whole")


def test_the_best_weights_are_kept_not_the_last(
    sources: TrainingSources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.25, 0.75, 0.5, 0.5])
    at_validation: list[list[np.ndarray]] = []

    def validate(_self: Validation, model: keras.Model) -> float:
        at_validation.append(model.get_layer("encoder").get_weights())
        return next(scores)

    monkeypatch.setattr(Validation, "__call__", validate)
    often = replace(CONFIG, checkpoint_every=1, validate_every=1)
    kept = weights_of(train(often, sources, tmp_path / "run"))
    same = [all(np.allclose(a, b) for a, b in zip(kept, then, strict=True)) for then in at_validation]
    assert same == [False, True, False, False]


def test_a_run_starts_from_given_weights_and_refuses_those_of_another_shape(
    sources: TrainingSources, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = train(CONFIG, sources, tmp_path / "first")
    still = replace(CONFIG, learning_rate=1e-12)
    second = train(still, sources, tmp_path / "second", init_from=first)
    trained = [np.allclose(a, b, atol=1e-6) for a, b in zip(weights_of(first), weights_of(second), strict=True)]
    assert all(trained[:2])
    wider = replace(still, encoder=replace(CONFIG.encoder, dim=16))
    caplog.set_level(logging.INFO)
    other = train(wider, sources, tmp_path / "wider", init_from=first)
    assert any("18 of 19 layers" in line for line in caplog.messages)
    encoder = build_training_model(wider).get_layer("encoder")
    encoder.load_weights(other)
    assert np.allclose(weights_of(first)[0], encoder.get_weights()[0], atol=1e-6)
    foreign = tmp_path / "foreign.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(foreign)
    with pytest.raises(ConfigError, match="same convolutions"):
        train(CONFIG, sources, tmp_path / "third", init_from=foreign)


def test_a_student_comes_near_its_teacher(sources: TrainingSources, tmp_path: Path, rng: np.random.Generator) -> None:
    train(CONFIG, sources, tmp_path / "teacher")
    alone = replace(CONFIG, seed=7, n_steps=12, learning_rate=1e-2, objective=ObjectiveConfig())
    taught = replace(alone, objective=ObjectiveConfig(distillation_weight=20.0))
    windows = rng.standard_normal((6, CONFIG.front_end.window_samples)).astype(np.float32)

    def embed(config: TrainingConfig, weights: Path) -> np.ndarray:
        model = build_training_model(config)
        model.get_layer("encoder").load_weights(weights)
        return predict(model, windows)

    target = embed(CONFIG, tmp_path / "teacher" / "encoder.weights.h5")
    lone = embed(alone, train(alone, sources, tmp_path / "alone"))
    student = embed(taught, train(taught, sources, tmp_path / "student", teacher=tmp_path / "teacher"))
    assert np.sum(student * target) > np.sum(lone * target) + 1
    with pytest.raises(ConfigError, match="distillation_weight"):
        train(taught, sources, tmp_path / "none")
    small = replace(taught, encoder=replace(CONFIG.encoder, dim=16))
    with pytest.raises(ConfigError, match="dim"):
        train(small, sources, tmp_path / "small", teacher=tmp_path / "teacher")


def test_a_quantization_aware_run_ends_in_a_plain_encoders_weights(sources: TrainingSources, tmp_path: Path) -> None:
    aware = replace(CONFIG, quantization_aware=True)
    plain, rounded = (weights_of(train(config, sources, tmp_path / str(config is aware))) for config in (CONFIG, aware))
    assert not np.allclose(plain[0], rounded[0], atol=1e-6)
    assert np.allclose(plain[0], rounded[0], atol=0.1)


def test_extra_recordings_are_for_training_only(sources: TrainingSources, tmp_path: Path) -> None:
    extra = TrainingSources(corpus=sources.corpus, cache_dir=sources.cache_dir, extra_data=tmp_path)
    (tmp_path / "music").symlink_to(sources.corpus / "music")
    assert len(extra.files("music", "train")) == len(sources.files("music", "train")) + 4
    assert len(extra.files("music", "dev")) == len(sources.files("music", "dev"))


def test_held_out_recordings_are_validated_on_and_not_trained_on(sources: TrainingSources, tmp_path: Path) -> None:
    config = replace(CONFIG, n_held_out=1)
    trained, held_out = divided_music(config, sources)
    own = {file.path for file in sources.files("music", "train")}
    assert len(held_out) == 1
    assert {file.path for file in [*trained, *held_out]} == own
    assert len(trained) == len(own) - 1
    assert divided_music(config, sources)[1] == held_out
    assert len(training_sampler(config, sources).groups[0][0]) == len(trained)
    other = Validation(CONFIG, sources)
    assert len(Validation(config, sources)._music) == 1 != len(other._music)
    rows = list(csv.DictReader((train(config, sources, tmp_path / "run").parent / "log.csv").open()))
    assert float(rows[-1]["dev_top1"]) >= 0
    with pytest.raises(ConfigError, match="n_held_out"):
        train(replace(config, n_held_out=len(own)), sources, tmp_path / "all")


def test_a_run_with_codes_resumes_to_the_same_weights(
    sources: TrainingSources, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    objective = ObjectiveConfig(coded_share=0.5, n_subspaces=4, code_noise=0.2)
    coded = replace(CONFIG, average_decay=0.9, objective=objective)
    whole = weights_of(train(coded, sources, tmp_path / "whole"))
    with interrupted_at("step 4,", "fingerprinter.training.loop", caplog):
        train(coded, sources, tmp_path / "parts")
    parts = weights_of(train(coded, sources, tmp_path / "parts"))
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(whole, parts, strict=True))
