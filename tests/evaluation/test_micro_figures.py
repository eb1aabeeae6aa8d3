from pathlib import Path

import pytest

from evaluation.committed import committed
from evaluation.micro_figures import main, micro_cost_text
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.manifest import ModelFolder


def test_every_output_equals_the_golden_one_and_fits_its_arena() -> None:
    for cost in committed("evaluation/micro_figures.json")["kernels"].values():
        for stage in ("first_stage", "second_stage"):
            assert cost[f"{stage}_different"] == 0
            assert cost[f"{stage}_arena_used_bytes"] <= cost[f"{stage}_arena_bytes"]


def test_the_tables_have_both_stages_with_each_library() -> None:
    text, cost = micro_cost_text(), committed("evaluation/micro_figures.json")["kernels"]["CMSIS-NN"]
    plain = committed("evaluation/firmware_figures.json")["second_stage"]
    mhz = [round(2 * one["most"] / 1e6) for one in (cost["second_stage"], plain)]
    for row in (
        f"| second stage, CMSIS-NN | {cost['second_stage']['mean']:,} | {cost['second_stage']['most']:,} | ",
        f"| {cost['first_stage_arena_used_bytes']:,} of {cost['first_stage_arena_bytes']:,} |",
        "| first stage, reference | ",
        f"| CMSIS-NN | {mhz[0]} | ",
        f"| plain C | {mhz[1]} | ",
    ):
        assert row in text


def test_the_figures_are_of_the_shipped_graphs() -> None:
    files = ModelFolder.open(SHIPPED_DETECTOR, role="detector").manifest["files"]
    found = {name: record["sha256"] for name, record in files.items() if name.endswith(".tflite")}
    assert committed("evaluation/micro_figures.json")["graphs"] == found, "run python -m evaluation.micro_figures"


def test_a_library_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = str(tmp_path)
    with pytest.raises(SystemExit) as error:
        main([here, "--include", here, "--library", f"reference={here}/none.a", "--versions", "x"])
    assert error.value.code == 2
    assert f"{here}/none.a: expected a file or folder, found none" in capsys.readouterr().err
