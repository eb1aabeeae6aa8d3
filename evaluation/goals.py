"""The goals of the models, printed beside what was measured: met or missed, every figure shows which."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from nowplaying_core.text import markdown_table

__all__ = ["audible_regions", "detector_table", "goal_cell", "load_goals"]


@cache
def load_goals() -> dict[str, dict[str, Any]]:
    """Return ``goals.toml``."""
    return tomllib.loads(Path(__file__).with_name("goals.toml").read_text(encoding="utf-8"))


def goal_cell(value: float, *, at_least: float | None = None, at_most: float | None = None) -> str:
    """Return a goal for a table, with whether a measured value meets it; empty where there is no goal.

    Examples
    --------
    >>> goal_cell(97.6, at_least=98.5)
    '≥ 98.5: **missed**'
    >>> goal_cell(0.2, at_most=0.3)
    '≤ 0.3: met'
    """
    if at_least is not None:
        return f"≥ {at_least:g}: {'met' if value >= at_least else '**missed**'}"
    if at_most is not None:
        return f"≤ {at_most:g}: {'met' if value <= at_most else '**missed**'}"
    return ""


def audible_regions(streams: Mapping[str, Any]) -> str:
    """Return the name of the figure ``recall_audible`` of metrics over streams."""
    return f"regions found at {streams['audible_db']:g} dB or more"


def detector_table(metrics: Mapping[str, Any]) -> str:
    """Return the figures of a detector that have goals."""
    goals, streams = load_goals()["detector"], metrics["streams"]

    def row(name: str, figure: Mapping[str, float], digits: int, scale: int = 1, **goal: float) -> list[str]:
        value, low, high = (f"{scale * figure[key]:.{digits}f}" for key in ("value", "low", "high"))
        return [name, value, f"{low} to {high}", goal_cell(scale * figure["value"], **goal)]

    delay_s, wakes = streams["median_delay_s"], streams["false_triggers_per_hour"]
    rows = [
        row("ROC area, clips of 4.5 s", metrics["clips"]["area"]["full band"], 3, at_least=goals["roc_area"]),
        row(f"music {audible_regions(streams)}, %", streams["recall_audible"], 1, 100, at_least=goals["recall"]),
        row("false wake-ups an hour", wakes, 2, at_most=goals["false_wakes_per_h"]),
        ["median delay, s", f"{delay_s:.1f}", "", goal_cell(delay_s, at_most=goals["median_delay_s"])],
    ]
    return markdown_table(["figure, at the shipped gate", "value", "95 %", "goal"], rows)
