"""The rows are data: they must differ in their losses alone, and a misspelt setting must not wait for its turn."""

import argparse
import importlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from evaluation.experiments.decoder_report import to_markdown
from fingerprinter.config import FrontEndConfig
from nowplaying_core.artifacts import write_json
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import merged, read_settings
from pretraining.config.decoder import DecoderConfig
from pretraining.config.run import EncoderConfig, PretrainingConfig

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs" / "pretraining" / "decoders"
OF_THE_CRITIC = ("matching_weight", "critic_rate", "critic_spectral")
WEIGHTS = ("diffusion_weight", "mse_weight", "perceptual_weight", "adversarial_weight")


@pytest.fixture(scope="module")
def decoders() -> ModuleType:
    return importlib.import_module("evaluation.experiments.decoders")


def test_rows_differ_in_their_losses_alone(decoders: ModuleType) -> None:
    names = {*decoders.ROWS, *decoders.TRIED}
    configs = {name: PretrainingConfig.read(CONFIGS / f"{name}.toml") for name in names}
    alike = {repr(replace(config, decoder=DecoderConfig())) for config in configs.values()}
    assert len(alike) == 1
    shapes = {
        repr({name: value for name, value in asdict(config.decoder).items() if name not in (*WEIGHTS, *OF_THE_CRITIC)})
        for config in configs.values()
    }
    assert len(shapes) == 1
    weights = {name: tuple(getattr(config.decoder, one) for one in WEIGHTS) for name, config in configs.items()}
    assert len({repr(config.decoder) for config in configs.values()}) == len(names), "no row is there twice"
    assert weights["diffusion"] == (1.0, 0.0, 0.0, 0.0)
    assert weights["diffusion_mse"] == (1.0, 1.0, 0.0, 0.0)
    assert weights["diffusion_mse_perceptual"] == (1.0, 1.0, 0.1, 0.0)
    assert weights["mse"] == (0.0, 1.0, 0.0, 0.0)
    assert weights["gan"] == (0.0, 1.0, 0.1, 0.1)
    for name in names:
        if "_perceptual_" in name:
            assert weights[name][2] == float(name.rsplit("_", 1)[1])
    ours = configs[decoders.OURS]
    assert ours.front_end == FrontEndConfig(), "the shipped fingerprinter hears what is rebuilt"
    perceptual_encoder = PretrainingConfig.read(CONFIGS / f"{decoders.PERCEPTUAL_ENCODER}.toml")
    assert (perceptual_encoder.encoder, perceptual_encoder.front_end) == (EncoderConfig(), ours.front_end)


@pytest.mark.parametrize("file", ["gpu.toml", "small.toml", "small_1500.toml"])
def test_changes_for_all_rows_are_settings(decoders: ModuleType, file: str) -> None:
    changes = read_settings(CONFIGS / file)
    assert set(changes) == {decoders.PERCEPTUAL_ENCODER, "decoders"}
    for name in decoders.ROWS:
        values = merged(read_settings(CONFIGS / f"{name}.toml"), changes["decoders"])
        assert PretrainingConfig.from_dict(values).n_steps == changes["decoders"]["n_steps"]


def figure(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 1, "high": value + 1}


def run(seed: int, distance: float, *, n_steps: int = 1, loss: float | None = None) -> dict[str, Any]:
    """Return a result as ``measure`` gives it; a decoder that samples has a curve of one further number of steps."""
    steps = [(n_steps, distance), (2 * n_steps, distance / 2)] if n_steps > 1 else [(1, distance)]
    found: dict[str, Any] = {
        "seed": seed,
        "n_parameters": {"encoder": 1000, "first": 200, "refiner": 30},
        "training_steps": 400,
        "clips_per_step": 16,
        "variance": 0.9,
        "first_mse": 0.5,
        "spread": 0.1 * seed,
        "measuring_cpu_s": 1800.0,
        "steps": [
            {"n_steps": n, "in_table": n == n_steps, "mse": n / 10, "distance": figure(apart), "own_window_first": 0.25}
            for n, apart in steps
        ],
    }
    if loss is not None:
        found["latent"] = {"validation_loss": figure(loss), "sample_distance": figure(30.0)}
    return found


def found_with(results: dict[str, list[dict[str, Any]]], **more: object) -> dict[str, Any]:
    blurred = [
        [
            {"blur": blur, "noise": noise, "mse": blur, "distance": figure(blur), "own_window_first": 1.0 - blur}
            for blur, noise in ((0.0, 0.0), (0.5, 0.0), (0.5, 0.3))
        ]
    ]
    protocol = {"changes": "few.toml", "seeds": 3, "images": 64}
    return {"protocol": protocol, "results": results, "anchors": blurred, "tried": {}, "training_cpu_s": 3600.0, **more}


def test_intervals_hold_the_seeds_and_differences_are_between_runs_of_one_seed() -> None:
    ours = [run(seed, distance, n_steps=10, loss=0.5) for seed, distance in ((1, 10.0), (2, 20.0), (3, 30.0))]
    plain = [run(seed, distance, loss=0.6) for seed, distance in ((3, 80.0), (1, 60.0), (2, 70.0))]
    text = to_markdown(found_with({"diffusion_mse_perceptual_1": ours, "mse": plain}))
    lines = text.splitlines()
    # Student's t of two degrees of freedom: 4.303 times 10 over the root of 3 on either side.
    assert (
        "| diffusion_mse_perceptual_1 | 3 | 10 | 1.000 (1.000 to 1.000) | 20.0 (-4.8 to 44.8) | 0.500 (0.500 to 0.500) "
        "| 25.0 % | 0.20 |" in lines
    )
    assert (
        "| diffusion_mse_perceptual_1 less mse | 3 | -50.0 (-50.0 to -50.0) | +0.900 (+0.900 to +0.900) "
        "| -0.100 (-0.100 to -0.100) |" in lines
    )
    assert "| diffusion_mse_perceptual_1 | 20 | 2.000 | 5.0 (4.0 to 6.0) | 25.0 % |" in lines
    assert not any(line.startswith("| mse | 1 |") for line in lines), "one image a vector has no curve"
    # Six measures of half an hour and an hour of training, on two cores.
    assert "decoders --changes few.toml --seeds 3 --images 64` in 2.0 hours of two cores (4.0 of one, 1.0 of" in text


def test_a_row_of_one_seed_has_its_interval_over_windows_and_no_difference() -> None:
    lines = to_markdown(found_with({"mse": [run(1, 20.0)], "gan": [run(1, 30.0)]})).splitlines()
    assert "| real windows, blurred by 0.5 | 1 |  | 0.500 | 0.5 (-0.5 to 1.5) |  | 50.0 % |  |" in lines
    assert any(line.startswith("| real windows, blurred by 0.5, with noise | 1 |") for line in lines)
    assert "| mse | 1 | 1 | 0.100 | 20.0 (19.0 to 21.0) | 0.500 | 25.0 % | 0.10 |" in lines
    assert not any(line.startswith(("## Differences", "## How easily", "## Steps")) for line in lines)


def test_what_was_tried_is_shown_by_weight_and_by_critic() -> None:
    tried = {
        "much": {**run(1, 4.0, n_steps=10), "perceptual_weight": 3.0},
        "none": {**run(1, 6.0, n_steps=10), "perceptual_weight": 0.0},
        "gan_matching": {**run(1, 50.0), "perceptual_weight": 0.1},
        "gan": {**run(1, 60.0), "perceptual_weight": 0.1},
    }
    lines = to_markdown(found_with({"mse": [run(1, 20.0)]}, tried=tried)).splitlines()
    weights = [line for line in lines if line.startswith(("| 0 |", "| 3 |"))]
    assert weights == ["| 0 | 1.000 | 0.500 | 6.0 (5.0 to 7.0) |", "| 3 | 1.000 | 0.500 | 4.0 (3.0 to 5.0) |"]
    assert "| gan_matching | 0.100 | 0.500 | 50.0 (49.0 to 51.0) |" in lines
    del tried["gan"]
    assert "## The critic" not in to_markdown(found_with({"mse": [run(1, 20.0)]}, tried=tried))


def options_for(out: Path, *, changes: str = "small.toml", seeds: int = 1, images: int = 64) -> argparse.Namespace:
    """Return options of two rows, one of which is of the first seed alone."""
    return argparse.Namespace(
        out=out,
        configs=CONFIGS,
        changes=CONFIGS / changes,
        seeds=seeds,
        only=["mse", "gan_matching"],
        images=images,
        latents=64,
        latent_steps=1,
        sampling_steps=2,
        corpus=out,
        cache_dir=out,
        rendered_midi=None,
        extra_data=None,
    )


def test_runs_of_other_settings_and_measures_of_another_protocol_are_refused(
    decoders: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoders, "in_own_processes", lambda *_: None)
    decoders.fill(options_for(tmp_path))
    decoders.fill(options_for(tmp_path, seeds=3))
    for work in (decoders.fill, decoders.collected):  # what a table states of its making is of its rows
        with pytest.raises(ConfigError, match="images: 64, not 128"):
            work(options_for(tmp_path, images=128))
        with pytest.raises(ConfigError, match="run of other settings"):
            work(options_for(tmp_path, changes="gpu.toml"))
    assert decoders.collected(options_for(tmp_path))["protocol"]["images"] == 64
    write_json(tmp_path / "mse-1" / "init.json", {"music": 0, "rendered MIDI": 2})
    with pytest.raises(ConfigError, match="was given rendered MIDI: 2, not 0"):
        decoders.fill(options_for(tmp_path))


@pytest.mark.parametrize("change", [{"images": 2}, {"sampling_steps": 0}, {"latents": 0}, {"latent_steps": -1}])
def test_options_that_are_no_protocol_are_refused_before_they_are_recorded(
    decoders: ModuleType, tmp_path: Path, change: dict[str, int]
) -> None:
    options = options_for(tmp_path)
    for name, value in change.items():
        setattr(options, name, value)
    with pytest.raises(ConfigError, match=next(iter(change))):
        decoders.fill(options)
    assert list(tmp_path.iterdir()) == []


def test_all_rows_of_the_first_seed_come_before_any_of_the_second(
    decoders: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, list[tuple[str, int]]]] = []

    def note(work: Any, rows: list[tuple[Any, ...]]) -> None:
        (row,) = rows
        if work is decoders.train:
            done.append(("train", [(folder.name, config.seed) for folder, config in row[0].items()]))
        elif work is decoders.measure_missing:
            done.append(("measure", [(name, row[1]) for name in row[0]]))
        else:
            assert work is decoders.measure_choices
            done.append(("choose", [(name, 0) for name in row[0]]))

    monkeypatch.setattr(decoders, "in_own_processes", note)
    decoders.fill(options_for(tmp_path, seeds=2))
    assert done == [
        ("train", [("perceptual_encoder", 1)]),
        ("train", [("mse-1", 1), ("gan_matching-1", 1)]),
        ("measure", [("mse", 0), ("gan_matching", 0)]),
        ("train", [("mse-2", 2)]),
        ("measure", [("mse", 1)]),
        ("choose", [("mse", 0), ("gan_matching", 0)]),
    ]


def test_the_published_critic_is_the_best_of_those_tried(decoders: ModuleType) -> None:
    found = json.loads(decoders.RESULTS.read_text(encoding="utf-8"))
    apart = {
        name: next(step for step in tried["steps"] if step["in_table"])["distance"]["value"]
        for name, tried in found["tried"].items()
        if name.startswith("gan")
    }
    assert len(apart) > 1
    assert min(apart, key=lambda name: apart[name]) == decoders.CRITIC
    assert len(found["results"][decoders.CRITIC]) == found["protocol"]["seeds"]
