"""The report of a run as one HTML page that needs no network: timeline, recognitions, energy, assumptions."""

from html import escape
from pathlib import Path

import numpy as np

from nowplaying.artifacts import write_atomic
from simulator.charts import bar_chart, timeline_chart
from simulator.day import DAYS, DayEnergy, energy_per_day
from simulator.energy import lte_request_j, wifi_request_j
from simulator.events import EventKind
from simulator.page import html_table, render_page
from simulator.run import SimulationResult
from simulator.scene import SoundKind
from simulator.timeline import clock, describe

__all__ = ["render_report", "write_day_report", "write_report"]


def write_report(path: Path, result: SimulationResult, *, n_days: int = 1000, seed: int = 1) -> None:
    """Write the report of a run, all or nothing.

    Parameters
    ----------
    path : Path
        HTML file to write.
    result : SimulationResult
    n_days : int >= 1
        Days simulated for the energy of a day.
    seed : int
    """
    page = render_report(result, n_days=n_days, seed=seed)
    write_atomic(path, lambda temporary: _write(temporary, page))


def write_day_report(path: Path, day: DayEnergy) -> None:
    """Write the energy of simulated days as a page of its own."""
    title = f"{day.day.title} of a {day.device.title}"
    heading = f"<h1>What a day costs</h1><p class='soft'>{escape(title)}</p>"
    page = render_page(title, [heading, _energy_of_day(day), _assumptions(day)])
    write_atomic(path, lambda temporary: _write(temporary, page))


def render_report(result: SimulationResult, *, n_days: int = 1000, seed: int = 1) -> str:
    """Return the report as HTML; see `write_report`."""
    day = energy_per_day(result.device, DAYS["average"], n_days, np.random.default_rng(seed))
    sections = [
        f"<h1>What the phone heard</h1><p class='soft'>{escape(result.source)}, {clock(result.duration_s)}</p>",
        _cards(result, day),
        "<h2>Timeline</h2><div class='scroll'>" + timeline_chart(result) + "</div>",
        _legend(),
        _songs(result),
        _findings(result),
        _energy_of_run(result),
        _energy_of_day(day),
        _assumptions(day),
        _log(result),
    ]
    return render_page(result.source, sections)


def _cards(result: SimulationResult, day: DayEnergy) -> str:
    figures = day.to_dict()
    cards = [
        (str(len(result.history)), "songs in the history"),
        (str(result.account.n_wakes), "wake-ups of the processor"),
        (f"{result.account.total_mj / 1000:.1f} J", "spent in this run"),
        (f"{figures['battery_percent_per_day']:.2f} %", "of the battery on an average day"),
    ]
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


def _findings(result: SimulationResult) -> str:
    if not result.findings:
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
        for one in result.findings
    ]
    heads = ("from", "sound", "outcome", "delay s", "offset s", "true offset s")
    return "<h2>Against the script</h2>" + html_table(heads, rows, n_text=3)


def _energy_of_run(result: SimulationResult) -> str:
    run = [(str(s).replace("_", " "), mj / 1000) for s, mj in result.account.by_state_mj.items() if mj > 0]
    modelled = result.modelled_account
    remark = ""
    if modelled.n_wakes:
        wake_j = modelled.wakes_mj / 1000 / modelled.n_wakes
        remark = (
            f"<p>A wake-up is counted with the published {result.device.wake.published_j:g} J; modelled from the "
            f"compute time measured in this run it costs {wake_j:.2f} J.</p>"
        )
    return f"<h2>Energy of this run, J</h2>{bar_chart(run, 'J')}{remark}"


def _energy_of_day(day: DayEnergy) -> str:
    device, total_mah, n_wakes = day.device, day.total_mah, float(day.n_wakes.mean())
    detector_mah = float(day.detector_mah.mean())
    parts = [
        ("detector", detector_mah),
        ("wake-ups for music", float(day.music_mah.mean())),
        ("wake-ups for other sound", float(day.false_mah.mean())),
    ]
    requests_j = {"Wi-Fi": wifi_request_j(device), "LTE": lte_request_j(device)}
    alternatives = [("this system", float(total_mah.mean()))] + [
        (f"server over {radio}", detector_mah + n_wakes * device.mah(1000 * (device.wake.resume_j + request_j)))
        for radio, request_j in requests_j.items()
    ]
    low, high = (float(one) for one in np.percentile(total_mah, [5, 95]))
    return (
        f"<h2>Energy a day ({escape(day.day.title)}), mAh</h2>{bar_chart(parts, 'mAh')}"
        f"<p>{float(total_mah.mean()):.1f} mAh, {device.battery_percent_of_mah(float(total_mah.mean())):.2f} % of the "
        f"battery of a {escape(device.title)}; {low:.1f} to {high:.1f} mAh on nine days of ten ({len(total_mah)} days, "
        f"{n_wakes:.0f} wake-ups a day), on top of {device.phone.suspend_ma * 24:.0f} mAh that the sleeping phone "
        "draws anyway.</p>"
        f"<h2>Against a server, mAh a day</h2>{bar_chart(alternatives, 'mAh')}"
        "<p class='soft'>The server rows have the same detector and wake-ups; "
        "of a wake-up they count resuming and the radio, not the work of packing the sound.</p>"
    )


def _assumptions(day: DayEnergy) -> str:
    rows = [
        (name, f"{one.value:g}", f"{one.low:g} to {one.high:g}" if one.low < one.high else "", one.source)
        for name, one in sorted(day.device.constants.items())
    ]
    body = html_table(("constant", "value", "range", "source"), rows, n_text=4)
    return f"<h2>Constants and assumptions</h2><p>{escape(day.day.source)}.</p>{body}"


def _log(result: SimulationResult) -> str:
    rows = [
        (clock(event.time_s), str(event.kind), describe(event))
        for event in result.events
        if event.kind is not EventKind.PROBABILITY
    ]
    return "<h2>Every event</h2>" + html_table(("time", "event", "what"), rows, n_text=3)


def _write(path: Path, page: str) -> None:
    path.write_text(page, encoding="utf-8")
