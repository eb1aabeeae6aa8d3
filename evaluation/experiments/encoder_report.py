"""The table of encoders in Markdown, and its loss curves as a picture, from the published JSON alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from nowplaying_core.text import markdown_table
from pretraining.probe.report import accuracy_cell, how_drawn, points

__all__ = ["BAG", "draw_losses", "findings", "to_markdown"]

_NAMES: Final = {
    "random": "random weights",
    "normalised": "random weights, normalised: where training begins",
    "bands": "no encoder: mean and deviation of each band",
    "tuned": "random weights, then each column's labels",
}
BAG: Final = "-bag"
"""Ends the name of a row of how often each code of a run occurs, instead of the run's encoder."""
_UNITS: Final = {
    "triplet": "squared distance",
    "audio2vec": "squared error",
    "autoencoder": "squared error",
    "vq_codes": "squared error + nats",
}
"""Units of losses, by how a method's name begins; all others are cross entropies in nats."""
_BASELINES: Final = ("bands", "normalised", "random", "tuned", "supervised")


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return all tables; every figure is taken from the result."""
    minutes = sum(one["cpu_s"] for one in result["methods"]) / 60
    n_rows = sum(len(one["seeds"]) for one in result["methods"])
    parts = [
        f"Made by `python -m evaluation.experiments.encoder_table`: {n_rows} rows, {minutes:.0f} CPU minutes of "
        f"training and probing, so {minutes / 120:.1f} hours of two cores. Accuracy in per cent; intervals are 95 %, "
        f"{how_drawn(result)}. A star: not surely above random weights, units paired.\n",
        "## What it shows\n",
        "\n".join(findings(result)) + "\n",
    ]
    for pooled, title in ((False, "What one window of 0.96 s can answer"), (True, "What needs a whole clip")):
        tasks = [task for task in result["tasks"] if task["pooled"] == pooled]
        if tasks:
            parts += [f"## {title}\n", _columns(result, tasks, pooled=pooled)]
    return "\n".join([*parts, "## Labels and runs\n", _shares(result), _tasks(result), _runs(result)])


def findings(result: Mapping[str, Any]) -> list[str]:
    """Return sentences: who is surely above random weights, and the orders that papers lead one to expect."""
    mean = {row["method"]: row for row in result["means"] if not row["pooled"] and row["label_share"] == 1.0}
    lines = []
    trained = [
        name for name in mean if name not in _BASELINES and not name.endswith(BAG) and "random" in mean[name]["minus"]
    ]
    sure = [name for name in trained if mean[name]["minus"]["random"]["low"] > 0]
    if trained:
        others = [name for name in trained if name not in sure]
        named = ", ".join(f"`{name}`" for name in sure) or "none"
        lines.append(f"- Surely above random weights on average, of {len(trained)} without labels: {named}.")
        lines += [f"- Not: `{name}`, {points(mean[name]['minus']['random'])}." for name in others]
    for name in [*trained, "random", "supervised"]:
        if name in mean and "bands" in mean[name]["minus"]:
            lines.append(f"- {_title(name)} to no encoder at all: {points(mean[name]['minus']['bands'])}.")
    if "normalised" in mean and "random" in mean["normalised"]["minus"]:
        below = points(mean["normalised"]["minus"]["random"])
        lines.append(f"- Training begins below random weights: {below}.")
    for name in ("cola", "nt_xent"):
        if name in mean and "supervised" in mean[name]["minus"]:
            lines.append(f"- `{name}` to `supervised`: {points(mean[name]['minus']['supervised'])}.")
    for name in trained:
        if f"{name}{BAG}" in mean[name]["minus"]:
            to_bag = points(mean[name]["minus"][f"{name}{BAG}"])
            lines.append(f"- `{name}` to how often each of its codes occurs in a window: {to_bag}.")
    for first, second in (
        ("audio2vec_cbow", "audio2vec_skipgram"),
        ("temporal_gap", "audio2vec_cbow"),
        ("temporal_gap", "audio2vec_skipgram"),
    ):
        if first in mean and second in mean[first]["minus"]:
            lines.append(f"- `{first}` to `{second}`: {points(mean[first]['minus'][second])}.")
    return lines


def _columns(result: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]], *, pooled: bool) -> str:
    names = [task["name"] for task in tasks]
    found = {(row["task"], row["method"]): row for row in result["results"] if row["label_share"] == 1.0}
    mean = {row["method"]: row for row in result["means"] if row["pooled"] == pooled and row["label_share"] == 1.0}
    chance = [_percent(task["chance"]) for task in tasks]
    rows = [["most common label", *chance, "", ""]]
    for one in result["methods"]:
        method = one["method"]
        cells = [accuracy_cell(found[name, method]) for name in names]
        above = points(mean[method]["minus"]["random"]) if "random" in mean[method]["minus"] else ""
        rows.append([_NAMES.get(method, method), *cells, accuracy_cell(mean[method]), above])
    return markdown_table(["method", *names, "mean", "mean less random, points"], rows) + "\n"


def _shares(result: Mapping[str, Any]) -> str:
    means = [row for row in result["means"] if not row["pooled"]]
    shares = sorted({row["label_share"] for row in means})
    found = {(row["method"], row["label_share"]): row for row in means}
    rows = [
        [_NAMES.get(one["method"], one["method"]), *(accuracy_cell(found[one["method"], share]) for share in shares)]
        for one in result["methods"]
    ]
    heading = ["mean of one window's tasks", *(f"{share:.0%} of the labels" for share in shares)]
    return markdown_table(heading, rows) + "\n"


def _tasks(result: Mapping[str, Any]) -> str:
    rows = [
        [task["name"], *(str(task[key]) for key in ("n_labels", "n_train", "n_test", "n_units")), task["parted_by"]]
        for task in result["tasks"]
    ]
    return markdown_table(["task", "labels", "train", "test", "units", "parts share no"], rows) + "\n"


def _runs(result: Mapping[str, Any]) -> str:
    rows = []
    for one in result["methods"]:
        last = f"{one['losses'][-1][1]:.3f}" if one["losses"] else ""
        levels = "; ".join(f"{name} {value:.3f}" for name, value in one["levels"].items())
        steps = f"{one['n_steps']} x {one['clips_per_step']}" if one["n_steps"] else "0"
        rows.append([one["method"], str(len(one["seeds"])), steps, last, levels, f"{one['cpu_s'] / 60:.0f}"])
    heading = ["method", "seeds", "steps x clips", "last loss, first seed", "levels of the loss", "CPU minutes"]
    return markdown_table(heading, rows) + "\n"


def draw_losses(result: Mapping[str, Any], path: Path) -> None:
    """Draw each method's loss by step, each in its unit and with its levels as lines, into one picture."""
    from nowplaying_core.plotting import pyplot, save_figure

    plt = pyplot()
    trained = [one for one in result["methods"] if len(one["losses"]) > 1]
    if not trained:
        return
    n_columns = min(4, len(trained))
    n_rows = -(-len(trained) // n_columns)
    size = (3.2 * n_columns, 2.6 * n_rows)
    figure, axes = plt.subplots(n_rows, n_columns, figsize=size, squeeze=False, layout="constrained")
    for place, one in zip(axes.flat, trained, strict=False):
        steps, losses = zip(*one["losses"], strict=True)
        place.plot(steps, losses, color="#2f6feb")
        for number, (name, value) in enumerate(one["levels"].items()):
            place.axhline(value, color="#8b949e", linestyle=("--", ":", "-.")[number % 3], label=name)
        place.set_title(one["method"], fontsize=9)
        units = [unit for name, unit in _UNITS.items() if one["method"].startswith(name)]
        place.set_ylabel(f"loss, {units[0] if units else 'nats'}", fontsize=8)
        place.set_xlabel("steps", fontsize=8)
        place.tick_params(labelsize=7)
        if one["levels"]:
            place.legend(fontsize=6)
    for place in axes.flat[len(trained) :]:
        place.set_visible(False)
    save_figure(figure, path, dpi=110)
    plt.close(figure)


def _title(name: str) -> str:
    return _NAMES[name].capitalize() if name in _NAMES else f"`{name}`"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"
