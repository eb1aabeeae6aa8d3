"""Fine-tuning: the encoder goes on learning under a linear classifier, on labelled sounds."""

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from pretraining.config.run import PretrainingConfig
from pretraining.encoder import build_encoder, embed

__all__ = ["fine_tune"]

_BATCH = 64
_RATE = 1e-3


def fine_tune(
    config: PretrainingConfig,
    weights: list[NDArray[np.float32]],
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
    queries: NDArray[np.float32],
    *,
    n_labels: int,
    n_steps: int,
    seed: int,
) -> NDArray[np.float64]:
    """Train a copy of an encoder with a classifier and return its probabilities for other images.

    Parameters
    ----------
    config : PretrainingConfig
        Of the encoder's run.
    weights : list of ndarray
        The encoder's; left as they are.
    images : ndarray of float32, shape (n, n_mels, n_frames, 1)
    labels : ndarray of int64, shape (n,), in [0, n_labels)
    queries : ndarray of float32, shape (m, n_mels, n_frames, 1)
    n_labels, n_steps, seed : int
        Every step takes 64 images, drawn with replacement.

    Returns
    -------
    ndarray of float64, shape (m, n_labels)
    """
    keras.utils.set_random_seed(seed)
    encoder = build_encoder(config)
    encoder.set_weights(weights)
    activated = layers.ReLU()(encoder.outputs[0])
    model = keras.Model(encoder.inputs, layers.Dense(n_labels, activation="softmax")(activated))
    rate = keras.optimizers.schedules.CosineDecay(_RATE, n_steps)
    model.compile(
        keras.optimizers.Adam(rate),
        "sparse_categorical_crossentropy",
        jit_compile="auto" if keras.config.backend() == "jax" else False,
    )
    rng = np.random.default_rng(seed)
    for _ in range(n_steps):
        chosen = rng.integers(len(images), size=_BATCH)
        model.train_on_batch(images[chosen], labels[chosen])
    return embed(model, queries).astype(np.float64)
