"""Every help page: a heading, one sentence, an example that parses, the values of each choice, -q and -v."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from nowplaying.cli import complete
from nowplaying.cli.app import PANELS
from nowplaying.cli.main import app
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.audio import microphone
from nowplaying_core.errors import MissingExtraError
from ondevice_db.index.choose_codebook import CODE_BYTES
from pretraining.tasks.corpus import corpus_tasks
from pretraining.tasks.public import COLLECTIONS

from .conftest import Run


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the words and the object of every command that is no group."""
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if getattr(command, "invoke_without_command", False) and path == () and not command.no_args_is_help:
            # A group that does something by itself.
            yield (name,), command
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands())


def test_the_commands_are_all_there() -> None:
    assert len(ALL) >= 30


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_a_page_has_one_sentence_and_an_example_that_parses(words: tuple[str, ...]) -> None:
    command = ALL[words]
    assert command.help.strip().count(". ") == 0
    assert command.help.strip().endswith(".")
    assert command.epilog.startswith(f"Example: nowplaying {' '.join(words)}")
    arguments = shlex.split(command.epilog.removeprefix("Example: nowplaying "))[len(words) :]
    # Raises where an option is unknown or missing; resilient: values are not looked at.
    command.make_context(words[-1], arguments, resilient_parsing=False)


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_quiet_verbose_and_json_are_options_of_every_command(words: tuple[str, ...]) -> None:
    options = {option for parameter in ALL[words].params for option in parameter.opts}
    assert {"-q", "--quiet", "-v", "--verbose", "--json"} <= options


def test_headings_stand_in_their_order(run: Run) -> None:
    out = run("--help").out
    places = [out.index(f"─ {panel} ─") for panel in PANELS if panel]
    assert places == sorted(places)
    assert "bool" not in out


def test_no_page_is_wider_than_80_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for words in ALL:
        done = run(*words, "--help")
        assert max(map(len, done.out.splitlines())) <= 80, words
        assert "…" not in done.out, words  # a name that does not fit
        assert not re.search(r"<(bool|path|str|int|float|list)[\[ >]", done.out), words  # types of Python
        assert not re.search(r"\s<[^>│]*│", done.out), words  # a choice that is broken between two lines


def test_every_option_says_what_it_is() -> None:
    for words, command in ALL.items():
        for parameter in command.params:
            assert parameter.help, (words, parameter.name)


def test_the_help_of_a_long_choice_lists_its_values() -> None:
    options = {one.name: one for one in ALL["evaluate", "retrieval"].params}
    assert options["protocol"].metavar == "NAME"
    assert options["protocol"].help.endswith("One of attention-qbe, nafp, now-playing.")
    assert {one.name: one for one in ALL["index",].params}["layout"].metavar is None


def test_the_larger_commands_come_before_what_serves_them(run: Run) -> None:
    out = run("--help").out
    places = [out.index(f"│ {name} ") for name in ("train", "evaluate", "publish", "card", "render")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("words", "option", "names"),
    [
        (("energy",), "device", complete.devices("")),
        (("simulate",), "device", complete.devices("")),
        (("energy",), "day", complete.days("")),
        (("simulate",), "scene", complete.scenes("")),
        (("pretrain",), "method", complete.methods("")),
        (("evaluate", "probe"), "public", list(COLLECTIONS)),
        (("evaluate", "probe"), "tasks", [*corpus_tasks(Path()), "digits", "speakers", "wake_words", "tempo"]),
        (("index",), "code_bytes", [str(one) for one in CODE_BYTES]),
    ],
)
def test_help_lists_every_value(words: tuple[str, ...], option: str, names: list[str]) -> None:
    (text,) = [parameter.help for parameter in ALL[words].params if parameter.name == option]
    assert len(names) >= 1
    assert [name for name in names if name not in text] == []


def test_completion_offers_models_and_databases(database: Path, tmp_path: Path) -> None:
    assert complete.detectors("detector-") == [SHIPPED_DETECTOR]
    assert complete.fingerprinters("fingerprinter-s") == ["fingerprinter-sync-v1"]
    assert complete.databases(f"{database.parent}/") == [str(database)]
    assert complete.databases(str(database)[:-3]) == [str(database)]
    assert complete.databases(f"{tmp_path}/no/such/") == []
    assert complete.models("detector-") == [SHIPPED_DETECTOR]
    assert complete.devices("pixel-") == ["pixel-2", "pixel-3", "pixel-6"]


def test_quiet_after_the_command(run: Run, database: Path, tmp_path: Path, rng: Any) -> None:
    assert "error" not in run("energy", "--days", "7", "-q").err
    missing = run("recognize", "--db", tmp_path / "none.npdb", tmp_path, "-q")
    assert missing.code == 3
    assert missing.err.startswith("error: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("energy", "--days", "1", "--report", "no/such/folder/day.html"),
        ("demo", "--report", "no/such/folder/demo.html"),
        ("serve", "--no-browser", "--db", "/proc/here"),
        ("energy", "account", "--out", "no/such/folder/a.json"),
        ("recognize", "--db", "any.npdb", "any.wav", "--plot", "no/such/folder/a.png"),
        ("detect", "any.wav", "--stream", "--save-wakes", "/proc/here"),
    ],
)
def test_output_paths_are_tried_before_the_work(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith(f"error: {arguments[-2]} {arguments[-1]}: cannot be written")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("index", "any.wav", "--db", "a.npdb", "--layout", "foo"), "--layout"),
        (("index", "any.wav", "--db", "a.npdb", "--codebook", "foo"), "--codebook"),
        (("index", "any.wav", "--db", "a.npdb", "--engine", "foo"), "--engine"),
        (("energy", "--rates", "foo"), "--rates"),
        (("energy", "--days", "0"), "--days"),
        (("energy", "--songs", "9" * 40), "--songs"),
        (("detect", "-", "--raw-format", "foo"), "--raw-format"),
        (("energy", "--device", "foo"), "error: --device: expected one of phone-2026, pixel-2,"),
        (("energy", "--day", "foo"), "error: --day: expected average or one of "),
        (("simulate", "--db", "{database}", "--scene", "foo"), "error: --scene: expected one of evening, found 'foo'"),
        (("index", "{song}", "--db", "a.npdb", "--hop", "0"), "error: --hop: expected 0.01 to 2.048 s"),
        (("index", "{song}", "--db", "a.npdb", "--code-bytes", "13"), "error: --code-bytes: expected one of 6, 8, 12,"),
        (("energy", "--set", "dsp.detektor_ma=1"), "did you mean dsp.detector_ma"),
        (("evaluate", "retrieval", "--corpus", "a", "--cache-dir", "b", "--protocol", "foo"), "--protocol"),
    ],
)
def test_a_wrong_value_is_reported_with_its_option(
    run: Run, arguments: tuple[str, ...], option: str, database: Path, music_folder: Path
) -> None:
    done = run(*(one.format(database=database, song=music_folder / "song-0.wav") for one in arguments))
    assert done.code == 2
    assert option in done.err


def test_info_and_doctor_are_for_people(run: Run, database: Path) -> None:
    info = run("db", "info", database)
    assert "songs         8 (0.0" in info.out
    assert "{" not in info.out
    assert max(map(len, info.out.replace(str(database), "DB").splitlines())) <= 80
    doctor = run("doctor")
    assert doctor.out.rstrip().endswith(("All is well.", "optional parts are absent."))


def test_titles_come_before_artists(run: Run, database: Path) -> None:
    heading = run("db", "list", database).out.splitlines()[0]
    assert heading.split() == ["track", "id", "length", "title", "artist", "album"]


def test_microphones_and_files_are_offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(microphone, "microphone_names", lambda: ["0: Built-in: left", "3: USB"])
    assert complete.sources("mi")[:3] == ["mic", "mic:0", "mic:3"]
    (tmp_path / "song.wav").touch()
    assert complete.sources(f"{tmp_path}/so") == [str(tmp_path / "song.wav")]

    def no_extra() -> list[str]:
        extra, purpose = "mic", "a microphone"
        raise MissingExtraError(extra, purpose)

    monkeypatch.setattr(microphone, "microphone_names", no_extra)
    assert complete.sources("mic") == ["mic"]
