"""What every method must do: learn on one batch, through the encoder."""

from typing import Any

import numpy as np

from pretraining.methods.pretext import Pretext
from pretraining.train import build_pretext
from tests.pretraining.material import small_config

__all__ = ["learned"]


def learned(method: str, clips: Any, *, n_steps: int = 12, **changes: object) -> tuple[Pretext, list[float]]:
    """Train on one and the same batch; return the model and the loss of each step. The encoder's weights must move."""
    import keras

    keras.utils.set_random_seed(5)
    pretext = build_pretext(small_config(method, learning_rate=1e-2, **changes), clips)
    batch = pretext.draw(clips, np.random.default_rng(3))
    before = [weight.copy() for weight in pretext.encoder.get_weights()]
    losses = [float(pretext.train_on_batch(batch)) for _ in range(n_steps)]
    after = pretext.encoder.get_weights()
    assert not any(np.array_equal(before[index], after[index]) for index in (0, -2)), "first and last layer"
    return pretext, losses
