"""Random: the encoder as it is before any training. What a method must be better than."""

import keras

from pretraining.config.run import PretrainingConfig
from pretraining.encoder import build_encoder

__all__ = ["random_encoder"]


def random_encoder(config: PretrainingConfig) -> keras.Model:
    """Return an encoder with the weights that a run of this seed would begin with."""
    keras.utils.set_random_seed(config.seed)
    return build_encoder(config)
