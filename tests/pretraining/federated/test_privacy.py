"""The accountant against closed forms, and noise that just meets a budget."""

from dataclasses import replace
from math import comb, exp, log, sqrt

import numpy as np
import pytest

pytest.importorskip("flwr", reason="needs the federated extra (docs/pretraining/federated.md)")

from nowplaying_core.errors import ConfigError
from pretraining.federated.config import FederationConfig
from pretraining.federated.privacy import epsilon, noise_for, scaled

SAMPLED = FederationConfig(
    n_clients=500, clients_per_round=50, n_rounds=100, sampling="poisson", clipping_norm=1.0, noise_multiplier=1.2
)


def closed_form(q: float, z: float, n_rounds: int, delta: float) -> float:
    """Renyi divergence of the Poisson-sampled Gaussian at whole orders (Mironov et al. 2019, arXiv 1908.10530)."""
    best = np.inf
    for order in range(2, 24):
        terms = [
            comb(order, k) * (1 - q) ** (order - k) * q**k * exp((k * k - k) / (2 * z * z)) for k in range(order + 1)
        ]
        rdp = n_rounds * log(sum(terms)) / (order - 1)
        # From Renyi to (epsilon, delta) by Canonne et al. 2020 (arXiv 2004.00010), Proposition 12.
        best = min(best, rdp + log((order - 1) / order) - (log(delta) + log(order)) / (order - 1))
    return best


def test_sampled_rounds_cost_what_the_closed_form_says() -> None:
    assert epsilon(SAMPLED) == pytest.approx(closed_form(0.1, 1.2, 100, SAMPLED.delta), rel=1e-3)


def test_without_amplification_rounds_cost_what_one_gaussian_does() -> None:
    fixed = replace(SAMPLED, sampling="fixed", n_rounds=9, noise_multiplier=6.0)
    rho = 9 / (2 * 6.0**2)  # zCDP of a Gaussian of multiplier 6 over 9 rounds (Bun & Steinke 2016)
    assert epsilon(fixed) <= rho + 2 * sqrt(rho * log(1 / fixed.delta))
    assert epsilon(fixed) > epsilon(replace(fixed, sampling="poisson")), "not knowing who came protects"


@pytest.mark.parametrize("budget", [1.0, 10.0])
def test_the_noise_just_meets_the_budget(budget: float) -> None:
    federation = noise_for(budget, SAMPLED)
    assert 0.97 * budget < epsilon(federation) <= budget


def test_a_budget_that_no_noise_meets_is_refused() -> None:
    with pytest.raises(ConfigError, match="epsilon"):
        noise_for(0.0, SAMPLED)


def test_a_larger_federation_has_the_same_noise_on_its_mean_and_reveals_less() -> None:
    large = scaled(SAMPLED, 100_000, 1_000, 1e-6)
    assert large.noise_multiplier / 1_000 == pytest.approx(SAMPLED.noise_multiplier / 50)
    assert epsilon(large) < 0.1 * epsilon(SAMPLED)
