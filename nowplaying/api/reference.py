"""Write docs/api.md from the docstrings of the public API: python -m nowplaying.api.reference --write (or --check)."""

import argparse
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nowplaying
from nowplaying_core.artifacts import write_text
from nowplaying_core.text import markdown_table

__all__ = ["PAGE", "main", "page"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
_FUNCTIONS = ("index", "recognize", "detect", "listen", "simulate", "energy", "load_audio", "demo_recordings")
_CLASSES = (
    *("Recognizer", "Recognition", "Match", "Detector", "Detection", "Segment", "Fingerprinter"),
    *("SongDatabase", "IndexReport", "SimulationResult", "EnergyDay"),
)
_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)
_ENTRIES = ("Parameters", "Attributes", "Returns", "Yields", "Raises")


def page() -> str:
    """Return the page."""
    errors = [name for name in nowplaying.__all__ if name.endswith("Error")]
    parts = [
        "# Python API",
        "Generated from the docstrings by `python -m nowplaying.api.reference --write`. Everything here is imported\n"
        "from `nowplaying` and loaded when it is first used. The examples run in the tests, in a folder with `music/`\n"
        "(three songs of the demo), their database `music.npdb`, and `query.wav`, a part of one of them.",
        "## Functions",
        *(part for name in _FUNCTIONS for part in _function(name, getattr(nowplaying, name), "###")),
        "## Classes",
        *(part for name in _CLASSES for part in _class(name)),
        "## Errors",
        "All are `NowPlayingError`; the command line ends with the exit code.",
        markdown_table(
            ["error", "exit code", "when"],
            [_error(name) for name in errors],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _error(name: str) -> list[str]:
    kind = getattr(nowplaying, name)
    return [f"`{name}`", str(kind.exit_code), _first_line(kind)]


def _function(title: str, function: Any, heading: str) -> Iterator[str]:
    yield f"{heading} {title}"
    yield f"```\n{title}{_signature(function)}\n```"
    yield from _document(function)


def _class(name: str) -> Iterator[str]:
    kind = getattr(nowplaying, name)
    yield f"### {name}"
    yield from _document(kind)
    for member, value in vars(kind).items():
        plain = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if member.startswith("_") or not plain.__doc__:
            continue
        if isinstance(plain, property):
            yield f"#### {name}.{member}"
            yield from _document(plain)
        elif inspect.isfunction(plain):
            yield from _function(f"{name}.{member}", plain, "####")


def _signature(function: Any) -> str:
    parameters = [
        one.replace(annotation=inspect.Parameter.empty)
        for one in inspect.signature(function).parameters.values()
        if one.name not in {"self", "cls"}
    ]
    return str(inspect.Signature(parameters))


def _document(thing: Any) -> Iterator[str]:
    text = inspect.getdoc(thing) or ""
    pieces = _SECTION.split(text)
    yield _plain(pieces[0].strip())
    for title, body in zip(pieces[1::2], pieces[2::2], strict=True):
        if title == "Examples":
            yield f"```python\n{body.strip()}\n```"
        elif title in _ENTRIES:
            yield f"**{title}**"
            yield "\n".join(_entries(body))
        else:
            yield f"**{title}**"
            yield _plain(body.strip())


def _entries(body: str) -> Iterator[str]:
    for entry in re.split(r"\n(?=\S)", body.strip()):
        term, _, rest = entry.partition("\n")
        description = _plain(" ".join(line.strip() for line in rest.splitlines()))
        name, _, kind = term.partition(" : ")
        yield f"- `{name}`" + (f" ({kind})" if kind else "") + (f": {description}" if description else "")


def _plain(text: str) -> str:
    """Return reStructuredText's roles and double backticks as Markdown."""
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")


def _first_line(thing: Any) -> str:
    return _plain((inspect.getdoc(thing) or "").splitlines()[0])


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page; return 1 when the checked page differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--check", action="store_true", help="fail where the page differs")
    way.add_argument("--write", action="store_true", help="write it")
    options = parser.parse_args(arguments)
    text = page()
    if options.write:
        write_text(PAGE, text)
        return 0
    return int(PAGE.read_text(encoding="utf-8") != text)


if __name__ == "__main__":
    sys.exit(main())
