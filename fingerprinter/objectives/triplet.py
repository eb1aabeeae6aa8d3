"""Triplet losses: a partner must be nearer than any other recording, by a margin."""

from typing import Any

from keras import ops

__all__ = ["hard_positive_triplet", "semi_hard_triplet"]

_FAR = 1e9


def semi_hard_triplet(embeddings: Any, margin: float) -> Any:
    """Return the triplet loss with, for every anchor, the nearest stranger that is farther away than its partner.

    Parameters
    ----------
    embeddings : tensor of float32, shape (2 n_pairs, dim), unit rows
        First the references, then their degraded copies in the same order; all rows are anchors.
    margin : float > 0
        In squared Euclidean distance, which lies in [0, 4] between unit vectors.

    Returns
    -------
    tensor of float32, scalar
        Mean over the anchors. An anchor with no stranger beyond its partner takes the farthest one.

    Notes
    -----
    Schroff et al. 2015 (FaceNet), as Now Playing's loss is read by Chang et al. 2021.
    """
    losses, _ = _semi_hard(embeddings, margin)
    return ops.mean(losses)


def hard_positive_triplet(embeddings: Any, margin: float, hardest_share: float = 0.5) -> Any:
    """Return the same over the anchors whose partners are the farthest away.

    With one degraded copy for every reference, the hard positives of a batch are its worst pairs: those that noise,
    room and shift have moved most. Araz et al. 2025 take the hardest of several positives of one anchor instead.

    Parameters
    ----------
    embeddings : tensor of float32, shape (2 n_pairs, dim), unit rows
        As in :func:`semi_hard_triplet`; the number of rows must be known.
    margin : float > 0
    hardest_share : float in (0, 1]
        Share of the anchors that count.
    """
    losses, positive = _semi_hard(embeddings, margin)
    n_kept = max(1, round(hardest_share * int(embeddings.shape[0])))
    _, hardest = ops.top_k(ops.stop_gradient(positive), n_kept)
    return ops.mean(ops.take(losses, hardest))


def _semi_hard(embeddings: Any, margin: float) -> tuple[Any, Any]:
    """Return every anchor's loss and its squared distance to its partner."""
    n_rows = ops.shape(embeddings)[0]
    distances = ops.maximum(2.0 - 2.0 * ops.matmul(embeddings, ops.transpose(embeddings)), 0.0)
    rows = ops.arange(n_rows)
    partner = (rows + n_rows // 2) % n_rows
    positive = ops.take_along_axis(distances, ops.expand_dims(partner, 1), axis=1)
    is_stranger = ops.logical_and(rows[None] != rows[:, None], rows[None] != partner[:, None])
    beyond = ops.where(ops.logical_and(is_stranger, distances > positive), distances, _FAR)
    nearest = ops.min(beyond, axis=1, keepdims=True)
    farthest = ops.max(ops.where(is_stranger, distances, -_FAR), axis=1, keepdims=True)
    negative = ops.where(nearest < _FAR / 2, nearest, farthest)
    return ops.relu(positive - negative + margin)[:, 0], positive[:, 0]
