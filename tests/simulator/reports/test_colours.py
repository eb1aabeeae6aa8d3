"""No colour of a picture has two meanings, and no two look alike to people who see fewer colours."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from simulator.reports.day_chart import DAY_LEGEND
from simulator.reports.timeline_chart import TIMELINE_LEGEND

STYLE = (Path(__file__).parents[3] / "simulator/reports/templates/page.html").read_text(encoding="utf-8")
LIGHT, DARK, PRINT = (dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", part)) for part in STYLE.split(":root{")[1:4])
# Linear RGB as protanopes and deuteranopes see it (Viénot, Brettel and Mollon, Color Research and Application, 1999).
SIGHT = {
    "all colours": np.eye(3),
    "protanopia": np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]),
    "deuteranopia": np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]),
}
PICTURES = {
    "phone in a run": [colour for shape, colour, *_ in TIMELINE_LEGEND if shape == "box"],
    "lines in a run": [colour for shape, colour, *_ in TIMELINE_LEGEND if shape in {"line", "thick", "dashed"}],
    "places in a day": ["quiet", "speech", "noise", "speech-in-noise"],
    "songs in a day": ["named", "missed", "foreign"],
    "phone in a day": ["listening", "paused", "recognizing"],
}


def lab(colour: str, sight: np.ndarray) -> np.ndarray:
    """Return a colour in CIE L*a*b*, as somebody sees it."""
    digits = "".join(2 * one for one in colour[1:]) if len(colour) == 4 else colour[1:]
    rgb = np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(
        sight @ linear, 0, 1
    )
    x, y, z = np.cbrt(np.maximum(xyz / np.array([0.9505, 1.0, 1.089]), 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("palette", ["light", "dark", "print"])
def test_colours_of_a_picture_are_apart(picture: str, palette: str, sight: str) -> None:
    colours = {"light": LIGHT, "dark": LIGHT | DARK, "print": LIGHT | PRINT}[palette]
    for one, other in combinations(PICTURES[picture], 2):
        distance = np.linalg.norm(lab(colours[one], SIGHT[sight]) - lab(colours[other], SIGHT[sight]))
        assert distance > 15, (one, other, distance)


@pytest.mark.parametrize("legend", [TIMELINE_LEGEND, DAY_LEGEND])
def test_every_entry_of_a_legend_looks_different(legend: tuple[tuple[str, str, str, str], ...]) -> None:
    assert len({(shape, colour) for shape, colour, *_ in legend}) == len(legend)
    fills = [colour for shape, colour, *_ in legend if shape == "box"]
    assert len({LIGHT[colour] for colour in fills}) == len(fills)
