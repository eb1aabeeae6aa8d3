"""The detector as an int8 graph over whole windows, as TensorFlow's converter writes it: the reference for streams.

Every grid is fixed, so the graph carries its grids as fake-quantization and the converter needs no calibration.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from detector.training.config import NetworkConfig
from detector.training.weights import FoldedWeights, QuantizedRange, activation_grid, weight_scale
from nowplaying_core.runtime import TfliteModel

__all__ = ["convert_window_graph", "deployed_model", "window_outputs"]


class _FakeQuant(keras.layers.Layer):
    """Fake-quantize activations to a fixed int8 grid with the operation that the converter understands."""

    def __init__(self, grid: QuantizedRange, **options: Any) -> None:
        super().__init__(**options)
        self._grid = grid

    def call(self, values: Any) -> Any:
        """Return the rounded values."""
        return tf.quantization.fake_quant_with_min_max_args(values, self._grid.low, self._grid.high)


class _Separable(keras.layers.Layer):
    """Depthwise and pointwise convolution with rounded kernels, each followed by its grid, the second by ReLU."""

    def __init__(self, weights: FoldedWeights, layer: int, stride: int) -> None:
        super().__init__(name=f"separable_{layer}")
        self._depthwise = weights.depthwise[layer][:, None, :, None]
        self._pointwise = weights.pointwise[layer][None, None]
        self._bias = weights.bias[layer]
        self._grids = activation_grid("depthwise"), activation_grid("pointwise")
        self._stride = stride

    def call(self, frames: Any) -> Any:
        """Return the convolved frames, (1, frames, 1, filters)."""
        strides = [1, self._stride, self._stride, 1]
        frames = tf.nn.depthwise_conv2d(frames, _rounded(self._depthwise), strides, "VALID")
        frames = _fake_quant(self._grids[0], frames)
        frames = tf.nn.conv2d(frames, _rounded(self._pointwise), 1, "VALID") + self._bias
        return _fake_quant(self._grids[1], tf.nn.relu(frames))


class _Head(keras.layers.Layer):
    """The two dense layers, the first as a convolution over all remaining frames, and the logistic function."""

    def __init__(self, weights: FoldedWeights, n_frames: int) -> None:
        super().__init__(name="head")
        n_hidden = weights.hidden.shape[1]
        self._hidden = weights.hidden.reshape(n_frames, 1, -1, n_hidden)
        self._logit = weights.logit[None, None]
        self._biases = weights.hidden_bias, weights.logit_bias
        self._grids = activation_grid("hidden"), activation_grid("logit")

    def call(self, frames: Any) -> Any:
        """Return the probability, (1, 1, 1, 1)."""
        hidden = tf.nn.conv2d(frames, _rounded(self._hidden), 1, "VALID") + self._biases[0]
        hidden = _fake_quant(self._grids[0], tf.nn.relu(hidden))
        logit = _fake_quant(self._grids[1], tf.nn.conv2d(hidden, _rounded(self._logit), 1, "VALID") + self._biases[1])
        # The logistic function's grid is fixed in TFLite at 1/256 from 0.
        return tf.quantization.fake_quant_with_min_max_args(tf.nn.sigmoid(logit), 0.0, 255 / 256)


def deployed_model(network: NetworkConfig, weights: FoldedWeights) -> keras.Model:
    """Return the network as it is converted: float32 (1, frames, 1, channels) in int8 steps, probability out."""
    inputs = keras.Input(batch_shape=(1, network.n_frames, 1, network.n_channels))
    frames = _FakeQuant(activation_grid("input"), name="input_grid")(inputs)
    for layer in range(network.n_layers):
        frames = _Separable(weights, layer, network.stride)(frames)
    return keras.Model(inputs, _Head(weights, network.frames_after_layers)(frames))


def convert_window_graph(network: NetworkConfig, weights: FoldedWeights) -> bytes:
    """Return the int8 graph: a window of int8 features in, int8 probability out (scale 1/256, zero point -128)."""
    converter = tf.lite.TFLiteConverter.from_keras_model(deployed_model(network, weights))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    converter._experimental_disable_per_channel = True  # there is no public switch
    return bytes(converter.convert())


def window_outputs(model: TfliteModel, frames: np.ndarray) -> list[tuple[int, int]]:
    """Return the outputs for the windows of a stream, 64 frames apart, as ``StreamingNetwork.process`` does."""
    return [
        (stop, int(model.run(frames[stop - 446 : stop][None, :, None, :]).item()) + 128)
        for stop in range(446, len(frames) + 1, 64)
    ]


def _rounded(kernel: np.ndarray[Any, Any]) -> Any:
    limit = 127 * weight_scale(float(np.abs(kernel).max()))
    return tf.quantization.fake_quant_with_min_max_args(kernel, -limit, limit, narrow_range=True)


def _fake_quant(grid: QuantizedRange, values: Any) -> Any:
    return tf.quantization.fake_quant_with_min_max_args(values, grid.low, grid.high)
