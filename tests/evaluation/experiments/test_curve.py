"""The table and the plot of rank-1 against space are made of the points alone."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("faiss", reason="needs the train extra")


@pytest.fixture(scope="module")
def curve() -> ModuleType:
    return importlib.import_module("evaluation.experiments.curve")


def point(hop_s: float, n_bytes: int, count: int) -> dict:
    rank1 = {"5 dB, 2 s": {"n": 200, "count": count}, "0 dB, room, 8 s": {"n": 200, "count": count - 20}}
    return {"model": "m", "window_s": 2.048, "dim": 96, "hop_s": hop_s, "bytes": n_bytes, "rank1": rank1}


def test_points_stand_in_the_order_of_their_space(curve: ModuleType) -> None:
    lines = curve.to_markdown([point(0.5, 12, 190), point(1.0, 12, 180), point(1.0, 6, 160)]).splitlines()
    assert lines[-3:] == [
        "| m | 2.05 | 1 | 6 | 6 |  | 80.0 |  |  |  |  |  |  |  | 70.0 |",
        "| m | 2.05 | 1 | 12 | 12 |  | 90.0 |  |  |  |  |  |  |  | 80.0 |",
        "| m | 2.05 | 0.5 | 12 | 24 |  | 95.0 |  |  |  |  |  |  |  | 85.0 |",
    ]


def test_the_plot_is_written(curve: ModuleType, tmp_path: Path) -> None:
    curve.plot([point(0.5, 12, 190), point(1.0, 12, 180)], tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
