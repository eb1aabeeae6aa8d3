"""The plot of :mod:`evaluation.experiments.defences`: rebuilt melody over retrieval, a mark for each way to store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from evaluation.committed import committed
from evaluation.experiments.defences_report import PUBLISHED, melodies_of

__all__ = ["Point", "committed_series", "draw_plot", "series"]

_DEFENCES: Final = (
    ("codes", "codes, bytes", "o-"),
    ("rotation", "a secret rotation, songs known", "s"),
    ("noise", "floats with noise, its length", "o-"),
)
_SIDES: Final = {  # where a label stands, in points from its mark
    "left": (-5, 4, "right"),
    "below": (5, -10, "left"),
    "upper": (5, 6, "left"),
    "right": (6, -1, "left"),
}
_CROWDED: Final = ((83.0, 92.0), (0.56, 0.72))  # rank-1 in percent, correlation
_MAGNIFIED: Final = (0.39, 0.1, 0.44, 0.48)  # where: left, bottom, width, height, in shares of the plot


@dataclass(frozen=True, slots=True)
class Point:
    """One of the plot.

    Attributes
    ----------
    label : str
    rank1 : float, percent
        Of queries of 2 s.
    melody, low, high : float
        Correlation of what is rebuilt, with its interval.
    """

    label: str
    rank1: float
    melody: float
    low: float
    high: float


def series(result: Mapping[str, Any]) -> dict[str, list[Point]]:
    """Return the points of the plot for each defence."""
    points: dict[str, list[Point]] = {}
    for found in result["retrieval"]:
        rank1 = 100 * next(iter(found["rank1"].values()))["value"]
        for row in melodies_of(result, found["form"]):
            figure = row["melody"]
            point = Point(_label(found, row), rank1, figure["value"], figure["low"], figure["high"])
            points.setdefault(found["defence"], []).append(point)
    return points


def committed_series() -> dict[str, list[Point]]:
    """Return the points of the published plot."""
    return series(committed(PUBLISHED))


def draw_plot(axes: Any, ink: str, points: Mapping[str, Sequence[Point]], colours: Sequence[str]) -> None:
    """Draw all points, and those that stand close together once more, magnified; lines begin at floats.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    ink : str
        Colour of text.
    points : mapping of str to sequence of Point
        From :func:`series`.
    colours : sequence of str
        Of the three defences.
    """
    axes.set_xlim(30, 95)
    axes.set_ylim(-0.08, 0.82)
    (left, right), (low, high) = _CROWDED
    close = axes.inset_axes(_MAGNIFIED, xlim=(left, right), ylim=(low, high))
    close.set_facecolor("none")
    close.tick_params(colors=ink, labelsize=7)
    close.spines[:].set(color=ink, alpha=0.4)
    axes.indicate_inset_zoom(close, edgecolor=ink, alpha=0.4)
    (floats,) = points["none"]
    for (defence, name, style), colour in zip(_DEFENCES, colours, strict=True):
        rows = [*([floats] if style == "o-" else []), *points[defence]]
        found, melody = [row.rank1 for row in rows], [row.melody for row in rows]
        for pane in (axes, close):
            pane.plot(found, melody, style, color=colour, label=name, markersize=5)
            pane.vlines(found, [row.low for row in rows], [row.high for row in rows], color=colour, linewidth=1)
        for row in points[defence]:
            side = "right" if row.rank1 >= floats.rank1 else "left" if defence == "codes" else "below"
            _annotate(close if _is_crowded(row) else axes, row, colour, side)
    _annotate(close if _is_crowded(floats) else axes, floats, ink, "upper")
    axes.set_xlabel("right song first (%), queries of 2 s, 0 dB of noise in a room", color=ink)
    axes.set_ylabel("correlation of the rebuilt melody", color=ink)
    axes.legend(loc="lower left", frameon=False, labelcolor=ink, fontsize=9)


def _is_crowded(point: Point) -> bool:
    (left, right), (low, high) = _CROWDED
    return left <= point.rank1 <= right and low <= point.melody <= high


def _annotate(axes: Any, point: Point, colour: str, side: str) -> None:
    x, y, align = _SIDES[side]
    place = (point.rank1, point.melody)
    axes.annotate(point.label, place, (x, y), textcoords="offset points", ha=align, color=colour, fontsize=8)


def _label(found: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Return a word or a number for a point of the plot, which the legend explains."""
    form = str(found["form"])
    if row["n_owned"] is not None:
        return f"{row['n_owned']}{', codes' if 'codes' in form else ''}"
    return form.removesuffix("-byte codes").removeprefix("floats, noise of ")
