"""Augmentation of finished features, for more variety than the recordings have: backgrounds, channels, gaps."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["augment", "blend", "masked", "random_eq", "transposed"]

_SILENCE = -128


def augment(
    segment: NDArray[np.int8],
    background: NDArray[np.int8] | None,
    rng: np.random.Generator,
    *,
    masked_share: float = 0.0,
) -> NDArray[np.int8]:
    """Return a randomly changed copy of a segment; segments of both classes must be augmented alike.

    Parameters
    ----------
    segment : ndarray of int8, shape (n_frames, n_channels)
    background : ndarray of int8, same shape, or None
        Features without music to blend in; the label does not change.
    rng : numpy.random.Generator
    masked_share : float in [0, 1]
        Probability of silenced bands and moments.
    """
    if rng.random() < 0.5:
        segment = transposed(segment, int(rng.integers(-3, 4)))
    if background is not None and rng.random() < 0.4:
        segment = blend(segment, background, int(rng.integers(0, 40)))
    if rng.random() < 0.6:
        segment = random_eq(segment, rng)
    if rng.random() < 0.2:
        segment = segment.copy()
        length = int(rng.integers(5, 60))
        start = int(rng.integers(max(1, len(segment) - length)))
        segment[start : start + length] = _SILENCE
    if masked_share and rng.random() < masked_share:
        segment = masked(segment, rng)
    return segment


def masked(segment: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.int8]:
    """Return the segment with up to two bands and two moments silenced.

    After Park et al., "SpecAugment", arXiv 1904.08779.
    """
    segment = segment.copy()
    n_frames, n_channels = segment.shape
    for _ in range(int(rng.integers(3))):
        width = int(rng.integers(1, 8))
        first = int(rng.integers(n_channels - width))
        segment[:, first : first + width] = _SILENCE
    for _ in range(int(rng.integers(3))):
        length = int(rng.integers(5, min(40, n_frames)))
        start = int(rng.integers(n_frames - length))
        segment[start : start + length] = _SILENCE
    return segment


def blend(segment: NDArray[np.int8], background: NDArray[np.int8], below_steps: int) -> NDArray[np.int8]:
    """Return the features of two sounds' sum: in a logarithmic spectrum, nearly the maximum of both.

    Parameters
    ----------
    segment, background : ndarray of int8, shape (n_frames, n_channels)
    below_steps : int >= 0
        Number of steps by which the background is turned down.
    """
    quieter = np.maximum(background.astype(np.int16) - below_steps, _SILENCE)
    return np.maximum(segment, quieter).astype(np.int8)


def transposed(segment: NDArray[np.int8], channels: int) -> NDArray[np.int8]:
    """Return the features of roughly the same sound some channels higher, or lower where negative."""
    moved = np.full_like(segment, _SILENCE)
    if channels >= 0:
        moved[:, channels:] = segment[:, : segment.shape[1] - channels]
    else:
        moved[:, :channels] = segment[:, -channels:]
    return moved


def random_eq(segment: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.int8]:
    """Return the features through another channel: gain, a tilt, a bump, sometimes no treble or no bass."""
    n_channels = segment.shape[1]
    position = np.linspace(-1, 1, n_channels)
    offset = rng.normal(0, 5) + rng.normal(0, 8) * position + rng.normal(0, 3, n_channels)
    offset += rng.normal(0, 10) * np.exp(-0.5 * ((position - rng.uniform(-1, 1)) / 0.3) ** 2)
    steps = segment.astype(np.int16) + 128
    # Silence stays silent: offsets scale with loudness up to 24 steps and are constant above.
    changed = steps + np.rint(offset * np.minimum(steps / 24, 1)).astype(np.int16)
    draw = rng.random()
    if draw < 0.15:
        changed[:, int(rng.integers(n_channels // 2, n_channels)) :] = 0
    elif draw < 0.25:
        changed[:, : int(rng.integers(1, 6))] = 0
    return (np.clip(changed, 0, 255) - 128).astype(np.int8)
