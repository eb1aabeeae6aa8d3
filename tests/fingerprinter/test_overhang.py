import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerprinter.fingerprint import Fingerprinter
from fingerprinter.overhang import NO_OVERHANG, OVERHANG_ENTRIES, QueryOverhang
from fingerprinter.training.config import TrainingConfig
from nowplaying_core.errors import ConfigError, CorruptArtifactError
from tests.changed_models import changed_fingerprinter

REPOSITORY = Path(__file__).parents[2]
WINDOW = 32_768


@pytest.fixture(scope="module")
def overhanging(tmp_path_factory: pytest.TempPathFactory) -> Fingerprinter:
    entries = {"query_overhang_s": 0.3, "query_overhang_below_s": 3.0}
    return Fingerprinter.from_model(changed_fingerprinter(tmp_path_factory.mktemp("overhang") / "model", entries))


@given(n=st.integers(1, 60_000), seed=st.integers(0, 99))
@settings(max_examples=12, deadline=None)
def test_each_window_is_the_sound_there_with_silence_around_it(overhanging: Fingerprinter, n: int, seed: int) -> None:
    samples = (0.1 * np.random.default_rng(seed).standard_normal(n)).astype(np.float32)
    found = overhanging.embed_query(samples)
    beyond = 4_800 if n < 48_000 else 0
    assert found.first_s == -beyond / 16_000
    assert len(found.vectors) == len(found.levels_dbfs) == max(1, (n + 2 * beyond - WINDOW) // 8_000 + 1)
    around = np.pad(samples, WINDOW)
    for row in {0, len(found.vectors) - 1}:
        start = WINDOW + round(found.first_s * 16_000) + row * 8_000
        vectors, levels_dbfs = overhanging.embed_with_levels(around[start : start + WINDOW], 0.5)
        np.testing.assert_array_equal(found.vectors[row], vectors[0])
        assert found.levels_dbfs[row] == levels_dbfs[0]


def test_long_queries_and_references_have_none(overhanging: Fingerprinter) -> None:
    rng = np.random.default_rng(1)
    for n in (48_000, 128_000):
        samples = (0.1 * rng.standard_normal(n)).astype(np.float32)
        found = overhanging.embed_query(samples)
        assert found.first_s == 0.0
        np.testing.assert_array_equal(found.vectors, overhanging.embed(samples, 0.5))
    assert len(overhanging.embed(samples[:40_000], 0.5)) == 1
    assert len(overhanging.embed_query(samples[:40_000]).vectors) == 3


def test_a_model_of_before_has_no_overhang(tmp_path: Path) -> None:
    """The entries are new in manifests of schema version 1: one without them opens, and asks as it did."""
    model = Fingerprinter.from_model(changed_fingerprinter(tmp_path / "model", {}))  # which takes them away
    assert model.overhang == NO_OVERHANG
    samples = (0.1 * np.random.default_rng(2).standard_normal(40_000)).astype(np.float32)
    found = model.embed_query(samples)
    np.testing.assert_array_equal(found.vectors, model.embed(samples, model.query_hop_s))
    assert found.first_s == 0.0


@pytest.mark.parametrize(
    ("entries", "query_s", "expected_s"),
    [
        ({}, 1.0, 0.0),
        ({"query_overhang_s": 0.3}, 8.0, 0.3),
        ({"query_overhang_s": 0.3, "query_overhang_below_s": 3.0}, 2.99, 0.3),
        ({"query_overhang_s": 0.3, "query_overhang_below_s": 3.0}, 3.0, 0.0),
        ({"query_overhang_s": 0, "query_overhang_below_s": 3}, 1.0, 0.0),
    ],
)
def test_the_manifest_says_which_queries(entries: dict[str, Any], query_s: float, expected_s: float) -> None:
    assert QueryOverhang.from_manifest(entries, 0.96).seconds_for(query_s) == expected_s


@pytest.mark.parametrize(
    "entries",
    [
        {"query_overhang_s": "0.3"},
        {"query_overhang_s": True},
        {"query_overhang_s": -0.1},
        {"query_overhang_s": 1.03},
        {"query_overhang_s": 0.3, "query_overhang_below_s": 0},
        {"query_overhang_s": 0.3, "query_overhang_below_s": [3]},
    ],
)
def test_what_is_no_overhang_is_refused(tmp_path: Path, entries: dict[str, Any]) -> None:
    with pytest.raises(CorruptArtifactError, match=r"manifest\.json: query_overhang"):
        Fingerprinter.from_model(changed_fingerprinter(tmp_path / "model", entries))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_of_seconds_is_refused(value: float) -> None:
    for name in ("query_overhang_s", "query_overhang_below_s"):
        if name == "query_overhang_s" or not value > 0:
            with pytest.raises(ConfigError, match=name):
                QueryOverhang.from_manifest({name: value}, 0.96)


def test_settings_of_training_have_the_entries_names() -> None:
    assert set(OVERHANG_ENTRIES) <= set(TrainingConfig.__dataclass_fields__)


def test_java_reads_the_entries_by_their_names_in_one_place() -> None:
    core = REPOSITORY / "android_demo/core/src/main/java"
    named = {path.name: re.findall(r'"(query_overhang\w*)"', path.read_text()) for path in core.rglob("*.java")}
    assert {name: found for name, found in named.items() if found} == {"QueryOverhang.java": list(OVERHANG_ENTRIES)}


@pytest.mark.parametrize("page", ["docs/pack-format.md", "models/README.md", "examples/recognize_from_phone_bundle.py"])
def test_pages_for_other_readers_name_the_entries(page: str) -> None:
    assert set(re.findall(r"query_overhang\w*", (REPOSITORY / page).read_text())) == set(OVERHANG_ENTRIES)
