"""Attacks that rebuild a melody from what a database stores of it: neighbours, ridge regression, and a network.

Each learns from music of the attacker's own, stored in the same form, and answers with pitch classes over time.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from pretraining.audit.passages import Passages, beside, neighbours

__all__ = ["ATTACKS", "Attacker", "Known", "learn_network", "learn_ridge", "recall_nearest"]

_log = logging.getLogger(__name__)

Rows = NDArray[np.float32]
Attacker = Callable[
    [Rows], Rows
]  # stored fingerprints side by side, (n, n_context * dim), to melodies (n, 12, n_frames)
Store = Callable[[Rows, np.random.Generator], Rows]

_N_SHAPES = 256  # of melodies, which hold 95 % of their energy
_BLOCK, _ASKED = 2_048, 64  # windows at a time, for memory
_PENALTY = 1e-4  # of a slope, for each window
_NEIGHBOURS = (1, 16, 64)
_WIDTH, _N_LAYERS, _DROPOUT = 512, 2, 0.2
_RATE, _DECAY, _BATCH, _N_EPOCHS = 5e-4, 1e-3, 256, 5
_HELD_OUT = 10  # every tenth song


@dataclass(frozen=True, slots=True)
class Known:
    """What an attacker learns from: windows that sound, with their neighbours.

    Attributes
    ----------
    stored : callable
        Takes a generator, for noise that is drawn anew, and returns stored fingerprints side by side,
        (n, n_context * dim).
    shapes : ndarray of float32, shape (n_shapes, 12 * n_frames)
        Orthonormal, those by which melodies vary most.
    melodies : ndarray of float32, shape (n, n_shapes)
        How much of each shape is in each window, all of a length of about 1.
    held_out : ndarray of bool, shape (n,)
        Windows of songs that decide when to stop, and how many neighbours to ask.
    n_frames : int
    """

    stored: Callable[[np.random.Generator], Rows]
    shapes: Rows
    melodies: Rows
    held_out: NDArray[np.bool_]
    n_frames: int

    @classmethod
    def of(cls, passages: Passages, store: Store, n_context: int) -> "Known":
        """Return what an attacker has who owns these songs and stores them in a form.

        Parameters
        ----------
        passages : Passages
        store : callable
            Takes unit vectors and a generator; returns what a thief reads of the stored ones.
        n_context : int, odd
            Fingerprints that are read together.
        """
        sounding, around = passages.sounding, neighbours(passages.runs, n_context)
        flat = passages.melodies.reshape(len(passages.melodies), -1)
        some = flat[sounding[:: max(1, len(sounding) // 8_000)]].astype(np.float32)
        _, directions = np.linalg.eigh(some.T @ some)
        shapes = np.ascontiguousarray(directions[:, -_N_SHAPES:].T)
        parts = []
        for at in range(0, len(sounding), _BLOCK):
            rows = flat[sounding[at : at + _BLOCK]].astype(np.float32)
            parts.append(rows @ shapes.T / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-3))
        songs = np.unique(passages.songs)
        return cls(
            lambda rng: beside(store(passages.vectors, rng), around[sounding]),
            shapes,
            np.concatenate(parts),
            np.isin(passages.songs[sounding], songs[:: min(_HELD_OUT, max(2, len(songs)))]),
            passages.melodies.shape[2],
        )

    def sound_of(self, melodies: Rows) -> Rows:
        """Return pitch classes over time, (n, 12, n_frames), of shares of shapes."""
        return (melodies @ self.shapes).reshape(len(melodies), 12, self.n_frames)


def recall_nearest(known: Known, seed: int) -> Attacker:
    """Return the attack without learning: the mean melody of the known windows with the nearest fingerprints.

    How many is decided on the songs held out.
    """
    rows = known.stored(np.random.default_rng(seed))
    own, own_melodies = rows[~known.held_out], known.melodies[~known.held_out]

    def recalled(asked: Rows, n: int) -> Rows:
        found = np.empty((len(asked), own_melodies.shape[1]), np.float32)
        for at in range(0, len(asked), _ASKED):
            nearness = asked[at : at + _ASKED] @ own.T
            chosen = np.argpartition(-nearness, n - 1, axis=1)[:, :n]
            found[at : at + _ASKED] = own_melodies[chosen].mean(axis=1)
        return found

    counts = [n for n in _NEIGHBOURS if n <= len(own)]
    asked = np.flatnonzero(known.held_out)[:_BLOCK]
    agreements = [_agreement(recalled(rows[asked], n), known.melodies[asked]) for n in counts]
    best = counts[int(np.argmax(agreements))]
    _log.info("%d neighbours", best)
    return lambda stored: known.sound_of(recalled(stored, best))


def learn_ridge(known: Known, seed: int) -> Attacker:
    """Return ridge regression to melodies of equal length."""
    slopes, offsets = _ridge(known.stored(np.random.default_rng(seed)), known)
    return lambda stored: known.sound_of(stored @ slopes + offsets)


def learn_network(known: Known, seed: int) -> Attacker:
    """Return a network that begins as ridge regression and learns for the correlation of melodies.

    It keeps the epoch that was best for the songs held out, or ridge regression. Epochs in between may be worse than
    the first, as the rate falls to zero.
    """
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    rows = known.stored(rng)
    scale = np.float32(np.sqrt(rows.shape[1]) / max(float(np.linalg.norm(rows, axis=1).mean()), 1e-6))
    slopes, offsets = _ridge(rows, known)
    network = _network(slopes / scale, offsets)
    network.compile(keras.optimizers.AdamW(_RATE, weight_decay=_DECAY), loss=_less_correlation)
    held, learned = known.held_out, ~known.held_out
    best = _agreement(rows[held] @ slopes + offsets, known.melodies[held])
    weights = network.get_weights()
    _log.info("ridge regression: correlation on songs held out %.4f", best)
    for epoch in range(_N_EPOCHS):
        if epoch:
            rows = known.stored(rng)
        network.optimizer.learning_rate = _RATE * 0.5 * (1 + np.cos(np.pi * epoch / _N_EPOCHS))
        network.fit(scale * rows[learned], known.melodies[learned], batch_size=_BATCH, epochs=1, verbose=0)
        found = _agreement(_answers(network, scale * rows[held]), known.melodies[held])
        _log.info("epoch %d: correlation on songs held out %.4f", epoch + 1, found)
        if found > best:
            best, weights = found, network.get_weights()
    network.set_weights(weights)
    return lambda stored: known.sound_of(_answers(network, scale * stored))


ATTACKS: dict[str, Callable[[Known, int], Attacker]] = {
    "nearest known windows": recall_nearest,
    "ridge regression": learn_ridge,
    "network": learn_network,
}


def _ridge(rows: Rows, known: Known) -> tuple[Rows, Rows]:
    """Return slopes and offsets that fit the songs not held out."""
    own, wanted = rows[~known.held_out], known.melodies[~known.held_out]
    mean, mean_wanted = own.mean(axis=0), wanted.mean(axis=0)
    own = own - mean
    penalty = _PENALTY * len(own) * np.eye(own.shape[1], dtype=np.float32)
    slopes = np.linalg.solve(own.T @ own + penalty, own.T @ (wanted - mean_wanted))
    return slopes, mean_wanted - mean @ slopes


def _network(slopes: Rows, offsets: Rows) -> keras.Model:
    """Return a linear map, and beside it hidden layers that add nothing yet."""
    inputs = keras.Input((len(slopes),))
    hidden = inputs
    for _ in range(_N_LAYERS):
        hidden = keras.layers.Dense(_WIDTH)(hidden)
        hidden = keras.layers.LayerNormalization()(hidden)
        hidden = keras.layers.Activation("gelu")(hidden)
        hidden = keras.layers.Dropout(_DROPOUT)(hidden)
    linear = keras.layers.Dense(len(offsets))
    added = keras.layers.Dense(len(offsets), use_bias=False, kernel_initializer="zeros")(hidden)
    network = keras.Model(inputs, keras.layers.Add()([linear(inputs), added]))
    linear.set_weights([slopes, offsets])
    return network


def _less_correlation(wanted: keras.KerasTensor, found: keras.KerasTensor) -> keras.KerasTensor:
    lengths = ops.sqrt(ops.sum(found * found, axis=-1) + 1e-6)
    return -ops.mean(ops.sum(wanted * found, axis=-1) / lengths)


def _answers(network: keras.Model, rows: Rows) -> Rows:
    found: Rows = network.predict(rows, batch_size=1_024, verbose=0)
    return found


def _agreement(found: Rows, wanted: Rows) -> float:
    return float(np.mean(np.sum(found * wanted, axis=1) / (np.linalg.norm(found, axis=1) + 1e-6)))
