"""The rows are data: they must differ in their losses alone, and a misspelt setting must not wait for its turn."""

import importlib
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType

import pytest

from evaluation.experiments.decoder_report import to_markdown
from fingerprinter.config import FrontEndConfig
from nowplaying_core.settings import merged, read_settings
from pretraining.config.decoder import DecoderConfig
from pretraining.config.run import EncoderConfig, PretrainingConfig

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs" / "pretraining" / "decoders"
WEIGHTS = ("diffusion_weight", "mse_weight", "perceptual_weight", "adversarial_weight")


@pytest.fixture(scope="module")
def decoders() -> ModuleType:
    return importlib.import_module("evaluation.experiments.decoders")


def test_rows_differ_in_their_weights_alone(decoders: ModuleType) -> None:
    configs = {name: PretrainingConfig.read(CONFIGS / f"{name}.toml") for name in decoders.ROWS}
    alike = {repr(replace(config, decoder=DecoderConfig())) for config in configs.values()}
    assert len(alike) == 1
    shapes = {
        repr({name: value for name, value in asdict(config.decoder).items() if name not in WEIGHTS})
        for config in configs.values()
    }
    assert len(shapes) == 1
    weights = {name: tuple(getattr(config.decoder, one) for one in WEIGHTS) for name, config in configs.items()}
    assert weights["diffusion"] == (1.0, 0.0, 0.0, 0.0)
    assert weights["diffusion_mse"] == (1.0, 1.0, 0.0, 0.0)
    assert weights["diffusion_mse_perceptual"] == (1.0, 1.0, 0.1, 0.0)
    assert weights["diffusion_mse_perceptual_1"] == (1.0, 1.0, 1.0, 0.0)
    assert weights["mse"] == (0.0, 1.0, 0.0, 0.0)
    assert weights["gan"] == (0.0, 1.0, 0.1, 0.1)
    ours = configs[decoders.OURS]
    assert ours.front_end == FrontEndConfig(), "the shipped fingerprinter hears what is rebuilt"
    perceptual_encoder = PretrainingConfig.read(CONFIGS / f"{decoders.PERCEPTUAL_ENCODER}.toml")
    assert (perceptual_encoder.encoder, perceptual_encoder.front_end) == (EncoderConfig(), ours.front_end)


def test_full_scale_changes_are_settings(decoders: ModuleType) -> None:
    changes = read_settings(CONFIGS / "gpu.toml")
    assert set(changes) == {decoders.PERCEPTUAL_ENCODER, "decoders"}
    for name in decoders.ROWS:
        values = merged(read_settings(CONFIGS / f"{name}.toml"), changes["decoders"])
        assert PretrainingConfig.from_dict(values).n_steps == changes["decoders"]["n_steps"]


def test_the_table_has_a_row_for_each_decoder_and_a_curve_for_one() -> None:
    def figure(value: float) -> dict[str, float]:
        return {"value": value, "low": value - 1, "high": value + 1}

    def step(n_steps: int, *, in_table: bool) -> dict[str, object]:
        return {
            "n_steps": n_steps,
            "in_table": in_table,
            "mse": n_steps / 10,
            "distance": figure(20.0 / n_steps),
            "own_window_first": 0.25,
        }

    plain = {
        "n_parameters": {"encoder": 1000, "first": 200, "refiner": 30},
        "n_images": 5120,
        "training_steps": 2000,
        "clips_per_step": 32,
        "variance": 0.9,
        "first_mse": 0.5,
        "spread": 0.1,
        "steps": [step(1, in_table=True)],
    }
    sampled = {**plain, "steps": [step(1, in_table=False), step(10, in_table=True)]}
    sampled["latent"] = {"validation_loss": figure(0.8), "sample_distance": figure(30.0)}
    anchors = [
        {"blur": blur, "mse": blur, "distance": figure(blur), "own_window_first": 1.0 - blur} for blur in (0.0, 0.5)
    ]
    lines = to_markdown({"mse": plain, "ours": sampled}, anchors).splitlines()
    assert "| real windows |  |  | 0.000 | 0.0 (-1.0 to 1.0) |  | 100.0 % |  |  |" in lines
    assert "| real windows, blurred by 0.5 |  |  | 0.500 | 0.5 (-0.5 to 1.5) |  | 50.0 % |  |  |" in lines
    assert "| mse | 2000 x 32 | 1 | 0.100 | 20.0 (19.0 to 21.0) | 0.500 | 25.0 % | 0.10 | 1,230 |" in lines
    assert "| ours | 2000 x 32 | 10 | 1.000 | 2.0 (1.0 to 3.0) | 0.500 | 25.0 % | 0.10 | 1,230 |" in lines
    assert "| ours | 1 | 0.100 | 20.0 (19.0 to 21.0) | 25.0 % |" in lines
    assert "| ours | 0.800 (-0.200 to 1.800) | 30.0 (29.0 to 31.0) |" in lines
    assert not any(line.startswith("| mse | 1 |") for line in lines), "one image a vector has no curve"
