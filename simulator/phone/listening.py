"""The always-on side of the phone: the detector and its gate on a DSP, with one clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.gate import Gate, GateConfig

__all__ = ["DspListener", "MusicDetector", "MusicProbability"]


class _Decision(Protocol):
    @property
    def time_s(self) -> float: ...

    @property
    def probability(self) -> float: ...


class MusicDetector(Protocol):
    """What the loop needs of a detector: `detector.StreamingDetector` is one."""

    def process(self, samples: NDArray[np.float32]) -> Sequence[_Decision]:
        """Return the decisions that new samples complete."""
        ...

    def reset(self) -> None:
        """Forget all sound heard so far."""
        ...


@dataclass(frozen=True, slots=True)
class MusicProbability:
    """What the DSP thinks after one more detector window.

    Attributes
    ----------
    time_s : float, seconds
        When, on the clock of the source.
    probability, smoothed : float in [0, 1]
        P(music) of the newest window, and what the gate makes of the last few.
    gate_is_open : bool
    music_since_s : float or None
        When the first window of the present run of music was complete, on the clock of the source.
    """

    time_s: float
    probability: float
    smoothed: float
    gate_is_open: bool
    music_since_s: float | None


class DspListener:
    """Detector and gate with one clock.

    Parameters
    ----------
    detector : MusicDetector
    gate_config : GateConfig
        Its cool-down is the phone's affair and is not used here: the gate goes on telling whether music is there.
    """

    def __init__(self, detector: MusicDetector, gate_config: GateConfig) -> None:
        self._detector = detector
        self._config = gate_config
        self.reset()

    def reset(self) -> None:
        """Begin anew, as after the microphone was away."""
        self._detector.reset()
        self._gate = Gate(self._config)
        self._music_since_s: float | None = None
        self._n_since_positive = 0
        self._began_s: float | None = None

    def process(self, samples: NDArray[np.float32], start_s: float) -> list[MusicProbability]:
        """Listen to new samples.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,)
        start_s : float, seconds
            Start of the samples on the clock of the source.

        Returns
        -------
        list of MusicProbability
            One for every detector window that they complete.
        """
        if self._began_s is None:
            self._began_s = start_s
        decisions = self._detector.process(samples)
        return [self._hear(decision.probability, self._began_s + decision.time_s) for decision in decisions]

    def _hear(self, probability: float, now_s: float) -> MusicProbability:
        gate = self._gate.step(probability)
        if probability >= self._config.enter_threshold:
            self._n_since_positive = 0
            if self._music_since_s is None:
                self._music_since_s = now_s
        else:
            self._n_since_positive += 1
            # One weak window within the gate's own memory does not end a run of music.
            if self._n_since_positive >= self._config.window:
                self._music_since_s = None
        return MusicProbability(now_s, probability, gate.probability, gate.is_open, self._music_since_s)
