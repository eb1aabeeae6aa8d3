"""The detector's float network in Keras, as training leaves it, and converted to TFLite in float."""

import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from detector.training.config import NetworkConfig
from detector.training.model import FoldedModel, normalised
from detector.training.weights import FoldedWeights
from export.tflite import to_float
from nowplaying_core.runtime import TfliteModel

__all__ = ["keras_probabilities", "litert_probabilities"]


def _model(network: NetworkConfig, weights: FoldedWeights) -> keras.Model:
    """Return the network from windows in [0, 2) to P(music), shape (n, 1, 1)."""
    windows = keras.Input((network.n_frames, network.n_channels))
    return keras.Model(windows, ops.sigmoid(FoldedModel(network, weights, simulated=False)(windows)))


def keras_probabilities(
    network: NetworkConfig, weights: FoldedWeights, windows: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Return P(music) of windows of int8 features, shape (n, n_frames, n_channels)."""
    model = _model(network, weights)
    parts = [np.asarray(model(normalised(windows[start : start + 100]))) for start in range(0, len(windows), 100)]
    return np.concatenate(parts).reshape(-1).astype(np.float64)


def litert_probabilities(
    network: NetworkConfig, weights: FoldedWeights, windows: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Return the same through the float graph, window by window."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.tflite"
        path.write_bytes(to_float(_model(network, weights)))
        graph = TfliteModel(path)
        inputs = np.asarray(normalised(windows), dtype=np.float32)
        return np.array([graph.run(window[None]).item() for window in inputs])
