import json
from pathlib import Path

import pytest

from fingerprinter.training.config import TrainingConfig
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import merged

CONFIGS = Path(__file__).parents[3] / "configs"
SHIPPED = CONFIGS / "fingerprinter.toml"


def test_the_shipped_configs_read():
    pairs = {path.stem: TrainingConfig.read(path).pairs_per_step for path in CONFIGS.glob("fingerprinter*.toml")}
    assert pairs.pop("fingerprinter-audio2vec") == 128
    assert pairs == dict.fromkeys(
        (
            "fingerprinter",
            *(
                f"fingerprinter-{name}"
                for name in ("continued", "finished", "v2", "short", "sync", "sync-nafp", "fourth", "onesecond")
            ),
        ),
        256,
    )


def test_a_config_changes_its_base():
    sync, baseline = (TrainingConfig.read(CONFIGS / f"fingerprinter-{name}.toml") for name in ("sync", "sync-nafp"))
    assert (baseline.encoder.name, baseline.encoder.dim) == ("nafp", sync.encoder.dim)
    assert (baseline.n_steps, sync.n_steps) == (800, 2400)
    own = {"encoder": None, "n_steps": None}
    assert baseline.to_dict() | own == sync.to_dict() | own


def test_changes_are_merged_table_by_table():
    base = {"a": 1, "b": {"c": 2, "d": 3}}
    assert merged(base, {"b": {"c": 4}, "e": {"f": 5}}) == {"a": 1, "b": {"c": 4, "d": 3}, "e": {"f": 5}}
    assert base == {"a": 1, "b": {"c": 2, "d": 3}}


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
        ("noise_share = 2.0", r"noise_share must lie in \[0, 1\]"),
        ("recordings_share = 0.0", "recordings_share must be positive"),
        ("seed = -1", "seed must lie in"),
        ("seed = 4294967296", "seed must lie in"),
        ("n_simulated_rooms = 0", "n_simulated_rooms must be positive"),
        ("[front_end]\nn_mels = 0", "front_end: n_mels must be positive"),
        ("[augment]\nsnr_db = [3.0]", "snr_db must be a list of 2"),
        ("[objective]\nsame_song_negatives = 'no'", "same_song_negatives must be true or false"),
        ("not toml", "config.toml"),
        ("base = 'none.toml'", "none.toml"),
        ("base = 'config.toml'", "leads back to config.toml"),
    ],
)
def test_mistakes_name_the_file_and_the_setting(tmp_path, text, message):
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        TrainingConfig.read(tmp_path / "config.toml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml"):
        TrainingConfig.read(tmp_path / "none.toml")
