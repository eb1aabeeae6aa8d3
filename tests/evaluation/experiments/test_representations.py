"""The table of encoders: equal budgets, and sentences that say what the figures say."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("keras", reason="needs the train extra")


FILE = Path(__file__).parents[3] / "evaluation/experiments/representations.py"

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def representations() -> ModuleType:
    return importlib.import_module("evaluation.experiments.representations")


def test_all_methods_have_the_same_budget(representations: ModuleType) -> None:
    budget = FILE.parents[2] / "configs" / "pretraining" / "table.toml"
    all_runs = [
        config
        for method in representations.ENCODERS
        for config in representations.configs(method, budget, n_steps=7, n_runs=2)
    ]
    assert {(config.n_steps, config.clips_per_step) for config in all_runs} == {(7, 128)}
    assert {config.seed for config in all_runs} == {1, 2}
    assert [config.method for config in all_runs[::2]] == list(representations.ENCODERS)
    assert all_runs[12].objective.units == 512, "what is a method's own comes from its own file"


def row(method: str, minus: dict[str, tuple[float, float, float]], **more: object) -> dict[str, object]:
    names = ("difference", "low", "high")
    found = {other: dict(zip(names, values, strict=True)) for other, values in minus.items()}
    return {"mode": "frozen", "label_share": 1.0, "method": method, "accuracy": 0.5, "minus": found, **more}


def test_findings_tell_sure_differences_from_others(representations: ModuleType) -> None:
    result = {
        "beside": ["longer"],
        "settings": {"label_shares": [0.1, 1.0]},
        "results": [
            row("cola", {"random": (0.1, 0.02, 0.2)}, task="digits"),
            row("cola", {"random": (-0.1, -0.2, -0.02)}, task="key"),
            row("cola", {"random": (0.1, -0.02, 0.2)}, task="tempo"),
        ],
        "means": [
            row("random", {}),
            row("supervised", {}, accuracy=0.9),
            row("audio2vec_cbow", {"random": (0, 0, 0), "supervised": (0, 0, 0)}),
            row(
                "cola",
                {"random": (0.04, 0.01, 0.07), "supervised": (-0.06, -0.1, -0.02), "audio2vec_cbow": (0.03, 0, 0.05)},
                accuracy=0.6,
            ),
            row("longer", {"random": (0.1, 0.0, 0.2), "supervised": (0.0, 0.0, 0.0)}, accuracy=0.95),
        ],
    }
    lines = representations.findings(result)
    sentence = "- `cola`: +4.0 points (+1.0 to +7.0) to random on average; surely above it on 1 of 3 tasks"
    assert f"{sentence}, surely below on key." in lines
    assert "- Best without labels: `cola`, -6.0 points (-10.0 to -2.0) to supervised." in lines
    assert "- `cola` to `audio2vec_cbow`: +3.0 points (+0.0 to +5.0)." in lines
