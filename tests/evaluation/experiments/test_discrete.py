"""The table and the plot of rank-1 against what is scanned are made of the points alone."""

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from evaluation.experiments.binary_index import BinaryCode, BinaryIndex
from nowplaying_core.errors import ConfigError
from ondevice_db.index.base import SearchOptions


@pytest.fixture(scope="module")
def discrete() -> ModuleType:
    return importlib.import_module("evaluation.experiments.discrete")


def point(way: str, share: float, n_right: int) -> dict:
    right = [1] * n_right + [0] * (100 - n_right)
    row = {
        "condition": "5 dB, 2 s",
        "right": right,
        "tracks": [str(n // 2) for n in range(100)],
        "scanned": share / 100,
    }
    return {"way": way, "asked_for_%": share, "n_fingerprints": 5000, "bytes": 14, "conditions": [row]}


def test_each_way_stands_beside_pq_at_the_same_share(discrete: ModuleType) -> None:
    points = [point(discrete.PQ, 0.8, 90), point(discrete.PQ, 1.6, 94), point("bits", 0.8, 89), point("bits", 1.6, 80)]
    lines = discrete.to_markdown(discrete.summary(points, 0)).splitlines()
    assert lines[0].startswith("Rank-1 in % of 100 dev queries a condition among 5000 fingerprints; ")
    assert lines[-4].startswith(f"| {discrete.PQ} | 14 | 0.80 | 90.0 (8")
    assert lines[-2].startswith("| bits | 14 | 0.80 | 89.0 (-1.0: -3.0 to +0.0")
    assert lines[-1].startswith("| bits | 14 | 1.60 | 80.0 (-14.0: -2")
    assert "those of 7 synthetic distractors included" in discrete.to_markdown(discrete.summary(points, 7))


def test_bits_that_were_learned_anew_are_measured_anew(discrete: ModuleType, tmp_path: Path) -> None:
    def kept(offset: float) -> Path:
        code = BinaryCode(np.eye(8, dtype=np.float32), np.full(8, offset, np.float32), np.eye(8, dtype=np.float32))
        index = BinaryIndex(code, np.eye(8, dtype=np.float32), n_tables=1, table_bits=4, cohort=np.eye(8))
        found: Path = discrete.kept_file(tmp_path, "run, 8 bits learned", index, "0 300 0.5")
        return found

    assert kept(0.0) == kept(0.0)
    assert kept(0.0) != kept(0.1)


def test_as_much_is_scanned_as_was_asked_for(discrete: ModuleType) -> None:
    """The shipped search goes on to 3 % of a large database, which bits do not."""
    asked = {"min_scan": 5_000}
    assert SearchOptions(**asked).n_to_scan(1_000_000) == 20_000
    assert replace(discrete.AsAsked(**asked), excluded_songs=(3,)).n_to_scan(1_000_000) == 5_000


def test_other_queries_are_no_part_of_a_stopped_run(
    discrete: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["discrete", f"--corpus={tmp_path / 'none'}", f"--cache-dir={tmp_path}", f"--out={tmp_path / 'out'}"]
    monkeypatch.setattr("sys.argv", [*options, "--queries=20"])
    with pytest.raises(ConfigError, match="none"):
        discrete.main()
    monkeypatch.setattr("sys.argv", [*options, "--queries=30"])
    with pytest.raises(ConfigError, match="was given queries: 20, not 30"):
        discrete.main()


def test_the_plot_is_written(discrete: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    discrete.plot([point(discrete.PQ, 0.8, 90), point("bits", 0.8, 89)], tmp_path / "discrete.png")
    assert (tmp_path / "discrete.png").read_bytes().startswith(b"\x89PNG")
