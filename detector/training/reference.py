"""The folded network in NumPy and float64: the reference that all other implementations are compared with."""

import numpy as np
from numpy.typing import NDArray

from detector.features import INPUT_ZERO_POINT
from detector.training.config import NetworkConfig
from detector.training.weights import FoldedWeights

__all__ = ["float_layers", "float_probabilities"]

Array = NDArray[np.float64]


def float_layers(network: NetworkConfig, weights: FoldedWeights, frames: Array) -> dict[str, Array]:
    """Return the outputs of each layer, by the names of ``detector.training.weights.activation_grid``.

    Parameters
    ----------
    network : NetworkConfig
    weights : FoldedWeights
    frames : ndarray of float64, shape (n, n_frames, n_channels), in [0, 255]
        Windows, in int8 steps above silence.

    Returns
    -------
    dict of str to ndarray of float64
        ``"depthwise.0"``, ``"pointwise.0"``, ...: (n, frames, channels); ``"hidden"``: (n, units); ``"logit"``: (n, 1).
    """
    seen: dict[str, Array] = {}
    for layer in range(network.n_layers):
        taps = np.lib.stride_tricks.sliding_window_view(frames, network.kernel_frames, axis=1)[:, :: network.stride]
        frames = np.einsum("nfck,kc->nfc", taps, weights.depthwise[layer].astype(np.float64))
        seen[f"depthwise.{layer}"] = frames
        frames = np.maximum(frames @ weights.pointwise[layer] + weights.bias[layer], 0.0)
        seen[f"pointwise.{layer}"] = frames
    seen["hidden"] = np.maximum(frames.reshape(len(frames), -1) @ weights.hidden + weights.hidden_bias, 0.0)
    seen["logit"] = seen["hidden"] @ weights.logit + weights.logit_bias
    return seen


def float_probabilities(network: NetworkConfig, weights: FoldedWeights, windows: NDArray[np.int8]) -> Array:
    """Return P(music) of windows of int8 features, shape (n, n_frames, n_channels), as float64 of shape (n,)."""
    parts = [
        float_layers(network, weights, windows[start : start + 100].astype(np.float64) - INPUT_ZERO_POINT)["logit"]
        for start in range(0, len(windows), 100)
    ]
    logits = np.concatenate(parts)[:, 0] if parts else np.empty(0)
    probabilities: Array = 1.0 / (1.0 + np.exp(-logits))
    return probabilities
