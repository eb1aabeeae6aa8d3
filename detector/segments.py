"""Segments of music in a whole recording, with start, end and probability."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.features import FRAME_HOP_SAMPLES, FRAME_WINDOW_SAMPLES
from detector.network import DECISION_S
from detector.stream import Decision, StreamingDetector
from nowplaying_core.audio import SAMPLE_RATE_HZ

__all__ = ["Segment", "music_segments", "segments_of_track"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of music.

    Attributes
    ----------
    start_s, end_s : float
        Within the recording; good to about a second.
    probability : float in [0, 1]
        Mean over the segment.
    """

    start_s: float
    end_s: float
    probability: float


def music_segments(
    samples: NDArray[np.float32], detector: StreamingDetector
) -> tuple[list[Segment], list[tuple[float, float]]]:
    """Find the music in a recording.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,), in [-1, 1], 16 kHz mono
        Recordings shorter than one window (4.48 s) are followed by silence.
    detector : StreamingDetector
        It is reset first; its gate's window and thresholds are used.

    Returns
    -------
    segments : list of Segment
        In order, not overlapping.
    track : list of (float, float)
        Centre of a decision's window in seconds, and its probability.
    """
    if samples.size == 0:
        return [], []
    duration_s = samples.size / SAMPLE_RATE_HZ
    window_samples = (detector.n_frames - 1) * FRAME_HOP_SAMPLES + FRAME_WINDOW_SAMPLES
    detector.reset()
    decisions = detector.process(samples)
    if not decisions:
        # The front end returns a frame only when the hop that completes it is complete itself.
        missing = window_samples + FRAME_HOP_SAMPLES - samples.size
        decisions = detector.process(np.zeros(missing, dtype=np.float32))[:1]
    detector.reset()
    half_s = window_samples / SAMPLE_RATE_HZ / 2
    centred = [Decision(min(max(0.0, d.time_s - half_s), duration_s), d.probability) for d in decisions]
    segments = segments_of_track(
        centred,
        duration_s=duration_s,
        window=detector.gate_config.window,
        enter_threshold=detector.gate_config.enter_threshold,
        leave_threshold=detector.gate_config.leave_threshold,
    )
    return segments, [(decision.time_s, decision.probability) for decision in centred]


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
