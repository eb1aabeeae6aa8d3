"""Each benchmark runs at its smallest size; what it measures here means nothing, and nothing is timed."""

import json
from pathlib import Path

import pytest

from benchmarks import bench_codes, bench_graphs, bench_memory, bench_scale, bench_search, bench_speed
from evaluation.pages import ROOT

pytestmark = pytest.mark.slow


def test_make_bench_runs_every_benchmark() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "for script in benchmarks/bench_*.py; do $(BIN)/python -m benchmarks." in makefile
    modules = (bench_codes, bench_graphs, bench_memory, bench_scale, bench_search, bench_speed)
    tested = {Path(module.__file__ or "").name for module in modules}
    assert {path.name for path in (ROOT / "benchmarks").glob("bench_*.py")} == tested


def test_codes(tmp_path: Path) -> None:
    record = bench_codes.main(["--runs", "1", "--songs", "1", "--out", str(tmp_path / "codes.json")])
    assert json.loads((tmp_path / "codes.json").read_text(encoding="utf-8")) == record
    assert [row["code_bytes"] for row in record["codebooks"]] == [6, 8, 12, 16, 24]
    for row in record["codebooks"]:
        assert row["coding_ms_per_song"] > 0
        assert 0 < row["squared_error"] < 1


def test_graphs() -> None:
    records = bench_graphs.main(["--runs", "2"])
    graphs = {f"{path.parent.name}-{path.stem}" for path in (ROOT / "models").glob("*/*.tflite")}
    assert len(graphs) > 6
    assert {(one["graph"], one["kernels"]) for one in records} == {
        (graph, kernels) for graph in graphs for kernels in ("default", "reference")
    }
    assert all(0 < one["median_ms"] <= one["p95_ms"] for one in records)


def test_speed(tmp_path: Path) -> None:
    options = [
        "--tracks",
        "2",
        "--track-s",
        "10",
        "--queries",
        "3",
        "--jobs",
        "1",
        "--out",
        str(tmp_path / "speed.json"),
    ]
    result = bench_speed.main(options)
    assert json.loads((tmp_path / "speed.json").read_text(encoding="utf-8")) == result
    committed = json.loads((ROOT / "benchmarks/speed.json").read_text(encoding="utf-8"))
    assert set(committed) == set(result), "the README is written from these"
    assert 0 <= result["n_accepted"] <= 3
    for name in set(result) - {"machine", "n_accepted"}:
        assert result[name] > 0, name


def test_search(tmp_path: Path) -> None:
    pytest.importorskip("faiss", reason="needs the train extra")
    sizes = ["--distractors", "3", "--real-songs", "6", "--queries", "10", "--cells", "8"]
    record = bench_search.main([*sizes, "--out", str(tmp_path / "search.json")])
    assert json.loads((tmp_path / "search.json").read_text(encoding="utf-8")) == [record]
    by_way = {row["way"]: row for row in record["ways"]}
    assert len(by_way) == 6
    assert by_way["exact, floats"]["nearest_first"] == 1
    assert by_way["this database, 12 bytes"]["nearest_among_10"] >= 0.5


def test_scale(tmp_path: Path) -> None:
    options = [
        "--songs",
        "20",
        "--queries",
        "3",
        "--out",
        str(tmp_path / "scale.json"),
        "--plot",
        str(tmp_path / "p.png"),
    ]
    (record,) = bench_scale.main(options)
    assert json.loads((tmp_path / "scale.json").read_text(encoding="utf-8")) == [record]
    assert record["distractors_found"] == "3 of 3"
    assert record["made"]["songs"] == 20
    assert set(record["cpu_ms_by_part"]) == set(bench_scale.PARTS)
    for part, cpu_ms in record["cpu_ms_by_part"].items():
        assert cpu_ms > 0, f"{part}: no function of this name was called"
    assert (tmp_path / "p.png").stat().st_size > 0


def test_memory(tmp_path: Path) -> None:
    result = bench_memory.main(["--seconds", "20", "--out", str(tmp_path / "memory.json")])
    assert json.loads((tmp_path / "memory.json").read_text(encoding="utf-8")) == result
    assert [row["command"] for row in result["rows"]] == ["index", "recognize", "detect"]
    assert all(20 < row["peak_mb"] < 300 for row in result["rows"])
