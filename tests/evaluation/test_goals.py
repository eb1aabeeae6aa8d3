"""Goals stand beside the figures, the missed ones too."""

import json

import pytest

from evaluation.goals import detector_table, goal_cell, load_goals
from evaluation.readme import retrieval_text
from evaluation.retrieval.conditions import standard_conditions
from evaluation.retrieval.report import known_table
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER, builtin_model_dir


@pytest.mark.parametrize(
    ("value", "bounds", "expected"),
    [
        (98.5, {"at_least": 98.5}, "≥ 98.5: met"),
        (98.4, {"at_least": 98.5}, "≥ 98.5: **missed**"),
        (0.3, {"at_most": 0.3}, "≤ 0.3: met"),
        (0.4, {"at_most": 0.3}, "≤ 0.3: **missed**"),
        (1.0, {}, ""),
    ],
)
def test_a_goal_is_met_or_missed(value: float, bounds: dict[str, float], expected: str) -> None:
    assert goal_cell(value, **bounds) == expected


def test_every_goal_is_for_something_that_is_measured() -> None:
    goals = load_goals()
    assert set(goals) == {"retrieval", "false_accepts", "detector", "energy"}
    assert set(goals["retrieval"]) <= {condition.name for condition in standard_conditions()}
    for goal in goals["retrieval"].values():
        assert set(goal) <= {"rank1", "accepted"}
    metrics = json.loads((builtin_model_dir(SHIPPED_FINGERPRINTER) / "metrics.json").read_text(encoding="utf-8"))
    assert set(goals["retrieval"]) <= {row["condition"] for row in metrics["known"]}
    assert set(goals["false_accepts"]) == {row["queries"] for row in metrics["false_accepts"]}


def test_every_goal_is_printed_in_readme_and_cards() -> None:
    goals = load_goals()
    n_retrieval = sum(map(len, goals["retrieval"].values()))
    fingerprinter, detector = (builtin_model_dir(name) for name in (SHIPPED_FINGERPRINTER, SHIPPED_DETECTOR))
    for text in (retrieval_text(), (fingerprinter / "MODEL_CARD.md").read_text(encoding="utf-8")):
        assert text.count("≥ ") == n_retrieval
    metrics = json.loads((detector / "metrics.json").read_text(encoding="utf-8"))
    table = detector_table(metrics)
    assert table.count("≥ ") + table.count("≤ ") == len(goals["detector"])
    assert table in (detector / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_a_missed_goal_is_marked() -> None:
    rate = {"rate": 0.915, "bootstrap": [0.9, 0.93]}
    row = {"condition": "0 dB, room, 3 s", "rank1": rate, "accepted": rate, "wrong_accepted": rate}
    line = known_table({"known": [row]}).splitlines()[-1]
    assert line == "| 0 dB, room, 3 s | 91.5 | 90.0 to 93.0 | ≥ 92: **missed** | 91.5 | ≥ 82: met | 91.50 |"
