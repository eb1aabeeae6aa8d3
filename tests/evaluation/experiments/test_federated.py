"""The federated table: as many clips on clients as in one place, and figures taken from the result."""

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("keras", reason="needs the train extra")

import importlib

from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import init_run_dir
from pretraining.config.run import PretrainingConfig
from pretraining.encoder import WEIGHTS_NAME
from pretraining.federated.config import FederationConfig

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def federated() -> ModuleType:
    return importlib.import_module("evaluation.experiments.federated")


def test_one_place_hears_as_many_clips_as_all_clients(federated: ModuleType) -> None:
    federation = FederationConfig(n_rounds=7, clients_per_round=3, local_steps=5, local_clips=16)
    config = federated.central(PretrainingConfig(method="nt_xent"), federation)
    assert config.n_steps * config.clips_per_step == 7 * 3 * 5 * 16


def test_every_budget_is_a_run_of_its_own_from_what_the_server_pretrained(
    federated: ModuleType, tmp_path: Path
) -> None:
    def noise_for(budget: float, private: FederationConfig) -> FederationConfig:
        return replace(private, noise_multiplier=4 / budget)

    options = Namespace(
        config=federated.CONFIGS / "nt_xent.toml",
        federation=federated.CONFIGS / "federation.toml",
        continued=federated.CONFIGS / "federation-continued.toml",
        private=federated.CONFIGS / "federation-private.toml",
        rounds=20,
        server_steps=7,
        epsilon=[8.0, 2.0],
        out=tmp_path,
    )
    runs = federated.planned(options, noise_for)
    after_server = ["continued", "clipped", "epsilon 8", "epsilon 2"]
    assert list(runs) == ["random", "central", "federated", "server alone", *after_server]
    assert runs["federated"][3] is None
    rates = {runs[name][1].learning_rate for name in ("central", "server alone")}
    assert rates == {runs["federated"][2].local_rate}, "as the clients', whatever the method's own file says"
    assert {runs[name][3] for name in after_server} == {tmp_path / "server-alone"}
    assert (runs["continued"][2].trained, runs["continued"][2].n_rounds) == ((), 20)
    for name, multiplier in (("epsilon 8", 0.5), ("epsilon 2", 2.0)):
        _, _, federation, start = runs[name]
        assert start == tmp_path / "server-alone"
        assert (federation.n_rounds, federation.noise_multiplier) == (20, multiplier)
    assert runs["clipped"][2].noise_multiplier == 0


def test_what_the_server_pretrained_with_other_settings_is_not_taken(federated: ModuleType, tmp_path: Path) -> None:
    config = PretrainingConfig(method="nt_xent", n_steps=3)
    init_run_dir(config, tmp_path)
    (tmp_path / WEIGHTS_NAME).touch()
    sources = TrainingSources(corpus=tmp_path, cache_dir=tmp_path)
    federated.on_server(config, FederationConfig(), sources, tmp_path)
    with pytest.raises(ConfigError, match="other settings"):
        federated.on_server(replace(config, n_steps=4), FederationConfig(), sources, tmp_path)


def test_runs_can_be_chosen_by_name(federated: ModuleType) -> None:
    runs = dict.fromkeys(("random", "central", "federated", "clipped"), ())
    assert list(federated.chosen(runs, ["federated", "central"])) == ["central", "federated"]
    assert list(federated.chosen(runs, [])) == list(runs)
    with pytest.raises(ConfigError, match=r"expected names out of random, .*, found centrol"):
        federated.chosen(runs, ["random", "centrol"])


def test_the_table_states_privacy_bytes_and_energy(federated: ModuleType) -> None:
    common = {"n_weights": 141_400, "slices_per_round": 320, "bytes_per_client_round": 1.13e6, "loss": 3.2}
    common["energy_mj"] = {"lte": {"training": 4000.0, "radio": 13000.0, "total": 17000.0}}
    noisy = FederationConfig(clipping_norm=1.0, noise_multiplier=0.5)
    private = FederationConfig(
        n_clients=480,
        clients_per_round=40,
        sampling="poisson",
        trained=("norm",),
        clipping_norm=0.1,
        clipping_quantile=0.5,
        noise_multiplier=0.5,
    )
    row = {"mode": "frozen", "label_share": 1.0, "accuracy": 0.5, "low": 0.4, "high": 0.6, "minus": {}}
    result = {
        "method": "nt_xent",
        "device": "A phone",
        "settings": {"label_shares": [1.0], "n_seeds": 3, "most_windows": 8, "fine_tune_steps": 0},
        "runs": [],
        "tasks": [],
        "results": [{**row, "task": "digits", "method": "federated"}],
        "means": [{**row, "method": "federated"}],
        "federations": [
            {"name": "federated", "federation": FederationConfig().to_dict(), "epsilon": None, **common},
            {"name": "noise 0.5", "federation": noisy.to_dict(), "epsilon": 71.23, **common},
            {
                "name": "epsilon 10",
                "federation": private.to_dict(),
                "epsilon": 9.99,
                "last_norm": 0.234,
                "large": {"n_clients": 100_000, "clients_per_round": 1_000, "delta": 1e-6, "epsilon": 0.0312},
                **(common | {"n_weights": 992, "bytes_per_client_round": 8e3, "loss": None}),
            },
        ],
    }
    text = federated.to_markdown(result)
    # A third of 24 rounds a day, and a twelfth of them.
    assert "| federated | lte | 1.13 | 4,000 | 13,000 | 17,000 | 8 | 9.04 | 136.0 |" in text
    assert "| epsilon 10 | lte | 0.01 | 4,000 | 13,000 | 17,000 | 2 | 0.02 | 34.0 |" in text
    assert "| noise 0.5 | lte |" not in text, "noise changes neither bytes nor energy"
    assert "| federated | none | none | none | none | none | 3.200 |" in text
    assert "| noise 0.5 | 1 | 0.5 | 71.2 | 0.001 | - | 3.200 |" in text
    assert "| epsilon 10 | 0.1 to 0.234 | 0.5 | 10.0 | 0.001 | 0.031 | nobody came |" in text
    assert (
        "| epsilon 10 | 40 | each by itself, 40 of 480 on average | 0.3 | 5 of 32 clips | 0.001 | 992 (norm) | 0 |"
        in text
    )
    assert "100,000 clients, 1,000 a round" in text
