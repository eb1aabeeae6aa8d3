"""Random: the ear as it is before any training. What a method must be better than."""

import keras

from pretraining.config import PretrainingConfig
from pretraining.encoder import build_ear

__all__ = ["random_ear"]


def random_ear(config: PretrainingConfig) -> keras.Model:
    """Return an ear with the weights that a run of this seed would begin with."""
    keras.utils.set_random_seed(config.seed)
    return build_ear(config)
