import shutil
from pathlib import Path

import numpy as np
import pytest

from ondevice_db.index.codebook import Codebook
from tests.ondevice_db.material import SpectrumFingerprinter, build_database, index_spectra, make_codebook, walk
from tests.synthesis import song


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


@pytest.fixture(params=["pq", "flat"])
def copy(request: pytest.FixtureRequest, pq_database: Path, flat_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pq_database if request.param == "pq" else flat_database, tmp_path / "copy.npdb"))


@pytest.fixture
def pq_copy(pq_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pq_database, tmp_path / "copy.npdb"))


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    parts = [SpectrumFingerprinter().embed_with_levels(song(seed, 30.0), 0.25)[0] for seed in range(100, 106)]
    return make_codebook(np.concatenate(parts), n_cells=48)


@pytest.fixture(scope="session")
def music_database(music_folder: Path, codebook: Codebook, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("indexed") / "songs.npdb"
    index_spectra(sorted(music_folder.iterdir()), path, codebook)
    return path
