import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.diffusion.latents import LatentModel

pytestmark = pytest.mark.train


def test_rows_on_a_line_are_easier_than_noise_and_are_drawn_from_it() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((2000, 6)).astype(np.float32)
    line = (noise[:, :1] * np.arange(1, 7) + 3.0).astype(np.float32)
    models = [LatentModel(rows[:1500], n_steps=150, seed=1) for rows in (noise, line)]
    losses = [
        model.validation_losses(rows[1500:], np.random.default_rng(1))
        for model, rows in zip(models, (noise, line), strict=True)
    ]
    assert losses[0].shape == (500,)
    assert 0.9 < losses[0].mean() < 1.15
    assert losses[1].mean() < 0.6 * losses[0].mean()
    drawn = models[1].sample(400, np.random.default_rng(2))
    assert drawn.mean(axis=0) == pytest.approx(3.0 * np.ones(6), abs=1.2)
    assert np.corrcoef(drawn[:, 1], drawn[:, 5])[0, 1] > 0.8
