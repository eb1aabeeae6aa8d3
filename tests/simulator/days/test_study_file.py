"""A study file of one's own: the template, and whatever else a hand may write in its places."""

import re
from contextlib import suppress
from pathlib import Path

import pytest

from nowplaying_core.errors import ConfigError
from simulator.days.study_file import TEMPLATE, StudyFile

LINES = TEMPLATE.read_text(encoding="utf-8").split("\n")
ENTRIES = {number: found[1] for number, line in enumerate(LINES) if (found := re.match(r'("?[\w.]+"?) = ', line))}
ODD = ('"8:00"', "true", "[]", "[1]", "{}", "-1e308", "1e308", "nan", "inf", "2020-01-01", None)


def test_the_template_is_read() -> None:
    assert StudyFile.read(TEMPLATE).scenario is not None
    assert len(ENTRIES) > 30


@pytest.mark.parametrize("number", ENTRIES, ids=lambda number: f"{number}-{ENTRIES[number]}")
def test_a_value_of_another_kind_is_no_surprise(tmp_path: Path, number: int) -> None:
    for odd in ODD:
        lines = LINES.copy()
        lines[number] = "" if odd is None else f"{ENTRIES[number]} = {odd}"
        (tmp_path / "mine.toml").write_text("\n".join(lines), encoding="utf-8")
        # What may be left out, or be of any kind, is read; the rest is an error of the user's, not of ours.
        with suppress(ConfigError):
            StudyFile.read(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    "text",
    [
        *("day = 3", "day = []", "scene = 3", "sweep = 3", "sweep = {}", "sweep = [3]", "set = 3"),
        *("[day]\ntitle = 'A'", "[day]\ntitle = 'A'\nblock = 3", "[day]\ntitle = 'A'\nblock = [3]"),
        *(
            "[day]\ntitle = 'A'\nblock = [{ jitter_h = 0, "
            f"start_h = {start}, charging = {plugged}, weights = {weights} }}]"
            for start, plugged, weights in (
                *(("8", "false", "3"), ("8", "false", "[]"), ("8", "false", "{ sleep = nan }")),
                *(("8", "false", "{ sleep = inf }"), ("8", "1", "{ sleep = 1 }"), ("'8'", "false", "{ sleep = 1 }")),
            )
        ),
    ],
)
def test_tables_of_another_kind_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.toml").write_text(f"schema_version = 1\n{text}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.toml.*expected"):
        StudyFile.read(tmp_path / "mine.toml")
