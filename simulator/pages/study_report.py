"""The report of a study of days as one HTML page that needs no network."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from nowplaying.artifacts import write_text
from simulator.days.study import Study
from simulator.pages.page import constants_table, render_page
from simulator.pages.timeline_chart import bar_chart

__all__ = ["write_study"]


def write_study(path: Path, summary: Mapping[str, Any], study: Study) -> None:
    """Write the page of a study, all or nothing."""
    parts = [(name.replace("_", " "), mah) for name, mah in summary["parts_mah"].items()]
    title = f"{summary['day']} of a {study.device.title}"
    sections = [
        f"<h1>What a day costs</h1><p class='soft'>{escape(title)}</p>",
        f"<p>{summary['mah_per_day']:.2f} mAh, {summary['battery_percent_per_day']:.3f} % of the battery.</p>",
        bar_chart(parts, "mAh"),
        "<h2>Constants and assumptions</h2>",
        constants_table({**study.device.constants, **study.assumptions.constants, **study.rates.constants()}),
    ]
    write_text(path, render_page(title, sections))
