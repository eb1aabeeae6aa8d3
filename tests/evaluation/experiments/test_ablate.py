"""The table of variants is data: a misspelt setting must not wait for its turn after hours of training."""

import tomllib
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("keras", reason="needs the train extra")

import importlib

from fingerprinter.encoders.registry import build_encoder
from fingerprinter.training.config import TrainingConfig
from nowplaying_core.settings import merged

NAMES = ("5 dB, 2 s", "0 dB, room, 8 s")
FOLDER = Path(__file__).parents[3] / "evaluation/experiments"
TABLE = tomllib.loads((FOLDER / "ablations.toml").read_text(encoding="utf-8"))

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def ablate() -> ModuleType:
    return importlib.import_module("evaluation.experiments.ablate")


@pytest.mark.parametrize("variant", TABLE["variant"], ids=lambda variant: variant["name"])
def test_every_variant_is_a_network_of_phone_size(variant: dict) -> None:
    config = TrainingConfig.from_dict(merged(TABLE["base"], variant.get("settings", {})))
    assert config != TrainingConfig.from_dict(TABLE["base"]) or variant["name"] == "base"
    encoder = build_encoder(config.encoder, config.front_end)
    assert encoder.count_params() < 1.2e6
    assert config.encoder.dim % 8 == 0


def test_table_has_a_cell_for_every_length(ablate: ModuleType) -> None:
    def cells(*counts: int) -> dict:
        return {name: {"n": 200, "count": count} for name, count in zip(NAMES, counts, strict=True)}

    without = {"n_parameters": 812_000, "bytes_per_s": 12.0, "rank1": cells(180, 191)}
    result = {**without, "int8_loss_points": ablate.loss_points(cells(180, 191), cells(182, 191))}
    first, last = ablate.to_markdown(TABLE["base"], {"base": result, "other": without}).splitlines()[-2:]
    assert last == "| other | 812,000 | 12 |  | 90.0 |  |  |  |  |  |  |  | 95.5 |  |"
    assert first == "| base | 812,000 | 12 |  | 90.0 |  |  |  |  |  |  |  | 95.5 | -0.5 |"
