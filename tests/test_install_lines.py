"""No page, message or recipe installs the stranger's package that has the plain name on the public index."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from nowplaying_core.errors import DISTRIBUTION

ROOT = Path(__file__).resolve().parents[1]
# After an installing command on the same line, the bare name as a word of its own; a path or a longer name is no match.
STRANGER = re.compile(
    r"""\b(?:install|inject|add|run|download)\b[^\n#]*?[\s'"=]nowplaying(?=[\s'"\[<>=~!;,`]|$)""", re.M
)
INSTALLERS = re.compile(r"\b(?:pip3?|pipx|uv|conda|poetry|uvx)\b[^\n]*")


def lines_that_install_the_stranger(text: str) -> list[str]:
    return [line for line in INSTALLERS.findall(text) if STRANGER.search(line)]


@pytest.mark.parametrize(
    "line",
    [
        "pip install nowplaying",
        "pip install 'nowplaying[mic]'",
        "pipx install nowplaying",
        "uv tool install nowplaying==1",
    ],
)
def test_the_pattern_finds_the_old_line(line: str) -> None:
    assert lines_that_install_the_stranger(f"before: {line}\nafter") == [line]


@pytest.mark.parametrize(
    "line",
    [
        "pip install -e '.[mic]'",
        "pip install 'nowplaying-ondevice[mic]'",
        "pipx install dist/nowplaying_ondevice-0.1.0-py3-none-any.whl",
        "pip install x  # then nowplaying index",
    ],
)
def test_the_pattern_leaves_right_lines_alone(line: str) -> None:
    assert lines_that_install_the_stranger(line) == []


def test_no_file_installs_the_stranger() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    read, found = 0, []
    for name in listed.stdout.split("\0"):
        path = ROOT / name
        if not name or not path.is_file() or path == Path(__file__):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        read += 1
        found += [(name, line) for line in lines_that_install_the_stranger(text)]
    assert read > 500
    assert found == []


def test_the_distribution_has_a_name_of_its_own() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] == DISTRIBUTION == "nowplaying-ondevice"
    assert project["scripts"] == {"nowplaying": "nowplaying.cli.main:main"}
