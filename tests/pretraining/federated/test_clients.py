from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.errors import ConfigError
from pretraining.federated.clients import deal
from pretraining.federated.config import FederationConfig

RECORDINGS = [(group, f"source{number % 10}") for group in ("music", "speech", "noise") for number in range(200)]


def dealt(concentration: float, n_clients: int = 8) -> np.ndarray:
    federation = FederationConfig(n_clients=n_clients, concentration=concentration, server_share=0.1)
    return deal(RECORDINGS, federation, np.random.default_rng(3))


def sources_of_clients(owners: np.ndarray) -> float:
    """Return how many of thirty sources a client has on average."""
    keys = np.array(["/".join(key) for key in RECORDINGS])
    return float(np.mean([len(set(keys[owners == client])) for client in range(8)]))


def test_every_recording_has_one_owner_and_the_server_its_share_of_each_group() -> None:
    owners = dealt(0.3)
    assert owners.shape == (600,)
    assert set(owners) == set(range(-1, 8))
    for first in (0, 200, 400):
        assert np.sum(owners[first : first + 200] == -1) == 20


def test_a_small_concentration_gives_a_source_to_few_clients() -> None:
    assert sources_of_clients(dealt(0.05)) < 12 < 25 < sources_of_clients(dealt(100.0))


def test_the_same_seed_deals_the_same() -> None:
    assert np.array_equal(dealt(0.3), dealt(0.3))


def test_as_many_clients_as_recordings_get_one_each() -> None:
    federation = FederationConfig(n_clients=540, clients_per_round=2, concentration=0.3, server_share=0.1)
    owners = deal(RECORDINGS, federation, np.random.default_rng(3))
    assert sorted(owners[owners >= 0]) == list(range(540))


def test_too_many_clients_are_refused() -> None:
    with pytest.raises(ConfigError, match="take fewer clients"):
        deal(RECORDINGS[:20], FederationConfig(n_clients=24), np.random.default_rng(1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_clients": 4, "clients_per_round": 5},
        {"noise_multiplier": 1.0},
        {"clipping_norm": -1.0},
        {"delta": 0.0},
        {"server_share": 1.0},
        {"local_clips": 1},
        {"n_rounds": 0},
        {"sampling": "all"},
        {"sampling": "poisson"},
        {"trained": "norm"},
        {"final_rate_share": 0.0},
        {"server_momentum": 1.0},
        {"clipping_quantile": 0.5},
        {"clipping_norm": 1.0, "clipping_quantile": 1.0},
        {"clipping_norm": 1.0, "noise_multiplier": 1.0, "delta": 0.05},
        {"clipping_norm": 1.0, "clipping_quantile": 0.5, "noise_multiplier": 0.8},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        FederationConfig(**wrong)


def test_the_committed_settings_are_read() -> None:
    folder = Path(__file__).parents[3] / "configs" / "pretraining"
    plain, private = (FederationConfig.read(folder / f"{name}.toml") for name in ("federation", "federation-private"))
    assert plain.n_rounds == private.n_rounds
    assert (plain.sampling, private.sampling) == ("fixed", "poisson")
    assert private.trained == ("norm",)
