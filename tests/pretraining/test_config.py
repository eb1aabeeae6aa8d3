import json
from pathlib import Path

import pytest

from fingerprinter.config import FrontEndConfig
from nowplaying_core.errors import ConfigError
from pretraining.config.run import METHOD_NAMES, PretrainingConfig

CONFIGS = Path(__file__).parents[2] / "configs" / "pretraining"


def test_every_method_has_its_config_and_every_config_its_method() -> None:
    shared = {"base", "federation", "federation-continued", "federation-private", "own-rates", "table"}
    found = {path.stem: path for path in CONFIGS.glob("*.toml") if path.stem not in shared}
    assert set(found) == set(METHOD_NAMES)
    assert {name: PretrainingConfig.read(path).method for name, path in found.items()} == {name: name for name in found}


def test_the_front_end_is_96_frames_of_64_bands() -> None:
    front_end = PretrainingConfig(method="random").front_end
    assert (front_end.n_mels, front_end.n_frames, front_end.window_s) == (64, 96, 0.96)


def test_a_table_changes_the_encoders_front_end_not_the_fingerprinters() -> None:
    config = PretrainingConfig.from_dict({"method": "cola", "front_end": {"clip": 3.0}})
    assert config.front_end.clip == 3.0
    assert config.front_end.hop_samples == 160 != FrontEndConfig().hop_samples


def test_json_record_reads_back_as_it_was(tmp_path: Path) -> None:
    config = PretrainingConfig.read(CONFIGS / "cola.toml")
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
    assert PretrainingConfig.from_json(tmp_path / "config.json") == config
    with pytest.raises(ConfigError, match=r"gone/config\.json: expected the settings of a run; name the folder"):
        PretrainingConfig.from_json(tmp_path / "gone" / "config.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("method = 'cola'\nn_step = 3", "unknown settings.*n_step"),
        ("method = 'colla'", "audio2vec_cbow"),
        ("method = 'cola'\nn_steps = 0", "n_steps"),
        ("method = 'cola'\nclips_per_step = 1", "at least 2"),
        ("method = 'cola'\nmusic_share = 0.9\nspeech_share = 0.2", "shares"),
        ("method = 'cola'\n[objective]\ngap_s = -0.1", "gap_s"),
        ("method = 'cola'\n[encoder]\nchannels = []", "channels"),
        ("method = 'cola'\nseed = -1", "seed must lie in"),
        ("method = 'cola'\nseed = 4294967296", "seed must lie in"),
        ("method = 'cola'\nn_simulated_rooms = 0", "n_simulated_rooms"),
        ("method = 'cola'\nrecordings_share = 2.0", "recordings_share"),
        ("method = 'cola'\n[objective]\nclip_s = 0.96", "more than a window of 0.96 s"),
        ("method = 'temporal_gap'\n[objective]\nclip_s = 0.5", "more than a window of 0.96 s"),
        ("method = 'triplet'\n[objective]\nnear_s = 1e-6", "near_s"),
        ("n_steps = 3", "method"),
        ("not toml", "config.toml"),
    ],
)
def test_mistakes_name_the_file_and_the_setting(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        PretrainingConfig.read(tmp_path / "config.toml")
    assert "config.toml" in str(caught.value)
