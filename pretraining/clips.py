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
        lengths = [np.array([len(part) for part in recordings.parts]) for recordings, _ in sampler.groups]
        self._by_length = [np.argsort(of_group, kind="stable") for of_group in lengths]
        self._lengths = [of_group[order] for of_group, order in zip(lengths, self._by_length, strict=True)]

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
        First a group is drawn by its share, then a recording of it that is long enough, alike often, so that groups of
        many short recordings keep their share. A clip is drawn again from its group while a slice of it is silent; the
        last draw is taken as it is. Where no recording of any group is long enough, zeros follow the end of one.
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
        n_fitting = np.array([len(lengths) - np.searchsorted(lengths, span) for lengths in self._lengths])
        if not n_fitting.any():
            n_fitting = np.array([len(lengths) for lengths in self._lengths])
        shares = self._shares * (n_fitting > 0)
        group = int(rng.choice(len(shares), p=shares / shares.sum()))
        recordings, index, start = self._sampler.groups[group][0], 0, 0
        for _ in range(_MAX_DRAWS):
            index = int(self._by_length[group][-1 - rng.integers(n_fitting[group])])
            start = int(rng.integers(max(1, len(recordings.parts[index]) - span + 1)))
            if all(recordings.sounds(index, start + int(place), self.window_samples) for place in places):
                break
        return recordings, index, start
