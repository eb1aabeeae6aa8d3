"""Slices of sound: windows cut from one clip at given distances, as recorded or as a phone records them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fingerprinter.training.pairs import PairSampler
from fingerprinter.training.recordings import Recordings

__all__ = ["ClipSampler"]

_MAX_DRAWS = 20


class ClipSampler:
    """Draw slices from recordings of music, speech and noise.

    Parameters
    ----------
    sampler : PairSampler
        Its groups are drawn from, its noises and its augmenter make the degraded views.
    """

    def __init__(self, sampler: PairSampler) -> None:
        self._sampler = sampler
        shares = np.array([share for _, share in sampler.groups])
        self._shares = shares / shares.sum()

    @property
    def window_samples(self) -> int:
        """Samples of a slice."""
        return self._sampler.augmenter.window_samples

    def slices(
        self, offsets: NDArray[np.int64], rng: np.random.Generator, *, degraded: Sequence[int] = ()
    ) -> NDArray[np.float32]:
        """Draw one clip for each row and cut its slices.

        Parameters
        ----------
        offsets : ndarray of int64, shape (n_clips, n_slices), samples >= 0
            Where the slices begin, from the clip's beginning.
        rng : numpy.random.Generator
        degraded : sequence of int
            Numbers of the slices that pass through loudspeaker, room, noise and microphone.

        Returns
        -------
        ndarray of float32, shape (n_clips, n_slices, window_samples)

        Notes
        -----
        A clip is drawn again while its recording is too short or a slice of it is silent; the last draw is taken as it
        is, with zeros beyond the recording's end.
        """
        window, augmenter = self.window_samples, self._sampler.augmenter
        past = augmenter.past_samples
        cut = np.empty((*offsets.shape, window), np.float32)
        lengthened = {column: np.empty((len(offsets), past + window), np.float32) for column in degraded}
        for row, places in enumerate(offsets):
            recordings, index, start = self._draw_clip(places, rng)
            for column, place in enumerate(places):
                if column in lengthened:
                    lengthened[column][row] = recordings.cut(index, start + int(place) - past, past + window)
                else:
                    cut[row, column] = recordings.cut(index, start + int(place), window)
        for column, sounds in lengthened.items():
            noise = np.stack([self._sampler.draw_noise(past + window, rng) for _ in sounds])
            cut[:, column], _ = augmenter.augment(sounds, noise, rng)
        return cut

    def _draw_clip(self, places: NDArray[np.int64], rng: np.random.Generator) -> tuple[Recordings, int, int]:
        """Return a recording and where the clip begins in it."""
        span = int(places.max()) + self.window_samples
        recordings, index, start = self._sampler.groups[0][0], 0, 0
        for _ in range(_MAX_DRAWS):
            recordings = self._sampler.groups[int(rng.choice(len(self._shares), p=self._shares))][0]
            index = int(rng.integers(len(recordings)))
            room = len(recordings.parts[index]) - span
            start = int(rng.integers(max(1, room + 1)))
            if room >= 0 and all(recordings.sounds(index, start + int(place), self.window_samples) for place in places):
                break
        return recordings, index, start
