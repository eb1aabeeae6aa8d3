import json
from pathlib import Path

import pytest

from fingerprinter.training_config import TrainingConfig
from nowplaying.errors import ConfigError

SHIPPED = Path(__file__).parents[2] / "configs" / "fingerprinter.toml"


def test_the_shipped_config_reads():
    assert TrainingConfig.read(SHIPPED).pairs_per_step == 256


def test_json_record_reads_back_as_it_was(tmp_path):
    config = TrainingConfig.read(SHIPPED)
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
    assert TrainingConfig.from_json(tmp_path / "config.json") == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_step = 3", "unknown settings.*n_step"),
        ("[encoder]\nbreadth = 2", "unknown settings.*breadth"),
        ("n_steps = -1", "n_steps must be positive"),
        ("n_steps = 'many'", "config.toml"),
        ("not toml", "config.toml"),
    ],
)
def test_mistakes_name_the_file_and_the_setting(tmp_path, text, message):
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        TrainingConfig.read(tmp_path / "config.toml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml"):
        TrainingConfig.read(tmp_path / "none.toml")
