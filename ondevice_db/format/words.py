"""How the words of residual codes are stored: as whole numbers of one byte, with a step for each byte of a code.

    word = step * whole number in [-127, 127]

A code's later bytes, and those of every song, are chosen with the rounded words, so what rounding moves is described
like everything else that is left over: the error of codes stays what it was (docs/experiments.md). A step has 16
significant bits and the largest number of its byte is 127 or -127. So all products are exact in float32, every reader
computes the same words, and rounding them again changes nothing.
"""

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError, CorruptArtifactError

__all__ = ["STEP_TYPE", "WORD_TYPE", "pack_words", "round_words", "unpack_words"]

WORD_TYPE = np.dtype(np.int8)
STEP_TYPE = np.dtype(np.float32)
_LARGEST = 127
_STEP_BITS = 16


def round_words(words: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the words that can be stored which are nearest to these, shape (n_bytes, 256, dim).

    Raises
    ------
    ConfigError
        When a number is not finite.
    """
    return _products(*pack_words(words))


def pack_words(words: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return whole numbers and steps; those of words of :func:`round_words` are exact.

    Parameters
    ----------
    words : ndarray of float32, shape (n_bytes, 256, dim)

    Returns
    -------
    numbers : ndarray of int8, shape (n_bytes, 256, dim)
    steps : ndarray of float32, shape (n_bytes,)

    Raises
    ------
    ConfigError
        When a number is not finite.
    """
    largest = np.abs(words).max(axis=(1, 2)).astype(np.float64)
    if not np.isfinite(largest).all():
        message = "words of codes: expected finite numbers; train the codebook again"
        raise ConfigError(message)
    fraction, exponent = np.frexp(np.where(largest > 0, largest / _LARGEST, 1.0))
    steps = np.ldexp(np.ceil(np.ldexp(fraction, _STEP_BITS)), exponent - _STEP_BITS).astype(STEP_TYPE)
    return np.rint(words / steps[:, None, None]).astype(WORD_TYPE), steps


def unpack_words(numbers: NDArray[np.int8], steps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the words that are stored as these, shape (n_bytes, 256, dim).

    Raises
    ------
    CorruptArtifactError
        When they are not what :func:`pack_words` writes.
    """
    fits = numbers.ndim == 3 and steps.shape == numbers.shape[:1] and numbers.size > 0
    if fits and np.isfinite(steps).all() and (steps > 0).all() and steps.max() <= 1:
        words = _products(numbers, steps)
        again, same_steps = pack_words(words)
        if np.array_equal(again, numbers) and np.array_equal(same_steps, steps):
            return words
    message = (
        f"words of codes: expected a step of {_STEP_BITS} bits for each byte and {_LARGEST} as its largest number, "
        f"found others among {numbers.shape} numbers and {steps.shape} steps; restore or train the codebook again"
    )
    raise CorruptArtifactError(message)


def _products(numbers: NDArray[np.int8], steps: NDArray[np.float32]) -> NDArray[np.float32]:
    words: NDArray[np.float32] = numbers * steps[:, None, None]
    return words
