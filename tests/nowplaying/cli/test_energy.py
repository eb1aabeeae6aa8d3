import csv
import json
from pathlib import Path

import pytest

from .conftest import Run


def test_same_seed_same_day_and_parts_add_up(run: Run) -> None:
    (first,) = run("energy", "--days", "20", "--seed", "4", "--json").records
    assert (first,) == tuple(run("energy", "--days", "20", "--seed", "4", "--json").records)
    assert first != run("energy", "--days", "20", "--seed", "5", "--json").records[0]
    assert first["schema"] == "nowplaying/energy/1"
    assert sum(first["parts_mah"].values()) == pytest.approx(first["mah_per_day"])
    modelled = first["modelled"]
    assert sum(modelled["components_mah"].values()) == pytest.approx(modelled["mah_per_day"])


def test_report_is_one_page_with_the_numbers_that_json_prints(run: Run, tmp_path: Path) -> None:
    options = ("--day", "quiet-home", "--days", "3", "--detail-days", "1", "--device", "phone-2026")
    done = run("energy", *options, "--json", "--report", tmp_path / "day.html")
    (record,) = done.records
    page = (tmp_path / "day.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert f"{record['mah_per_day']:.2f}" in page
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page
    beside = json.loads((tmp_path / "day.json").read_text(encoding="utf-8"))
    assert beside["summary"]["mah_per_day"] == record["mah_per_day"]
    with (tmp_path / "day.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 3
    mean_mah = sum(float(row["mah_modelled"]) * float(row["weight"]) for row in rows)
    assert mean_mah == pytest.approx(record["modelled"]["mah_per_day"], abs=1e-3)


def test_a_bigger_database_costs_more(run: Run) -> None:
    options = ("--day", "quiet-home", "--days", "3", "--json")
    small, large = (run("energy", *options, "--songs", songs).records[0] for songs in ("1000", "1000000"))
    assert small["day"] == "Quiet day at home"
    assert large["modelled"]["wake_j"] > small["modelled"]["wake_j"]
    assert large["mah_per_day"] == pytest.approx(small["mah_per_day"], rel=0.02)


def test_measured_latencies_replace_the_estimate(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "phone.json"
    path.write_text('{"device": "x", "encoder.tflite": {"latency_metrics": {"avg_ms": 500.0}}}', encoding="utf-8")
    options = ("--day", "silence", "--days", "1", "--json")
    slow = run("energy", *options, "--latencies", path).records[0]
    assert slow["modelled"]["wake_j"] > run("energy", *options).records[0]["modelled"]["wake_j"] + 1.0
    path.write_text("{}", encoding="utf-8")
    done = run("energy", *options, "--latencies", path)
    assert done.code == 2
    assert "phone.json" in done.err


@pytest.mark.parametrize("arguments", [["--day", "nonsense"], ["--device", "nonsense"], ["--rates", "nonsense"]])
def test_unknown_names_are_usage_errors_that_list_the_known(run: Run, arguments: list[str]) -> None:
    done = run("energy", *arguments)
    assert done.code == 2
    assert "nonsense" in done.err
    assert any(known in done.err for known in ("average", "pixel-2", "measured"))
