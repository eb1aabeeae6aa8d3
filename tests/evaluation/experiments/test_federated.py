"""The federated table: as many clips on clients as in one place, and figures taken from the result."""

from types import ModuleType

import pytest

pytest.importorskip("keras", reason="needs the train extra")

import importlib

from pretraining.config.run import PretrainingConfig
from pretraining.federated.config import FederationConfig

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def federated() -> ModuleType:
    return importlib.import_module("evaluation.experiments.federated")


def test_one_place_hears_as_many_clips_as_all_clients(federated: ModuleType) -> None:
    federation = FederationConfig(n_rounds=7, clients_per_round=3, local_steps=5, local_clips=16)
    config = federated.central(PretrainingConfig(method="nt_xent"), federation)
    assert config.n_steps * config.clips_per_step == 7 * 3 * 5 * 16


def test_the_table_states_privacy_bytes_and_energy(federated: ModuleType) -> None:
    common = {"n_weights": 141_400, "slices_per_round": 320, "bytes_per_client_round": 1.13e6, "loss": 3.2}
    common["energy_mj"] = {"lte": {"training": 4000.0, "radio": 13000.0, "total": 17000.0}}
    settings = FederationConfig(clipping_norm=1.0, noise_multiplier=0.5).to_dict()
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
            {"name": "noise 0.5", "federation": settings, "epsilon": 71.23, **common},
        ],
    }
    text = federated.to_markdown(result)
    assert "| lte | 4,000 | 13,000 | 17,000 |" in text
    assert "| federated | none | none | none | none | 3.200 |" in text
    assert "| noise 0.5 | 1 | 0.5 | 71.2 | 0.001 | 3.200 |" in text
    assert "1.13 MB" in text
