"""The detector network in Keras: the training form, and the folded form with simulated int8 that is published.

Training form: each separable layer is one dense convolution whose kernel is the product of its depthwise and
pointwise parts, which is the same function and several times faster on a CPU, then batch normalisation and ReLU.
Folded form: batch normalisation inside the weights, depthwise and pointwise apart, and after every operation the int8
grid that the microcontroller will use (straight-through gradients; Jacob et al., arXiv 1712.05877).
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from detector.training.config import NetworkConfig
from detector.training.weights import FoldedWeights, activation_grid, equalized, on_shared_grids

__all__ = ["FoldedModel", "build_training_model", "fit_to_grids", "fold", "normalised"]

_BATCH_NORM_EPSILON = 1e-3
_INPUT_STEPS = 128.0
_TAIL = 1e-5  # share of calibration values that may saturate at either end of a grid


def normalised(windows: Any) -> Any:
    """Return int8 features as the training network's real-valued input in [0, 2): ``(q + 128) / 128``."""
    return (ops.cast(windows, "float32") + 128.0) / _INPUT_STEPS


class _SeparableFrames(keras.layers.Layer):  # type: ignore[misc]  # keras is untyped
    """Depthwise over time, then pointwise, computed as one convolution."""

    def __init__(self, network: NetworkConfig, layer: int) -> None:
        super().__init__(name=f"separable_{layer}")
        self._network, self._layer = network, layer

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the two kernels."""
        n_channels, network = int(input_shape[-1] or 0), self._network
        self.depthwise = self.add_weight(
            shape=(network.kernel_frames, n_channels),
            initializer=keras.initializers.RandomNormal(0.5, 0.25, seed=self._layer),
            name="depthwise",
        )
        self.pointwise = self.add_weight(
            shape=(n_channels, network.filters(self._layer)),
            initializer=keras.initializers.HeNormal(seed=1_000 + self._layer),
            name="pointwise",
        )

    def call(self, frames: Any) -> Any:
        """Return the convolved frames."""
        kernel = self.depthwise[:, :, None] * self.pointwise[None]
        return ops.conv(frames, kernel, strides=self._network.stride, padding="valid")


def build_training_model(network: NetworkConfig) -> keras.Model:
    """Return the trainable network: float32 (batch, frames, channels) in [0, 2), one logit for every 64 frames.

    The dense head is a convolution over the 5 frames that it flattens, so that a segment of 446 + 64 k frames gives
    k + 1 windows' logits in one pass.
    """
    inputs = keras.Input((None, network.n_channels))
    frames = inputs
    for layer in range(network.n_layers):
        frames = _SeparableFrames(network, layer)(frames)
        frames = keras.layers.BatchNormalization(
            momentum=0.98, epsilon=_BATCH_NORM_EPSILON, name=f"normalisation_{layer}"
        )(frames)
        frames = keras.layers.ReLU()(frames)
    hidden = keras.layers.Conv1D(network.n_hidden, network.frames_after_layers, activation="relu", name="hidden")(
        frames
    )
    logit = keras.layers.Dense(1, name="logit")(hidden)
    return keras.Model(inputs, logit)


def fold(model: keras.Model, network: NetworkConfig) -> FoldedWeights:
    """Return the network's weights with batch normalisation inside, balanced for one int8 scale per tensor."""
    depthwise: list[NDArray[np.float32]] = []
    pointwise: list[NDArray[np.float32]] = []
    bias: list[NDArray[np.float32]] = []
    for layer in range(network.n_layers):
        separable = model.get_layer(f"separable_{layer}")
        norm = model.get_layer(f"normalisation_{layer}")
        variance = np.asarray(norm.moving_variance)
        gain = np.asarray(norm.gamma / np.sqrt(variance + _BATCH_NORM_EPSILON), dtype=np.float32)
        # The folded network counts its input in int8 steps.
        steps = np.float32(_INPUT_STEPS if layer == 0 else 1.0)
        depthwise.append(np.asarray(separable.depthwise, dtype=np.float32) / steps)
        pointwise.append(np.asarray(separable.pointwise) * gain)
        bias.append(np.asarray(norm.beta - norm.moving_mean * gain, dtype=np.float32))
    hidden, logit = (model.get_layer(name) for name in ("hidden", "logit"))
    return equalized(
        FoldedWeights(
            depthwise=tuple(depthwise),
            pointwise=tuple(pointwise),
            bias=tuple(bias),
            hidden=np.asarray(hidden.kernel).reshape(-1, network.n_hidden),
            hidden_bias=np.asarray(hidden.bias),
            logit=np.asarray(logit.kernel),
            logit_bias=np.asarray(logit.bias),
        )
    )


@dataclass
class _Grids:
    """Rounds tensors to their int8 grids, or leaves them and, where ``seen`` is given, notes the values they take."""

    simulated: bool
    seen: dict[str, list[NDArray[np.float32]]] | None = None

    def activation(self, name: str, values: Any) -> Any:
        if not self.simulated:
            if self.seen is not None:
                self.seen.setdefault(name, []).append(ops.convert_to_numpy(values).reshape(-1))
            return values
        grid = activation_grid(name)
        clipped = ops.clip(values, grid.low, grid.high)
        rounded = (ops.round(clipped / grid.scale + grid.zero_point) - grid.zero_point) * grid.scale
        return clipped + ops.stop_gradient(rounded - clipped)

    def weight(self, values: Any) -> Any:
        if not self.simulated:
            return values
        largest = ops.maximum(ops.max(ops.abs(values)), 1e-12)
        # detector.training.weights.weight_scale, written with operations that trace.
        scale = ops.power(2.0, ops.ceil(ops.log2(largest / 127.0)))
        return values + ops.stop_gradient(ops.round(values / scale) * scale - values)


class FoldedModel(keras.Model):  # type: ignore[misc]  # keras is untyped
    """The folded network, in float or with simulated int8.

    Parameters
    ----------
    network : NetworkConfig
    weights : FoldedWeights
        Starting values.
    simulated : bool
        Whether every tensor is rounded to its int8 grid.
    """

    def __init__(self, network: NetworkConfig, weights: FoldedWeights, *, simulated: bool, **options: Any) -> None:
        super().__init__(**options)
        self._network = network
        self.grids = _Grids(simulated)
        self._values = {
            name: self.add_weight(shape=value.shape, initializer="zeros", name=name.replace(".", "_"), trainable=True)
            for name, value in weights.arrays().items()
        }
        for name, value in weights.arrays().items():
            self._values[name].assign(value)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return logits (batch, decisions, 1) for float32 (batch, frames, channels) in [0, 2)."""
        grids, values = self.grids, self._values
        frames = inputs[:, :, None, :] * _INPUT_STEPS
        for layer in range(self._network.n_layers):
            kernel = grids.weight(values[f"depthwise.{layer}"])[:, None, :, None]
            stride = self._network.stride
            frames = ops.depthwise_conv(frames, kernel, strides=stride, padding="valid")
            frames = grids.activation(f"depthwise.{layer}", frames)
            frames = ops.matmul(frames, grids.weight(values[f"pointwise.{layer}"])) + values[f"bias.{layer}"]
            frames = grids.activation(f"pointwise.{layer}", ops.relu(frames))
        n_kept = self._network.frames_after_layers
        kernel = ops.reshape(grids.weight(values["hidden"]), (n_kept, -1, self._network.n_hidden))
        hidden = ops.relu(ops.conv(frames[:, :, 0], kernel, padding="valid") + values["hidden_bias"])
        hidden = grids.activation("hidden", hidden)
        logit = ops.matmul(hidden, grids.weight(values["logit"])) + values["logit_bias"]
        return grids.activation("logit", logit)

    def folded_weights(self) -> FoldedWeights:
        """Return the present weights."""
        return FoldedWeights.from_arrays({name: np.asarray(value) for name, value in self._values.items()})


def fit_to_grids(network: NetworkConfig, weights: FoldedWeights, segments: NDArray[np.int8]) -> FoldedWeights:
    """Return the same network, scaled so that what it computes on a calibration set fills the int8 grids.

    Parameters
    ----------
    network : NetworkConfig
    weights : FoldedWeights
    segments : ndarray of int8, shape (n, n_frames, n_channels)
        Should hold silence and full scale.
    """
    model = FoldedModel(network, weights, simulated=False)
    seen: dict[str, list[NDArray[np.float32]]] = {}
    model.grids.seen = seen
    for start in range(0, len(segments), 100):
        model(normalised(segments[start : start + 100]))
    largest = {}
    for name, parts in seen.items():
        low, high = np.quantile(np.concatenate(parts), [_TAIL, 1 - _TAIL])
        largest[name] = (float(low), float(high))
    return on_shared_grids(weights, largest)
