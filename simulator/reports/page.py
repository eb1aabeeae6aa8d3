"""Reports as HTML: one page without scripts or network, readable on a phone, in the dark and on paper."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup, escape

from nowplaying_core.text import clock
from simulator.days.figures import unit_of, words_of
from simulator.energy.constants import CERTAINTIES
from simulator.reports.timeline import describe

__all__ = ["environment", "even", "figure", "linked", "render", "span"]

_LINKS = (
    (re.compile(r"arXiv:(\d{4}\.\d{4,5})"), r"https://arxiv.org/abs/\1"),
    (re.compile(r"(?:github\.com/)?\b(LineageOS/[\w.-]+)"), r"https://github.com/\1"),
    (re.compile(r"\b(?:doi:)?(10\.\d{4,9}/[\w./-]*\w)"), r"https://doi.org/\1"),
    (re.compile(r"MLPerf Tiny v1\.0"), r"https://github.com/mlcommons/tiny_results_v1.0"),
    (re.compile(r"Nordic DevZone (\d+)"), r"https://devzone.nordicsemi.com/f/nordic-q-a/\1"),
    (re.compile(r"AT&amp;T ARO"), r"https://github.com/attdevsupport/ARO"),
    (re.compile(r"Huang et al\., (?:&#34;[^&]*&#34;, )?MobiSys 2012"), r"https://doi.org/10.1145/2307636.2307658"),
)


def render(template: str, **values: Any) -> str:
    """Return a page; values are escaped, but for the pictures, which escape by themselves.

    Parameters
    ----------
    template : str
        Name in the folder ``templates``.
    **values
    """
    return environment().get_template(template).render(values)


@cache
def environment() -> jinja2.Environment:
    """Return the templates with what they may call."""
    folder = jinja2.FileSystemLoader(Path(__file__).resolve().parent / "templates")
    made = jinja2.Environment(
        loader=folder, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {
        "clock": clock,
        "decimal": _decimal,
        "describe": describe,
        "even": even,
        "figure": figure,
        "linked": linked,
        "range": lambda constant: span(constant.low, constant.high),
        "spaced": _spaced,
    }
    made.globals |= {
        "certainties": CERTAINTIES,
        "constant_name": _constant_name,
        "dict": dict,
        "tuple": tuple,
        "unit_of": unit_of,
    }
    return made


def figure(value: float) -> str:
    """Return a number as a person writes it: no exponent for the usual sizes."""
    if value == 0 or 1e-4 <= abs(value) < 1e10:
        text = f"{value:.6f}" if abs(value) < 1 else f"{value:.4g}" if abs(value) < 1e3 else f"{value:,.0f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.3g}"


def span(low: float, high: float) -> str:
    """Return a range whose ends have the same decimals: as many as the larger one needs for three digits."""
    most = max(abs(low), abs(high))
    if not 1e-4 <= most < 1e10:
        return f"{figure(low)} to {figure(high)}"
    decimals = max(0, 2 - int(np.floor(np.log10(most))))
    while decimals and all(round(end, decimals) == round(end, decimals - 1) for end in (low, high)):
        decimals -= 1
    return " to ".join("0" if end == 0 else f"{end:,.{decimals}f}" for end in (low, high))


def even(value: float, most: float) -> str:
    """Return a number with as many decimals as the largest of its table has for three digits."""
    decimals = max(0, min(4, 2 - (len(f"{abs(most):.0f}") - 1 if abs(most) >= 1 else -1)))
    return "" if value != value else f"{value:.{decimals}f}"  # noqa: PLR0124  (a share of nothing is no number)


def linked(source: str) -> Markup:
    """Return a source as text whose publications and repositories are links."""
    text = str(escape(source))
    for pattern, address in _LINKS:
        text = pattern.sub(rf'<a href="{address}">\g<0></a>', text, count=1)
    return Markup(text)  # noqa: S704  (escaped above)


def _constant_name(name: str) -> Markup:
    words = words_of(name)
    return Markup(escape(name)) if words == name else Markup("{} <code>{}</code>").format(words, name)  # noqa: S704


def _decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _spaced(name: str) -> str:
    return name.replace("_", " ")
