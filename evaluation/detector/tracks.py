"""A detector's outputs over a stream, the steps at which a gate enters music, and which of these are right."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.features import frame_end_s
from detector.gate import GateConfig
from detector.network import DECISION_S, WINDOW_S, StreamingNetwork
from detector.stream import StreamingDetector
from evaluation.detector.graphs import DetectorGraphs
from evaluation.detector.streams import Part, Region, Stream
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio import SAMPLE_RATE_HZ, to_int16
from nowplaying_core.errors import ConfigError

__all__ = [
    "GRACE_S",
    "StreamTrack",
    "entries",
    "false_triggers",
    "found_regions",
    "read_tracks",
    "run_detector",
    "triggers_of",
    "window_sums",
]

GRACE_S: Final = 8.0
"""A trigger this long after a region's end still comes from its music, which is in the windows that are averaged."""


@dataclass(frozen=True, kw_only=True)
class StreamTrack:
    """A detector's outputs over a stream, with the stream's music and backgrounds.

    Attributes
    ----------
    times_s : ndarray of float64, shape (n,)
        End of each window.
    outputs : ndarray of int64, shape (n,)
        256 times the probability of music.
    regions : tuple of Region
    parts : tuple of Part
    duration_s : float
    delegate_outputs : ndarray of int64, shape (n,)
        The same through the runtime's default kernels, which round differently; empty when these were not run.
    first_outputs : ndarray of int64, shape (n,)
        Those of the first stage alone; empty where the detector has one.
    """

    times_s: NDArray[np.float64]
    outputs: NDArray[np.int64]
    regions: tuple[Region, ...]
    parts: tuple[Part, ...]
    duration_s: float
    delegate_outputs: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    first_outputs: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @cached_property
    def part_of(self) -> NDArray[np.int64]:
        """Number of the part in the middle of each window."""
        starts = [part.start_s for part in self.parts]
        return np.maximum(np.searchsorted(starts, self.times_s - WINDOW_S / 2, side="right") - 1, 0)

    @cached_property
    def region_of(self) -> NDArray[np.int64]:
        """Number of the region that holds each window wholly; -1 where there is none."""
        found = np.full(self.times_s.size, -1, dtype=np.int64)
        for number, region in enumerate(self.regions):
            found[(self.times_s - WINDOW_S >= region.start_s) & (self.times_s <= region.end_s)] = number
        return found

    @cached_property
    def is_outside(self) -> NDArray[np.bool_]:
        """Windows without any music in them, nor in those averaged with them."""
        outside = np.ones(self.times_s.size, dtype=bool)
        for region in self.regions:
            outside &= ~((self.times_s > region.start_s) & (self.times_s <= region.end_s + GRACE_S))
        return outside

    @cached_property
    def is_other(self) -> NDArray[np.bool_]:
        """Windows outside music in which something sounds: the time that false wake-ups are divided by."""
        sounds = np.array([part.kind != "quiet" for part in self.parts], dtype=bool)
        return np.asarray(self.is_outside & sounds[self.part_of], dtype=bool)

    @property
    def other_s(self) -> float:
        """Time over which false wake-ups are counted."""
        return float(np.count_nonzero(self.is_other)) * DECISION_S

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "first_s": float(self.times_s[0]) if self.times_s.size else WINDOW_S,
            "outputs": self.outputs.tolist(),
            "delegate_outputs": self.delegate_outputs.tolist(),
            "first_outputs": self.first_outputs.tolist(),
            "regions": [asdict(region) for region in self.regions],
            "parts": [asdict(part) for part in self.parts],
            "duration_s": self.duration_s,
        }

    @classmethod
    def from_dict(cls, table: dict[str, Any]) -> "StreamTrack":
        """Build from what ``to_dict`` returned."""
        outputs = np.array(table["outputs"], dtype=np.int64)
        return cls(
            times_s=table["first_s"] + DECISION_S * np.arange(outputs.size),
            outputs=outputs,
            regions=tuple(Region(**region) for region in table["regions"]),
            parts=tuple(
                Part(**{**part, **{name: tuple(part.get(name, ())) for name in ("files", "sources")}})
                for part in table["parts"]
            ),
            duration_s=float(table["duration_s"]),
            delegate_outputs=np.array(table["delegate_outputs"], dtype=np.int64),
            first_outputs=np.array(table.get("first_outputs", ()), dtype=np.int64),
        )

    def save(self, path: Path) -> None:
        """Write the track as JSON, in a folder that is made when missing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, self.to_dict())

    @classmethod
    def load(cls, path: Path) -> "StreamTrack":
        """Read what ``save`` wrote."""
        return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))


def read_tracks(folder: Path) -> list[StreamTrack]:
    """Return the tracks that ``StreamTrack.save`` wrote into a folder, by name.

    Raises
    ------
    ConfigError
        When there is none.
    """
    tracks = [StreamTrack.load(path) for path in sorted(folder.glob("*.json"))]
    if not tracks:
        message = f"{folder}: expected tracks (*.json) of finished streams, found none"
        raise ConfigError(message)
    return tracks


def run_detector(stream: Stream, graphs: DetectorGraphs, gate: GateConfig | None = None) -> StreamTrack:
    """Return a detector's outputs over a whole stream, from a reset, in both kinds of kernels.

    Parameters
    ----------
    stream : Stream
    graphs : DetectorGraphs
    gate : GateConfig or None
        Only its level of silence matters here.
    """
    model = graphs.first_stage(reference_kernels=True)
    frames = StreamingDetector(model, gate_config=gate).features(to_int16(stream.samples))
    first = StreamingNetwork(model).process(frames)
    outputs, delegate_outputs = first, StreamingNetwork(graphs.first_stage(reference_kernels=False)).process(frames)
    reference, default = (graphs.second_stage(reference_kernels=is_reference) for is_reference in (True, False))
    if reference is not None and default is not None:
        outputs, delegate_outputs = reference.process(frames, first), default.process(frames, delegate_outputs)
    return StreamTrack(
        times_s=np.array([frame_end_s(n_frames - 1) for n_frames, _ in outputs]),
        outputs=_numbers(outputs),
        regions=stream.regions,
        parts=stream.parts,
        duration_s=stream.samples.size / SAMPLE_RATE_HZ,
        delegate_outputs=_numbers(delegate_outputs),
        first_outputs=_numbers([] if reference is None else first),
    )


def _numbers(outputs: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    return np.array([output for _, output in outputs], dtype=np.int64)


def entries(outputs: NDArray[np.int64], config: GateConfig) -> NDArray[np.int64]:
    """Return the steps at which a gate enters music: as ``Gate`` does, for a whole track at once.

    Parameters
    ----------
    outputs : ndarray of int64, shape (n,)
    config : GateConfig
        Rests after a wake-up, which would hide false wake-ups, are not applied.
    """
    sums, early_sums = window_sums(outputs, config.window), window_sums(outputs, config.early_length)
    is_hit = sums >= config.enter_sum
    # Length of the run of hits that ends at each step.
    step = np.arange(1, outputs.size + 1)
    run = step - np.maximum.accumulate(np.where(is_hit, 0, step))
    begins = np.flatnonzero((run >= config.consecutive_hits) | (early_sums >= config.early_enter_sum)).tolist()
    ends = np.flatnonzero((sums < config.leave_sum) & (early_sums < config.early_leave_sum)).tolist()
    found: list[int] = []
    position = 0
    while (place := bisect_left(begins, position)) < len(begins):
        found.append(begins[place])
        place = bisect_right(ends, found[-1])
        if place == len(ends):
            break
        position = ends[place] + 1
    return np.array(found, dtype=np.int64)


def window_sums(outputs: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    """Return the sum of the last outputs at each step; zeros stand before the first, as in ``Gate``."""
    total = np.cumsum(np.concatenate([np.zeros(window, dtype=np.int64), outputs]))
    return np.asarray(total[window:] - total[:-window], dtype=np.int64)


def triggers_of(track: StreamTrack, config: GateConfig) -> list[float]:
    """Return when a gate enters music, in seconds."""
    return [float(time_s) for time_s in track.times_s[entries(track.outputs, config)]]


def found_regions(regions: Sequence[Region], triggers_s: Sequence[float]) -> dict[int, float]:
    """Return the regions in which music was entered, by number, and the delay from their start in seconds."""
    found = {}
    for number, region in enumerate(regions):
        inside = [time_s for time_s in triggers_s if region.start_s < time_s <= region.end_s]
        if inside:
            found[number] = inside[0] - region.start_s
    return found


def false_triggers(regions: Sequence[Region], triggers_s: Sequence[float]) -> list[float]:
    """Return the triggers outside every region and its grace."""
    return [
        time_s
        for time_s in triggers_s
        if not any(region.start_s < time_s <= region.end_s + GRACE_S for region in regions)
    ]
