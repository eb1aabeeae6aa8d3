"""Divide and encode: the head that all encoders share, and unit length."""

from typing import Any

import keras
from keras import layers, ops

__all__ = ["DivideAndEncode", "UnitNorm", "encode"]


@keras.saving.register_keras_serializable(package="nowplaying")
class DivideAndEncode(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Split features into one branch a dimension and encode each by a small two-layer network.

    Input shape: (n_batch, n_features); output shape: (n_batch, dim). Features are dealt to the branches in turn, so
    that each branch sees many channels. After Lai et al. 2015, as in the neural audio fingerprints of Chang et al.
    2021. Written as two products over the branch axis; grouped convolutions would say the same and train several
    times slower on a CPU.

    Parameters
    ----------
    dim : int
    units : int
        Hidden units of a branch.
    activation : {"relu", "elu"}
        Of the hidden units.
    """

    def __init__(self, dim: int, units: int, activation: str = "relu", **options: Any) -> None:
        super().__init__(**options)
        self.dim, self.units, self.activation = dim, units, activation

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
        activate = ops.elu if self.activation == "elu" else ops.relu
        hidden = activate(ops.matmul(dealt, self.hidden_kernel) + self.hidden_bias)
        encoded = ops.matmul(hidden, self.output_kernel) + self.output_bias
        return ops.transpose(ops.squeeze(encoded, -1))

    def as_depthwise(self, features: Any) -> Any:
        """Return the same encoding built from two depthwise convolutions with this layer's weights, for export.

        A depthwise convolution has a scale for each channel and 32-bit biases in int8; batched products have one
        scale for all branches and add their biases in 8 bits, which costs 5 % of the vectors' cosine.

        Parameters
        ----------
        features : symbolic tensor, shape (n_batch, n_features)

        Returns
        -------
        symbolic tensor, shape (n_batch, dim)
        """
        _, width, units = self.hidden_kernel.shape
        column = layers.Reshape((width, 1, self.dim), name="head_branches")(features)
        first = layers.DepthwiseConv2D(
            (width, 1), depth_multiplier=units, activation=self.activation, name="head_hidden"
        )
        hidden = layers.Reshape((self.dim, units), name="head_units")(first(column))
        column = layers.Reshape((units, 1, self.dim), name="head_dealt")(
            layers.Permute((2, 1), name="head_deal")(hidden)
        )
        second = layers.DepthwiseConv2D((units, 1), name="head_output")
        encoded = layers.Reshape((self.dim,), name="head_vector")(second(column))
        kernel = ops.transpose(self.hidden_kernel, (1, 0, 2))[:, None]
        first.set_weights([kernel, ops.reshape(self.hidden_bias, (-1,))])
        kernel = ops.transpose(self.output_kernel, (1, 0, 2))[:, None]
        second.set_weights([kernel, ops.reshape(self.output_bias, (-1,))])
        return encoded

    def get_config(self) -> dict[str, Any]:
        """Return the layer's settings for serialization."""
        return {**super().get_config(), "dim": self.dim, "units": self.units, "activation": self.activation}


@keras.saving.register_keras_serializable(package="nowplaying")
class UnitNorm(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Scale each row to unit Euclidean length; shape (n_batch, dim) stays."""

    def call(self, values: Any) -> Any:
        """Normalise a batch."""
        return values * ops.rsqrt(ops.sum(ops.square(values), axis=-1, keepdims=True) + 1e-12)


def encode(features: Any, dim: int, units: int, activation: str = "relu") -> Any:
    """Flatten a feature map, encode it with one branch a dimension, and scale the rows to unit length."""
    flat = layers.Flatten(name="flatten")(features)
    raw = DivideAndEncode(dim, units, activation=activation, name="head")(flat)
    return UnitNorm(name="unit")(raw)
