"""The report of a study of days: one HTML page that needs no network, with JSON and CSV beside it."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from nowplaying_core.artifacts import write_json, write_text
from simulator.days.record import SongOutcome
from simulator.days.scenes import load_scenarios, load_scenes
from simulator.days.study_result import StudyResult
from simulator.days.summary import LATENCY_PARTS
from simulator.reports.bars import bars, heat_map, tornado_bars
from simulator.reports.day_chart import day_chart, day_legend
from simulator.reports.page import constants_table, html_table, render_page

__all__ = ["render_study", "write_study"]

_BINS_S = (0, 6, 8, 9, 10, 12, 15, 20, 30, 60, 120, float("inf"))


def write_study(path: Path, result: StudyResult) -> None:
    """Write the page, and ``.json`` and ``.csv`` of the same name, each all or nothing."""
    write_text(path, render_study(result))
    write_json(path.with_suffix(".json"), _plain(result.to_dict()))
    write_text(path.with_suffix(".csv"), result.to_csv())


def render_study(result: StudyResult) -> str:
    """Return the page."""
    summary, device = result.summary, result.study.device
    title = f"{summary['day']} of a {device.title}"
    sections = [
        f"<h1>What a day costs</h1><p class='soft'>{escape(title)}: {summary['n_days']} simulated days, error rates "
        f"{escape(result.study.rates.title)}, {result.study.database.n_songs} songs in the database</p>",
        _cards(summary),
        _energy(result),
        f"<h2>One day: {escape(result.shown_title)}</h2><div class='scroll'>{day_chart(result.shown)}</div>",
        day_legend(),
        _scenarios(result),
        _architectures(result),
        _latency(result),
        _song_outcomes(result),
        _sensitivity(result),
        f"<h2>Settings against each other</h2><p>{result.detail_days} days a cell.</p>",
        *(heat_map(sweep) for sweep in result.sweeps),
        _devices(result),
        _assumptions(result),
    ]
    return render_page(title, sections)


def _cards(summary: Mapping[str, Any]) -> str:
    modelled, songs, latency = summary["modelled"], summary["songs"], summary["time_to_song_s"]
    heard = songs["in_database_and_to_be_heard"]
    cards = [
        (f"{modelled['battery_percent_per_day']:.2f} %", "of the battery a day, wake-ups as modelled"),
        (f"{summary['battery_percent_per_day']:.2f} %", "at the published cost of a wake-up"),
        (f"{summary['wakes_per_day']:.0f}", "wake-ups a day"),
        (f"{100 * songs['named'] / heard:.0f} %" if heard else "none", "of the database's songs named"),
        (f"{latency['p50']:.1f} s" if latency else "none", "from the first note to the name, median"),
    ]
    return "<div class='cards'>" + "".join(f"<div class='card'><b>{v}</b>{k}</div>" for v, k in cards) + "</div>"


def _energy(result: StudyResult) -> str:
    summary, study = result.summary, result.study
    modelled = summary["modelled"]

    def text(figures: Mapping[str, Any]) -> str:
        (low, high), (p5, p95) = figures["mah_per_day_interval_95"], figures["mah_per_day_p5_p95"]
        return (
            f"{figures['mah_per_day']:.2f} mAh a day (95 % interval of the mean {low:.2f} to {high:.2f}; nine of ten "
            f"days from {p5:.1f} to {p95:.1f}), {figures['battery_percent_per_day']:.3f} % of the battery"
        )

    parts = [(name.replace("_", " "), mah, f"{mah:.2f} mAh") for name, mah in summary["parts_mah"].items()]
    components = sorted(modelled["components_mah"].items(), key=lambda item: -item[1])
    return (
        f"<h2>Energy by component</h2><p>As modelled, with {modelled['wake_j']:.2f} J a wake-up: {text(modelled)}.</p>"
        + bars([(name, mah, f"{mah:.2f} mAh") for name, mah in components])
        + f"<p>As published for the first system of this kind, with {study.device.calibration.wake_j:g} J a wake-up: "
        f"{text(summary)}.</p>"
        + bars(parts)
        + f"<p class='soft'>On top of {summary['sleeping_phone_mah']:.0f} mAh that the sleeping device draws anyway. "
        "The intervals say how well so many days pin down the mean, not how sure the assumptions are: see the "
        "sensitivity.</p>"
    )


def _scenarios(result: StudyResult) -> str:
    device = result.study.device

    def percent(mah: float) -> str:
        return f"{device.battery_percent_of_mah(mah):.2f}"

    rows = [
        (
            row.title,
            str(row.n_days),
            f"{row.music_h:.1f}",
            f"{row.wakes_per_day:.0f}",
            f"{row.modelled.mean:.2f} ({row.modelled.low:.2f} to {row.modelled.high:.2f})",
            percent(row.modelled.mean),
            percent(row.published.mean),
            "" if np.isnan(row.recall) else f"{100 * row.recall:.0f} %",
        )
        for row in result.scenarios
    ]
    heads = ("day", "days", "h of music", "wake-ups", "mAh, modelled", "% modelled", "% published", "songs named")
    return "<h2>Kinds of days</h2>" + html_table(heads, rows, n_text=1)


def _architectures(result: StudyResult) -> str:
    rows = result.architectures
    shown = [(row.title, row.mah.mean, f"{row.mah.mean:.1f} mAh, {row.battery_percent:.2f} %") for row in rows]
    table = html_table(
        ("way", "mAh a day", "95 %", "wake-ups", "songs named", "median s", "wrong a day"),
        [
            (
                row.title,
                f"{row.mah.mean:.1f}",
                f"{row.mah.low:.1f} to {row.mah.high:.1f}",
                f"{row.wakes_per_day:.0f}",
                "" if np.isnan(row.recall) else f"{100 * row.recall:.0f} %",
                "" if row.median_s is None else f"{row.median_s:.1f}",
                f"{row.wrong_per_day:.1f}",
            )
            for row in rows
        ],
        n_text=1,
    )
    notes = "".join(f"<li>{escape(row.title)}: {escape(row.source)}</li>" for row in rows if row.source)
    return (
        f"<h2>Other ways to build it</h2><p>The same {result.detail_days} days, modelled costs.</p>{bars(shown)}"
        f"{table}<ul class='soft'>{notes}</ul>"
    )


def _latency(result: StudyResult) -> str:
    parts = result.days.latencies_s()
    if not len(parts):
        return "<h2>Time to song</h2><p>No song was named.</p>"
    total = parts.sum(axis=1)
    counts, _ = np.histogram(total, bins=_BINS_S)
    rows = []
    for low, high, count in zip(_BINS_S, _BINS_S[1:], counts, strict=False):
        label = f"over {low:g} s" if high == float("inf") else f"{low:g} to {high:g} s"
        rows.append((label, float(count), f"{100 * count / len(total):.1f} %"))
    means = [(name, float(mean), f"{mean:.2f} s") for name, mean in zip(LATENCY_PARTS, parts.mean(axis=0), strict=True)]
    answer = [(name, s, f"{1000 * s:.0f} ms") for name, s in result.study.modelled.latency_parts_s.items()]
    latency = result.summary["time_to_song_s"]
    return (
        f"<h2>Time to song</h2><p>From the first note that the phone could hear to the name on the screen, for "
        f"{len(total)} songs: half within {latency['p50']:.1f} s, nine of ten within {latency['p90']:.1f} s.</p>"
        f"{bars(rows)}<h3>Its parts, mean</h3>{bars(means)}<h3>The answer's parts</h3>{bars(answer)}"
    )


def _song_outcomes(result: StudyResult) -> str:
    songs = result.summary["songs"]
    rows = [(str(outcome), songs[str(outcome)], f"{songs[str(outcome)]:.2f}") for outcome in SongOutcome]
    return (
        f"<h2>What became of the songs</h2><p>A day, of {songs['in_database_and_to_be_heard']:.1f} songs of the "
        f"database that were to be heard; {songs['wrong_names']:.2f} names a day were wrong.</p>{bars(rows)}"
    )


def _sensitivity(result: StudyResult) -> str:
    sensitivity = result.sensitivity
    base = next(row.mah.mean for row in result.architectures if row.name == "baseline")
    moving = [row for row in sensitivity if row.width_mah >= 0.005]
    rest = [row.name for row in sensitivity if row.width_mah < 0.005]
    tail = f"<p class='soft'>Less than 0.005 mAh: {escape(', '.join(rest))}.</p>" if rest else ""
    return (
        f"<h2>What it hangs on</h2><p>Charge of a day in mAh, modelled, with each figure at the lower and the upper "
        f"end of its range and all others as they are ({base:.2f} mAh; the same {result.detail_days} days).</p>"
        f"{tornado_bars(moving, base)}{tail}"
    )


def _devices(result: StudyResult) -> str:
    rows = [
        (row.title, f"{row.mah:.2f}", f"{row.battery_percent:.2f}", f"{row.wake_j:.2f}", f"{row.answer_s:.2f}")
        for row in result.devices
    ]
    heads = ("device", "mAh a day", "% of battery", "J a wake-up", "answer, s")
    return "<h2>Other devices, the same days</h2>" + html_table(heads, rows, n_text=1)


def _assumptions(result: StudyResult) -> str:
    study = result.study
    scenes = [
        (
            scene.title,
            scene.sound,
            f"{scene.level_db:g}",
            f"{scene.sounding_share:g}",
            f"{scene.dwell_min:g}",
            f"{scene.music_share:g}",
            f"{scene.songs_in_row:g}",
            f"{scene.snr_db:g} +- {scene.snr_sd_db:g}",
            scene.phone.replace("_", " "),
        )
        for scene in load_scenes().values()
    ]
    heads = ("scene", "sound", "dB(A)", "sounding", "dwell, min", "music", "songs in a row", "music level, dB", "phone")
    blocks = [
        (
            scenario.title,
            f"{100 * scenario.share:g} %",
            f"{block.start_h:g} h",
            ", ".join(f"{name.replace('_', ' ')} {weight:g}" for name, weight in block.weights.items()),
        )
        for scenario in load_scenarios().values()
        for block in scenario.blocks
    ]
    return (
        f"<h2>All assumptions</h2><h3>{escape(study.device.title)}</h3>{constants_table(study.device.constants)}"
        f"<h3>Days</h3>{constants_table(study.assumptions.constants)}<h3>Error rates</h3>"
        f"<p>{escape(study.rates.source)}.{_answer_source(result)}</p>{constants_table(study.rates.constants())}"
        f"<h3>Scenes</h3><p>All of them are assumptions.</p>{html_table(heads, scenes, n_text=2)}"
        "<h3>Scenarios</h3><p>From its hour to the next one's a block's scenes follow each other with these weights. "
        f"All of them are assumptions.</p>{html_table(('day', 'share', 'from', 'scenes'), blocks, n_text=4)}"
    )


def _answer_source(result: StudyResult) -> str:
    latencies = result.study.latencies
    return "" if latencies is None else f" Times of an answer: {escape(latencies.source)}."


def _plain(value: Any) -> Any:
    """Return plain JSON: a share of nothing is null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
