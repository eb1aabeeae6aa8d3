"""The energy figures of README and docs/simulator.md, from the study in benchmarks/energy.json.

The study is made by ``nowplaying energy --days 300 --report day.html``, which writes ``day.json`` beside the page.
"""

from typing import Any

from detector.network import DECISION_FRAMES
from evaluation.committed import committed
from evaluation.goals import goal_cell, load_goals
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.text import markdown_table
from simulator.energy.detector_current import AVERAGE_DAY, current_table, detector_current, detector_currents
from simulator.energy.device import DeviceProfile
from simulator.energy.work import Models
from simulator.reports.page import span

__all__ = [
    "STUDY",
    "always_on_text",
    "architectures_text",
    "day_text",
    "days_text",
    "detector_current_text",
    "sensitivity_text",
    "summary_text",
]

STUDY = "benchmarks/energy.json"
_N_SENSITIVE = 6


def summary_text() -> str:
    """Return README's paragraph: the average day at both costs of a wake-up."""
    summary = committed(STUDY)["summary"]
    modelled, current = summary["modelled"], summary["modelled"]["always_on"]
    return (
        f"A day on a simulated Pixel 2, with the measured error rates of these models, takes {_mah(modelled)}, "
        f"{modelled['battery_percent_per_day']:.2f} % of the battery,\nwith the modelled cost of a wake-up "
        f"({modelled['wake_j']:.2f} J); with the 2.0 J that were published for one it is "
        f"{summary['published']['battery_percent_per_day']:.2f} %; the goal is below 1 %.\n"
        f"The always-on current alone, known within {current['low_ma']:g} to {current['high_ma']:g} mA, makes it "
        f"{current['low_battery_percent']:.2f} to {current['high_battery_percent']:.2f} %\n"
        f"(`nowplaying energy --days {summary['n_days']}`; [docs/simulator.md](docs/simulator.md))."
    )


def day_text() -> str:
    """Return the average day: a table, wake-ups, and what became of the songs."""
    summary = committed(STUDY)["summary"]
    rows = [
        [title, _mah(costs), _percent_interval(costs)]
        for title, costs in (
            ("published cost of a wake-up (2.0 J)", summary["published"]),
            (f"modelled cost ({summary['modelled']['wake_j']:.2f} J)", summary["modelled"]),
        )
    ]
    songs, low_high = summary["songs"], summary["wakes_per_day_interval_95"]
    outcomes = ", ".join(
        f"{count:.1f} {name}" for name, count in songs.items() if name not in {"in_database", "wrong_names", "named"}
    )
    time_s = summary["time_to_song_s"]
    return (
        f"{markdown_table(['', 'a day', 'of the battery'], rows, numbers=(1, 2))}\n\n"
        f"The phone wakes up {summary['wakes_per_day']:.0f} times a day ({low_high[0]:.0f} to {low_high[1]:.0f}), and "
        f"{summary['early_looks_per_day']:.0f} times an early look names nothing. Of "
        f"{songs['in_database']:.1f} songs of the database that are played, {songs['named']:.1f} are named; the "
        f"others: {outcomes}. {songs['wrong_names']:.1f} names a day are wrong. Half of the named songs are named "
        f"within {time_s['p50']:.1f} s of the first note, nine of ten within {time_s['p90']:.0f} s."
    )


def days_text() -> str:
    """Return the table over kinds of days."""
    rows = [
        [
            day["title"].lower(),
            f"{day['music_h']:.1f}",
            f"{day['wakes_per_day']:.0f}",
            _estimate(day["modelled"]),
            f"{day['published']['mean']:.1f}",
            "" if day["recall"] is None else f"{100 * day['recall']:.0f} %",
        ]
        for day in committed(STUDY)["scenarios"]
    ]
    heads = ["day", "music, h", "wake-ups", "modelled, mAh", "published, mAh", "songs named"]
    return markdown_table(heads, rows, numbers=range(1, 6))


def architectures_text() -> str:
    """Return the table over other ways to build the phone, and the other devices."""
    study = committed(STUDY)
    rows = [
        [
            one["title"],
            f"{one['mah']['mean']:.1f}",
            f"{one['battery_percent']:.2f} %",
            "" if one["published_percent"] is None else f"{one['published_percent']:.2f} %",
            f"{100 * one['recall']:.0f} %",
            f"{one['median_s']:.1f}",
        ]
        for one in study["architectures"]
    ]
    devices = "; ".join(
        f"{one['title']}: {one['mah']:.1f} mAh ({one['battery_percent']:.2f} %)" for one in study["devices"]
    )
    heads = ["architecture, modelled", "mAh a day", "of the battery", "published system", "songs named", "median, s"]
    return f"{markdown_table(heads, rows, numbers=range(1, 6))}\n\nThe average day on each device profile: {devices}."


def always_on_text() -> str:
    """Return the table over other hardware for microphone, features and detector."""
    rows = [
        [
            one["title"],
            f"{one['power']['low']:.1f} to {one['power']['high']:.1f}",
            f"{one['low_mah']:.1f} to {one['high_mah']:.1f}",
            f"{one['low_percent']:.2f} to {one['high_percent']:.2f} %",
            f"{one['published_low_percent']:.2f} to {one['published_high_percent']:.2f} %",
            one["power"]["certainty"],
        ]
        for one in committed(STUDY)["always_on"]
    ]
    heads = ["always-on hardware", "mW", "mAh a day, modelled", "of the battery", "published system", "certainty"]
    cost = committed("evaluation/firmware_figures.json")
    network = cost["frame"]["mean"] + cost["network_step"]["mean"] / DECISION_FRAMES
    share = cost["front_end"]["mean"] / (cost["front_end"]["mean"] + network)
    return (
        f"{markdown_table(heads, rows, numbers=range(1, 5))}\n\nOf the instructions that features and first "
        f"stage of the exported detector take on an emulated Cortex-M4, the features have {100 * share:.0f} % "
        "([microcontroller.md](microcontroller.md))."
    )


def detector_current_text() -> str:
    """Return the table of the always-on detector's current, and whether it reaches its goal."""
    components, device = committed(STUDY)["summary"]["modelled"]["components_mah"], DeviceProfile.load()
    listened_h = components["microphone"] / device.dsp.microphone_ma
    second_stage_ma = components["second stage"] / listened_h
    one_an_hour = detector_current(device, Models.load(), 1.0).parts_ma["second stage"]
    runs = committed(f"models/{SHIPPED_DETECTOR}/metrics.json")["second_stage"]["runs_per_hour"]
    titles = {"music": "music", "other": "other sound", "quiet": "quiet"}
    by_kind = {f"{title} without a pause": runs[kind]["value"] for kind, title in titles.items()}
    found = detector_currents(device, Models.load(), second_stage_ma / one_an_hour, by_kind)
    heads, rows = current_table(found)
    goal = goal_cell(round(found[AVERAGE_DAY].total_ma, 3), at_most=load_goals()["energy"]["detector_ma"])
    rows = [[*row, goal if number == 0 else ""] for number, row in enumerate(rows)]
    return markdown_table([*heads, "goal"], rows, numbers=range(1, len(heads)))


def sensitivity_text() -> str:
    """Return the assumptions that move the modelled day most."""
    study = committed(STUDY)
    widest = sorted(study["sensitivity"], key=lambda row: -abs(row["low_mah"] - row["high_mah"]))[:_N_SENSITIVE]
    rows = [
        [
            f"{row['title']} (`{row['name']}`)" if row["title"] != row["name"] else row["name"],
            f"{span(row['constant']['low'], row['constant']['high'])} {row['unit']}".rstrip(),
            f"{min(row['low_mah'], row['high_mah']):.1f} to {max(row['low_mah'], row['high_mah']):.1f}",
        ]
        for row in widest
    ]
    return markdown_table(["assumption", "range", "mAh a day"], rows, numbers=(1, 2))


def _estimate(figure: dict[str, Any]) -> str:
    ends = "" if figure["low"] is None else f" ({figure['low']:.1f} to {figure['high']:.1f})"
    return f"{figure['mean']:.1f}{ends}"


def _mah(costs: dict[str, Any]) -> str:
    low, high = costs["mah_per_day_interval_95"]
    return f"{costs['mah_per_day']:.1f} mAh ({low:.1f} to {high:.1f})"


def _percent_interval(costs: dict[str, Any]) -> str:
    low, high = costs["battery_percent_interval_95"]
    return f"{costs['battery_percent_per_day']:.2f} % ({low:.2f} to {high:.2f})"
