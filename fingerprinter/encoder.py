"""The compact convolutional encoder: log-mel image to unit vector."""

from typing import Any

import keras
from keras import layers, ops

from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.norm import BatchNorm

__all__ = ["DivideAndEncode", "UnitNorm", "build_encoder"]


@keras.saving.register_keras_serializable(package="nowplaying")
class DivideAndEncode(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Split features into one branch a dimension and encode each by a small two-layer network.

    Input shape: (n_batch, n_features); output shape: (n_batch, dim). Features are dealt to the branches in turn, so
    that each branch sees many channels. After Lai et al. 2015, as in the neural audio fingerprints of Chang et al.
    2021. Written as two products over the branch
    axis; grouped convolutions would say the same and train several times slower on a CPU.

    Parameters
    ----------
    dim : int
    units : int
        Hidden units of a branch.
    """

    def __init__(self, dim: int, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.dim, self.units = dim, units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the branches' weights."""
        features = input_shape[-1]
        if features is None or features % self.dim:
            message = f"features {features} must be a multiple of dim {self.dim}"
            raise ValueError(message)
        width = features // self.dim
        shapes = {"hidden": (self.dim, width, self.units), "output": (self.dim, self.units, 1)}
        for name, shape in shapes.items():
            # Fan-in and fan-out of one branch, not of the stacked tensor.
            limit = (6.0 / (shape[1] + shape[2])) ** 0.5
            initial = keras.initializers.RandomUniform(-limit, limit)
            setattr(self, f"{name}_kernel", self.add_weight(shape=shape, initializer=initial, name=f"{name}_kernel"))
            bias = self.add_weight(shape=(self.dim, 1, shape[2]), initializer="zeros", name=f"{name}_bias")
            setattr(self, f"{name}_bias", bias)
        super().build(input_shape)

    def call(self, features: Any) -> Any:
        """Encode a batch of feature vectors."""
        n_rows = ops.shape(features)[0]
        branches = ops.reshape(features, (n_rows, -1, self.dim))
        dealt = ops.transpose(branches, (2, 0, 1))
        hidden = ops.relu(ops.matmul(dealt, self.hidden_kernel) + self.hidden_bias)
        encoded = ops.matmul(hidden, self.output_kernel) + self.output_bias
        return ops.transpose(ops.squeeze(encoded, -1))

    def get_config(self) -> dict[str, Any]:
        """Return the layer's settings for serialization."""
        return {**super().get_config(), "dim": self.dim, "units": self.units}


@keras.saving.register_keras_serializable(package="nowplaying")
class UnitNorm(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Scale each row to unit Euclidean length; shape (n_batch, dim) stays."""

    def call(self, values: Any) -> Any:
        """Normalise a batch."""
        return values * ops.rsqrt(ops.sum(ops.square(values), axis=-1, keepdims=True) + 1e-12)


def build_encoder(config: EncoderConfig, front_end: FrontEndConfig) -> keras.Model:
    """Build the encoder of one log-mel image.

    A 3x3 convolution of stride 2, then pairs of a 1x3 convolution over time and a 3x1 convolution over mel, each of
    stride 2 along its axis, all with batch normalisation (folded at export) and ReLU; then the divide-and-encode head
    and unit length.

    Returns
    -------
    keras.Model
        Input (n_batch, n_mels, n_frames, 1) float32; output (n_batch, dim) float32, unit rows.
    """
    image = keras.Input((front_end.n_mels, front_end.n_frames, 1), name="log_mel")
    features = _convolve(image, config.channels[0], (3, 3), (2, 2), "stem")
    for index, channels in enumerate(config.channels[1:], start=1):
        features = _convolve(features, channels, (1, 3), (1, 2), f"block{index}_time")
        features = _convolve(features, channels, (3, 1), (2, 1), f"block{index}_mel")
    flat = layers.Flatten(name="flatten")(features)
    raw = DivideAndEncode(config.dim, config.branch_units, name="head")(flat)
    return keras.Model(image, UnitNorm(name="unit")(raw), name="encoder")


def _convolve(features: Any, channels: int, kernel: tuple[int, int], strides: tuple[int, int], name: str) -> Any:
    convolution = layers.Conv2D(channels, kernel, strides=strides, padding="same", use_bias=False, name=f"{name}_conv")
    normalised = BatchNorm(momentum=0.98, epsilon=1e-3, name=f"{name}_norm")(convolution(features))
    return layers.ReLU(name=f"{name}_relu")(normalised)
