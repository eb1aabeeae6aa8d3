"""Federated pretraining by Flower's strategies: clients learn on their own sound, the server averages what they learnt.

What travels is the trained weights of encoder and method alone. The normalisation's running statistics, which training
does not use, stay away from the server: they would need clipping and noise of their own, and at the end the server
takes them from its own recordings.
"""

import json
import logging
import os
from dataclasses import asdict, replace
from math import cos, pi
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fingerprinter.training.loop import CHECKPOINT_NAME, compile_for, replace_weights
from nowplaying_core.artifacts import sha256_file, write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError, needs_extra
from nowplaying_core.settings import check_given, require_given
from nowplaying_core.text import listed
from pretraining.clips import ClipSampler
from pretraining.config.run import PretrainingConfig
from pretraining.encoder import WEIGHTS_NAME
from pretraining.federated.checkpoint import read_checkpoint, write_checkpoint
from pretraining.federated.clients import DEALT, federate
from pretraining.federated.config import FederationConfig
from pretraining.methods.pretext import Pretext
from pretraining.methods.registry import METHODS
from pretraining.normalisation import settle
from pretraining.train import build_pretext, pretrain

__all__ = ["RECORD_NAME", "local_rate", "pretrain_federated", "pretrain_on_server"]

RECORD_NAME = "federation.json"
_STATE_NAME = "federation.npz"
# Other methods read labels, or learn what no client's trained weights hold: codebooks, bits, a second encoder.
_OF_CLIENTS = ("audio2vec_cbow", "audio2vec_skipgram", "temporal_gap", "autoencoder", "triplet", "nt_xent", "cola")
_SETTLING_BATCHES = 20
_log = logging.getLogger(__name__)


def pretrain_on_server(
    config: PretrainingConfig, federation: FederationConfig, sources: TrainingSources, run_dir: Path
) -> Path:
    """Pretrain on what the server has of its own, as :func:`~pretraining.train.pretrain` does; returns the weights.

    Raises
    ------
    ConfigError
        When clients could not go on by the method, or as of :func:`~pretraining.train.pretrain`.
    """
    _check_method(config)
    server, _ = _dealt(config, federation, sources)
    return pretrain(config, sources, run_dir, clips=server, drawn_from=_of_server(config, federation, sources))


def pretrain_federated(
    config: PretrainingConfig,
    federation: FederationConfig,
    sources: TrainingSources,
    run_dir: Path,
    *,
    start: Path | None = None,
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
        round sent and spent, the state of the privacy accountant), ``federation.npz`` (the same with the server's
        weights, for going on) and at the end ``encoder.weights.h5``: a folder like that of ``nowplaying pretrain``.
    start : Path, optional
        Folder of a finished run of the same method and model, whose weights the first round begins with.

    Returns
    -------
    Path
        The encoder's weights.

    Raises
    ------
    MissingExtraError
        When Flower is not installed.
    ConfigError
        When clients cannot learn by the method, the folder holds another run or one of other recordings, the run to
        start from is of another model or of another server's recordings, or no weight is trained.
    """
    _check_method(config)
    os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")  # nothing here speaks to the network
    with needs_extra("federated", "federated pretraining"):
        from pretraining.federated.server import ServerState, average
    config = replace(
        config,
        n_steps=federation.n_rounds * federation.local_steps,
        clips_per_step=federation.local_clips,
        learning_rate=federation.local_rate,
    )
    record = _claim(config, federation, sources, run_dir, start)
    # Of other recordings clients would be others, and what is counted as spent another's.
    check_given(run_dir, sources.counts(), begun=(run_dir / _STATE_NAME).is_file())
    server, clients = _dealt(config, federation, sources)
    keras.utils.set_random_seed(config.seed)
    pretext = build_pretext(config, server)
    if start is None:
        pretext.prepare(server)
    else:
        pretext.load_weights(start / CHECKPOINT_NAME)
    _train_only(pretext, federation.trained, config)
    path = run_dir / _STATE_NAME
    state = ServerState(_values(pretext), federation.clipping_norm)
    if path.is_file():
        state = ServerState(**read_checkpoint(path))
        _log.info("resuming after round %d", len(state.rounds))
    n_slices = pretext.draw(server, np.random.default_rng(config.seed))[0].shape[1]
    record["slices_per_round"] = federation.local_steps * federation.local_clips * int(n_slices)
    record["n_weights"] = sum(int(np.prod(one.shape)) for one in pretext.trainable_variables)

    def learn(client: int, round_number: int, arrays: list[Any]) -> tuple[list[Any], float]:
        _assign(pretext, arrays)
        rate = local_rate(federation, round_number)
        loss = _local_steps(pretext, clients[client], federation, rate, [config.seed, round_number, client])
        return _values(pretext), loss

    def note() -> None:
        write_json(run_dir / RECORD_NAME, {**record, "rounds": state.rounds, "accountant": state.accountant})

    def keep(state: ServerState) -> None:
        write_checkpoint(path, asdict(state))
        note()
        _log.info(listed(state.rounds[-1]))

    average(federation, state, learn=learn, keep=keep, seed=config.seed)
    note()  # a run that was killed after its last round had kept that round alone
    _assign(pretext, state.weights)
    _settle(pretext, server, config)
    replace_weights(pretext.encoder, run_dir / WEIGHTS_NAME)
    return run_dir / WEIGHTS_NAME


def _check_method(config: PretrainingConfig) -> None:
    if config.method not in _OF_CLIENTS:
        message = f"method: expected one that clients can learn by, {', '.join(_OF_CLIENTS)}, found {config.method!r}"
        raise ConfigError(message)


def _of_server(config: PretrainingConfig, federation: FederationConfig, sources: TrainingSources) -> dict[str, str]:
    """Return what says which recordings are the server's."""
    n = sum(len(sources.files(group, "train")) for group in DEALT)
    return {"server's share": f"{federation.server_share:g} of {n} by seed {config.seed}"}


def _dealt(
    config: PretrainingConfig, federation: FederationConfig, sources: TrainingSources
) -> tuple[ClipSampler, list[ClipSampler]]:
    return federate(config, federation, sources, min_s=METHODS[config.method].shortest_s(config))


def local_rate(federation: FederationConfig, round_number: int) -> float:
    """Return the clients' rate in a round, from 1 on: half a cosine from the first round's to the last one's."""
    done = (round_number - 1) / max(1, federation.n_rounds - 1)
    least = federation.final_rate_share
    return federation.local_rate * (least + (1 - least) * 0.5 * (1 + cos(pi * done)))


def _claim(
    config: PretrainingConfig, federation: FederationConfig, sources: TrainingSources, run_dir: Path, start: Path | None
) -> dict[str, Any]:
    """Return what the folder's record begins with; ConfigError where the run is another."""
    record: dict[str, Any] = {"federation": federation.to_dict(), "start": None}
    if start is not None:
        record["start"] = _same_model(config, start)
        # A server that began with clients' own recordings would give away what no noise hides.
        require_given(start, _of_server(config, federation, sources))
    run_dir.mkdir(parents=True, exist_ok=True)
    path = run_dir / RECORD_NAME
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))
        same = PretrainingConfig.from_json(run_dir / "config.json") == config and found.get("start") == record["start"]
        if not same or FederationConfig.from_dict(found["federation"]) != federation:
            message = f"{path}: this folder holds a run of other settings; choose another run folder"
            raise ConfigError(message)
    elif (run_dir / "config.json").is_file():
        message = f"{run_dir}: expected an empty folder or a federated run, found another run; choose another folder"
        raise ConfigError(message)
    else:
        write_json(run_dir / "config.json", config.to_dict())
        write_json(path, {**record, "rounds": [], "accountant": None})
    return record


def _same_model(config: PretrainingConfig, start: Path) -> str:
    """Return the hash of the weights to start from; ConfigError where they are missing or another model's."""
    found, weights = PretrainingConfig.from_json(start / "config.json"), start / CHECKPOINT_NAME
    for name in ("method", "front_end", "encoder", "objective"):
        if getattr(found, name) != getattr(config, name):
            message = f"{start}: expected a run of the same {name}, found {getattr(found, name)}"
            raise ConfigError(message)
    if not (start / WEIGHTS_NAME).is_file() or not weights.is_file():
        message = f"{start}: expected a finished run with {WEIGHTS_NAME} and {CHECKPOINT_NAME}; let it end first"
        raise ConfigError(message)
    return sha256_file(weights)


def _train_only(pretext: Pretext, names: tuple[str, ...], config: PretrainingConfig) -> None:
    """Let the encoder's and the method's weights rest but those whose name holds one of some parts."""
    if not names:
        return
    trained = [one for one in pretext.trainable_variables if any(name in one.path for name in names)]
    if not trained:
        known = ", ".join(one.path for one in pretext.trainable_variables)
        message = f"trained: no weight's name holds any of {', '.join(names)}: expected parts of {known}"
        raise ConfigError(message)
    kept = {id(one) for one in trained}
    for variable in pretext.trainable_variables:
        variable.trainable = id(variable) in kept
    compile_for(pretext, config)  # an optimizer knows its variables from the beginning


def _local_steps(
    pretext: Pretext, sampler: ClipSampler, federation: FederationConfig, rate: float, seed: list[int]
) -> float:
    """Train on a client's sound with an optimizer that remembers nothing, and return the mean loss."""
    for variable in pretext.optimizer.variables:
        variable.assign(np.zeros(variable.shape, variable.dtype))
    pretext.optimizer.learning_rate = rate
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
