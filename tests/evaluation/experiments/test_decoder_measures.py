"""From a run to its row of the table, through the shipped fingerprinter."""

from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from evaluation.experiments.decoder_measures import MeasureSettings, RealWindows, anchors, drawn_latents, measure
from evaluation.experiments.decoder_report import to_markdown
from fingerprinter.config import FrontEndConfig
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from pretraining.config.run import EncoderConfig
from pretraining.diffusion.latents import LatentModel
from pretraining.diffusion.patches import draw_images
from pretraining.train import pretrain
from tests.detector.sounds import corpus_folder
from tests.pretraining.material import small_config, small_decoder

pytestmark = pytest.mark.train


def test_a_run_becomes_a_row(tmp_path: Path) -> None:
    sources = TrainingSources(corpus=corpus_folder(tmp_path / "corpus", seconds=6.0), cache_dir=tmp_path / "cache")
    config = small_config(
        "diffusion_autoencoder",
        n_steps=2,
        front_end=FrontEndConfig(),
        encoder=EncoderConfig(channels=(4, 4, 4), dim=8, pooled=False),
        decoder=small_decoder(),
    )
    pretrain(config, sources, tmp_path / "run")
    settings = MeasureSettings(n_images=8, n_latents=16, latent_steps=2, n_steps=2, curve=(1,))
    windows = RealWindows(config, sources, 8)
    result = measure(tmp_path / "run", settings, windows)
    assert [(step["n_steps"], step["in_table"]) for step in result["steps"]] == [(1, False), (2, True)]
    real, asked = draw_images(config, sources, "dev", (8, 8))
    assert asked.shape == (8, 96, 64, 1)
    assert not np.array_equal(real, asked)
    assert result["variance"] == pytest.approx(asked.var(), rel=1e-5)
    assert result["spread"] > 0
    assert 0.5 < result["latent"]["validation_loss"]["value"] < 5.0
    sharp, *blurred, noisy, noisier = anchors(windows)
    assert (sharp["blur"], sharp["mse"], sharp["own_window_first"]) == (0.0, 0.0, 1.0)
    errors = [anchor["mse"] for anchor in blurred]
    assert errors[0] > 0.0
    assert errors == sorted(errors), "more blur, more error"
    # What noise adds to the squared error is its variance, which is the error of the blur.
    assert [noisy["mse"], noisier["mse"]] == pytest.approx([2 * error for error in errors[-2:]], rel=0.1)
    assert result["measuring_cpu_s"] > 0
    protocol = {"seeds": 1, "images": 8}
    found = {
        "protocol": protocol,
        "results": {"run": [result]},
        "anchors": [[sharp, *blurred, noisy, noisier]],
        "tried": {},
    }
    assert to_markdown({**found, "training_cpu_s": 1.0}).count("| run |") == 4
    assert np.isfinite([step["distance"]["value"] for step in result["steps"]]).all()


@pytest.mark.parametrize("changes", [{"n_images": 3}, {"n_steps": 0}, {"curve": (0,)}])
def test_protocols_that_cannot_be_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="at least four images"):
        MeasureSettings(**changes)


def test_drawn_latents_are_scaled_as_a_decoder_expects_them(rng: np.random.Generator) -> None:
    rows = rng.normal(size=(64, 8)).astype(np.float32) + 3.0
    latent = LatentModel(rows, n_steps=2, seed=1)
    as_drawn = np.mean(latent.sample(20, np.random.default_rng(2)) ** 2, axis=1)
    assert np.all(as_drawn > 2.0), "what is drawn is as large as what was learned from"
    found = drawn_latents(latent, 20, np.random.default_rng(2))
    np.testing.assert_allclose(np.mean(found**2, axis=1), 1.0, atol=1e-4)
