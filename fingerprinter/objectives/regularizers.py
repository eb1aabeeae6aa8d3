"""Terms added to an objective: decorrelation, quantization error, and distillation from a teacher."""

from typing import Any

from keras import ops

__all__ = ["decorrelation", "distillation", "quantization_error"]


def decorrelation(embeddings: Any) -> Any:
    """Return how much dimensions repeat each other: mean squared correlation between two different ones.

    Parameters
    ----------
    embeddings : tensor of float32, shape (n, dim), n >= 2

    Returns
    -------
    tensor of float32, scalar, in [0, 1]

    Notes
    -----
    The off-diagonal term of Zbontar et al. 2021 (Barlow Twins) and Bardes et al. 2022 (VICReg), on correlations.
    Product quantization spends equal bits on each sub-space, so that repeated dimensions are wasted bits.
    """
    centred = embeddings - ops.mean(embeddings, axis=0, keepdims=True)
    scaled = centred / ops.sqrt(ops.mean(ops.square(centred), axis=0, keepdims=True) + 1e-8)
    n_rows, dim = ops.cast(ops.shape(embeddings)[0], "float32"), int(embeddings.shape[1])
    correlation = ops.matmul(ops.transpose(scaled), scaled) / n_rows
    squared = ops.square(correlation) * (1.0 - ops.eye(dim))
    return ops.sum(squared) / (dim * (dim - 1))


def distillation(embeddings: Any, taught: Any) -> Any:
    """Return the mean squared distance to a teacher's embeddings.

    Parameters
    ----------
    embeddings, taught : tensor of float32, shape (n, dim), unit rows

    Returns
    -------
    tensor of float32, scalar, in [0, 4]

    Notes
    -----
    After Romero et al. 2015 (FitNets), on the output alone. The teacher embeds the clean view, so the student learns
    what noise does not change.
    """
    return ops.mean(ops.sum(ops.square(embeddings - taught), axis=1))


def quantization_error(embeddings: Any, n_subspaces: int) -> Any:
    """Return how far each row is from the nearest of the batch's other rows, in each sub-space.

    A product quantizer replaces each part of a vector by a centroid. A stand-in for its centroids that needs no
    training is the batch itself: parts that lie close to other vectors' parts cost few bits.

    Parameters
    ----------
    embeddings : tensor of float32, shape (n, dim), n >= 2
    n_subspaces : int
        Must divide ``dim``.

    Returns
    -------
    tensor of float32, scalar, in [0, 4]
        Mean squared distance of a whole vector, summed over its parts.
    """
    n_rows = ops.shape(embeddings)[0]
    width = int(embeddings.shape[1]) // n_subspaces
    parts = ops.transpose(ops.reshape(embeddings, (-1, n_subspaces, width)), (1, 0, 2))
    squares = ops.sum(ops.square(parts), axis=2)
    distances = squares[:, :, None] + squares[:, None] - 2.0 * ops.matmul(parts, ops.transpose(parts, (0, 2, 1)))
    # A row is not its own code, and neither is its partner, which the objective pulls near anyway.
    rows = ops.arange(n_rows)
    is_own = (rows[None] % (n_rows // 2)) == (rows[:, None] % (n_rows // 2))
    nearest = ops.min(ops.where(is_own[None], 1e9, ops.maximum(distances, 0.0)), axis=2)
    return ops.mean(ops.sum(nearest, axis=0))
