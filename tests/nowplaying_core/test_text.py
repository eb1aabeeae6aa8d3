from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.text import clock, listed, markdown_table, plain, with_interval


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00.0"),
        (59.96, "1:00.0"),
        (62.5, "1:02.5"),
        (83.42, "1:23.4"),
        (-1.25, "-0:01.2"),
        (-0.01, "0:00.0"),
        (3599.9, "59:59.9"),
        (3599.96, "1:00:00.0"),
        (21_723.5, "6:02:03.5"),
        (-3600, "-1:00:00.0"),
    ],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_markdown_table_aligns_numbers_on_the_right() -> None:
    text = markdown_table(["name", "n"], [["a", "1"], ["b", "20"]], numbers=[1])
    assert text == "| name | n |\n| --- | ---: |\n| a | 1 |\n| b | 20 |"


def test_an_estimate_stands_before_its_interval() -> None:
    assert with_interval({"value": 0.884, "low": 0.805, "high": 0.934}, scale=100, unit=" %") == "88.4 % (80.5 to 93.4)"
    assert with_interval({"difference": -0.5, "low": -1, "high": 0.25}, 2, of="difference", sign="+") == (
        "-0.50 (-1.00 to +0.25)"
    )


def test_plain_values_are_json() -> None:
    value = {1: np.float32(0.5), "nan": float("nan"), "rows": (np.arange(2), None, True), "path": Path("a")}
    assert plain(value) == {"1": 0.5, "nan": None, "rows": [[0, 1], None, True], "path": "a"}
    assert type(plain(np.int64(3))) is int


def test_figures_are_listed_for_people() -> None:
    row = {"step": 1600, "loss": 2.826217254002889, "learning_rate": 0.00029289321881345256, "clients": [1, 2]}
    assert listed(row) == "step 1600, loss 2.826, learning rate 0.0002929, clients [1, 2]"
