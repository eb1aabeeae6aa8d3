"""The report of a study of days: one HTML page, with JSON and CSV beside it."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from nowplaying_core.artifacts import write_json, write_text
from nowplaying_core.text import plain
from simulator.days.record import SongOutcome
from simulator.days.scenes import load_scenarios, load_scenes
from simulator.days.study_result import StudyResult
from simulator.days.summary import LATENCY_PARTS, component_headings, component_rows
from simulator.days.sweeps import ArchitectureResult
from simulator.reports.day_chart import DAY_LEGEND, day_chart
from simulator.reports.page import render

__all__ = ["render_study", "write_study"]

_ALWAYS_ON = (
    "The same days with other hardware for microphone, features and detector, from what was published about it. The "
    "published system is that of 100 wake-ups of 2.0 J a day; with other architectures its always-on side and its "
    "wake-ups change by the same factors as on these days. The features are the least certain part: nobody published "
    "their power by device."
)
_NEAR = 2
_BINS_S = (0, 6, 8, 9, 10, 12, 15, 20, 30, 60, 120, float("inf"))
Bars = list[tuple[str, float, str]]


def write_study(path: Path, result: StudyResult) -> None:
    """Write the page, and ``.json`` and ``.csv`` of the same name, each all or nothing."""
    write_text(path, render_study(result))
    write_json(path.with_suffix(".json"), plain(result.to_dict()))
    write_text(path.with_suffix(".csv"), result.to_csv())


def render_study(result: StudyResult) -> str:
    """Return the page."""
    songs, own = result.summary["songs"], result.study.scenario
    components = sorted(result.summary["modelled"]["components_mah"].items(), key=lambda item: -item[1])
    published = result.summary["published"]
    return render(
        "study.html",
        result=result,
        timeline=day_chart(result.shown),
        day_legend=DAY_LEGEND,
        components=_bars(components, "{:.3f} mAh"),
        component_heads=component_headings(result.summary["modelled"]),
        component_rows=component_rows(result.summary["modelled"], result.study.device),
        published_parts=_bars(published["parts_mah"].items(), "{:.2f} mAh") if published else [],
        architectures=_architectures(result.architectures),
        always_on_text=_ALWAYS_ON,
        base_mah=result.architectures[0].mah.mean,
        outcomes=_bars(((outcome, songs[outcome]) for outcome in SongOutcome), "{:.2f}"),
        answer_parts=[
            (name, 1000 * s, f"{1000 * s:.0f} ms") for name, s in result.study.modelled.latency_parts_s.items()
        ],
        scenes=[*load_scenes().values(), *(own.scenes.values() if own is not None else ())],
        scenarios=load_scenarios().values() if own is None else [own],
        **_latency(result),
    )


def _architectures(rows: Sequence[ArchitectureResult]) -> list[tuple[str, Bars]]:
    """Return bars near the baseline, which comes first, and the others on a scale of their own."""
    limit_mah = _NEAR * rows[0].mah.mean
    near, far = ([row for row in rows if (row.mah.mean <= limit_mah) is wanted] for wanted in (True, False))
    titles = (f"Up to {_NEAR} times the baseline", "More, on a scale of their own") if far else ("", "")
    return [
        (title, [(one.title, one.mah.mean, f"{one.mah.mean:.1f} mAh, {one.battery_percent:.2f} %") for one in group])
        for title, group in zip(titles, (near, far), strict=True)
        if group
    ]


def _bars(values: Iterable[tuple[str, float]], pattern: str) -> Bars:
    return [(name.replace("_", " "), value, pattern.format(value)) for name, value in values]


def _latency(result: StudyResult) -> dict[str, Bars]:
    parts = result.days.latencies_s()
    if not len(parts):
        return {"latency_histogram": [], "latency_parts": []}
    weights = result.days.latency_weights()
    by_bin, _ = np.histogram(parts.sum(axis=1), bins=_BINS_S, weights=weights)
    labels = [f"{low:g} to {high:g} s" for low, high in pairwise(_BINS_S[:-1])]
    shares = zip([*labels, f"over {_BINS_S[-2]:g} s"], (100 * by_bin).tolist(), strict=True)
    means = zip(LATENCY_PARTS, (weights @ parts).tolist(), strict=True)
    return {"latency_histogram": _bars(shares, "{:.1f} %"), "latency_parts": _bars(means, "{:.2f} s")}
