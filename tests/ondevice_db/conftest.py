from pathlib import Path

import numpy as np
import pytest

from .material import build_database, walk


@pytest.fixture(scope="session")
def song_vectors() -> list[np.ndarray]:
    """Return the fingerprints of 40 songs of 30 to 69 s."""
    rng = np.random.default_rng(11)
    return [walk(rng, 30 + number) for number in range(40)]


@pytest.fixture(scope="session")
def pq_database(tmp_path_factory: pytest.TempPathFactory, song_vectors: list[np.ndarray]) -> Path:
    """Return a database of those songs. Tests that change it work on a copy."""
    return build_database(tmp_path_factory.mktemp("pq") / "songs.npdb", song_vectors)


@pytest.fixture(scope="session")
def flat_database(tmp_path_factory: pytest.TempPathFactory, song_vectors: list[np.ndarray]) -> Path:
    return build_database(tmp_path_factory.mktemp("flat") / "songs.npdb", song_vectors, layout="flat")
