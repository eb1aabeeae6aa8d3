"""The linear probe: logistic regression on frozen embeddings, answers averaged over a sound's windows."""

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import needs_extra

__all__ = ["linear_probe", "mean_by_owner"]

_INVERSE_PENALTY = 1.0  # scikit-learn's own, on standardised embeddings; not tuned for any task
_MOST_ITERATIONS = 500


def linear_probe(
    vectors: NDArray[np.float32], labels: NDArray[np.int64], queries: NDArray[np.float32], *, n_labels: int
) -> NDArray[np.float64]:
    """Fit a linear classifier and return its probabilities for other vectors.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, dim)
    labels : ndarray of int64, shape (n,), in [0, n_labels)
    queries : ndarray of float32, shape (m, dim)
    n_labels : int

    Returns
    -------
    ndarray of float64, shape (m, n_labels)
        Zero for labels that are not among ``labels``.

    Raises
    ------
    MissingExtraError
        When scikit-learn is not installed.
    """
    with needs_extra("train", "the linear probe"):
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    model = make_pipeline(StandardScaler(), LogisticRegression(C=_INVERSE_PENALTY, max_iter=_MOST_ITERATIONS))
    model.fit(vectors, labels)
    answers = np.zeros((len(queries), n_labels))
    answers[:, model.classes_] = model.predict_proba(queries)
    return answers


def mean_by_owner(values: NDArray[np.float64], owners: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average rows that belong to the same example; owners count from zero without a gap."""
    sums = np.zeros((int(owners.max()) + 1, values.shape[1]))
    np.add.at(sums, owners, values)
    means: NDArray[np.float64] = sums / np.bincount(owners)[:, None]
    return means
