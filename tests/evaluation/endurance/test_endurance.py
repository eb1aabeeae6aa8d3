"""A short run of the endurance trials; evaluation/endurance/endure.py does the long one with the same functions."""

import json
from pathlib import Path

import pytest

from evaluation.endurance.damage import run_damage
from evaluation.endurance.kills import run_kills
from nowplaying_core.errors import CorruptArtifactError
from ondevice_db.store import generation, store

pytest.importorskip("zstandard", reason="needs the delta extra")


@pytest.mark.parametrize(("layout", "n_kills"), [("pq", 35), ("flat", 15)])
def test_a_kill_leaves_the_old_database_or_the_new_one(tmp_path: Path, layout: str, n_kills: int) -> None:
    report = run_kills(tmp_path, n_kills, seed=3, layout=layout)
    assert report.failures == []
    assert report.old + report.new == report.n_kills == n_kills
    assert report.n_landed > n_kills / 4  # the others had ended before their time came


def test_no_damaged_database_is_taken_for_a_good_one(tmp_path: Path) -> None:
    report = run_damage(tmp_path, 300, seed=3)
    assert report.failures == []
    assert sum(report.refused.values()) + sum(report.harmless.values()) == 300
    assert len(report.refused) == 8
    assert report.harmless.get("damaged file", 0) <= 3  # damage that replaced bytes by the same bytes


def test_the_kills_find_a_writer_that_is_not_careful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_in_place(path: Path, value: dict[str, object]) -> None:
        path.write_text("")
        for _ in range(300):  # calls at which the process may be killed
            path.open().close()
        path.write_text(json.dumps(value))

    monkeypatch.setattr(generation, "write_json", write_in_place)
    report = run_kills(tmp_path, 10, seed=5, at_calls=1.0)
    assert any("neither the old one nor the new one" in failure for failure in report.failures)


def test_the_damage_finds_a_reader_that_does_not_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check_size_alone(path: Path, record: dict[str, int]) -> None:
        if not path.is_file() or path.stat().st_size != record["bytes"]:
            raise CorruptArtifactError(str(path))

    monkeypatch.setattr(store, "check_file", check_size_alone)
    report = run_damage(tmp_path, 150, seed=5)
    assert any("accepted damaged file" in failure for failure in report.failures)
