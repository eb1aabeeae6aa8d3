"""The table of variants is data: a misspelt setting must not wait for its turn after hours of training."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the train extra")

import importlib

from export.cost import count_macs
from export.fingerprinter import raw_encoder
from export.tflite import to_float
from fingerprinter.encoders.registry import build_encoder
from fingerprinter.training.config import TrainingConfig
from fingerprinter.training.train import train
from nowplaying_core.artifacts import write_arrays, write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import merged
from tests.detector.sounds import corpus_folder

NAMES = ("5 dB, 2 s", "0 dB, room, 8 s")
FOLDER = Path(__file__).parents[3] / "evaluation/experiments"
TABLE, ATTENTION, CAPACITY = (
    tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    for name in ("ablations", "attention", "capacity")
)

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


def attention_config(name: str) -> TrainingConfig:
    (variant,) = (item for item in ATTENTION["variant"] if item["name"] == name)
    return TrainingConfig.from_dict(merged(ATTENTION["base"], variant.get("settings", {})))


def test_the_papers_networks_are_compared_at_equal_cost_over_thousands_of_steps() -> None:
    configs = {variant["name"]: attention_config(variant["name"]) for variant in ATTENTION["variant"]}
    first = configs["no mask"]
    assert first.n_steps >= 3000
    for config in configs.values():
        assert replace(config, encoder=first.encoder) == first  # the encoder is all that differs
    masks = {
        (c.encoder.name, c.encoder.attention, c.encoder.mask_start, c.encoder.masked_blocks) for c in configs.values()
    }
    assert len(masks) == len(configs) == 6
    costs = {
        name: count_macs(to_float(raw_encoder(build_encoder(configs[name].encoder, configs[name].front_end))))
        for name in ("no mask", "identity, after the second and the fourth block", "nafp")
    }
    assert max(costs.values()) < 1.1 * min(costs.values())


def test_capacity_varies_the_length_of_training_and_the_width_one_at_a_time() -> None:
    first, *others = (
        TrainingConfig.from_dict(merged(CAPACITY["base"], variant.get("settings", {})))
        for variant in CAPACITY["variant"]
    )
    assert first.encoder == TrainingConfig.read(FOLDER.parents[1] / "configs/fingerprinter-v2.toml").encoder
    for config in others:
        assert (config.n_steps == first.n_steps) != (config.encoder == first.encoder)
        assert replace(config, n_steps=first.n_steps, encoder=first.encoder) == first
    assert len({config.n_steps for config in (first, *others)}) == 4
    assert len({config.encoder for config in (first, *others)}) == 3


def test_a_mask_that_begins_as_the_identity_is_trained(tmp_path: Path) -> None:
    config = attention_config("identity, after the second and the fourth block")
    short = replace(config, n_steps=2, pairs_per_step=4, warmup_steps=1, n_simulated_rooms=2, n_validation_queries=2)
    sources = TrainingSources(corpus=corpus_folder(tmp_path / "corpus", seconds=3.0), cache_dir=tmp_path / "cache")
    train(short, sources, tmp_path / "run")
    encoder = build_encoder(config.encoder, config.front_end)
    encoder.load_weights(tmp_path / "run" / "encoder.weights.h5")
    for name in ("attention", "attention4"):
        assert all(weight.any() for weight in encoder.get_layer(name).get_weights())


def test_a_variants_table_says_how_many_queries_and_where_results_go(
    ablate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    table = tmp_path / "table.toml"
    table.write_text('queries = 1000\n[base]\nn_steps = 4000\npairs_per_step = 8\n[[variant]]\nname = "one"\n')
    folder = tmp_path / "out" / "one"
    folder.mkdir(parents=True)
    size = {"n_parameters": 10, "n_macs": 9_500_000, "bytes_per_s": 12.0}
    (folder / "result.json").write_text(json.dumps({**size, "rank1": {NAMES[0]: {"n": 1000, "count": 905}}}))
    (folder / "log.csv").write_text("step,loss\n" + "".join(f"{50 * n},{20 - n}\n" for n in range(1, 11)))
    needed = [f"--{name}={tmp_path}" for name in ("corpus", "cache-dir")]
    monkeypatch.setattr("sys.argv", ["ablate", f"--variants={table}", *needed, f"--out={folder.parent}", "--publish"])
    ablate.main()
    shown = capsys.readouterr().out
    assert "4000 steps of 8 pairs, the same for all; 1000 dev queries" in shown
    assert "| one | 10 | 9.5 | 12 | 17.00 to 12.00 | 90.5 |" in shown
    assert json.loads((tmp_path / "table.json").read_text())["one"]["n_macs"] == 9_500_000


def test_variants_are_held_against_the_first_query_by_query(ablate: ModuleType, tmp_path: Path) -> None:
    right = {"one": [1, 1, 0, 0], "two": [1, 1, 1, 0], "not asked": None}
    results = {name: {"n_parameters": 10, "bytes_per_s": 12.0, "rank1": {}} for name in right}
    for name, answers in right.items():
        folder = tmp_path / ablate.folder_name(name)
        if answers is not None:
            arrays = {NAMES[0]: np.array(answers, bool), ablate.TRACKS: np.array(["a", "a", "b", "c"])}
            folder.mkdir()
            write_arrays(folder / ablate.ANSWERS_NAME, arrays)
    ablate.compare(results, tmp_path)
    assert "minus" not in results["one"]
    assert "minus" not in results["not asked"]
    found = results["two"]["minus"]["rank1"][NAMES[0]]
    assert (found["difference"], found["only_first"], found["only_second"]) == (0.25, 1, 0)
    table = ablate.to_markdown(TABLE["base"], results).splitlines()
    assert "| less one, points | 5 dB, 2 s |" in table
    assert table[-1].startswith("| two | +25.0 (+0.0 to +")


def test_a_result_can_be_published_under_another_name(
    ablate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table.toml"
    table.write_text('[base]\nn_steps = 4000\npairs_per_step = 8\n[[variant]]\nname = "one"\n')
    result = {"n_parameters": 10, "bytes_per_s": 12.0, "rank1": {NAMES[0]: {"n": 300, "count": 150}}}
    (tmp_path / "out" / "one").mkdir(parents=True)
    write_json(tmp_path / "out" / "one" / "result.json", result)
    needed = [f"--{name}={tmp_path}" for name in ("corpus", "cache-dir")]
    arguments = ["ablate", f"--variants={table}", *needed, f"--out={tmp_path / 'out'}", "--publish", "places"]
    monkeypatch.setattr("sys.argv", arguments)
    ablate.main()
    assert not table.with_suffix(".json").exists()
    assert "| one | 10 | 12 | 50.0 |" in ablate.committed_table(table, "places")


def test_a_finished_variant_of_other_settings_is_refused(
    ablate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, result = tmp_path / "table.toml", tmp_path / "out" / "one" / "result.json"
    result.parent.mkdir(parents=True)
    write_json(result, {"n_parameters": 10, "bytes_per_s": 12.0, "rank1": {NAMES[0]: {"n": 300, "count": 150}}})
    needed = [f"--{name}={tmp_path}" for name in ("corpus", "cache-dir")]
    monkeypatch.setattr("sys.argv", ["ablate", f"--variants={table}", *needed, f"--out={tmp_path / 'out'}"])
    table.write_text('[base]\nn_steps = 4000\npairs_per_step = 8\n[[variant]]\nname = "one"\n')
    ablate.main()
    table.write_text('[base]\nn_steps = 500\npairs_per_step = 8\n[[variant]]\nname = "one"\n')
    with pytest.raises(ConfigError, match="run of other settings"):
        ablate.main()


def test_a_table_of_several_lengths_of_training_says_each_and_no_common_one(ablate: ModuleType) -> None:
    rank1 = {NAMES[0]: {"n": 1000, "count": 905}}
    results = {
        name: {"n_steps": n_steps, "n_parameters": 10, "n_macs": 7_500_000, "bytes_per_s": 12.0, "rank1": rank1}
        for name, n_steps in (("long", 1000), ("short", 125))
    }
    text = ablate.to_markdown({"n_steps": 1000, "pairs_per_step": 64}, results, 1000)
    assert "each variant trained for steps of 64 pairs, with a rate that falls until its last one; 1000 dev" in text
    assert "| variant | steps | parameters | million MACs |" in text
    assert "| short | 125 | 10 | 7.5 |" in text
    alike = {name: {**result, "n_steps": 1000} for name, result in results.items()}
    assert "trained for 1000 steps of 64 pairs, the same for all;" in ablate.to_markdown(
        ATTENTION["base"] | {"n_steps": 1000}, alike, 1000
    )
    assert "steps |" not in ablate.to_markdown(ATTENTION["base"], alike, 1000)


def test_table_has_a_column_for_every_condition_that_was_asked(ablate: ModuleType) -> None:
    def cells(*counts: int) -> dict:
        return {name: {"n": 200, "count": count} for name, count in zip(NAMES, counts, strict=True)}

    without = {"n_parameters": 812_000, "bytes_per_s": 12.0, "rank1": cells(180, 191)}
    result = {**without, "int8_loss_points": ablate.loss_points(cells(180, 191), cells(182, 191))}
    first, last = ablate.to_markdown(TABLE["base"], {"base": result, "other": without}).splitlines()[-2:]
    assert last == "| other | 812,000 | 12 | 90.0 | 95.5 |  |"
    assert first == "| base | 812,000 | 12 | 90.0 | 95.5 | -0.5 |"
