"""``nowplaying simulate``: energy, report, and wrong arguments."""

from pathlib import Path

import pytest

from .conftest import Run


def test_simulating_the_same_sound_counts_energy(run: Run, database: Path, music_folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = run("simulate", "--db", database, "--json", "--report", page, music_folder / "song-1.wav")
    (record,) = done.records
    assert record["schema"] == "nowplaying/simulation/1"
    assert record["duration_s"] == pytest.approx(20.0, abs=0.02)
    assert record["energy_mj"]["detector"] == pytest.approx(0.4 * 4.0 * 20.0, rel=0.01)
    assert "<html" in page.read_text()


def test_simulate_wants_a_file_or_a_scene(run: Run, database: Path, music_folder: Path) -> None:
    assert run("simulate", "--db", database).code == 2
    assert run("simulate", "--db", database, "--scene", "evening", music_folder / "song-1.wav").code == 2
    unknown = run("simulate", "--db", database, "--scene", "nonsense")
    assert unknown.code == 2
    assert "evening" in unknown.err
