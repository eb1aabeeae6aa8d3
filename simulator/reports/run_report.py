"""The report of a run as one HTML page that needs no network: timeline, recognitions, energy, assumptions."""

import csv
import io
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from nowplaying_core.artifacts import write_json, write_text
from nowplaying_core.text import clock
from simulator.phone.events import EventKind
from simulator.reports.bars import bars
from simulator.reports.page import constants_table, html_table, render_page
from simulator.reports.timeline import describe
from simulator.reports.timeline_chart import timeline_chart
from simulator.run import SimulationResult
from simulator.scenes.scene import SoundKind

__all__ = ["render_report", "write_report"]


def write_report(path: Path, result: SimulationResult, day: Mapping[str, Any] | None = None) -> None:
    """Write the report of a run, and ``.json`` and ``.csv`` of the same name, each all or nothing.

    Parameters
    ----------
    path : Path
        HTML file to write.
    result : SimulationResult
    day : mapping or None
        What `simulator.days.summary.summarise` says of an average day, to put the run beside.
    """
    write_text(path, render_report(result, day))
    write_json(path.with_suffix(".json"), result.to_dict())
    write_text(path.with_suffix(".csv"), _events_csv(result))


def render_report(result: SimulationResult, day: Mapping[str, Any] | None = None) -> str:
    """Return the report as HTML; see `write_report`."""
    sections = [
        f"<h1>What the phone heard</h1><p class='soft'>{escape(result.source)}, {clock(result.duration_s)}</p>",
        _cards(result, day),
        "<h2>Timeline</h2><div class='scroll'>" + timeline_chart(result) + "</div>",
        _legend(),
        _songs(result),
        _scene_results(result),
        _energy_of_run(result),
        _energy_of_day(result, day),
        "<h2>Constants and assumptions</h2>" + constants_table(result.device.constants),
        _log(result),
    ]
    return render_page(result.source, sections)


def _cards(result: SimulationResult, day: Mapping[str, Any] | None) -> str:
    cards = [
        (str(len(result.history)), "songs in the history"),
        (str(result.account.n_wakes), "wake-ups of the processor"),
        (f"{result.modelled_account.total_mj / 1000:.1f} J", "spent in this run, modelled"),
    ]
    if day is not None:
        cards.append((f"{day['modelled']['battery_percent_per_day']:.2f} %", "of the battery on an average day"))
    return "<div class='cards'>" + "".join(f"<div class='card'><b>{v}</b>{k}</div>" for v, k in cards) + "</div>"


def _legend() -> str:
    states = ("listening", "capturing", "recognizing", "cooling_down", "paused")
    swatch = "<span style='display:inline-block;width:.8em;height:.8em;background:var(--{0})'></span> {1}"
    return "<p class='soft'>" + " &ensp; ".join(swatch.format(s, s.replace("_", " ")) for s in states) + "</p>"


def _songs(result: SimulationResult) -> str:
    rows = [
        (
            clock(event.time_s),
            event.data["title"],
            event.data["artist"],
            f"{event.data['offset_s']:.1f}",
            f"{event.data['score']:.3f}",
            f"{event.data['latency_ms']:.0f}",
        )
        for event in result.recognitions
    ]
    if not rows:
        return "<h2>Songs</h2><p>No song was recognized.</p>"
    return "<h2>Songs</h2>" + html_table(("at", "title", "artist", "offset s", "score", "compute ms"), rows, n_text=3)


def _scene_results(result: SimulationResult) -> str:
    if not result.scene_results:
        return ""
    rows = [
        (
            clock(one.sound.start_s),
            one.sound.label + (f": {one.sound.recording}" if one.sound.kind is SoundKind.MUSIC else ""),
            str(one.outcome),
            "" if one.delay_s is None else f"{one.delay_s:.1f}",
            "" if one.found_offset_s is None else f"{one.found_offset_s:.1f}",
            "" if one.expected_offset_s is None else f"{one.expected_offset_s:.1f}",
        )
        for one in result.scene_results
    ]
    heads = ("from", "sound", "outcome", "delay s", "offset s", "true offset s")
    return "<h2>Against the script</h2>" + html_table(heads, rows, n_text=3)


def _energy_of_run(result: SimulationResult) -> str:
    published, modelled = result.account, result.modelled_account
    states = [_joules(str(state).replace("_", " "), mj) for state, mj in published.by_state_mj.items() if mj > 0]
    parts = [_joules(name, mj) for name, mj in modelled.by_component_mj.items() if mj > 0]
    return (
        f"<h2>Energy of this run, J</h2><p>By state, with the published {result.device.calibration.wake_j:g} J a "
        f"wake-up: {published.total_mj / 1000:.2f} J.</p>{bars(states)}<p>By component, with a wake-up "
        f"modelled from what the models and the matcher compute ({modelled.costs.wake_j:.2f} J): "
        f"{modelled.total_mj / 1000:.2f} J.</p>{bars(parts)}"
    )


def _joules(name: str, energy_mj: float) -> tuple[str, float, str]:
    return name, energy_mj, f"{energy_mj / 1000:.2f} J"


def _energy_of_day(result: SimulationResult, day: Mapping[str, Any] | None) -> str:
    if day is None:
        return ""
    parts = [(name.replace("_", " "), mah, f"{mah:.2f} mAh") for name, mah in day["parts_mah"].items()]
    low, high = day["modelled"]["mah_per_day_p5_p95"]
    return (
        f"<h2>Energy a day, mAh</h2>{bars(parts)}<p>{day['n_days']} simulated days "
        f"({escape(day['day'])}, {day['wakes_per_day']:.0f} wake-ups): {day['mah_per_day']:.1f} mAh at the published "
        f"cost of a wake-up, {day['battery_percent_per_day']:.2f} % of the battery of a {escape(result.device.title)}; "
        f"{day['modelled']['mah_per_day']:.1f} mAh at the modelled one, on nine days of ten {low:.1f} to {high:.1f}. "
        f"The sleeping phone itself draws {day['sleeping_phone_mah']:.0f} mAh. <code>nowplaying energy --report</code> "
        "writes the whole study.</p>"
    )


def _events_csv(result: SimulationResult) -> str:
    """Return every event, the probability track among them, as one line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time_s", "event", "what"])
    writer.writerows([f"{event.time_s:.3f}", event.kind, describe(event)] for event in result.events)
    return out.getvalue()


def _log(result: SimulationResult) -> str:
    rows = [
        (clock(event.time_s), str(event.kind), describe(event))
        for event in result.events
        if event.kind is not EventKind.PROBABILITY
    ]
    return "<h2>Every event</h2>" + html_table(("time", "event", "what"), rows, n_text=3)
