"""What the accuracy page shows of the shipped fingerprinter was measured with it, and not with the one before."""

import pytest

from evaluation.committed import committed
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER


@pytest.mark.parametrize("name", ["sizes", "speeds", "strangers"])
def test_answers_are_of_the_shipped_fingerprinter(name: str) -> None:
    assert committed(f"evaluation/experiments/{name}.json")["model"] == SHIPPED_FINGERPRINTER


def test_metrics_are_of_the_shipped_graphs() -> None:
    folder = f"models/{SHIPPED_FINGERPRINTER}"
    manifest, metrics = committed(f"{folder}/manifest.json"), committed(f"{folder}/metrics.json")
    assert metrics["model"] == manifest["name"] == SHIPPED_FINGERPRINTER
    assert metrics["embedding_space"] == manifest["embedding_space"]


@pytest.mark.parametrize("name", ["whole_phone", "whole_phone_cleaned"])
def test_the_whole_phone_is_of_both_shipped_models(name: str) -> None:
    models = committed(f"evaluation/{name}.json")["models"]
    assert models == {"detector": SHIPPED_DETECTOR, "fingerprinter": SHIPPED_FINGERPRINTER}
