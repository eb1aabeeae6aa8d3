import json
from pathlib import Path

import numpy as np
import pytest

from nowplaying.cli.measured import write_result
from nowplaying.cli.outcome import Outcome, disk_error
from nowplaying.cli.output import emit_json, paragraph, say_lines, table
from nowplaying_core.errors import (
    AudioFormatError,
    ConfigError,
    CorruptArtifactError,
    MissingExtraError,
    NowPlayingError,
)

from .conftest import Run


def test_json_is_one_strict_line_with_its_schema_first(capsys: pytest.CaptureFixture[str]) -> None:
    record = {"a": float("nan"), "b": [np.float32(0.5), np.int64(3)], "c": {"d": np.array([1.0, np.inf])}, "e": "ä\n"}
    emit_json("thing/1", record)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out.startswith('{"schema": "nowplaying/thing/1"')
    expected = {"schema": "nowplaying/thing/1", "a": None, "b": [0.5, 3], "c": {"d": [1.0, None]}, "e": "ä\n"}
    assert json.loads(out) == expected


def test_table_aligns_columns(capsys: pytest.CaptureFixture[str]) -> None:
    table(["a", "bb"], [["long", "x"], ["s", "y"]])
    assert capsys.readouterr().out == "a     bb\nlong  x\ns     y\n"


def test_prose_fits_a_terminal_and_is_one_line_in_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "- " + "a sentence with --an-option and /a/path/that-is-long " * 4
    paragraph(text, indent=2)
    assert capsys.readouterr().out == f"{text}\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for columns in (200, 80, 44):
        monkeypatch.setenv("COLUMNS", str(columns))
        paragraph(text, indent=2)
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= min(columns, 80)
        assert all(line.startswith("  ") for line in lines[1:])
        assert " ".join(" ".join(lines).split()) == text.strip()


BAD, CORRUPT = AudioFormatError("bad"), CorruptArtifactError("corrupt")
MISSING = MissingExtraError("mic", "a microphone")
USAGE = ConfigError("usage")


@pytest.mark.parametrize(
    ("failures", "found", "code"),
    [
        ([], True, 0),
        ([], False, 1),
        ([USAGE], True, 2),
        ([USAGE], False, 2),
        ([USAGE, BAD], True, 3),
        ([BAD], True, 3),
        ([BAD], False, 3),
        ([BAD, CORRUPT], True, 4),
        ([CORRUPT, MISSING, BAD], True, 5),
    ],
)
def test_highest_failure_wins_else_found_else_nothing(
    failures: list[NowPlayingError], *, found: bool, code: int
) -> None:
    outcome = Outcome()
    for failure in failures:
        outcome.failed(failure)
    if found:
        outcome.found()
    assert outcome.exit_code == code
    assert outcome.failure_code == (code if failures else 0)


def test_full_disk_is_told_with_place_and_advice() -> None:
    message = disk_error(OSError(28, "No space left on device", "songs.npdb/codes"))
    assert message == "songs.npdb/codes: No space left on device; free some space and run the command again"


def test_commands_for_people_have_json_too(run: Run, tmp_path: Path) -> None:
    figures = run("energy", "figures", "--json").records
    assert len(figures) > 30
    assert figures[0] == {
        "schema": "nowplaying/figure/1",
        "name": "battery.capacity_mah",
        "value": 2700.0,
        "unit": "mAh",
        "least": 1,
        "most": 100_000,
        "title": "battery capacity",
    }
    account = run("energy", "account", "--out", tmp_path / "energy.json", "--json")
    assert account.records == [{"schema": "nowplaying/written/1", "path": str(tmp_path / "energy.json")}]
    demo = run("demo", "--json")
    (played,) = demo.records
    assert demo.code == 0
    assert (played["schema"], played["n_songs"]) == ("nowplaying/simulation/2", 3)


def test_a_report_keeps_its_lines_and_shows_what_a_terminal_would_obey(capsys: pytest.CaptureFixture[str]) -> None:
    say_lines("# Figures\n\n| a | b |\n| \x1b[2J | 1 |\n")
    assert capsys.readouterr().out == "# Figures\n\n| a | b |\n| \\u001b[2J | 1 |\n"


def test_an_evaluation_prints_its_table_as_lines(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write_result("x", {"n": 1}, "| a |\n| --- |\n| 1 |\n", tmp_path, as_json=False)
    assert capsys.readouterr().out == "| a |\n| --- |\n| 1 |\n"
    assert (tmp_path / "x.md").read_text(encoding="utf-8") == "| a |\n| --- |\n| 1 |\n"
