"""NT-Xent: each view must find its partner among all other rows of the batch."""

from typing import Any

from keras import ops

__all__ = ["nt_xent"]


def nt_xent(embeddings: Any, temperature: float, others: Any = None, is_other: Any = None, *, songs: Any = None) -> Any:
    """Return the normalised temperature-scaled cross entropy with both views as anchors.

    Parameters
    ----------
    embeddings : tensor of float32, shape (2 n_pairs, dim), unit rows
        First the references, then their degraded copies in the same order.
    temperature : float > 0
    others : tensor of float32, shape (n_others, dim), optional
        Unit rows from outside of the batch.
    is_other : tensor of bool, shape (2 n_pairs, n_others), optional
        Which of them are negatives of which anchor; given with ``others``.
    songs : tensor of float32, shape (2 n_pairs, 1), optional
        Number of the recording of each row; with it other rows of an anchor's own recording are no negatives.

    Returns
    -------
    tensor of float32, scalar
        Mean over the 2 n_pairs anchors of -log softmax of the partner among all other rows and the negatives.

    Notes
    -----
    Chen et al. 2020 (SimCLR); used for audio fingerprints by Chang et al. 2021.
    """
    n_rows = ops.shape(embeddings)[0]
    similarity = ops.matmul(embeddings, ops.transpose(embeddings)) / temperature
    similarity = similarity - 1e9 * ops.eye(n_rows, dtype=similarity.dtype)
    partner = (ops.arange(n_rows) + n_rows // 2) % n_rows
    positive = ops.squeeze(ops.take_along_axis(similarity, ops.expand_dims(partner, 1), axis=1), 1)
    if songs is not None:
        is_same = (songs == ops.transpose(songs)) & (ops.arange(n_rows)[None] != partner[:, None])
        similarity = ops.where(is_same, -1e9, similarity)
    if others is not None:
        outside = ops.matmul(embeddings, ops.transpose(others)) / temperature
        similarity = ops.concatenate([similarity, ops.where(is_other, outside, -1e9)], axis=1)
    return ops.mean(ops.logsumexp(similarity, axis=1) - positive)
