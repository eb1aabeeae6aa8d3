"""Flower's rounds over numbers, without a network to train: what is averaged, clipped, noised, counted and resumed."""

from dataclasses import asdict, replace

import numpy as np
import pytest

pytest.importorskip("flwr", reason="needs the federated extra (docs/pretraining/federated.md)")

from pretraining.federated.config import FederationConfig
from pretraining.federated.privacy import epsilon
from pretraining.federated.server import ServerState, average

START = [np.zeros((20, 30), np.float32), np.zeros(5, np.float32)]
PLAIN = FederationConfig(n_clients=6, clients_per_round=3, n_rounds=4, local_steps=1, local_clips=2)
PRIVATE = replace(PLAIN, sampling="poisson", clipping_norm=0.5, clipping_quantile=0.5, count_deviation=0.5)


def run(federation: FederationConfig, state: ServerState | None = None) -> tuple[list[ServerState], list]:
    """Clients whose weights move by their number plus one: the mean of three is known from who took part."""
    state = state or ServerState([np.array(array) for array in START], federation.clipping_norm)
    asked: list[tuple[int, int]] = []
    kept: list[ServerState] = []

    def learn(client: int, number: int, arrays: list[np.ndarray]) -> tuple[list[np.ndarray], float]:
        asked.append((number, client))
        return [array + client + 1 for array in arrays], float(client)

    def keep(state: ServerState) -> None:
        kept.append(ServerState(**asdict(state)))  # a copy, with its lists and arrays

    average(federation, state, learn=learn, keep=keep, seed=1)
    return kept, asked


def test_weights_are_the_mean_of_the_clients_that_took_part() -> None:
    kept, asked = run(PLAIN)
    total = 0.0
    for number, state in enumerate(kept, start=1):
        clients = [client for round_number, client in asked if round_number == number]
        assert len(set(clients)) == 3
        total += np.mean(clients) + 1
        np.testing.assert_allclose(state.weights[0], total, rtol=1e-6)
    assert [row["round"] for row in kept[-1].rounds] == [1, 2, 3, 4]
    assert len({tuple(sorted(c for r, c in asked if r == number)) for number in range(1, 5)}) > 1, "others each time"


def test_momentum_carries_the_mean_of_earlier_rounds_on() -> None:
    federation = replace(PLAIN, clients_per_round=6, server_rate=0.5, server_momentum=0.9)
    kept, _ = run(federation)  # all six: the mean update is 3.5
    steps = 3.5 * np.array([1.0, 1.9, 2.71, 3.439])
    for state, expected in zip(kept, np.cumsum(0.5 * steps), strict=True):
        np.testing.assert_allclose(state.weights[0], expected, rtol=1e-5)


def test_each_client_is_drawn_by_itself_and_often_enough() -> None:
    _, asked = run(replace(PRIVATE, n_rounds=200))
    numbers = np.bincount([number for number, _ in asked], minlength=201)[1:]
    assert len(set(numbers)) > 3, "not always as many"
    assert numbers.mean() == pytest.approx(3.0, abs=0.3)
    of_client = np.bincount([client for _, client in asked], minlength=6) / 200
    assert np.all(np.abs(of_client - 0.5) < 0.12)


def test_bytes_are_those_of_the_weights_there_and_back() -> None:
    kept, _ = run(PLAIN)
    payload = 3 * sum(array.nbytes for array in START)
    for row in kept[-1].rounds:
        assert payload <= row["bytes_up"] <= 1.2 * payload
        assert row["bytes_down"] == row["bytes_up"]


def test_an_update_is_no_longer_than_the_clipping_norm() -> None:
    kept, _ = run(replace(PLAIN, n_rounds=1, clipping_norm=0.5))
    # All three move along one direction, each by more than half.
    assert np.sqrt(sum(np.sum(value**2) for value in kept[0].weights)) == pytest.approx(0.5, rel=1e-5)
    assert "epsilon" not in kept[0].rounds[0]


def test_noise_has_its_stated_deviation_and_costs_its_stated_privacy() -> None:
    federation = replace(PLAIN, n_rounds=3, clipping_norm=0.5, noise_multiplier=2.0)
    kept, _ = run(federation)
    clean, _ = run(replace(federation, n_rounds=1, noise_multiplier=0.0))
    noise = kept[0].weights[0] - clean[0].weights[0]
    assert noise.std() == pytest.approx(2.0 * 0.5 / 3, rel=0.1)
    spent = [row["epsilon"] for row in kept[-1].rounds]
    assert spent[0] < spent[1] < spent[2] == pytest.approx(epsilon(federation))


def test_sampled_rounds_are_counted_as_such() -> None:
    federation = replace(PRIVATE, noise_multiplier=1.0)
    kept, _ = run(federation)
    assert kept[-1].rounds[-1]["epsilon"] == pytest.approx(epsilon(federation))
    assert epsilon(federation) < epsilon(replace(federation, sampling="fixed"))


def test_the_norm_moves_on_between_rounds() -> None:
    kept, _ = run(replace(PRIVATE, n_rounds=100))
    # Updates are 24.6 times the client's number plus one; the norm rises to the middle of them.
    assert kept[0].clipping_norm < kept[1].clipping_norm
    assert 50 < kept[-1].clipping_norm < 120


@pytest.mark.parametrize("federation", [replace(PRIVATE, noise_multiplier=1.0, server_momentum=0.9), PLAIN])
def test_a_run_that_was_stopped_goes_on_as_it_was(federation: FederationConfig) -> None:
    whole, all_asked = run(federation)
    after, asked = run(federation, whole[1])
    assert asked == [(number, client) for number, client in all_asked if number > 2]
    assert after[-1].rounds == whole[-1].rounds
    assert after[-1].clipping_norm == whole[-1].clipping_norm
    for a, b in zip(after[-1].weights, whole[-1].weights, strict=True):
        np.testing.assert_array_equal(a, b)
