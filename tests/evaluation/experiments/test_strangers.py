"""Queries that must get no name: sounds are counted by source."""

import json
from pathlib import Path

import numpy as np
import pytest

from evaluation.experiments.strangers import counted, main, to_markdown


def test_the_bound_is_that_of_a_rate() -> None:
    found = counted("noise", np.array([True, *[False] * 999]))
    assert (found["n"], found["count"]) == (1000, 1)
    assert found["upper_95"] == pytest.approx(0.00474, abs=1e-5)  # of a Poisson count of one: 4.74


def test_a_small_corpus_is_measured_by_source(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "strangers.json"
    options = ["--ambient", "2", "--drones", "2", "--sounds", "3", "--out", str(out)]
    main(["--corpus", str(corpus), "--cache-dir", str(tmp_path / "cache"), *options])
    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["ambient"][-1]["queries"] == "synthetic drones, 2 others in the index"
    assert result["ambient"][-1]["n"] == 2
    assert [(row["group"], row["source"] is None) for row in result["sounds"]] == [
        ("speech", False),
        ("speech", True),
        ("noise", False),
        ("noise", True),
    ]
    assert all(one["n"] == 3 for row in result["sounds"] for one in row["conditions"])
    assert len(to_markdown(result).split("\n\n")) == 2
    assert not list((tmp_path / "cache").glob("*drones*")), "the database of drones is removed"
