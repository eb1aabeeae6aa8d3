"""Where in a recording to listen: eight seconds where the detector is sure of music, and further places to try.

The recording is read only as far as needed: eight seconds and two of the detector's steps, together 9.28 s, where it
begins with music, at most about two minutes otherwise.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from detector.network import DECISION_S
from detector.stream import Decision, StreamingDetector
from nowplaying_core.audio import SAMPLE_RATE_HZ
from ondevice_db.levels import SILENCE_DBFS, first_above_s, first_audible_s

__all__ = ["LOOK_S", "QUERY_S", "Opening", "Places"]

QUERY_S = 8.0
LOOK_S = 120.0
_SURE = 0.9  # probability of music from which nothing better is looked for
_CLEARLY = 0.2  # by how much surer the detector must be of another place than of the beginning
_NEARLY = 0.1  # what counts as equally sure

Samples = NDArray[np.float32]


class Opening:
    """The beginning of a recording, read as far as it is asked for.

    Parameters
    ----------
    blocks : iterator of ndarray of float32, shape (n,)
    """

    def __init__(self, blocks: Iterator[Samples]) -> None:
        self._blocks = blocks
        self._parts: list[Samples] = []
        self._n = 0
        self.is_whole = False
        self.skipped_s = 0.0

    def skip(self, seconds: float) -> None:
        """Pass over the next seconds; what has not been read yet is not kept."""
        left = round(seconds * SAMPLE_RATE_HZ)
        while left > 0 and not self.is_whole:
            block = next(self._blocks, None)
            if block is None:
                self.is_whole = True
                return
            self.skipped_s += min(left, block.size) / SAMPLE_RATE_HZ
            if block.size > left:
                self._parts, self._n = [block[left:]], block.size - left
            left -= block.size

    @property
    def duration_s(self) -> float:
        """Seconds that have been read."""
        return self._n / SAMPLE_RATE_HZ

    def read(self, until_s: float) -> Samples:
        """Return the samples up to a time, or all where the recording ends sooner."""
        wanted = round(until_s * SAMPLE_RATE_HZ)
        while self._n < wanted and not self.is_whole:
            block = next(self._blocks, None)
            if block is None:
                self.is_whole = True
                break
            self._parts.append(block)
            self._n += block.size
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0][:wanted] if self._parts else np.zeros(0, np.float32)


class Places:
    """Places to listen to, surest first.

    Parameters
    ----------
    opening : Opening
    detector : callable or None
        Returns the detector, which is opened only where there is a choice; without it the first audible place is the
        only one.
    """

    def __init__(self, opening: Opening, detector: Callable[[], StreamingDetector] | None) -> None:
        self._opening = opening
        self._detector = detector
        self._decisions: list[Decision] = []
        self._stream: StreamingDetector | None = None
        self._n_fed = 0
        self._taken: list[float] = []

    def first(self) -> float:
        """Return the beginning of the eight seconds to use, in seconds."""
        opening = self._opening
        samples = opening.read(QUERY_S + 2 * DECISION_S)
        while not opening.is_whole and opening.duration_s < LOOK_S and first_above_s(samples, SILENCE_DBFS) is None:
            samples = opening.read(opening.duration_s + QUERY_S)
        start_s = first_audible_s(samples)
        opening.read(start_s + QUERY_S + 2 * DECISION_S)
        start_s = max(0.0, min(start_s, opening.duration_s - QUERY_S))
        if self._detector is not None and opening.duration_s > QUERY_S + DECISION_S:
            start_s = self._surest(start_s)
        self._taken.append(start_s)
        return start_s

    def further(self, n: int) -> Iterator[float]:
        """Yield at most ``n`` further places that do not overlap with those before, surest first."""
        self._opening.read(2 * QUERY_S)
        if self._detector is None or self._opening.duration_s < 2 * QUERY_S:
            return
        self._listen(LOOK_S)
        starts, sureness = self._windows(0.0)
        for _ in range(n):
            free = np.array([all(abs(one - start) >= QUERY_S for one in self._taken) for start in starts], bool)
            if not free.any():
                return
            best = int(np.argmax(np.where(free, sureness, -1.0)))
            self._taken.append(float(starts[best]))
            yield float(starts[best])

    def _surest(self, start_s: float) -> float:
        """Return the earliest place that the detector is nearly as sure of as of the surest."""
        until_s = start_s + QUERY_S + DECISION_S
        while True:
            self._listen(until_s)
            starts, sureness = self._windows(start_s)
            if sureness.size and sureness.max() >= _SURE:
                return float(starts[np.argmax(sureness >= _SURE)])
            if self._opening.is_whole or until_s >= LOOK_S:
                break
            until_s += 10 * DECISION_S
        if not sureness.size or sureness.max() < sureness[0] + _CLEARLY:
            return start_s
        return float(starts[np.argmax(sureness >= sureness.max() - _NEARLY)])

    def _listen(self, until_s: float) -> None:
        if self._stream is None and self._detector is not None:
            self._stream = self._detector()
            self._stream.reset()
        samples = self._opening.read(min(until_s, LOOK_S))
        if self._stream is not None and samples.size > self._n_fed:
            self._decisions += self._stream.process(samples[self._n_fed :])
            self._n_fed = samples.size

    def _windows(self, first_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where queries may begin, and the mean probability of music within each."""
        last_s = self._n_fed / SAMPLE_RATE_HZ - QUERY_S
        starts = np.arange(first_s, max(last_s, first_s) + 1e-9, DECISION_S)
        if not self._decisions:
            return starts, np.zeros(starts.size)
        times = np.array([one.time_s for one in self._decisions])
        probabilities = np.array([one.probability for one in self._decisions])
        covers_s = times[0]  # of a decision, before its time
        means = []
        for start in starts:
            inside = (times >= start + covers_s - DECISION_S / 2) & (times <= start + QUERY_S + DECISION_S / 2)
            means.append(probabilities[inside].mean() if inside.any() else 0.0)
        return starts, np.array(means)
