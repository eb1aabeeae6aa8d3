"""What the rests after a wake-up cost: the phone's own loop over streams, with and without rests that listen.

``python -m evaluation.detector.rests FOLDER`` reads the tracks that the cross-validation saved there.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import simpy

from detector.gate import STEPS, Gate, GateConfig
from detector.stream import StreamingDetector
from evaluation.detector.sweep import tally
from evaluation.detector.tracks import StreamTrack, read_tracks
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.command import run_command
from nowplaying_core.statistics import poisson_rate, wilson
from nowplaying_core.text import markdown_table
from simulator.phone.config import PhoneConfig
from simulator.phone.events import Answer, Answered, Event, State, StateChange
from simulator.phone.loop import PhoneLoop

__all__ = ["GAPS_S", "main", "rest_metrics", "wake_ups", "wakes_of"]

GAPS_S: Final = (None, 20.0, 10.0, 5.0, 2.5, 0.0)
"""The least gaps that are tried: None, a rest always lasts its time; 0, every new beginning ends a rest."""


def wakes_of(track: StreamTrack, gate: GateConfig, gap_s: float | None) -> list[float]:
    """Return when a phone asks for a song, in s, if it knows none: every answer is "unknown", and it rests after each.

    Parameters
    ----------
    track : StreamTrack
    gate : GateConfig
        With the rests.
    gap_s : float >= 0, seconds, or None
        ``PhoneConfig.rest_ends_after_gap_s``.
    """
    config = PhoneConfig(gate=gate, rest_ends_after_gap_s=gap_s)
    return [event.asked_at_s for event in _events(track, config) if isinstance(event, Answered)]


def wake_ups(track: StreamTrack, gate: GateConfig) -> list[float]:
    """Return when a phone that knows no song wakes up, in s: when the gate is open, no rest lasts, and it captures.

    Parameters
    ----------
    track : StreamTrack
    gate : GateConfig
        With the rests; the phone's other settings are those that ship.
    """
    changes = (event for event in _events(track, PhoneConfig(gate=gate)) if isinstance(event, StateChange))
    return [one.time_s for one in changes if (one.before, one.after) == (State.LISTENING, State.CAPTURING)]


def _events(track: StreamTrack, config: PhoneConfig) -> list[Event]:
    env, events = simpy.Environment(), list[Event]()
    loop = PhoneLoop(env, _Unknown(config.buffer_s), config, events.append)
    loop.switch_on()
    state = Gate(config.gate)
    since_s: float | None = None
    for time_s, output in zip(track.times_s.tolist(), track.outputs.tolist(), strict=True):
        env.run(until=time_s)
        is_open = state.step(output / STEPS).is_open
        since_s = (since_s or time_s) if is_open else None
        loop.update_gate(is_open=is_open, music_since_s=since_s)
    env.run(until=max(track.duration_s, env.now) + config.max_capture_s)
    return events


def rest_metrics(
    tracks: Sequence[StreamTrack], gate: GateConfig, gaps_s: Sequence[float | None] = GAPS_S
) -> list[dict[str, Any]]:
    """Return the regions in which a phone that rests wakes up, and its wake-ups, for each least gap.

    Parameters
    ----------
    tracks : sequence of StreamTrack
    gate : GateConfig
    gaps_s : sequence of float or None

    Returns
    -------
    list of dict
        ``gap_s``; ``recall`` of regions at 5 dB or more, with its interval; ``wakes_per_hour`` of all sound;
        ``false_wakes_per_hour`` of sound without music, with its interval.
    """
    hours, other = (sum(values) / 3_600 for values in zip(*((t.duration_s, t.other_s) for t in tracks), strict=True))
    rows = []
    for gap_s in gaps_s:
        wakes = [wakes_of(track, gate, gap_s) for track in tracks]
        counted = tally(tracks, wakes)
        rows.append(
            {
                "gap_s": gap_s,
                "recall": wilson(counted.n_audible_found, counted.n_audible).to_dict(),
                "wakes_per_hour": round(sum(map(len, wakes)) / hours, 2),
                "false_wakes_per_hour": poisson_rate(counted.n_false, max(other, 1e-9)).to_dict(2),
            }
        )
    return rows


@dataclass(frozen=True, slots=True)
class _Unknown:
    buffer_s: float

    def answer(self, now_s: float, newest_s: float | None = None) -> Answer:  # noqa: ARG002 - no song is ever known
        return Answer(buffer_s=self.buffer_s)

    def takes_s(self, answer: Answer) -> float:  # noqa: ARG002
        return 0.0


def main(arguments: list[str] | None = None) -> int:
    """Print the table for the tracks in a folder; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="of tracks that StreamTrack.save wrote")
    parser.add_argument("--detector", default=SHIPPED_DETECTOR, help="whose gate and rests are used")
    options = parser.parse_args(arguments)
    rows = rest_metrics(read_tracks(options.folder), StreamingDetector.from_model(options.detector).gate_config)
    cells = [
        (
            "never" if row["gap_s"] is None else f"{row['gap_s']:g}",
            f"{100 * row['recall']['value']:.1f}",
            f"{row['wakes_per_hour']:.1f}",
            f"{row['false_wakes_per_hour']['value']:.2f}",
        )
        for row in rows
    ]
    headings = ("a rest ends after a gap of (s)", "regions found (%)", "wakes/h", "false wakes/h")
    sys.stdout.write(markdown_table(headings, cells, numbers=(1, 2, 3)) + "\n")
    return 0


if __name__ == "__main__":
    run_command(main)
