from dataclasses import replace

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.clips import ClipSampler
from pretraining.config.codes import CodeConfig
from pretraining.methods.next_code import NextCode
from pretraining.train import build_pretext
from tests.pretraining.material import small_config

pytestmark = pytest.mark.train
CODES = CodeConfig(n_codes=12, n_fitted=120, dim=16, n_layers=1, n_heads=2, latent=4, units=16)


def prepared(method: str, clips: ClipSampler, codes: CodeConfig = CODES) -> NextCode:
    """Return a model of a run of 60 steps, whose clips are the sampler's windows of 0.32 s."""
    keras.utils.set_random_seed(5)
    config = small_config(method, learning_rate=1e-2, n_steps=60, codes=codes)
    config = type(config)(
        **{
            **{name: getattr(config, name) for name in config.__dataclass_fields__},
            "objective": type(config.objective)(clip_s=0.32),
        }
    )
    pretext = build_pretext(config, clips)
    pretext.prepare(clips)
    return pretext


def test_the_codebook_is_fitted_and_the_next_code_learned(clips: ClipSampler) -> None:
    pretext = prepared("kmeans_codes", clips)
    batch = pretext.draw(clips, np.random.default_rng(3))
    images = np.asarray(pretext.log_mel(*batch))
    codes = np.asarray(pretext.quantizer(images))
    assert codes.shape == (6, 8)
    rebuilt = np.asarray(pretext.quantizer.images(codes))
    assert np.mean((rebuilt - images) ** 2) < 0.5 * np.var(images), "codes keep most of what they stand for"
    before = pretext.quantizer.slices.numpy()
    losses = [float(pretext.train_on_batch(batch)) for _ in range(25)]
    assert losses[-1] < 0.7 * losses[0]
    np.testing.assert_array_equal(pretext.quantizer.slices.numpy(), before)


def test_the_loss_is_the_surprise_at_each_code_but_the_first(clips: ClipSampler) -> None:
    pretext = prepared("kmeans_codes", clips)
    batch = pretext.draw(clips, np.random.default_rng(3))
    codes = np.asarray(pretext.quantizer(pretext.log_mel(*batch)))
    logits = np.asarray(pretext.transformer.logits(pretext.transformer(codes)), np.float64)
    shares = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    wanted = [-np.log(shares[clip, place, codes[clip, place + 1]]) for clip in range(6) for place in range(7)]
    assert float(pretext.objective(*batch)) == pytest.approx(np.mean(wanted), rel=1e-4)


def test_a_seed_is_a_codebook(clips: ClipSampler) -> None:
    one, again = (prepared("kmeans_codes", clips).quantizer.slices.numpy() for _ in range(2))
    np.testing.assert_allclose(one, again, atol=1e-5)
    assert len(np.unique(one.round(4), axis=0)) == 12


def test_short_clips_give_as_many_slices_as_are_asked_for(clips: ClipSampler, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, seen = pytest.importorskip("sklearn.cluster"), []

    class Counting(cluster.KMeans):
        def fit(self, rows: np.ndarray) -> "Counting":
            seen.append(len(rows))
            return super().fit(rows)

    monkeypatch.setattr(cluster, "KMeans", Counting)
    prepared("kmeans_codes", clips, replace(CODES, n_codes=60))  # windows of eight slices, six a step
    assert seen[0] >= CODES.n_fitted
