"""Time on a page: strips of equal length one below the other, their ticks, and labels that never cover each other."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

__all__ = [
    "LABEL_HEIGHT",
    "NARROW",
    "WIDE",
    "Label",
    "Layout",
    "Strip",
    "in_layouts",
    "label_rows",
    "labels_svg",
    "strips",
    "ticks",
]

LABEL_HEIGHT = 17.0
_MARGIN = 6.0
_LARGEST_SHARE = 0.7
_LARGEST_PIXELS = 300.0
_MOST_STRIPS = 24
_STRIPS_S = (900, 1800, 3600, 7200, 14_400, 28_800, 86_400)
_TICKS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


@dataclass(frozen=True, slots=True)
class Layout:
    """How wide a strip is drawn, in pixels, and how much of a strip of the wide layout it shows."""

    name: str
    width: float
    left: float
    right: float
    share: float


WIDE = Layout("wide", 880.0, 84.0, 14.0, 1.0)
NARROW = Layout("narrow", 340.0, 62.0, 10.0, 1 / 3)


@dataclass(frozen=True, slots=True)
class Strip:
    """A stretch of time in a layout.

    Attributes
    ----------
    layout : Layout
    start_s, end_s : float, seconds
    length_s : float, seconds
        That its width stands for; the last strip may end before.
    is_last : bool
    """

    layout: Layout
    start_s: float
    end_s: float
    length_s: float
    is_last: bool = True

    def x(self, time_s: float) -> float:
        """Return where a time lies; times outside lie at the ends."""
        layout = self.layout
        inside_s = min(max(time_s, self.start_s), self.end_s) - self.start_s
        return layout.left + (layout.width - layout.left - layout.right) * inside_s / self.length_s

    def has(self, time_s: float) -> bool:
        """Whether a moment belongs to this strip; the last strip has the very end too."""
        return self.start_s <= time_s and (time_s < self.end_s or self.is_last)

    def meets(self, start_s: float, end_s: float) -> bool:
        """Whether a stretch of time reaches into this strip."""
        return start_s < self.end_s and end_s > self.start_s

    @property
    def line_end(self) -> float:
        """Where its lines end on the right."""
        return self.x(self.end_s)


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a moment."""

    time_s: float
    text: str


def strips(duration_s: float, layout: Layout, *, strip_s: float | None = None) -> list[Strip]:
    """Return the strips of a duration: by default of a quarter of an hour, or longer where that would be too many.

    Parameters
    ----------
    duration_s : float >= 0, seconds
    layout : Layout
    strip_s : float > 0, seconds, optional
        Length in the wide layout.
    """
    duration_s = max(duration_s, 1e-3)
    if strip_s is None:
        strip_s = next((float(one) for one in _STRIPS_S if duration_s <= _MOST_STRIPS * one), float(_STRIPS_S[-1]))
    length_s = strip_s * layout.share
    n = int(-(-duration_s // length_s))
    if duration_s <= strip_s:  # a short run is cut into equal parts, of which none is left almost empty
        length_s = duration_s / n
    return [Strip(layout, i * length_s, min(duration_s, (i + 1) * length_s), length_s, i == n - 1) for i in range(n)]


def ticks(strip: Strip, y: float, *, most: int | None = None) -> Iterator[str]:
    """Yield an axis at a height, with times that have room."""
    wanted = most if most is not None else int((strip.layout.width - strip.layout.left) / 75)
    step_s = next((one for one in _TICKS_S if strip.length_s / one <= wanted), _TICKS_S[-1])
    yield f"<line x1='{strip.layout.left:g}' x2='{strip.line_end:.1f}' y1='{y}' y2='{y}' stroke='var(--soft)'/>"
    time_s = -(-strip.start_s // step_s) * step_s
    while time_s <= strip.end_s + 1e-6:
        x = strip.x(time_s)
        yield f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{y}' y2='{y + 5}' stroke='var(--soft)'/>"
        anchor = "end" if x > strip.layout.width - 26 else "middle"
        place = strip.layout.width if anchor == "end" else x
        yield f"<text x='{place:.1f}' y='{y + 18}' text-anchor='{anchor}'>{_time(time_s)}</text>"
        time_s += step_s


def label_rows(labels: Sequence[Label], strip: Strip) -> list[tuple[Label, str, float, int]]:
    """Return labels with the text that has room, where it begins and its row, such that none covers another.

    The last label gets the first row and those before it the rows below, so that no leader crosses a text.
    """
    layout, placed = strip.layout, []
    rows: list[list[tuple[float, float]]] = []
    for label in sorted(labels, key=lambda one: -one.time_s):
        text = _clipped(label.text, min(_LARGEST_PIXELS, _LARGEST_SHARE * (layout.width - layout.left)))
        width = _width(text)
        start = min(strip.x(label.time_s), layout.width - width)
        end = start + width
        row = next(
            (
                i
                for i, taken in enumerate(rows)
                if all(end + _MARGIN < low or start > high + _MARGIN for low, high in taken)
            ),
            len(rows),
        )
        if row == len(rows):
            rows.append([])
        rows[row].append((start, end))
        placed.append((label, text, start, row))
    return placed[::-1]


def labels_svg(placed: Sequence[tuple[Label, str, float, int]], strip: Strip, top: float) -> Iterator[str]:
    """Yield labels below a height, each with a leader from its moment."""
    for label, text, start, row in placed:
        x, y = strip.x(label.time_s), top + LABEL_HEIGHT * row
        yield (
            f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{top - 8:g}' y2='{y + 4:g}' stroke='var(--soft)' "
            f"stroke-width='.8'/><text class='label' x='{start:.1f}' y='{y + 13:g}'>{escape(text)}"
            f"<title>{escape(label.text)}</title></text>"
        )


def in_layouts(draw: Callable[[Layout], Iterator[str]]) -> str:
    """Return a picture twice: for a wide page and paper, and for a phone."""
    return "".join(f"<div class='{layout.name}'>{''.join(draw(layout))}</div>" for layout in (WIDE, NARROW))


def _time(time_s: float) -> str:
    seconds = round(time_s)
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    if not hours:
        return f"{minutes}:{rest:02d}"
    return f"{hours} h" if not (minutes or rest) else f"{hours}:{minutes:02d}:{rest:02d}"


def _width(text: str) -> float:
    """Return an upper estimate of how wide a text is drawn, in pixels."""
    return sum(map(_character_width, text))


def _character_width(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 14.0
    if character in " .,:;'!|iIlj()[]-":
        return 5.0
    if character in "WMm@%" or ord(character) > 0x24F:
        return 14.0
    return 10.8 if character.isupper() or character in "w&+=<>" else 8.3


def _clipped(text: str, width: float) -> str:
    if _width(text) <= width:
        return text
    while text and _width(text) + 12 > width:
        text = text[:-1]
    return text.rstrip() + "…"
