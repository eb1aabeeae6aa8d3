from pathlib import Path

import pytest

from evaluation.committed import committed
from evaluation.micro_figures import main, micro_cost_text


def test_every_output_equals_the_golden_one_and_fits_its_arena() -> None:
    for cost in committed("evaluation/micro_figures.json")["kernels"].values():
        for stage in ("first_stage", "second_stage"):
            assert cost[f"{stage}_different"] == 0
            assert cost[f"{stage}_arena_used_bytes"] <= cost[f"{stage}_arena_bytes"]


def test_the_table_has_both_stages_with_each_library() -> None:
    text = micro_cost_text()
    for row in (
        "| first stage, reference | 1,084,276 |",
        "| second stage, CMSIS-NN | 26,573,608 |",
        "| 10,908 of 13,392 |",
        # 26,573,640 instructions in half a second.
        "| CMSIS-NN | 53 | 106 |",
        "| plain C | 159 | 318 |",
    ):
        assert row in text


def test_a_library_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = str(tmp_path)
    with pytest.raises(SystemExit) as error:
        main([here, "--include", here, "--library", f"reference={here}/none.a", "--versions", "x"])
    assert error.value.code == 2
    assert f"{here}/none.a: expected a file or folder, found none" in capsys.readouterr().err
