"""What the server learns of a round: no client counts for more than the norm, and the norm follows a quantile."""

from dataclasses import replace

import numpy as np
import pytest

from pretraining.federated.clipping import clip, noisy_mean, update_multiplier
from pretraining.federated.config import FederationConfig

LIKE = [np.zeros((3, 4), np.float32), np.zeros(5, np.float32)]
PLAIN = FederationConfig(n_clients=40, clients_per_round=4, sampling="poisson", clipping_norm=1.0)
ADAPTIVE = replace(PLAIN, clipping_quantile=0.5)


def of_length(length: float, seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    update = [rng.normal(size=array.shape) for array in LIKE]
    return [array * length / total_length(update) for array in update]


def total_length(update: list[np.ndarray]) -> float:
    return float(np.sqrt(sum(np.sum(array**2) for array in update)))


def test_only_what_is_longer_is_clipped_and_keeps_its_direction() -> None:
    long, short = of_length(3.0), of_length(0.5)
    clipped, within = clip(long, 1.0)
    assert not within
    assert total_length(clipped) == pytest.approx(1.0)
    np.testing.assert_allclose(clipped[0], long[0] / 3.0)
    kept, within = clip(short, 1.0)
    assert within
    np.testing.assert_array_equal(kept[0], short[0])
    assert clip([np.zeros(3)], 1.0)[1], "an update of nothing is within any norm"


def test_the_sum_is_divided_by_the_expected_number_whoever_came() -> None:
    rng = np.random.default_rng(1)
    for n_came in (0, 1, 4, 7):
        mean = noisy_mean([of_length(2.0)] * n_came, LIKE, 1.0, PLAIN, rng).update
        assert total_length(mean) == pytest.approx(n_came / 4, abs=1e-6)


def test_noise_is_that_of_the_norm_that_updates_were_clipped_to() -> None:
    like = [np.zeros(20_000, np.float32)]
    noisy = replace(ADAPTIVE, noise_multiplier=0.3, clipping_rate=5.0)
    result = noisy_mean([[np.ones(20_000)]] * 4, like, 2.0, noisy, np.random.default_rng(1))
    assert result.next_norm > 10.0, "the norm of the next round is another"
    assert result.update[0].std() == pytest.approx(update_multiplier(noisy) * 2.0 / 4, rel=0.02)


def test_the_norm_follows_the_quantile_from_above_and_below() -> None:
    # Ten clients whose updates have lengths 0.1 to 1: three of ten are within 0.35.
    updates = [of_length(0.1 * number, number) for number in range(1, 11)]
    federation = replace(ADAPTIVE, clients_per_round=10, clipping_quantile=0.35)
    for first in (0.01, 50.0):
        norm = first
        for _ in range(300):
            norm = noisy_mean(updates, LIKE, norm, federation, np.random.default_rng(1)).next_norm
        assert 0.28 < norm < 0.42


def test_a_fixed_norm_stays() -> None:
    assert noisy_mean([of_length(3.0)], LIKE, 1.0, PLAIN, np.random.default_rng(1)).next_norm == 1.0


def test_the_count_has_its_own_noise_and_is_within_the_whole_budget() -> None:
    federation = replace(
        ADAPTIVE, n_clients=400, clients_per_round=40, noise_multiplier=1.5, count_deviation=0.05, delta=1e-3
    )
    alone = update_multiplier(federation)
    # A Gaussian's Renyi divergence at order 2 is the inverse square of its multiplier; two releases add theirs.
    assert alone**-2 + (0.05 * 40 / 0.5) ** -2 == pytest.approx(1.5**-2)
    assert alone > 1.5
    rng = np.random.default_rng(1)
    shares = [noisy_mean([of_length(0.5)] * 40, LIKE, 1.0, federation, rng).share_within for _ in range(2_000)]
    assert np.mean(shares) == pytest.approx(1.0, abs=0.01)
    assert np.std(shares) == pytest.approx(0.05, rel=0.1)


def test_without_a_quantile_the_whole_budget_is_the_updates() -> None:
    assert update_multiplier(replace(PLAIN, noise_multiplier=0.7)) == 0.7
