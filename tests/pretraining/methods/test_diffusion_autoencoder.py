from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from pretraining.clips import ClipSampler
from pretraining.config.run import EncoderConfig
from pretraining.diffusion.critic import adversarial_loss
from pretraining.encoder import load_encoder
from pretraining.methods.diffusion_autoencoder import load_autoencoder
from pretraining.train import build_pretext, pretrain
from tests.detector.sounds import corpus_folder
from tests.pretraining.material import small_config, small_decoder
from tests.pretraining.methods.learning import learned

pytestmark = pytest.mark.train
METHOD = "diffusion_autoencoder"
ENCODER = EncoderConfig(channels=(4, 8, 8), dim=16, pooled=False)


def test_a_batch_is_rebuilt_better_and_better(clips: ClipSampler) -> None:
    decoder = small_decoder(perceptual_weight=0.1)
    pretext, losses = learned(METHOD, clips, decoder=decoder, encoder=ENCODER, n_steps=8)
    assert losses[-1] < 0.9 * losses[0]
    assert pretext.perceptual_encoder is not None
    assert pretext.critic is None


def test_a_critic_joins_the_other_errors(clips: ClipSampler) -> None:
    decoder = small_decoder(diffusion_weight=0.0, adversarial_weight=0.1)
    pretext = build_pretext(small_config(METHOD, decoder=decoder, encoder=ENCODER), clips)
    inputs = pretext.draw(clips, np.random.default_rng(3))
    images = np.asarray(pretext.images(inputs[0]))
    rebuilt = pretext.decoder.rebuild(pretext.latents(images), np.random.default_rng(0), n_steps=1)
    judged = float(adversarial_loss(pretext.critic, images, rebuilt, 0.1))
    # The whole model is called as in use, so that its encoder normalises as when images are rebuilt.
    assert float(pretext(inputs)) == pytest.approx(np.mean((rebuilt - images) ** 2) + judged, rel=1e-3)


def test_the_critic_and_nothing_else_learns_at_its_own_rate(clips: ClipSampler) -> None:
    decoder = small_decoder(diffusion_weight=0.0, adversarial_weight=0.1, critic_rate=4.0, critic_spectral=True)
    pretext = build_pretext(small_config(METHOD, decoder=decoder, encoder=ENCODER), clips)
    fast = [
        variable.path
        for variable, rate in zip(pretext.trainable_variables, pretext.rates(), strict=True)
        if rate == 4.0
    ]
    assert fast == [variable.path for variable in pretext.critic.trainable_variables]
    assert pretext.optimizer.rates == tuple(pretext.rates())


def test_a_finished_run_is_opened_as_it_was_and_hears_through_another(tmp_path: Path) -> None:
    sources = TrainingSources(corpus=corpus_folder(tmp_path / "corpus", seconds=4.0), cache_dir=tmp_path / "cache")
    encoder_config = small_config("random", encoder=EncoderConfig())
    pretrain(encoder_config, sources, tmp_path / "perceptual_encoder")
    config = small_config(METHOD, n_steps=2, encoder=ENCODER, decoder=small_decoder(perceptual_weight=0.1))
    with pytest.raises(ConfigError, match="--perceptual-encoder"):
        pretrain(config, sources, tmp_path / "run")
    pretrain(config, sources, tmp_path / "run", perceptual_encoder=tmp_path / "perceptual_encoder")
    model, encoder = load_autoencoder(tmp_path / "run"), load_encoder(tmp_path / "run")[1]
    images = np.random.default_rng(0).standard_normal((3, 32, 32, 1)).astype(np.float32)
    rows = model.latents(images)
    np.testing.assert_allclose(np.mean(rows**2, axis=1), 1.0, rtol=1e-2)
    raw = encoder.predict(images, verbose=0)
    np.testing.assert_allclose(rows, raw / np.sqrt(np.mean(raw**2, axis=1, keepdims=True)), atol=1e-2)
    of_run, given = (
        model.perceptual_encoder.encoder.get_weights(),
        load_encoder(tmp_path / "perceptual_encoder")[1].get_weights(),
    )
    assert all(np.array_equal(a, b) for a, b in zip(of_run, given, strict=True)), "the perceptual encoder never learns"
    (tmp_path / "run" / "checkpoint.json").write_text('{"step": 1}')
    with pytest.raises(ConfigError, match="expected a finished run of 2 steps, found one at step 1"):
        load_autoencoder(tmp_path / "run")
    with pytest.raises(ConfigError, match="expected a run of diffusion_autoencoder"):
        load_autoencoder(tmp_path / "perceptual_encoder")
    plain = replace(config, decoder=small_decoder())
    with pytest.raises(ConfigError, match="--perceptual-encoder"):
        pretrain(plain, sources, tmp_path / "plain", perceptual_encoder=tmp_path / "perceptual_encoder")
