"""The simplest attack: ridge regression from stored vectors to log-mel images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pretraining.audit.dataset import AttackDataset

__all__ = ["LinearInversion", "fit_linear_inversion"]

_PENALTY = 1.0  # scikit-learn's own, for vectors of unit size times the root of their dimension


@dataclass(frozen=True, slots=True)
class LinearInversion:
    """A linear map.

    Attributes
    ----------
    slopes : ndarray of float32, shape (dim, n_mels * n_frames)
    offsets : ndarray of float32, shape (n_mels * n_frames,)
    shape : tuple of int
        Of an image.
    """

    slopes: NDArray[np.float32]
    offsets: NDArray[np.float32]
    shape: tuple[int, ...]

    def images(self, stored: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return images of stored vectors, (n, n_mels, n_frames, 1)."""
        return (stored @ self.slopes + self.offsets).reshape(-1, *self.shape)


def fit_linear_inversion(dataset: AttackDataset, stored: NDArray[np.float32], words_share: float) -> LinearInversion:
    """Fit a ridge inversion of what is stored of a dataset's windows, of which words count for a share.

    Parameters
    ----------
    dataset : AttackDataset
    stored : ndarray of float32, shape (n, dim)
    words_share : float in [0, 1)
        As the decoders draw them.
    """
    from sklearn.linear_model import Ridge

    n, first_word = len(stored), len(stored) - dataset.n_words
    weights = np.full(n, (1.0 - words_share) / first_word if dataset.n_words else 1.0 / n)
    weights[first_word:] = words_share / max(1, dataset.n_words)
    model = Ridge(alpha=_PENALTY / stored.shape[1])
    model.fit(stored, dataset.images.reshape(n, -1).astype(np.float32), sample_weight=n * weights)
    return LinearInversion(
        np.ascontiguousarray(model.coef_.T, np.float32), model.intercept_.astype(np.float32), dataset.images.shape[1:]
    )
