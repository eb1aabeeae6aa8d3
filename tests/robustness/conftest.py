"""The command line for cases that cross rooms, and indexing without a model."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.audio import find_audio
from ondevice_db.index.codebook import Codebook
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.ingest.report import IndexReport
from tests.nowplaying.cli.conftest import database, executable, run
from tests.ondevice_db.material import SpectrumFingerprinter, make_codebook

from .sounds import music, wav

__all__ = ["IndexRun", "database", "executable", "run"]

IndexRun = Callable[..., IndexReport]


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    """Return a codebook of a few songs."""
    parts = [SpectrumFingerprinter().embed_with_levels(music(seed, 30.0), 0.25)[0] for seed in range(100, 106)]
    return make_codebook(np.concatenate(parts), n_cells=48)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of three songs."""
    (tmp_path / "music").mkdir()
    for number in range(3):
        wav(tmp_path / "music" / f"{number}.wav", music(number, 8.0))
    return tmp_path / "music"


@pytest.fixture
def index_run(codebook: Codebook) -> IndexRun:
    """Return the indexing of files with a network that needs no model."""

    def call(paths: list[Path], database: Path, **options: object) -> IndexReport:
        return index_paths(find_audio(paths), database, SpectrumFingerprinter(), codebook=codebook, **options)  # type: ignore[arg-type]

    return call
