"""The last seconds of sound as the DSP keeps them: one mu-law byte a sample, the oldest overwritten first."""

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ, mulaw, to_float32, to_int16
from nowplaying_core.errors import ConfigError

__all__ = ["MulawRing"]


class MulawRing:
    """A ring buffer of 8-bit samples: eight seconds at 16 kHz are 128,000 bytes, half of what 16-bit samples take.

    Parameters
    ----------
    seconds : float > 0
        Sound that it holds when full.

    Notes
    -----
    Now Playing is evaluated on 8 s segments (Agüera y Arcas et al., arXiv:1711.10958), and the sound-trigger
    configuration of the Pixel 2 names mu-law as the format in which its music model hands over the buffer
    (LineageOS, android_device_google_wahoo, ``sound_trigger_platform_info.xml``).
    """

    def __init__(self, seconds: float = 8.0) -> None:
        if not seconds > 0:
            message = f"ring buffer: expected a length above 0 s, found {seconds}"
            raise ConfigError(message)
        self._codes = np.zeros(round(seconds * SAMPLE_RATE_HZ), np.uint8)
        self._next = 0
        self._n_filled = 0

    @property
    def filled_s(self) -> float:
        """Seconds of sound held now, from 0 to the buffer's length."""
        return self._n_filled / SAMPLE_RATE_HZ

    def write(self, samples: NDArray[np.float32]) -> None:
        """Encode and append samples; the oldest make room.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,), in [-1, 1], mono at 16 kHz
        """
        self.write_codes(mulaw.encode(to_int16(samples)))

    def write_codes(self, codes: NDArray[np.uint8]) -> None:
        """Append samples that are mu-law bytes already.

        Parameters
        ----------
        codes : ndarray of uint8, shape (n,)
        """
        size = len(self._codes)
        kept = codes[-size:]
        until_end = size - self._next
        self._codes[self._next : self._next + len(kept)] = kept[:until_end]
        if len(kept) > until_end:
            self._codes[: len(kept) - until_end] = kept[until_end:]
        self._next = (self._next + len(kept)) % size
        self._n_filled = min(size, self._n_filled + len(kept))

    def read_codes(self) -> NDArray[np.uint8]:
        """Return the content, oldest first, as mu-law bytes; the buffer keeps it.

        Returns
        -------
        ndarray of uint8, shape (n,), a copy
        """
        if self._n_filled < len(self._codes):
            return self._codes[: self._n_filled].copy()
        return np.roll(self._codes, -self._next)

    def read(self, newest_s: float | None = None) -> NDArray[np.float32]:
        """Return the content, oldest first, decoded as for the application processor.

        Parameters
        ----------
        newest_s : float > 0, seconds, or None
            Only so much of it, the newest.

        Returns
        -------
        ndarray of float32, shape (n,), in [-1, 1]
        """
        codes = self.read_codes()
        if newest_s is not None:
            codes = codes[max(0, len(codes) - round(newest_s * SAMPLE_RATE_HZ)) :]
        return to_float32(mulaw.decode(codes))

    def clear(self) -> None:
        """Forget everything, as when the microphone is handed to somebody else."""
        self._codes[:] = 0
        self._next = self._n_filled = 0
