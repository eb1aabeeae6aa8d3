"""The page of a bundle: what it says of a detector follows its manifest."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.features import frontend_settings
from detector.front_end import FrontEndSettings
from detector.stream import MODEL_FILE
from export import guide
from export.model_copies import copy_with_metadata
from fingerprinter.fingerprint import Fingerprinter
from fingerprinter.overhang import QueryOverhang
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.manifest import ModelFolder


@pytest.mark.parametrize(("level", "text"), [(None, ""), (-62.5, "were all below -62.5 dBFS (RMS)")])
def test_a_detector_that_always_listens_has_a_page_too(level: float | None, text: str) -> None:
    folder = ModelFolder.open(SHIPPED_DETECTOR, role="detector")
    gate = {**folder.manifest["gate"], "silence_dbfs": level}
    found = guide._detector_values(replace(folder, manifest={**folder.manifest, "gate": gate}))["silence"]
    assert text in found
    assert bool(found) == (level is not None)


def test_features_are_rounded_as_the_detector_s_own_front_end_says(tmp_path: Path) -> None:
    folder = ModelFolder.open(SHIPPED_DETECTOR, role="detector")
    other = frontend_settings(FrontEndSettings(full_scale=512))
    changed = replace(folder, manifest={**folder.manifest, "frontend": other})
    found = guide._detector_values(changed)
    assert (found["full_scale"], found["half_scale"]) == (512, 256)
    copied = copy_with_metadata(changed, tmp_path / "copy")
    assert b"int8 by (256*raw+256)//512-128" in (copied.path / MODEL_FILE).read_bytes()


def test_a_second_stage_is_explained_where_there_is_one() -> None:
    folder = ModelFolder.open(SHIPPED_DETECTOR, role="detector")
    one = {name: value for name, value in folder.manifest.items() if name != "cascade"}
    assert guide._detector_values(replace(folder, manifest=one))["second_stage"] == ""
    two = {**one, "cascade": {"wanted_above": 77}}
    text = guide._detector_values(replace(folder, manifest=two))["second_stage"]
    assert "at least 77" in text
    assert "second_stage.tflite" in text


@pytest.mark.parametrize(
    ("overhang", "n_query", "text"),
    [
        (QueryOverhang(), 12, ""),
        (
            QueryOverhang(query_overhang_s=0.5, query_overhang_below_s=3.0),
            12,
            "A query of less than 3 s first gets 0.5 s",
        ),
        (QueryOverhang(query_overhang_s=0.5), 14, "A query first gets 0.5 s of zeros at both ends"),
    ],
)
def test_windows_that_overhang_a_query_are_explained(overhang: QueryOverhang, n_query: int, text: str) -> None:
    fingerprinter = Fingerprinter.from_model()
    fingerprinter.overhang = overhang
    values = guide._fingerprinter_values(fingerprinter)
    assert values["n_query"] == n_query == len(fingerprinter.embed_query(np.zeros(128_000, np.float32)).vectors)
    assert text in values["overhang"]
    assert bool(values["overhang"]) == bool(text)
