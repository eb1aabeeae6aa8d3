"""A path that is not there is the same code for every command, and nothing is written on the way."""

from pathlib import Path

import pytest

from .conftest import Run

SONG = "{music}/song-0.wav"
TRACES = "--asleep {none} --listening {none} --answering {none} --answers 1 --voltage 4"
PLACES = "--corpus {none} --cache-dir {out}/cache"


@pytest.mark.parametrize(
    "command",
    [
        f"recognize --db {{none}} {SONG}",
        "recognize --db {database} {none}",
        f"recognize --db {{database}} {SONG} --popularity {{none}}",
        f"recognize --db {{database}} {SONG} --at 1000",
        f"recognize --db {{database}} {SONG} --fingerprinter {{none}}",
        "listen --db {database} {none}",
        "simulate --db {database} {none}",
        "detect {none}",
        f"detect {SONG} --detector {{none}}",
        "index {none} --db {out}/a.npdb",
        "energy --days 10 --latencies {none}",
        "energy --days 10 --study {none}.toml",
        "energy --days 10 --device {none}.toml",
        f"energy calibrate {TRACES} --out {{out}}/a.toml",
        "db info {none}",
        "db merge {database} {none}",
        "db apply {database} {none}",
        "db delta {none} {none} -o {out}/delta",
        "db sign {database} --key {none}",
        "db verify {database} --public-key {none}",
        "export --out {out}/bundle --db {none}",
        "export --out {out}/bundle --sign {none}",
        "export verify {none}",
        "card {none}",
        f"train detector --config {{none}}.toml {PLACES} --run-dir {{out}}/run",
        f"train detector --config configs/detector.toml {PLACES} --run-dir {{out}}/run",
        f"train detector-second-stage --config configs/detector-second-stage.toml {PLACES} --run-dir {{out}}/run",
        f"train detector-crossval --config configs/detector.toml {PLACES} --run-dir {{out}}/run",
        f"train fingerprinter --config {{none}}.toml {PLACES} --run-dir {{out}}/run",
        f"train fingerprinter --config configs/fingerprinter.toml {PLACES} --run-dir {{out}}/run",
        "energy account --detector {none} --out {out}/a.json",
        f"evaluate retrieval {PLACES}",
        f"evaluate detector {PLACES}",
        f"evaluate detector-gate --held-out-fold 3 {PLACES}",
        f"evaluate detector-gate --held-out-fold 3 --first-stage {{none}} {PLACES}",
        f"evaluate probe {{none}} {PLACES}",
        f"pretrain cola {PLACES} --run-dir {{out}}/run",
        f"audit privacy {PLACES} --run-dir {{out}}/run",
        "audit privacy --corpus {music} --cache-dir {out}/cache --run-dir {out}/run --out {out} --example {none}",
        f"publish fingerprinter --run-dir {{none}} --out {{out}}/model {PLACES}",
        f"generate {{none}} {SONG} --out {{out}}/a.wav",
        "render {none} --out {out}/rendered --soundfont {none}",
    ],
)
def test_a_missing_path_is_bad_input(
    run: Run, database: Path, music_folder: Path, tmp_path: Path, command: str
) -> None:
    pytest.importorskip("tensorflow")
    none = tmp_path / "none"
    out = tmp_path / "out"
    out.mkdir()
    places = {"none": none, "database": database, "music": music_folder, "out": out}
    done = run(*command.format(**places).split())
    assert done.code == 3, done.err
    assert (str(none) in done.err) or ("1000.0 s" in done.err)
    assert "[Errno" not in done.err
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        f"recognize --db {{none}} {SONG} --plot {{gone}}/a.png",
        f"generate {{none}} {SONG} --out {{gone}}/a.wav",
        "db delta {none} {none} -o {gone}/delta",
        "export --out {file}/bundle",
        "export verify {none} --out {file}/a",
        "render {none} --out {file}/a --soundfont {none}",
        f"publish fingerprinter --run-dir {{none}} --out {{file}}/a {PLACES}",
        f"audit privacy {PLACES} --run-dir {{none}} --out {{file}}/a",
    ],
)
def test_output_paths_are_tried_first(run: Run, tmp_path: Path, music_folder: Path, command: str) -> None:
    (tmp_path / "file").write_text("in the way")
    places = {"none": tmp_path / "none", "gone": tmp_path / "gone", "file": tmp_path / "file"}
    done = run(*command.format(music=music_folder, out=tmp_path, **places).split())
    assert done.code == 3
    assert "cannot be written" in done.err  # and not that its inputs are missing, which comes later
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_plot_of_no_known_format_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    done = run("recognize", "--db", tmp_path / "none.npdb", "a.wav", "--plot", tmp_path / "p.txt")
    assert done.code == 2
    assert "expected a name that ends in .png, .svg, .pdf" in done.err


def test_a_seed_that_no_generator_takes_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    done = run("generate", tmp_path / "run", "song.wav", "--out", tmp_path / "a.wav", "--seed", str(2**32))
    assert done.code == 2
    assert "--seed" in done.err
