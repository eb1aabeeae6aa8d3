import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from pretraining.config.run import METHOD_NAMES, MethodConfig
from pretraining.encoder import load_encoder
from pretraining.methods.registry import METHODS
from pretraining.train import build_pretext, pretrain, pretrain_once
from tests.detector.sounds import corpus_folder
from tests.pretraining.material import interrupted_at, small_config

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> TrainingSources:
    root = tmp_path_factory.mktemp("pretraining")
    return TrainingSources(corpus=corpus_folder(root / "corpus", seconds=4.0), cache_dir=root / "cache")


def test_settings_and_registry_know_the_same_names() -> None:
    assert (*METHODS, "random") == METHOD_NAMES


def test_an_interrupted_run_goes_on_to_the_same_weights(
    sources: TrainingSources, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = small_config("cola")
    pretrain(config, sources, tmp_path / "whole")
    # The report of step 4 comes before its checkpoint, so the run starts again at step 2.
    with interrupted_at("step 4,", "fingerprinter.training.loop", caplog):
        pretrain(config, sources, tmp_path / "parts")
    with pytest.raises(ConfigError, match="pretraining end"):
        load_encoder(tmp_path / "parts")
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "music").symlink_to(sources.corpus / "music")
    with pytest.raises(ConfigError, match=r"was given extra music: 0, not 4"):
        pretrain(config, replace(sources, extra_data=tmp_path / "extra"), tmp_path / "parts")
    pretrain(config, sources, tmp_path / "parts")
    assert "resuming at step 2" in caplog.messages
    whole, parts = (load_encoder(tmp_path / name)[1].get_weights() for name in ("whole", "parts"))
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(whole, parts, strict=True))
    running = [one for one in load_encoder(tmp_path / "whole")[1].non_trainable_variables if "moving_mean" in one.path]
    assert running
    assert all(np.any(np.asarray(one) != 0) for one in running), "the normalisation has learnt what is usual"
    rows = list(csv.DictReader((tmp_path / "whole" / "log.csv").open()))
    assert [int(row["step"]) for row in rows] == [2, 4]
    with pytest.raises(ConfigError, match="has reached its 4 steps"):
        pretrain(config, sources, tmp_path / "whole")
    caplog.clear()
    pretrain_once(config, sources, tmp_path / "whole")
    assert not caplog.messages, "an ended run of these settings is left as it is"
    with pytest.raises(ConfigError, match=r"was given extra music: 0, not 4"):
        pretrain_once(config, replace(sources, extra_data=tmp_path / "extra"), tmp_path / "whole")
    with pytest.raises(ConfigError, match="other settings"):
        pretrain_once(replace(config, seed=7), sources, tmp_path / "whole")
    with pytest.raises(ConfigError, match="run of other settings"):
        pretrain(replace(config, seed=9), sources, tmp_path / "whole")


def test_levels_are_means_over_batches_where_the_sound_decides_them(sources: TrainingSources, tmp_path: Path) -> None:
    config = small_config("autoencoder")
    pretrain(config, sources, tmp_path / "run")
    found = json.loads((tmp_path / "run" / "levels.json").read_text(encoding="utf-8"))
    clips = METHODS["autoencoder"].sampler(config, sources)
    pretext = build_pretext(config, clips)
    levels = [
        pretext.levels(*pretext.draw(clips, np.random.default_rng([config.seed, config.n_steps, number])))
        for number in range(16)
    ]
    assert np.std([one["mean image"] for one in levels]) > 0.01
    assert found == pytest.approx({name: np.mean([one[name] for one in levels]) for name in found}, rel=1e-5)


def test_random_needs_no_sound(tmp_path: Path) -> None:
    nowhere = TrainingSources(corpus=tmp_path / "none", cache_dir=tmp_path)
    pretrain(small_config("random"), nowhere, tmp_path / "run")
    assert load_encoder(tmp_path / "run")[0].method == "random"


@pytest.mark.parametrize("method", ["random", "diffusion_autoencoder"])
def test_a_perceptual_encoder_that_is_missing_or_not_needed_is_refused_at_once(
    sources: TrainingSources, tmp_path: Path, method: str
) -> None:
    with pytest.raises(ConfigError, match="--perceptual-encoder: expected"):
        pretrain(
            small_config(method), sources, tmp_path / "run", perceptual_encoder=tmp_path if method == "random" else None
        )
    assert not (tmp_path / "run").exists()


def test_a_folder_belongs_to_a_run_that_can_begin(sources: TrainingSources, tmp_path: Path) -> None:
    wrong = small_config("kmeans_codes", objective=MethodConfig(clip_s=0.2))
    with pytest.raises(ConfigError, match=r"clip_s: expected a window of 0.32 s or more"):
        pretrain(wrong, sources, tmp_path / "run")
    with pytest.raises(ConfigError, match="expected recordings of at least"):
        pretrain(small_config("temporal_gap", objective=MethodConfig(clip_s=60.0)), sources, tmp_path / "run")
    assert not (tmp_path / "run").exists(), "the mended settings find it free"


def test_levels_are_of_the_sound_that_is_learned_from(
    sources: TrainingSources, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Until its first checkpoint a run may be given other sound."""
    config = small_config("autoencoder")
    other = TrainingSources(corpus=corpus_folder(tmp_path / "corpus", seconds=1.0), cache_dir=tmp_path / "cache")
    with interrupted_at("step 2,", "fingerprinter.training.loop", caplog):
        pretrain(config, other, tmp_path / "run")
    levels = tmp_path / "run" / "levels.json"
    of_other = json.loads(levels.read_text(encoding="utf-8"))
    pretrain(config, sources, tmp_path / "run")
    pretrain(config, sources, tmp_path / "anew")
    found, wanted = (json.loads((tmp_path / name / "levels.json").read_text()) for name in ("run", "anew"))
    assert found == wanted
    assert found != of_other
