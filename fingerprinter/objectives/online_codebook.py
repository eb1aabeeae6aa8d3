"""A codebook that is learned with the encoder: references as their codes will decode, while both still change."""

from typing import Any, Final

from keras import layers, ops

__all__ = ["OnlineCodebook"]

_N_CENTROIDS: Final = 256
_DECAY: Final = 0.99
_UNUSED: Final = 0.5  # a centroid that so few references have chosen lately is put on one of the batch


class OnlineCodebook(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Quantize unit rows to a cell and a product code of what it leaves, and learn both from the rows of each step.

    Centroids are running means of the rows that choose them, as in van den Oord et al. 2017 ("Neural Discrete
    Representation Learning", appendix A.1). There is no rotation: the encoder can turn its space itself. A database's
    codebook is trained anew on the finished encoder.

    Input and output shape: (n_rows, dim).

    Parameters
    ----------
    n_subspaces : int
        Bytes a code; must divide the dimensions.
    n_cells : int
    """

    def __init__(self, n_subspaces: int, n_cells: int = 1024, **options: Any) -> None:
        super().__init__(**{**options, "trainable": False})
        self.n_subspaces, self.n_cells = n_subspaces, n_cells

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the centroids, all unused."""
        dim = int(input_shape[-1] or 0)
        if dim % self.n_subspaces:
            message = f"n_subspaces {self.n_subspaces} must divide the dimensions {dim}"
            raise ValueError(message)
        shapes = {"cells": (1, self.n_cells, dim), "parts": (self.n_subspaces, _N_CENTROIDS, dim // self.n_subspaces)}
        for name, shape in shapes.items():
            setattr(self, name, self.add_weight(shape=shape, initializer="zeros", trainable=False, name=name))
            counts = self.add_weight(shape=shape[:2], initializer="zeros", trainable=False, name=f"{name}_counts")
            setattr(self, f"{name}_counts", counts)

    def call(self, rows: Any, training: bool | None = None) -> Any:  # noqa: FBT001  # Keras's form
        """Return what the codes of rows decode to, as unit rows without a gradient; in training, learn from them."""
        rows = ops.stop_gradient(rows)
        in_cells = self._quantized(rows[None], self.cells, self.cells_counts, training)[0]
        split = ops.reshape(rows - in_cells, (-1, self.n_subspaces, self.parts.shape[2]))
        rest = self._quantized(ops.transpose(split, (1, 0, 2)), self.parts, self.parts_counts, training)
        decoded = in_cells + ops.reshape(ops.transpose(rest, (1, 0, 2)), ops.shape(rows))
        return decoded * ops.rsqrt(ops.sum(ops.square(decoded), axis=1, keepdims=True) + 1e-12)

    def _quantized(self, rows: Any, centroids: Any, counts: Any, training: bool | None) -> Any:  # noqa: FBT001
        """Return the nearest centroids of rows, both of shape (n_codes, n_rows, width); in training, move them after.

        In the first step all centroids are zero.
        """
        n_centroids = centroids.shape[1]
        products = ops.matmul(rows, ops.transpose(centroids, (0, 2, 1)))
        distances = ops.sum(ops.square(centroids), axis=2)[:, None] - 2.0 * products
        chosen = ops.one_hot(ops.argmin(distances, axis=2), n_centroids)
        nearest = ops.matmul(chosen, ops.convert_to_tensor(centroids))
        if training:
            sums = ops.matmul(ops.transpose(chosen, (0, 2, 1)), rows)
            kept = _DECAY * counts
            found = kept + ops.sum(chosen, axis=1)
            means = (kept[:, :, None] * centroids + sums) / ops.maximum(found, 1e-6)[:, :, None]
            unused = found < _UNUSED
            drawn = ops.take(rows, ops.arange(n_centroids) % ops.shape(rows)[1], axis=1)
            centroids.assign(ops.where(unused[:, :, None], drawn, means))
            counts.assign(ops.where(unused, 1.0, found))
        return nearest
