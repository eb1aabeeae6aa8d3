import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying.audio import SAMPLE_RATE_HZ
from tests.synthesis import song

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


@pytest.fixture(params=["pq", "flat"])
def copy(request: pytest.FixtureRequest, pq_database: Path, flat_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pq_database if request.param == "pq" else flat_database, tmp_path / "copy.npdb"))


@pytest.fixture
def pq_copy(pq_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pq_database, tmp_path / "copy.npdb"))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return a small corpus in the shape of the large one."""
    root = tmp_path / "corpus"
    rows = {"music": [], "noise": [], "speech": []}
    generator = np.random.default_rng(4)
    for number in range(9):
        split = "train" if number < 4 else "dev" if number < 7 else "unknown"
        rows["music"].append((f"{number}.wav", split, song(number + 300, 12.0)))
    rows["noise"] = [(f"{split}.wav", split, 0.1 * generator.standard_normal(48_000)) for split in ("train", "dev")]
    rows["speech"] = [(f"{split}.wav", split, 0.1 * np.sin(np.arange(150_000) ** 1.2)) for split in ("train", "dev")]
    for group, files in rows.items():
        (root / group).mkdir(parents=True)
        for name, _, samples in files:
            soundfile.write(root / group / name, samples, SAMPLE_RATE_HZ)
        lines = ["file\tsplit", *(f"{name}\t{split}" for name, split, _ in files)]
        (root / f"{group}.tsv").write_text("\n".join(lines) + "\n")
    return root
