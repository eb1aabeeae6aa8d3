"""The rounds as Flower runs them, with a server that clips, adds noise, keeps momentum and counts what it reveals."""

import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MessageType, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAvg
from numpy.typing import NDArray

from pretraining.federated.clipping import noisy_mean
from pretraining.federated.config import FederationConfig
from pretraining.federated.grid import InProcessGrid
from pretraining.federated.privacy import new_accountant, round_event

__all__ = ["ServerState", "average"]

_DRAWING, _NOISE = 2**31 + 1, 2**31 + 2  # in the place where a generator of clips has its client's number
_Learn = Callable[[int, int, list[Any]], tuple[list[Any], float]]


@dataclass(slots=True)
class ServerState:
    """What a server knows between two rounds.

    Attributes
    ----------
    weights, momentum : list of ndarray of float32
        The momentum is empty before the first round.
    clipping_norm : float
    rounds : list of dict
        A row for each round of what it sent and spent.
    accountant : dict or None
        State of the accountant.
    """

    weights: list[NDArray[Any]]
    clipping_norm: float
    momentum: list[NDArray[Any]] = field(default_factory=list)
    rounds: list[dict[str, Any]] = field(default_factory=list)
    accountant: dict[str, Any] | None = None


def average(
    federation: FederationConfig,
    state: ServerState,
    *,
    learn: _Learn,
    keep: Callable[[ServerState], None],
    seed: int,
) -> None:
    """Run the rounds that are missing.

    Parameters
    ----------
    federation : FederationConfig
    state : ServerState
        Before the first missing round; changed with each.
    learn : callable
        From a client's number, the round's and the server's weights to the client's weights and its mean loss.
    keep : callable
        Receives the state after each round.
    seed : int
        Of clients drawn and noise.
    """
    # Flower warns of what is meant here, such as no evaluation on clients.
    logging.getLogger("flwr").setLevel(logging.ERROR)
    accountant = new_accountant(federation, state.accountant) if federation.noise_multiplier else None
    n_before = len(state.rounds)
    app, losses = ClientApp(), []

    @app.train()  # type: ignore[untyped-decorator]  # Flower is not installed where types are checked
    def train(message: Message, context: Context) -> Message:
        round_number = int(message.content["config"]["server-round"])
        client = int(context.node_config["partition-id"])
        learnt, loss = learn(client, round_number, message.content["arrays"].to_numpy_ndarrays())
        losses.append(loss)
        # All clients count the same: they saw as many clips, and the accountant asks for it.
        metrics = MetricRecord({"num-examples": federation.local_steps * federation.local_clips})
        return Message(RecordDict({"arrays": ArrayRecord(learnt), "metrics": metrics}), reply_to=message)

    grid = InProcessGrid(app, federation.n_clients)

    def after_round(number: int, arrays: ArrayRecord) -> None:
        if number == 0:
            return
        state.weights = arrays.to_numpy_ndarrays()
        row: dict[str, Any] = {"round": n_before + number, "n_clients": len(losses)}
        row["loss"] = float(np.mean(losses)) if losses else None
        row |= {"bytes_down": grid.bytes_down, "bytes_up": grid.bytes_up}
        if federation.clipping_norm:
            row["next_clipping_norm"] = state.clipping_norm
        if accountant is not None:
            accountant.compose(round_event(federation))
            row["epsilon"] = float(accountant.get_privacy_spent().epsilon)
            state.accountant = accountant.state_dict()
        losses.clear()
        grid.bytes_down = grid.bytes_up = 0
        state.rounds.append(row)
        keep(state)

    missing = federation.n_rounds - n_before
    if missing:
        strategy = _Average(federation, state, seed=seed)
        strategy.start(grid, ArrayRecord(state.weights), num_rounds=missing, evaluate_fn=after_round)


class _Average(FedAvg):  # type: ignore[misc]  # Flower is not installed where types are checked
    """FedAvg that draws clients as the accountant counts them, and moves by a clipped and noisy mean with momentum."""

    def __init__(self, federation: FederationConfig, state: ServerState, *, seed: int) -> None:
        super().__init__(
            fraction_train=federation.clients_per_round / federation.n_clients,
            fraction_evaluate=0.0,
            min_train_nodes=federation.clients_per_round,
            min_available_nodes=federation.n_clients,
        )
        self._federation, self._state, self._seed = federation, state, seed
        self._n_before = len(state.rounds)

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Draw the round's clients, from its number, so that a resumed run goes on as it was."""
        number = self._n_before + server_round
        if self._federation.sampling == "fixed":
            random.seed(f"{self._seed} {number}")  # the generator that Flower draws clients from
            messages: Iterable[Message] = super().configure_train(number, arrays, config, grid)
            return messages
        config["server-round"] = number
        nodes = np.array(sorted(grid.get_node_ids()))
        chances = np.random.default_rng([self._seed, number, _DRAWING]).random(len(nodes))
        content = RecordDict({self.arrayrecord_key: arrays, self.configrecord_key: config})
        return [
            Message(content, int(node), MessageType.TRAIN)
            for node in nodes[chances < self._federation.clients_per_round / self._federation.n_clients]
        ]

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Return the server's new weights, also where nobody came: the noise says nothing of that."""
        federation, state = self._federation, self._state
        if not federation.clipping_norm:
            arrays, metrics = super().aggregate_train(server_round, replies)
            mean = _less(arrays.to_numpy_ndarrays(), state.weights)
        else:
            metrics = None
            updates = [_less(reply.content["arrays"].to_numpy_ndarrays(), state.weights) for reply in replies]
            rng = np.random.default_rng([self._seed, self._n_before + server_round, _NOISE])
            result = noisy_mean(updates, state.weights, state.clipping_norm, federation, rng)
            mean, state.clipping_norm = result.update, result.next_norm
        momentum = state.momentum or [np.zeros_like(array) for array in mean]
        state.momentum = [federation.server_momentum * before + now for before, now in zip(momentum, mean, strict=True)]
        moved = [
            weights + federation.server_rate * step for weights, step in zip(state.weights, state.momentum, strict=True)
        ]
        return ArrayRecord([array.astype(np.float32) for array in moved]), metrics


def _less(values: list[Any], weights: list[Any]) -> list[Any]:
    return [value - weight for value, weight in zip(values, weights, strict=True)]
