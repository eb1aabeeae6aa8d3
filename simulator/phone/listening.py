"""The always-on side of the phone: the detector and its gate on a DSP, with one clock."""

import numpy as np
from numpy.typing import NDArray

from detector.gate import Gate, GateConfig
from detector.stream import StreamingDetector
from simulator.phone.events import MusicProbability

__all__ = ["STEPS_PER_S", "DspListener"]

STEPS_PER_S = 100
"""The DSP's clock ticks every 10 ms."""


class DspListener:
    """Detector and gate with one clock.

    Parameters
    ----------
    detector : StreamingDetector
    gate_config : GateConfig
        Its cool-down is not used here: the gate goes on reporting whether there is music.
    """

    def __init__(self, detector: StreamingDetector, gate_config: GateConfig) -> None:
        self._detector = detector
        self._config = gate_config
        self._n_earlier_runs = 0
        self.reset()
        self._n_earlier_runs = 0  # whatever the detector listened to before is no part of this

    def reset(self) -> None:
        """Begin anew, as after a pause of the microphone."""
        self._n_earlier_runs = self.n_second_stage_runs
        self._detector.reset()
        self._gate = Gate(self._config)
        self._music_since_s: float | None = None
        self._n_since_positive = 0
        self._began_s: float | None = None

    @property
    def n_second_stage_runs(self) -> int:
        """How often the detector's second stage has run since this object was made; 0 where it has none."""
        second_stage = self._detector.second_stage
        return self._n_earlier_runs + (0 if second_stage is None else second_stage.n_runs)

    def process(self, pcm: NDArray[np.int16], start_s: float) -> list[MusicProbability]:
        """Listen to new samples.

        Parameters
        ----------
        pcm : ndarray of int16, shape (n,), mono at 16 kHz
        start_s : float, seconds
            Start of the samples on the clock of the source.

        Returns
        -------
        list of MusicProbability
            One for every detector window that they complete.
        """
        if self._began_s is None:
            self._began_s = start_s
        return [self._step(one.probability, self._began_s + one.time_s) for one in self._detector.process_pcm(pcm)]

    def _step(self, probability: float, now_s: float) -> MusicProbability:
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
        return MusicProbability(
            time_s=round(now_s * STEPS_PER_S) / STEPS_PER_S,
            probability=probability,
            smoothed=gate.probability,
            gate_is_open=gate.is_open,
            music_since_s=self._music_since_s,
        )
