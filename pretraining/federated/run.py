"""Federated pretraining by Flower's strategies: clients learn on their own sound, the server averages what they learnt.

What travels is the trained weights of encoder and method alone. The normalisation's running statistics, which training
does not use, stay away from the server: they would need clipping and noise of their own, and at the end the server
takes them from its own recordings.
"""

import json
import logging
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fingerprinter.training.loop import replace_weights
from nowplaying_core.artifacts import write_arrays, write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError, needs_extra
from nowplaying_core.text import listed
from pretraining.clips import ClipSampler
from pretraining.config.run import PretrainingConfig
from pretraining.encoder import WEIGHTS_NAME
from pretraining.federated.clients import federate
from pretraining.federated.config import FederationConfig
from pretraining.methods.pretext import Pretext
from pretraining.normalisation import settle
from pretraining.train import build_pretext

__all__ = ["RECORD_NAME", "pretrain_federated"]

RECORD_NAME = "federation.json"
_CHECKPOINT = "federation.npz"
_WITHOUT_CLIENTS = ("supervised", "random")
_SETTLING_BATCHES = 20
_log = logging.getLogger(__name__)


def pretrain_federated(
    config: PretrainingConfig,
    federation: FederationConfig,
    sources: TrainingSources,
    run_dir: Path,
) -> Path:
    """Pretrain for all rounds, going on after the last finished one.

    Parameters
    ----------
    config : PretrainingConfig
        Of which steps, clips and rates are the federation's.
    federation : FederationConfig
    sources : TrainingSources
        Of which the ``train`` split is dealt to clients and server.
    run_dir : Path
        Receives ``config.json``, ``federation.json`` (settings, weights and slices of a client's round, what each
        round sent and spent, the state of the privacy accountant), ``federation.npz`` (the averaged weights) and at the
        end ``encoder.weights.h5``: a folder like that of ``nowplaying pretrain``.

    Returns
    -------
    Path
        The encoder's weights.

    Raises
    ------
    MissingExtraError
        When Flower is not installed.
    ConfigError
        When the method does not learn from sound alone, or the folder holds another run.
    """
    if config.method in _WITHOUT_CLIENTS:
        message = f"expected a method that learns from sound alone, found {config.method!r}"
        raise ConfigError(message)
    os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")  # nothing here speaks to the network
    with needs_extra("federated", "federated pretraining"):
        from pretraining.federated.server import average
    config = replace(
        config,
        n_steps=federation.n_rounds * federation.local_steps,
        clips_per_step=federation.local_clips,
        learning_rate=federation.local_rate,
    )
    record = _claim(config, federation, run_dir)
    server, clients = federate(config, federation, sources)
    keras.utils.set_random_seed(config.seed)
    pretext = build_pretext(config, server)
    weights = run_dir / _CHECKPOINT
    if record["rounds"]:
        with np.load(weights, allow_pickle=False) as saved:
            _assign(pretext, [saved[name] for name in saved.files])
        _log.info("resuming after round %d", len(record["rounds"]))
    n_slices = pretext.draw(server, np.random.default_rng(config.seed))[0].shape[1]
    record["slices_per_round"] = federation.local_steps * federation.local_clips * int(n_slices)
    record["n_weights"] = sum(int(np.prod(one.shape)) for one in pretext.trainable_variables)

    def learn(client: int, round_number: int, arrays: list[Any]) -> tuple[list[Any], float]:
        _assign(pretext, arrays)
        loss = _local_steps(pretext, clients[client], config, federation, [config.seed, round_number, client])
        return _values(pretext), loss

    def keep(values: list[Any], row: dict[str, Any], accountant: dict[str, Any] | None) -> None:
        write_arrays(weights, {f"{number:04}": value for number, value in enumerate(values)})
        record["rounds"].append(row)
        record["accountant"] = accountant
        write_json(run_dir / RECORD_NAME, record)
        _log.info(listed(row))

    average(federation, _values(pretext), learn=learn, keep=keep, record=record, seed=config.seed)
    with np.load(weights, allow_pickle=False) as saved:
        _assign(pretext, [saved[name] for name in saved.files])
    _settle(pretext, server, config)
    replace_weights(pretext.encoder, run_dir / WEIGHTS_NAME)
    return run_dir / WEIGHTS_NAME


def _claim(config: PretrainingConfig, federation: FederationConfig, run_dir: Path) -> dict[str, Any]:
    """Return the record of what the folder's run has done; ConfigError where the run is another."""
    run_dir.mkdir(parents=True, exist_ok=True)
    path = run_dir / RECORD_NAME
    record: dict[str, Any] = {"federation": asdict(federation), "rounds": [], "accountant": None}
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))
        same = PretrainingConfig.from_json(run_dir / "config.json") == config
        if found["federation"] != record["federation"] or not same:
            message = f"{path}: this folder holds a run of other settings; choose another run folder"
            raise ConfigError(message)
        record = found
    elif (run_dir / "config.json").is_file():
        message = f"{run_dir}: expected an empty folder or a federated run, found another run; choose another folder"
        raise ConfigError(message)
    write_json(run_dir / "config.json", config.to_dict())
    write_json(path, record)
    return record


def _local_steps(
    pretext: Pretext, sampler: ClipSampler, config: PretrainingConfig, federation: FederationConfig, seed: list[int]
) -> float:
    """Train on a client's sound with an optimizer that remembers nothing, and return the mean loss."""
    for variable in pretext.optimizer.variables:
        variable.assign(np.zeros(variable.shape, variable.dtype))
    pretext.optimizer.learning_rate = config.learning_rate
    rng = np.random.default_rng(seed)
    losses = [float(pretext.train_on_batch(pretext.draw(sampler, rng))) for _ in range(federation.local_steps)]
    return float(np.mean(losses))


def _settle(pretext: Pretext, server: ClipSampler, config: PretrainingConfig) -> None:
    """Set the running statistics of the encoder's normalisation to their mean over batches of the server's sound."""

    def images(number: int) -> Any:
        return pretext.images(pretext.draw(server, np.random.default_rng([config.seed, number, 2**31]))[0])

    settle(pretext.encoder, map(images, range(_SETTLING_BATCHES)))


def _values(pretext: Pretext) -> list[Any]:
    return [np.asarray(variable) for variable in pretext.trainable_variables]


def _assign(pretext: Pretext, values: list[Any]) -> None:
    for variable, value in zip(pretext.trainable_variables, values, strict=True):
        variable.assign(value)
