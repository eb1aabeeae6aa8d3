from pathlib import Path

import pytest

from .conftest import Run


def test_same_seed_same_day_and_parts_add_up(run: Run) -> None:
    (first,) = run("energy", "--days", "500", "--seed", "4", "--json").records
    assert (first,) == tuple(run("energy", "--days", "500", "--seed", "4", "--json").records)
    assert first != run("energy", "--days", "500", "--seed", "5", "--json").records[0]
    assert first["schema"] == "nowplaying/energy/1"
    assert sum(first["parts_mah"].values()) == pytest.approx(first["mah_per_day"])


def test_report_is_one_page_with_the_numbers_that_json_prints(run: Run, tmp_path: Path) -> None:
    done = run("energy", "--days", "100", "--json", "--report", tmp_path / "day.html")
    (record,) = done.records
    page = (tmp_path / "day.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert f"{record['mah_per_day']:.2f}" in page
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page


@pytest.mark.parametrize("arguments", [["--day", "nonsense"], ["--device", "nonsense"]])
def test_unknown_names_are_usage_errors_that_list_the_known(run: Run, arguments: list[str]) -> None:
    done = run("energy", *arguments)
    assert done.code == 2
    assert "nonsense" in done.err
    assert "average" in done.err or "pixel-2" in done.err
