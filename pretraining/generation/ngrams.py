"""What a transformer over codes must beat: how often codes occur, and how often one follows another."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bigram", "unigram"]


def unigram(codes: NDArray[np.integer], n_codes: int) -> NDArray[np.float64]:
    """Return the probability of each code, (n_codes,), from all given codes; one is added to each count."""
    counts = np.bincount(codes.ravel(), minlength=n_codes) + 1.0
    share: NDArray[np.float64] = counts / counts.sum()
    return share


class Bigram:
    """How likely a code is after another: interpolated Kneser-Ney (Chen and Goodman 1999), the usual best of its kind.

    What is taken off each count, one number D for all, is shared out by how many different codes the next one follows,
    a distribution that is itself smoothed by one code added to each:

        P(w | v) = max(c(v w) - D, 0) / c(v) + D n(v *) / c(v) P'(w),   P'(w) = (n(* w) + 1) / (n(* *) + n_codes)

    Parameters
    ----------
    codes : ndarray of int, shape (n_clips, n_slices)
        Clip by clip; nothing is counted across clips.
    n_codes : int
    """

    def __init__(self, codes: NDArray[np.integer], n_codes: int) -> None:
        pairs = codes[:, :-1].astype(np.int64) * n_codes + codes[:, 1:]
        counts = np.bincount(pairs.ravel(), minlength=n_codes**2).reshape(n_codes, n_codes).astype(np.float64)
        once, twice = (int((counts == n).sum()) for n in (1, 2))
        discount = once / (once + 2 * twice) if once else 0.5
        followers = (counts > 0).sum(axis=0) + 1.0
        total = counts.sum(axis=1, keepdims=True)
        kept = np.maximum(counts - discount, 0.0) / np.maximum(total, 1.0)
        rest = np.where(total > 0, discount * (counts > 0).sum(axis=1, keepdims=True) / np.maximum(total, 1.0), 1.0)
        self.probabilities: NDArray[np.float64] = kept + rest * followers / followers.sum()
