import hashlib
from dataclasses import asdict
from pathlib import Path

import pytest

from detector.training.config import DetectorConfig, NetworkConfig, SceneConfig, TrainingConfig
from nowplaying_core.artifacts import (
    MODEL_SCHEMA_VERSION,
    SHIPPED_DETECTOR,
    builtin_model_dir,
    canonical_json,
    read_manifest,
)
from nowplaying_core.errors import ConfigError


def test_shape_is_that_of_the_shipped_system() -> None:
    network = NetworkConfig()
    assert network.frames_after_layers == 5
    assert network.decision_frames == 64


def test_toml_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[training]\nsteps = 300\nlearning_rate = 1e-3\n[scenes]\nmusic_share = 1\n", encoding="utf-8")
    config = DetectorConfig.read(path)
    assert config.training.steps == 300
    assert config.scenes.music_share == 1.0
    assert DetectorConfig.from_dict(config.to_dict()) == config
    assert config.digest() == DetectorConfig.from_dict(config.to_dict()).digest()
    assert config.digest() != DetectorConfig().digest()


def test_the_committed_configuration_is_that_of_the_shipped_network() -> None:
    config = DetectorConfig.read(Path(__file__).parents[3] / "configs" / "detector.toml")
    assert config.training.steps == 8_000
    manifest = read_manifest(
        builtin_model_dir(SHIPPED_DETECTOR) / "manifest.json", kind="model", schema_version=MODEL_SCHEMA_VERSION
    )
    assert asdict(config.network) == {name: manifest["network"][name] for name in asdict(config.network)}


def test_the_shipped_detector_records_its_settings_and_their_digest() -> None:
    training = read_manifest(
        builtin_model_dir(SHIPPED_DETECTOR) / "manifest.json", kind="model", schema_version=MODEL_SCHEMA_VERSION
    )["training"]
    assert hashlib.sha256(canonical_json(training["config"]).encode()).hexdigest() == training["config_sha256"]
    # A setting that came later has its default, with which the detector was trained.
    read = DetectorConfig.from_dict(training["config"]).to_dict()
    recorded = {name: {key: read[name][key] for key in table} for name, table in training["config"].items()}
    assert recorded == training["config"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[training]\nstep = 3\n", r"unknown settings \['step'\]"),
        ("[train]\nsteps = 3\n", r"unknown settings \['train'\]"),
        ("[training]\nsteps = 1.5\n", "steps must be a number of type int"),
        ("[training]\nsteps = true\n", "steps must be a number"),
        ("[training]\nsteps = 0\n", "steps must lie in"),
        ("[scenes]\npreroll_s = 2\n", "preroll_s must lie in"),
        ("[network]\nn_frames = 100\n", "n_frames"),
        ("[network]\nn_layers = 5\n", "six layers of stride 2.* found 40 channels and 5 layers"),
        ("[network]\nn_channels = 64\n", "found 64 channels"),
        ("[network]\nkernel_frames = 2\n", "with 2 taps"),
        ("[training]\nsteps = 200\n", "warmup_steps must lie in"),
        ("training = 3\n", "expected a table"),
        ("[training\n", r"c\.toml: these settings cannot be used \(Expected"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=expected):
        DetectorConfig.read(path)


def test_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: .*No such file"):
        DetectorConfig.read(tmp_path / "none.toml")


def test_ranges_are_checked_on_construction() -> None:
    with pytest.raises(ConfigError, match="snr_low_db"):
        SceneConfig(snr_low_db=10, snr_high_db=0)
    with pytest.raises(ConfigError, match="label_smoothing"):
        TrainingConfig(label_smoothing=0.5)
