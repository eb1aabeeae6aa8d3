"""Every bar of every page is as long as its number says, on a phone, a tablet and a wide screen."""

import re
from pathlib import Path
from typing import Any

import pytest

from simulator.reports.page import environment
from tests.simulator.reports.browser import measure, needs_chromium

WIDTHS = (360, 800, 1400)
# Each group of bars: its scale, and each bar's box in its track, its exact ends and the text behind it.
GROUPS = """[...document.querySelectorAll('.bars')].map(group => [...group.querySelectorAll('.track')].map(track => {
  const box = track.getBoundingClientRect(), bar = track.querySelector('i').getBoundingClientRect(),
    text = track.nextElementSibling.getBoundingClientRect()
  return {least: +group.dataset.least, most: +group.dataset.most, low: +track.dataset.low, high: +track.dataset.high,
    left: (bar.left - box.left) / box.width, right: (bar.right - box.left) / box.width, width: box.width,
    text: track.nextElementSibling.textContent, apart: text.left >= box.right - 0.5,
    inside: text.right <= innerWidth + 0.5}
}))"""


def check_bars(page: Path, width: int) -> int:
    """Fail unless every bar is true within 1 % of its track, and no text covers one; return the number of bars."""
    groups: list[list[dict[str, Any]]] = [group for group in measure(page, width, GROUPS) if group]
    for group in groups:
        assert max(one["high"] for one in group) == pytest.approx(group[0]["most"]) or group[0]["least"] > 0
        for one in group:
            assert one["width"] >= 60, one
            assert one["apart"], one
            assert one["inside"], one
            scale = (one["most"] - one["least"]) or 1.0
            for end, place in (("left", "low"), ("right", "high")):
                assert one[end] == pytest.approx((one[place] - one["least"]) / scale, abs=0.01), (width, one)
            # The number that a reader sees is the number that is drawn.
            numbers = re.findall(r"-?[\d.]+", one["text"])
            seen = [numbers[0]] if one["low"] == 0 else sorted(numbers[:2], key=float)
            for text, place in zip(seen, ["high"] if one["low"] == 0 else ["low", "high"], strict=True):
                decimals = len(text.partition(".")[2])
                assert float(text) == pytest.approx(one[place], abs=0.51 * 10**-decimals), one
    return sum(map(len, groups))


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
def test_bars_of_any_length_are_to_scale(tmp_path: Path, width: int) -> None:
    values = [0.0, 0.3, 1.0, 25.0, 50.0, 68.0, 84.0, 99.0, 100.0]
    rows = [
        (f"a bar of {value:g} of a hundred with a long name", value, f"{value:.1f} mAh, 0.43 %") for value in values
    ]
    path = tmp_path / "bars.html"
    page = "{% extends 'page.html' %}{% from 'macros.html' import bars %}{% block body %}{{ bars(rows) }}{% endblock %}"
    path.write_text(environment().from_string(page).render(rows=rows), encoding="utf-8")
    assert check_bars(path, width) == len(values)
