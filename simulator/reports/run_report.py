"""The report of a run as one HTML page: timeline, recognitions, energy, assumptions."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nowplaying_core.artifacts import write_json, write_text
from simulator.phone.events import Answered
from simulator.phone.history import history_of
from simulator.reports.page import render
from simulator.reports.timeline import ENERGY_HEADINGS, energy_rows
from simulator.reports.timeline_chart import TIMELINE_LEGEND, timeline_chart
from simulator.result import SimulationResult

__all__ = ["render_report", "write_report"]


def write_report(path: Path, result: SimulationResult, day: Mapping[str, Any] | None = None) -> None:
    """Write the report of a run, and ``.json`` and ``.csv`` of the same name, each all or nothing.

    Parameters
    ----------
    path : Path
        HTML file to write.
    result : SimulationResult
    day : mapping or None
        `simulator.days.summary.summarise` of an average day, for comparison.
    """
    write_text(path, render_report(result, day))
    write_json(path.with_suffix(".json"), result.to_dict())
    write_text(path.with_suffix(".csv"), _events_csv(result))


def render_report(result: SimulationResult, day: Mapping[str, Any] | None = None) -> str:
    """Return the report as HTML; see `write_report`."""
    usage, history = result.usage, history_of(result.events)
    modelled_mj = usage.total_mj(result.modelled)
    totals = [
        (len(history), "songs named"),
        (usage.n_wakes, "wake-ups of the processor"),
        (f"{modelled_mj / 1000:.2f} J", "spent in this run, modelled"),
        (f"{result.device.battery_percent(modelled_mj):.4f} %", "of the battery in this run"),
    ]
    if day is not None:
        totals.append((f"{day['modelled']['battery_percent_per_day']:.2f} %", "of the battery on an average day"))
    parts = {} if day is None else day["modelled"]["parts_mah"]
    return render(
        "run.html",
        result=result,
        day=day,
        totals=totals,
        timeline=timeline_chart(result),
        timeline_legend=TIMELINE_LEGEND,
        history=history,
        answers=[one for one in result.events if isinstance(one, Answered)],
        modelled_mj=modelled_mj,
        states=_joules(usage.by_state_mj(result.modelled)),
        energy_heads=ENERGY_HEADINGS,
        energy_rows=energy_rows(result),
        components=_joules(usage.by_component_mj(result.modelled)),
        day_parts=[(name.replace("_", " "), mah, f"{mah:.2f} mAh") for name, mah in parts.items()],
    )


def _joules(energies_mj: Mapping[Any, float]) -> list[tuple[str, float, str]]:
    return [
        (str(name).replace("_", " "), mj / 1000, f"{mj / 1000:.3f} J") for name, mj in energies_mj.items() if mj > 0
    ]


_CSV_FIELDS = (
    "time_s",
    "event",
    "from",
    "to",
    "reason",
    "until_s",
    "probability",
    "smoothed",
    "gate_is_open",
    "asked_at_s",
    "buffer_s",
    "n_fingerprints",
    "latency_ms",
    "track_id",
    "title",
    "artist",
    "source",
    "offset_s",
    "score",
)


def _events_csv(result: SimulationResult) -> str:
    """Return every event, the probability track among them, as one line with a column for each field."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _CSV_FIELDS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(event.to_dict() for event in result.events)
    return out.getvalue()
