"""Attacks on melodies find what is stored of them, each of its kind, and nothing where nothing is stored."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.audit import melody
from pretraining.audit.chroma import chroma_agreement
from pretraining.audit.melody import ATTACKS, Known, learn_network, learn_ridge, recall_nearest
from pretraining.audit.passages import Passages, beside, neighbours

pytestmark = pytest.mark.train
N_FRAMES = 4


def everything(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rows


def nothing(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.ones_like(rows) / np.float32(np.sqrt(rows.shape[1]))


def songs(seed: int, n_songs: int, *, folded: bool = False) -> Passages:
    """Return songs whose melodies are a map of their vectors, or of the vectors' sizes, which no linear map finds."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((20 * n_songs, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    directions = np.random.default_rng(0).standard_normal((8, 12 * N_FRAMES))
    sizes = np.abs(vectors) - np.abs(vectors).mean(axis=0) if folded else vectors
    melodies = (sizes @ directions).reshape(-1, 12, N_FRAMES)
    melodies -= melodies.mean(axis=(0, 2), keepdims=True)
    return Passages(vectors, melodies.astype(np.float16), *[np.repeat(np.arange(n_songs), 20)] * 2)


def rebuilt(attack: str, own: Passages, read: Passages, form=everything, n_context: int = 1) -> float:
    attacker = ATTACKS[attack](Known.of(own, form, n_context), 1)
    stored = form(read.vectors, np.random.default_rng(1))
    found = attacker(beside(stored, neighbours(read.runs, n_context)))
    assert found.shape == read.melodies.shape
    return float(chroma_agreement(found.astype(np.float64), read.melodies.astype(np.float64)).mean())


def test_ridge_regression_finds_a_linear_map_in_songs_that_it_has_not_seen() -> None:
    assert rebuilt("ridge regression", songs(1, 30), songs(2, 5)) > 0.95


def test_a_network_finds_what_no_linear_map_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(melody, "_N_EPOCHS", 10)
    monkeypatch.setattr(melody, "_BATCH", 32)
    monkeypatch.setattr(melody, "_RATE", 3e-3)
    own, read = songs(1, 80, folded=True), songs(2, 5, folded=True)
    linear = rebuilt("ridge regression", own, read)
    assert linear < 0.3
    assert rebuilt("network", own, read) > linear + 0.2


def test_the_nearest_known_windows_are_right_where_the_music_is_known() -> None:
    own = songs(1, 30)
    assert rebuilt("nearest known windows", own, songs(2, 5)) > 0.5
    known = Known.of(own, everything, 1)
    alone = recall_nearest(known, 1)
    first = np.flatnonzero(~known.held_out)[:5]
    assert alone(own.vectors[first]).shape == (5, 12, N_FRAMES)


@pytest.mark.parametrize("attack", ["nearest known windows", "ridge regression"])
def test_where_nothing_is_stored_nothing_is_rebuilt(attack: str) -> None:
    assert abs(rebuilt(attack, songs(1, 30), songs(2, 5), nothing)) < 0.1


def test_neighbours_tell_what_a_window_does_not() -> None:
    """A window's melody lies in the fingerprint before it, which only an attack sees that reads several together."""

    def late(one: Passages) -> Passages:
        return replace(one, vectors=one.vectors[neighbours(one.songs, 3)[:, 2]])

    own, read = late(songs(1, 30)), late(songs(2, 5))
    assert rebuilt("ridge regression", own, read) < 0.3
    assert rebuilt("ridge regression", own, read, n_context=3) > 0.8


def test_noise_is_drawn_anew_for_each_epoch_and_songs_held_out_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(melody, "_N_EPOCHS", 3)
    drawn = []

    def noisy(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        drawn.append(rng.standard_normal())
        return rows

    known = Known.of(songs(1, 20), noisy, 1)
    assert known.held_out.reshape(20, 20).all(axis=1).tolist() == [song % 10 == 0 for song in range(20)]
    learn_network(known, 1)
    assert len(set(drawn)) == len(drawn) == 3
    learn_ridge(known, 1)
    assert len(drawn) == 4
