"""The rounds as Flower runs them: FedAvg, and around it clipping, noise and the accountant of the privacy spent."""

import logging
import random
from collections.abc import Callable
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp.strategy import DifferentialPrivacyServerSideFixedClipping, FedAvg, Strategy
from flwr.supercore.privacy_accounting import NeighboringRelation, PrivacyConfig, SamplingMethod
from flwr.supercore.privacy_accounting.rdp_accountant import RdpAccountant

from pretraining.federated.config import FederationConfig
from pretraining.federated.fixed_point import InProcessGrid

__all__ = ["average"]

_Learn = Callable[[int, int, list[Any]], tuple[list[Any], float]]
_Keep = Callable[[list[Any], dict[str, Any], dict[str, Any] | None], None]


def average(
    federation: FederationConfig,
    values: list[Any],
    *,
    learn: _Learn,
    keep: _Keep,
    record: dict[str, Any],
    seed: int,
) -> None:
    """Run the rounds that are missing.

    Parameters
    ----------
    federation : FederationConfig
    values : list of ndarray
        The weights to begin with.
    learn : callable
        From a client's number, the round's and the server's weights to the client's weights and its mean loss.
    keep : callable
        Receives the weights after each round, a row of what it sent and spent, and the accountant's state.
    record : dict
        ``rounds`` that were kept before, and the state of the ``accountant`` then.
    seed : int
        Of clients drawn and noise.
    """
    # Flower warns of what is meant here, such as no evaluation on clients.
    logging.getLogger("flwr").setLevel(logging.ERROR)
    accountant = _accountant(federation, record["accountant"])
    n_before = len(record["rounds"])
    app, losses = ClientApp(), []

    @app.train()  # type: ignore[untyped-decorator]  # Flower is not installed where types are checked
    def train(message: Message, context: Context) -> Message:
        round_number = n_before + int(message.content["config"]["server-round"])
        client = int(context.node_config["partition-id"])
        learnt, loss = learn(client, round_number, message.content["arrays"].to_numpy_ndarrays())
        losses.append(loss)
        # All clients count the same: they saw as many clips, and the accountant asks for it.
        metrics = MetricRecord({"num-examples": federation.local_steps * federation.local_clips})
        return Message(RecordDict({"arrays": ArrayRecord(learnt), "metrics": metrics}), reply_to=message)

    grid = InProcessGrid(app, federation.n_clients)

    def after_round(number: int, arrays: ArrayRecord) -> None:
        # What comes next is drawn from the next round's number, so that a resumed run goes on as it was.
        random.seed(f"{seed} {n_before + number}")
        np.random.seed([seed, n_before + number])  # noqa: NPY002  # the generator that Flower's noise is drawn from
        if number == 0:
            return
        row: dict[str, Any] = {"round": n_before + number, "loss": float(np.mean(losses)), "n_clients": len(losses)}
        row |= {"bytes_down": grid.bytes_down, "bytes_up": grid.bytes_up}
        if accountant is not None:
            row["epsilon"] = accountant.get_privacy_spent().epsilon
        losses.clear()
        grid.bytes_down = grid.bytes_up = 0
        keep(arrays.to_numpy_ndarrays(), row, None if accountant is None else accountant.state_dict())

    missing = federation.n_rounds - n_before
    if missing:
        strategy = _strategy(federation, accountant)
        strategy.start(grid, ArrayRecord(values), num_rounds=missing, evaluate_fn=after_round)


def _strategy(federation: FederationConfig, accountant: RdpAccountant | None) -> Strategy:
    plain = FedAvg(
        fraction_train=federation.clients_per_round / federation.n_clients,
        fraction_evaluate=0.0,
        min_train_nodes=federation.clients_per_round,
        min_available_nodes=federation.n_clients,
    )
    if not federation.clipping_norm:
        return plain
    return DifferentialPrivacyServerSideFixedClipping(
        plain,
        federation.noise_multiplier,
        federation.clipping_norm,
        federation.clients_per_round,
        accountant=accountant,
    )


def _accountant(federation: FederationConfig, state: dict[str, Any] | None) -> RdpAccountant | None:
    """Return an accountant of what each round reveals of one client, as if every client took part in every round."""
    if not federation.noise_multiplier:
        return None
    accountant = RdpAccountant(
        PrivacyConfig(
            target_delta=federation.delta,
            population_size=federation.n_clients,
            neighboring_relation=NeighboringRelation.ADD_OR_REMOVE_ONE,
            sampling_method=SamplingMethod.NO_AMPLIFICATION,
        )
    )
    if state is not None:
        accountant.load_state_dict(state)
    return accountant
