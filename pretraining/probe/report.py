"""The probe's table in Markdown, from its JSON alone."""

from collections.abc import Mapping
from typing import Any

from nowplaying_core.text import markdown_table, with_interval

__all__ = ["accuracy_cell", "how_drawn", "points", "to_markdown"]

_COMPARED_TO = ("random", "supervised", "central")


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return tables for each mode: tasks by methods with all labels, and the methods' means by share of labels."""
    parts = ["# Encoders under one probe\n", _protocol(result), _tasks(result)]
    modes = dict.fromkeys(row["mode"] for row in result["results"])
    for mode in modes:
        rows = [row for row in result["results"] if row["mode"] == mode]
        means = [row for row in result["means"] if row["mode"] == mode]
        parts += [f"## {mode.capitalize()}\n", _by_task(rows, means), _by_share(means)]
    return "\n".join(parts)


def how_drawn(result: Mapping[str, Any]) -> str:
    """Return how a result's intervals were made; results that do not count runs are of before runs had a part."""
    counts_runs = "n_runs" in result["results"][0]
    return "bootstrap over units, Student's t over runs" if counts_runs else "bootstrap over seeds and units"


def _protocol(result: Mapping[str, Any]) -> str:
    settings = result["settings"]
    text = (
        f"Accuracy in per cent of sounds, their windows' answers averaged (at most {settings['most_windows']} "
        f"windows of a sound). Intervals are 95 %, {how_drawn(result)}. {settings['n_seeds']} draws of the "
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
    tasks = markdown_table(["task", "labels", "train", "test", "units", "most common", "parts share no"], rows) + "\n"
    return tasks + "\n" + markdown_table(["method", "seed", "steps", "clips a step"], runs) + "\n"


def _by_task(rows: list[dict[str, Any]], means: list[dict[str, Any]]) -> str:
    share = max(row["label_share"] for row in rows)
    methods = list(dict.fromkeys(row["method"] for row in rows))
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    found = {(row["task"], row["method"]): row for row in rows if row["label_share"] == share}
    found |= {("mean", row["method"]): row for row in means if row["label_share"] == share}
    body = [[method, *(accuracy_cell(found[task, method]) for task in (*tasks, "mean"))] for method in methods]
    cells = markdown_table(["method", *tasks, "mean"], body) + "\n"
    return f"With {share:.0%} of the labels:\n\n{cells}\n\\* not surely above random\n"


def _by_share(means: list[dict[str, Any]]) -> str:
    """Return the means, and what of them is the pretraining's and what labels would have given."""
    shares = sorted({row["label_share"] for row in means})
    methods = list(dict.fromkeys(row["method"] for row in means))
    found = {(row["method"], row["label_share"]): row for row in means}
    parts = [
        "Mean over tasks by share of labels:\n",
        markdown_table(
            ["method", *(f"{share:.0%}" for share in shares)],
            [[method, *(accuracy_cell(found[method, share]) for share in shares)] for method in methods],
        )
        + "\n",
    ]
    for other in [name for name in _COMPARED_TO if name in methods and len(methods) > 1]:
        rows = [
            [method, *(points(found[method, share]["minus"][other]) for share in shares)]
            for method in methods
            if method != other
        ]
        heading = ["method", *(f"{share:.0%}" for share in shares)]
        parts += [f"Mean less that of `{other}`, in points:\n", markdown_table(heading, rows) + "\n"]
    return "\n".join(parts)


def accuracy_cell(row: Mapping[str, Any]) -> str:
    """Return an accuracy in per cent with its interval, and a star where it is not surely above random weights."""
    doubt = "\\*" if "random" in row["minus"] and row["minus"]["random"]["low"] <= 0 else ""
    return f"{_percent(row['accuracy'])}{doubt} ({_percent(row['low'])}-{_percent(row['high'])})"


def points(found: Mapping[str, float]) -> str:
    """Return a difference of accuracies in points, with its interval."""
    return with_interval(found, of="difference", scale=100, sign="+")


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"
