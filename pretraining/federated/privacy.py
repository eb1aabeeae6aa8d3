"""What the rounds of a federation reveal of a client, by Flower's accountant; and the noise that a budget asks for."""

from dataclasses import replace
from typing import Any

from flwr.supercore.privacy_accounting import (
    GaussianPrivacyEvent,
    NeighboringRelation,
    PrivacyConfig,
    SamplingMethod,
)
from flwr.supercore.privacy_accounting.rdp_accountant import RdpAccountant
from scipy.optimize import brentq

from nowplaying_core.errors import ConfigError
from pretraining.federated.config import FederationConfig

__all__ = ["epsilon", "new_accountant", "noise_for", "round_event", "scaled"]

_MULTIPLIERS = 1e-1, 1e3
# Between whole orders dp-accounting's series for sampled rounds often does not converge, and it warns each time.
_ORDERS = (*range(2, 64), 80, 96, 128, 192, 256, 512, 1024)
_METHODS = {"fixed": SamplingMethod.NO_AMPLIFICATION, "poisson": SamplingMethod.POISSON}


def new_accountant(federation: FederationConfig, state: dict[str, Any] | None = None) -> RdpAccountant:
    """Return an accountant of the rounds, from a state where one was kept.

    One that draws so many clients is counted without amplification: as if every client took part in every round.
    """
    accountant = RdpAccountant(
        PrivacyConfig(
            target_delta=federation.delta,
            population_size=federation.n_clients,
            neighboring_relation=NeighboringRelation.ADD_OR_REMOVE_ONE,
            sampling_method=_METHODS[federation.sampling],
        ),
        tuple(map(float, _ORDERS)) if federation.sampling == "poisson" else None,
    )
    if state is not None:
        accountant.load_state_dict(state)
    return accountant


def round_event(federation: FederationConfig) -> GaussianPrivacyEvent:
    """Return what a round reveals, for the accountant."""
    return GaussianPrivacyEvent(
        noise_multiplier=federation.noise_multiplier,
        sample_size=federation.clients_per_round,
        population_size=federation.n_clients,
    )


def epsilon(federation: FederationConfig) -> float:
    """Return epsilon after all rounds, at the federation's ``delta``."""
    accountant = new_accountant(federation)
    accountant.compose(round_event(federation), federation.n_rounds)
    return float(accountant.get_privacy_spent().epsilon)


def noise_for(budget: float, federation: FederationConfig) -> FederationConfig:
    """Return a federation with just the noise that keeps epsilon within a budget.

    Raises
    ------
    ConfigError
        When no multiplier between 0.1 and 1,000 does.
    """

    def excess(multiplier: float) -> float:
        return epsilon(replace(federation, noise_multiplier=multiplier, clipping_quantile=0.0)) - budget

    least, most = _MULTIPLIERS
    if budget <= 0 or excess(most) > 0 or excess(least) < 0:
        message = f"epsilon: expected a budget that a noise multiplier in [{least:g}, {most:g}] meets, found {budget:g}"
        raise ConfigError(message)
    multiplier = brentq(excess, least, most, rtol=1e-4)
    # From above, and short enough to be read.
    return replace(federation, noise_multiplier=float(f"{multiplier * 1.001:.4g}"))


def scaled(federation: FederationConfig, n_clients: int, clients_per_round: int, delta: float) -> FederationConfig:
    """Return a larger federation that has the same noise on the mean of its updates, so that its quality is as good.

    The noise's deviation on the mean is the multiplier times the norm over the clients of a round: with more clients
    the multiplier may grow by as much.
    """
    multiplier = federation.noise_multiplier * clients_per_round / federation.clients_per_round
    return replace(
        federation,
        n_clients=n_clients,
        clients_per_round=clients_per_round,
        noise_multiplier=multiplier,
        clipping_quantile=0.0,
        delta=delta,
    )
