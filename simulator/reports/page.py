"""Reports as HTML: one page without scripts or network, readable on a phone, in the dark and on paper."""

from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from nowplaying_core.text import clock
from simulator.energy.constants import CERTAINTIES
from simulator.reports.timeline import describe

__all__ = ["render"]


def render(template: str, **values: Any) -> str:
    """Return a page; values are escaped, but for the pictures, which escape by themselves.

    Parameters
    ----------
    template : str
        Name in the folder ``templates``.
    **values
    """
    return _environment().get_template(template).render(values)


@cache
def _environment() -> jinja2.Environment:
    folder = jinja2.FileSystemLoader(Path(__file__).resolve().parent / "templates")
    environment = jinja2.Environment(
        loader=folder, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"clock": clock, "decimal": _decimal, "describe": describe, "spaced": _spaced}
    environment.globals |= {"certainties": CERTAINTIES, "tuple": tuple}
    return environment


def _decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _spaced(name: str) -> str:
    return name.replace("_", " ")
