"""The page of a bundle: what it says of a detector follows its manifest."""

from dataclasses import replace

import pytest

from export import guide
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.manifest import ModelFolder


@pytest.mark.parametrize(("level", "text"), [(None, ""), (-62.5, "were all below -62.5 dBFS (RMS)")])
def test_a_detector_that_always_listens_has_a_page_too(level: float | None, text: str) -> None:
    folder = ModelFolder.open(SHIPPED_DETECTOR, role="detector")
    gate = {**folder.manifest["gate"], "silence_dbfs": level}
    found = guide._detector_values(replace(folder, manifest={**folder.manifest, "gate": gate}))["silence"]
    assert text in found
    assert bool(found) == (level is not None)


def test_a_second_stage_is_explained_where_there_is_one() -> None:
    folder = ModelFolder.open(SHIPPED_DETECTOR, role="detector")
    one = {name: value for name, value in folder.manifest.items() if name != "cascade"}
    assert guide._detector_values(replace(folder, manifest=one))["second_stage"] == ""
    two = {**one, "cascade": {"wanted_above": 77}}
    text = guide._detector_values(replace(folder, manifest=two))["second_stage"]
    assert "at least 77" in text
    assert "second_stage.tflite" in text
