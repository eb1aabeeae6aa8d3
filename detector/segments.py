"""Segments of music in a whole recording, with start, end and probability."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from detector.features import FRAME_HOP_SAMPLES, FRAME_WINDOW_SAMPLES
from detector.network import DECISION_S
from detector.stream import Decision, StreamingDetector
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.audio import SAMPLE_RATE_HZ, AudioSource, Sound, open_stream
from nowplaying_core.plotting import new_figure
from nowplaying_core.text import clock, html_table

_BLOCK = 10 * SAMPLE_RATE_HZ

__all__ = ["Detection", "Detector", "Segment", "segments_of_track"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of music.

    Attributes
    ----------
    start_s, end_s : float
        Within the recording; good to about a second.
    probability : float in [0, 1]
        Mean over the segment.

    Examples
    --------
    >>> import nowplaying
    >>> segment = nowplaying.detect("query.wav")[0]
    >>> f"{segment.start_s:.0f} s to {segment.end_s:.0f} s"
    '0 s to 20 s'
    """

    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Detection(Sequence[Segment]):
    """The music in a recording: a sequence of segments, with the probabilities behind them.

    Attributes
    ----------
    segments : tuple of Segment
        In order, not overlapping.
    times_s : ndarray of float64, shape (n,), seconds
        Centres of the decisions' windows.
    probabilities : ndarray of float64, shape (n,), in [0, 1]
        P(music) of each window.
    duration_s : float, seconds

    Examples
    --------
    >>> import nowplaying
    >>> found = nowplaying.detect("query.wav")
    >>> len(found), found.duration_s, len(found.times_s) == len(found.probabilities)
    (1, 20.0, True)
    >>> figure = found.plot()
    """

    segments: tuple[Segment, ...]
    times_s: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    duration_s: float

    @overload
    def __getitem__(self, position: int) -> Segment: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[Segment]: ...
    def __getitem__(self, position: int | slice) -> Segment | Sequence[Segment]:
        return self.segments[position]

    def __len__(self) -> int:
        return len(self.segments)

    def __repr__(self) -> str:
        return repr(list(self.segments))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that scripts depend on."""
        track = zip(self.times_s.tolist(), self.probabilities.tolist(), strict=True)
        return {
            "segments": [[round(one.start_s, 3), round(one.end_s, 3), round(one.probability, 4)] for one in self],
            "probabilities": [[round(time_s, 3), round(probability, 4)] for time_s, probability in track],
        }

    def _repr_html_(self) -> str:
        rows = [(clock(one.start_s), clock(one.end_s), f"{one.probability:.3f}") for one in self]
        return html_table(("music from", "to", "probability"), rows, numbers=(0, 1, 2))

    def plot(self, axes: Any = None) -> Any:
        """Draw P(music) over time and the segments under it.

        Parameters
        ----------
        axes : matplotlib.axes.Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingExtraError
            Without matplotlib.
        """
        if axes is None:
            axes = new_figure(figsize=(8, 2.5)).subplots()
        for number, one in enumerate(self):
            axes.axvspan(one.start_s, one.end_s, alpha=0.25, color="tab:green", label="" if number else "music")
        axes.plot(self.times_s, self.probabilities, color="tab:blue", label="P(music)")
        axes.set(xlabel="time (s)", ylabel="P(music)", xlim=(0, self.duration_s), ylim=(0, 1.02))
        axes.legend(loc="upper right")
        return axes.figure


class Detector:
    """Finds the music in recordings.

    Parameters
    ----------
    stream : StreamingDetector
        It is reset before every recording; its gate's window and thresholds are used.

    Examples
    --------
    >>> import nowplaying
    >>> detector = nowplaying.Detector.open()
    >>> for segment in detector.detect("query.wav"):
    ...     print(f"music from {segment.start_s:.0f} to {segment.end_s:.0f} s")
    music from 0 to 20 s
    """

    def __init__(self, stream: StreamingDetector) -> None:
        self._stream = stream

    @classmethod
    def open(cls, model: str | Path = SHIPPED_DETECTOR) -> "Detector":
        """Open a model by its shipped name or by folder.

        Raises
        ------
        ArtifactError
            When there is no such model or it is damaged.
        """
        return cls(StreamingDetector.from_model(model))

    def detect(self, sound: Sound | AudioSource | NDArray[np.float32]) -> Detection:
        """Find the music in a recording.

        Parameters
        ----------
        sound : path, (samples, sample_rate_hz), or ndarray of float32, shape (n,), in [-1, 1]
            An array alone is at 16 kHz. Recordings shorter than one window (4.48 s) are followed by silence.

        Raises
        ------
        AudioFormatError
            When a file cannot be read, or samples are no finite numbers.
        """
        stream = self._stream
        window_samples = (stream.n_frames - 1) * FRAME_HOP_SAMPLES + FRAME_WINDOW_SAMPLES
        stream.reset()
        decisions: list[Decision] = []
        n_samples = 0
        with _blocks_of(sound) as blocks:
            for block in blocks:
                decisions += stream.process(block)
                n_samples += block.size
        duration_s = n_samples / SAMPLE_RATE_HZ
        if n_samples and not decisions:
            # The front end returns a frame only when the hop that completes it is complete itself.
            missing = window_samples + FRAME_HOP_SAMPLES - n_samples
            decisions = stream.process(np.zeros(missing, dtype=np.float32))[:1]
        stream.reset()
        half_s = window_samples / SAMPLE_RATE_HZ / 2
        centred = [Decision(min(max(0.0, d.time_s - half_s), duration_s), d.probability) for d in decisions]
        segments = segments_of_track(
            centred,
            duration_s=duration_s,
            window=stream.gate_config.window,
            enter_threshold=stream.gate_config.enter_threshold,
            leave_threshold=stream.gate_config.leave_threshold,
        )
        return Detection(
            segments=tuple(segments),
            times_s=np.array([decision.time_s for decision in centred]),
            probabilities=np.array([decision.probability for decision in centred]),
            duration_s=duration_s,
        )


def _blocks_of(sound: Sound | AudioSource | NDArray[np.float32]) -> AudioSource:
    if isinstance(sound, AudioSource):
        return sound
    if isinstance(sound, np.ndarray):
        if not sound.size:  # an array without samples is no recording that lacks them
            return AudioSource("samples", (block for block in [sound] if block.size))
        sound = (sound, SAMPLE_RATE_HZ)
    given = Path(sound) if isinstance(sound, str) and sound != "-" else sound
    return open_stream(given, chunk_samples=_BLOCK, lenient=True)


def segments_of_track(
    track: list[Decision], *, duration_s: float, window: int, enter_threshold: float, leave_threshold: float
) -> list[Segment]:
    """Turn centred decisions into segments by a centred average and two thresholds.

    The whole recording is available, so the average looks both ways and, unlike the live gate, adds no delay. The first
    and last decisions stand for everything before and after them.

    Parameters
    ----------
    track : list of Decision
        ``time_s`` is the centre of what a decision covers.
    duration_s : float
    window : int >= 1
    enter_threshold, leave_threshold : float in [0, 1]
    """
    if not track:
        return []
    probabilities = np.array([decision.probability for decision in track])
    before, after = (window - 1) // 2, window // 2
    smooth = np.array(
        [probabilities[max(0, i - before) : i + after + 1].mean() for i in range(probabilities.size)], dtype=np.float64
    )
    is_music = _hysteresis(smooth, enter_threshold, leave_threshold)
    edges = np.flatnonzero(np.diff(np.pad(is_music.astype(np.int8), 1)))
    segments = []
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        start_s = 0.0 if first == 0 else max(0.0, track[first].time_s - DECISION_S / 2)
        end_s = duration_s if stop == len(track) else min(duration_s, track[stop - 1].time_s + DECISION_S / 2)
        segments.append(Segment(float(start_s), float(end_s), float(probabilities[first:stop].mean())))
    return segments


def _hysteresis(values: NDArray[np.float64], enter: float, leave: float) -> NDArray[np.bool_]:
    """Stretches at or above ``leave`` that reach ``enter`` somewhere."""
    above = values >= leave
    edges = np.flatnonzero(np.diff(np.pad(above.astype(np.int8), 1)))
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        above[first:stop] = values[first:stop].max() >= enter
    return above
