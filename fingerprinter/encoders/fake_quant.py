"""Quantization-aware training: weights and activations are rounded to int8 in the forward pass only.

The weights load into the plain encoder, which is exported (after Jacob et al. 2018,
"Quantization and training of neural networks for efficient integer-arithmetic-only inference").
"""

from typing import Any

import keras
from keras import layers, ops

__all__ = ["FakeQuant", "fake_quant", "quantization_aware"]

_WEIGHT_LEVELS = 127.0  # on either side of zero, a scale for each output channel
_ACTIVATION_LEVELS = 255.0  # one scale for the tensor
_MOMENTUM = 0.99


def fake_quant(values: Any, scale: Any) -> Any:
    """Round to multiples of a scale; gradients pass unchanged (straight-through estimator)."""
    return values + ops.stop_gradient(ops.round(values / scale) * scale - values)


class Conv2D(layers.Conv2D):  # type: ignore[misc]  # Keras has no types
    """A convolution with an int8 kernel; named like the plain one, because weight files go by class name."""

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Convolve with the rounded kernel."""
        largest = ops.max(ops.abs(kernel), axis=(0, 1, 2), keepdims=True)
        return super().convolution_op(inputs, fake_quant(kernel, ops.stop_gradient(largest) / _WEIGHT_LEVELS + 1e-12))


class FakeQuant(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Activations in 256 steps between the smallest and the largest value, averaged over batches."""

    def build(self, _input_shape: tuple[int | None, ...]) -> None:
        """Create the range, which begins empty."""
        self.lowest = self.add_weight(shape=(), initializer="zeros", trainable=False, name="lowest")
        self.highest = self.add_weight(shape=(), initializer="zeros", trainable=False, name="highest")

    def call(self, values: Any, training: bool | None = None) -> Any:  # noqa: FBT001  # Keras's form
        """Clip to the range and round."""
        if training:
            for limit, found in ((self.lowest, ops.min(values)), (self.highest, ops.max(values))):
                known = ops.where(limit == 0.0, found, limit)
                limit.assign(ops.stop_gradient(_MOMENTUM * known + (1 - _MOMENTUM) * found))
        low, high = ops.minimum(self.lowest, 0.0), ops.maximum(self.highest, 1e-6)
        return fake_quant(ops.clip(values, low, high), (high - low) / _ACTIVATION_LEVELS)


def quantization_aware(encoder: keras.Model) -> keras.Model:
    """Return a copy of an encoder whose convolutions and activations are rounded as int8 rounds them."""

    def replace(layer: keras.layers.Layer) -> keras.layers.Layer:
        kind = Conv2D if type(layer) is layers.Conv2D else type(layer)
        return kind.from_config(layer.get_config())

    def call(layer: keras.layers.Layer, *inputs: Any, **options: Any) -> Any:
        outputs = layer(*inputs, **options)
        activates = isinstance(layer, layers.ReLU | layers.Activation)
        return FakeQuant(name=f"{layer.name}_fake_quant")(outputs) if activates else outputs

    aware = keras.models.clone_model(encoder, clone_function=replace, call_function=call)
    for layer in encoder.layers:
        aware.get_layer(layer.name).set_weights(layer.get_weights())
    return aware
