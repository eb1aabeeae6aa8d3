"""Flower's rounds over numbers, without a network to train: what is averaged, clipped, noised, counted and resumed."""

import numpy as np
import pytest

pytest.importorskip("flwr", reason="needs the federated extra (docs/pretraining/federated.md)")

from pretraining.federated.config import FederationConfig
from pretraining.federated.server import average

START = [np.zeros((20, 30), np.float32), np.zeros(5, np.float32)]


def run(
    record: dict | None = None, start: list[np.ndarray] = START, **settings: float
) -> tuple[list, list[dict], dict]:
    """Clients whose weights move by their number plus one: the mean of three is known from who took part."""
    fixed = {"n_clients": 6, "clients_per_round": 3, "n_rounds": 4, "local_steps": 1, "local_clips": 2}
    record = record or {"rounds": [], "accountant": None}
    asked: list[tuple[int, int]] = []
    kept: list[list[np.ndarray]] = []

    def learn(client: int, number: int, arrays: list[np.ndarray]) -> tuple[list[np.ndarray], float]:
        asked.append((number, client))
        return [array + client + 1 for array in arrays], float(client)

    def keep(values: list[np.ndarray], row: dict, accountant: dict | None) -> None:
        kept.append([np.array(value) for value in values])
        record["rounds"].append(row)
        record["accountant"] = accountant

    average(FederationConfig(**{**fixed, **settings}), start, learn=learn, keep=keep, record=record, seed=1)
    return kept, asked, record


def test_weights_are_the_mean_of_the_clients_that_took_part() -> None:
    kept, asked, record = run()
    total = 0.0
    for number, (weights, _) in enumerate(kept, start=1):
        clients = [client for round_number, client in asked if round_number == number]
        assert len(set(clients)) == 3
        total += np.mean(clients) + 1
        np.testing.assert_allclose(weights, total, rtol=1e-6)
    assert [row["round"] for row in record["rounds"]] == [1, 2, 3, 4]
    assert len({tuple(sorted(c for r, c in asked if r == number)) for number in range(1, 5)}) > 1, "others each time"


def test_bytes_are_those_of_the_weights_there_and_back() -> None:
    _, _, record = run()
    payload = 3 * sum(array.nbytes for array in START)
    for row in record["rounds"]:
        assert payload <= row["bytes_up"] <= 1.2 * payload
        assert row["bytes_down"] == row["bytes_up"]


def test_an_update_is_no_longer_than_the_clipping_norm() -> None:
    kept, _, record = run(n_rounds=1, clipping_norm=0.5)
    # All three move along one direction, each by more than half.
    assert np.sqrt(sum(np.sum(value**2) for value in kept[0])) == pytest.approx(0.5, rel=1e-5)
    assert "epsilon" not in record["rounds"][0]


def test_noise_has_its_stated_deviation_and_costs_its_stated_privacy() -> None:
    import dp_accounting

    kept, _, record = run(n_rounds=3, clipping_norm=0.5, noise_multiplier=2.0)
    clean, _, _ = run(n_rounds=1, clipping_norm=0.5)
    noise = kept[0][0] - clean[0][0]
    assert noise.std() == pytest.approx(2.0 * 0.5 / 3, rel=0.1)
    spent = [row["epsilon"] for row in record["rounds"]]
    assert spent[0] < spent[1] < spent[2]
    # The published conversion bounds: rho-zCDP of a Gaussian of multiplier z over T rounds (Bun & Steinke 2016).
    rho, delta = 3 / (2 * 2.0**2), FederationConfig().delta
    assert spent[2] <= rho + 2 * np.sqrt(rho * np.log(1 / delta))
    exact = dp_accounting.get_epsilon_gaussian(2.0 / np.sqrt(3), delta)
    assert exact <= spent[2] <= 1.2 * exact


def test_a_run_that_was_stopped_goes_on_as_it_was() -> None:
    private = {"clipping_norm": 0.5, "noise_multiplier": 1.0}
    whole, _, record = run(**private)
    before, _, half = run(n_rounds=2, **private)
    after, asked, rest = run(record=half, start=before[-1], **private)
    assert {number for number, _ in asked} == {3, 4}
    assert [row["epsilon"] for row in rest["rounds"]] == [row["epsilon"] for row in record["rounds"]]
    np.testing.assert_allclose(after[-1][0], whole[-1][0], rtol=1e-5)
