"""A secret rotation hides a vector from who knows no song, and not from who does."""

import numpy as np
import pytest

from evaluation.experiments.secret_rotation import found_by_self_similarity, learned_rotation, secret_rotation
from nowplaying_core.errors import ConfigError


def unit(rng: np.random.Generator, *shape: int) -> np.ndarray:
    rows = rng.standard_normal(shape).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def test_a_rotation_changes_no_angle_and_another_seed_turns_otherwise(rng: np.random.Generator) -> None:
    rotation, other = secret_rotation(16, np.random.default_rng(1)), secret_rotation(16, np.random.default_rng(2))
    rows = unit(rng, 50, 16)
    turned = rows @ rotation
    np.testing.assert_allclose(turned @ turned.T, rows @ rows.T, atol=1e-5)
    assert abs(np.sum(turned * rows, axis=1).mean()) < 0.3
    assert abs(np.sum(turned * (rows @ other), axis=1).mean()) < 0.3


def test_enough_known_places_tell_the_rotation_and_few_do_not(rng: np.random.Generator) -> None:
    rotation, rows, asked = secret_rotation(16, rng), unit(rng, 60, 16), unit(rng, 30, 16)

    def back(n: int) -> float:
        found = learned_rotation(rows[:n], rows[:n] @ rotation)
        return float(np.sum(asked @ rotation @ found.T * asked, axis=1).mean())

    assert back(60) == pytest.approx(1.0, abs=1e-4)
    assert back(4) < 0.6
    assert back(4) < back(10) < back(60)


def test_songs_are_found_by_how_alike_their_own_places_are(rng: np.random.Generator) -> None:
    songs = [unit(rng, 20, 16) for _ in range(12)]
    turned = [rows @ secret_rotation(16, np.random.default_rng(3)) for rows in songs]
    copies = [rows + 0.05 * unit(rng, 20, 16) for rows in songs]
    assert found_by_self_similarity(turned, [*copies, *(unit(rng, 20, 16) for _ in range(9))], 16).tolist() == list(
        range(12)
    )
    strangers = [unit(rng, 20, 16) for _ in range(12)]
    assert np.mean(found_by_self_similarity(turned, strangers, 16) == np.arange(12)) < 0.4


def test_songs_that_are_too_short_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(ConfigError, match="at least 8 fingerprints"):
        found_by_self_similarity([unit(rng, 9, 4)], [unit(rng, 7, 4)], 8)
