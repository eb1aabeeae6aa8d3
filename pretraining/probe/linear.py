"""The linear probe: logistic regression on standardised embeddings, penalised as held-out training data asks."""

import warnings
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import needs_extra

__all__ = ["PENALTIES", "linear_probe", "mean_by_owner", "pooled_by_owner"]

PENALTIES: Final = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)  # scikit-learn's C, the inverse of the penalty
_UNCHOSEN: Final = 0.1  # where too little is labelled to hold anything out
_N_FOLDS: Final = 4
_MOST_ITERATIONS: Final = 300


def linear_probe(
    vectors: NDArray[np.float32],
    labels: NDArray[np.int64],
    queries: NDArray[np.float32],
    *,
    n_labels: int,
    units: Sequence[str] | NDArray[np.str_],
) -> tuple[NDArray[np.float64], float]:
    """Fit a linear classifier and return its probabilities for other vectors.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, dim)
    labels : ndarray of int64, shape (n,), in [0, n_labels)
    queries : ndarray of float32, shape (m, dim)
    n_labels : int
    units : sequence of str or ndarray, length n
        What is independent of the others: a quarter of the units, of all labels, is held out to choose the penalty.

    Returns
    -------
    answers : ndarray of float64, shape (m, n_labels)
        Zero for labels that are not among ``labels``.
    penalty : float
        The one of ``PENALTIES`` with the least cross entropy on the held-out quarter; 0.1 where a label has too few
        units to hold one out.

    Raises
    ------
    MissingExtraError
        When scikit-learn is not installed.
    """
    penalty = _choose(vectors, labels, np.asarray(units))
    model = _fitted(vectors, labels, penalty)
    answers = np.zeros((len(queries), n_labels))
    answers[:, model.classes_] = model.predict_proba(queries)
    return answers, penalty


def _fitted(vectors: NDArray[np.float32], labels: NDArray[np.int64], penalty: float) -> Any:
    with needs_extra("train", "the linear probe"):
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    model = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=_MOST_ITERATIONS))
    with warnings.catch_warnings():
        # The weakest penalties may not converge; held-out data decides whether they are taken.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(vectors, labels)


def _choose(vectors: NDArray[np.float32], labels: NDArray[np.int64], units: NDArray[np.str_]) -> float:
    with needs_extra("train", "the linear probe"):
        from sklearn.metrics import log_loss
        from sklearn.model_selection import StratifiedGroupKFold
    names = np.unique(labels)
    if min(len(np.unique(units[labels == label])) for label in names) < _N_FOLDS:
        return _UNCHOSEN
    folds = StratifiedGroupKFold(_N_FOLDS, shuffle=True, random_state=0)
    kept, held = next(iter(folds.split(vectors, labels, units)))
    if len(np.unique(labels[kept])) < len(names):
        return _UNCHOSEN

    def surprise(penalty: float) -> float:
        model = _fitted(vectors[kept], labels[kept], penalty)
        return float(log_loss(labels[held], model.predict_proba(vectors[held]), labels=names))

    return min(PENALTIES, key=surprise)


def mean_by_owner(values: NDArray[np.floating], owners: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average rows that belong to the same example; owners count from zero without a gap."""
    sums = np.zeros((int(owners.max()) + 1, values.shape[1]))
    np.add.at(sums, owners, values)
    means: NDArray[np.float64] = sums / np.bincount(owners)[:, None]
    return means


def pooled_by_owner(vectors: NDArray[np.float32], owners: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return mean and standard deviation of each example's rows side by side, (n_examples, 2 dim)."""
    means = mean_by_owner(vectors, owners)
    variances = mean_by_owner(np.square(vectors, dtype=np.float64), owners) - means**2
    return np.concatenate([means, np.sqrt(np.maximum(variances, 0.0))], axis=1).astype(np.float32)
