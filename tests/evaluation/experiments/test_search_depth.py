"""Search depth: each search asks the same queries, and differences pair the right ones."""

import json
from pathlib import Path

import pytest

from evaluation.experiments.search_depth import EXACT, SEARCHES, SHIPPED, main, to_markdown


def test_each_search_asks_in_each_condition_and_is_held_against_the_shipped_one(corpus: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    few = ["--queries", "8", "--distractors", "64", "--every", "2", "--exact-every", "4"]
    main(["--corpus", str(corpus), "--cache-dir", str(cache), *few, "--out", str(tmp_path / "depth.json")])
    result = json.loads((tmp_path / "depth.json").read_text(encoding="utf-8"))
    rows = result["rows"]
    assert result["n_songs"] == 7 + 64
    assert [row["search"] for row in rows] == [*SEARCHES, EXACT] * 4
    for row in rows:
        assert row["n"] == (2 if row["search"] == EXACT else 4)
        assert row["accepted"]["count"] <= row["rank1"]["count"]
        assert ("rank1_difference" in row) == (row["search"] != SHIPPED)
    assert all(row["rank1"]["rate"] == 1 for row in rows if row["condition"] == "5 dB, 8 s")
    assert len(to_markdown(result).splitlines()) == 2 + len(rows)
    assert not list(cache.glob("tmp*")), "the large library is removed"


def test_exhaustive_queries_are_among_the_others(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(
            ["--corpus", str(corpus), "--cache-dir", str(tmp_path), "--exact-every", "6", "--out", str(tmp_path / "a")]
        )
    assert "--exact-every: expected a multiple of --every, 4, found 6" in capsys.readouterr().err
