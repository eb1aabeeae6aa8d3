"""Commands on pages exist, with the options that they are shown with."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from nowplaying.cli.main import app
from tests.test_docs import PAGES, ROOT

CODE = re.compile(r"```\w*\n(.*?)```|`([^`]+)`", re.DOTALL)
OPTION = re.compile(r"(?<![\w/-])--[a-z][a-z0-9-]*")
PROGRAM = re.compile(r"(?:^|[\s;&|(])(nowplaying|python3? -m [a-z_.]+)((?: [^#;&|\n]*)?)")
NOWPLAYING: Any = get_command(app)
SOURCE = re.compile(r"^from ([a-z_.]+) import", re.MULTILINE)


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Yield each program that a page's code calls, and the rest of its line."""
    for block, span in CODE.findall(re.sub(r"\\\n\s*", " ", text)):
        code = block or " ".join(span.split())
        if block or PROGRAM.match(code):
            yield from PROGRAM.findall(code)


def problems(program: str, rest: str) -> list[str]:
    """Return the words of a command line that its program does not know."""
    if program == "nowplaying":
        return _of_nowplaying(rest.split())
    module = ROOT / program.rsplit(maxsplit=1)[-1].replace(".", "/")
    if not (ROOT / module.relative_to(ROOT).parts[0]).is_dir():
        return []  # pip and others
    source = module.with_suffix(".py") if module.with_suffix(".py").is_file() else module / "__main__.py"
    if not source.is_file():
        return [program]
    text = source.read_text(encoding="utf-8")
    # Options that several modules share are declared in what they import.
    for name in SOURCE.findall(text):
        shared = ROOT / f"{name.replace('.', '/')}.py"
        text += shared.read_text(encoding="utf-8") if shared.is_file() else ""
    return [option for option in OPTION.findall(rest) if f'"{option}"' not in text]


def _of_nowplaying(words: list[str]) -> list[str]:
    command = NOWPLAYING
    known = _options(command)
    while words and not words[0].startswith("-") and hasattr(command, "commands"):
        name = words[0].split("/")[0]  # of alternatives, such as detector/fingerprinter
        if name not in command.commands:
            # Prose has NAME, <name> or three dots in a command's place, and some groups take an argument themselves.
            is_name = re.fullmatch(r"[a-z-]+", name) is not None and not command.invoke_without_command
            return [name] if is_name else []
        command = command.commands[words.pop(0).split("/")[0]]
        known |= _options(command)
    return [option for option in OPTION.findall(" ".join(words)) if option not in known]


def _options(command: Any) -> set[str]:
    named = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return named | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_exist(page: Path) -> None:
    if page.name == "CHANGELOG.md":  # names what was there once
        return
    text = page.read_text(encoding="utf-8")
    assert [(program, rest, found) for program, rest in commands(text) if (found := problems(program, rest))] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nowplaying index MUSIC --db DB", []),
        ("nowplaying index MUSIC --database DB", ["--database"]),
        ("nowplaying train/pretrain ...", []),
        ("nowplaying db burn DB", ["burn"]),
        ("nowplaying nonsense", ["nonsense"]),
        ("nowplaying --nonsense", ["--nonsense"]),
        ("python -m evaluation.pages --check", []),
        ("python -m evaluation.pages --nonsense", ["--nonsense"]),
        ("python -m evaluation.nonsense", ["python -m evaluation.nonsense"]),
        ("python -m pip install --quiet x", []),
    ],
)
def test_what_does_not_exist_is_found(line: str, expected: list[str]) -> None:
    for text in (f"See `{line}`.", f"```\n{line}  # why\n```"):
        ((program, rest),) = commands(text)
        assert problems(program, rest) == expected
