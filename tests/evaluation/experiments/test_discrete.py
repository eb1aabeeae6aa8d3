"""The table and the plot of rank-1 against what is scanned are made of the points alone."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest


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


def test_the_plot_is_written(discrete: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    discrete.plot([point(discrete.PQ, 0.8, 90), point("bits", 0.8, 89)], tmp_path / "discrete.png")
    assert (tmp_path / "discrete.png").read_bytes().startswith(b"\x89PNG")
