"""The probe's table in Markdown, from its JSON alone."""

from collections.abc import Mapping
from typing import Any

__all__ = ["table", "to_markdown"]


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return tables for each mode: tasks by methods with all labels, and the methods' means by share of labels."""
    parts = ["# Ears under one probe\n", _protocol(result), _tasks(result)]
    modes = dict.fromkeys(row["mode"] for row in result["results"])
    for mode in modes:
        rows = [row for row in result["results"] if row["mode"] == mode]
        parts += [f"## {mode.capitalize()}\n", _by_task(rows), _by_share(rows)]
    return "\n".join(parts)


def _protocol(result: Mapping[str, Any]) -> str:
    settings = result["settings"]
    text = (
        f"Accuracy in per cent of sounds, their windows' answers averaged (at most {settings['most_windows']} "
        f"windows of a sound). Intervals are 95 %, bootstrap over seeds and units. {settings['n_seeds']} draws of the "
        "labels"
    )
    tuned = settings["fine_tune_steps"]
    return text + (f"; fine-tuning takes {tuned} steps of 64 windows.\n" if tuned else ".\n")


def _tasks(result: Mapping[str, Any]) -> str:
    rows = [
        [
            task["name"],
            str(task["n_labels"]),
            str(task["n_train"]),
            str(task["n_test"]),
            str(task["n_units"]),
            _percent(task["chance"]),
            task["parted_by"],
        ]
        for task in result["tasks"]
    ]
    runs = [
        [run["method"], str(run["seed"]), str(run["n_steps"]), str(run["clips_per_step"])] for run in result["runs"]
    ]
    tasks = table(["task", "labels", "learnt from", "asked", "units", "most common", "parts share no"], rows)
    return tasks + "\n" + table(["method", "seed", "steps", "clips a step"], runs)


def _by_task(rows: list[dict[str, Any]]) -> str:
    share = max(row["label_share"] for row in rows)
    methods = list(dict.fromkeys(row["method"] for row in rows))
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    found = {(row["task"], row["method"]): row for row in rows if row["label_share"] == share}
    body = [[task, *(_cell(found[task, method]) for method in methods)] for task in tasks]
    means = [_mean([found[task, method]["accuracy"] for task in tasks]) for method in methods]
    body.append(["mean", *(_percent(mean) for mean in means)])
    return f"With {share:.0%} of the labels:\n\n" + table(["task", *methods], body) + "\n\\* not surely above random\n"


def _by_share(rows: list[dict[str, Any]]) -> str:
    shares = sorted({row["label_share"] for row in rows})
    methods = list(dict.fromkeys(row["method"] for row in rows))
    body = []
    for method in methods:
        means = [
            _mean([row["accuracy"] for row in rows if row["method"] == method and row["label_share"] == share])
            for share in shares
        ]
        body.append([method, *(_percent(mean) for mean in means)])
    return "Mean over tasks by share of labels:\n\n" + table(["method", *(f"{share:.0%}" for share in shares)], body)


def _cell(row: dict[str, Any]) -> str:
    doubt = "\\*" if row.get("above_random", {}).get("low", 1.0) <= 0 else ""
    return f"{_percent(row['accuracy'])}{doubt} ({_percent(row['low'])}-{_percent(row['high'])})"


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def table(headings: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
