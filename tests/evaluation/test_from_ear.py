"""The table of beginnings: differences are paired by seed."""

from pathlib import Path
from types import ModuleType

import pytest

from tests.scripts import load_script


@pytest.fixture(scope="module")
def from_ear() -> ModuleType:
    return load_script("from_ear")


def test_seeds_that_differ_more_than_the_ear_helps_do_not_hide_it(from_ear: ModuleType) -> None:
    settings = {"scenes": 10, "detector_steps": 3, "distilled_steps": 1, "fingerprinter_steps": 5}
    rows = [
        {"what": "detector", "seed": seed, "with_ear": with_ear, "found": {"area": area + gain * with_ear}}
        for seed, area, gain in ((1, 0.80, 0.010), (2, 0.90, 0.012), (3, 0.85, 0.011))
        for with_ear in (False, True)
    ]
    text = from_ear.to_markdown({"settings": settings, "ear": "ear-v1", "rows": rows})
    assert "| detector | area | 85.00 | 86.10 | +1.10 (+0.85 to +1.35) |" in text
    one = from_ear.to_markdown({"settings": settings, "ear": "ear-v1", "rows": rows[:2]})
    assert "| 80.00 | 81.00 | +1.00 |" in one


def test_a_finished_run_is_not_run_again(from_ear: ModuleType, tmp_path: Path) -> None:
    calls = []

    def measure(folder: Path, seed: int) -> dict[str, float]:
        calls.append(seed)
        return {"area": 0.5}

    assert from_ear.kept(measure, tmp_path, 1) == from_ear.kept(measure, tmp_path, 1) == {"area": 0.5}
    assert calls == [1]
