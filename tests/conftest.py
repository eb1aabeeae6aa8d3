"""Shared fixtures: generated sound only, the same for the same seed."""

import os
import tempfile

# Before any library starts its threads: tests share small machines.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
# Notes on checked databases must neither come from elsewhere nor stay behind; commands started by tests inherit this.
_CACHE = tempfile.TemporaryDirectory(prefix="nowplaying-cache-")
os.environ["XDG_CACHE_HOME"] = _CACHE.name

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.synthesis import SAMPLE_RATE_HZ, song


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run with skipped tests where NO_SKIPS is set, as CI does: there each test gets what it needs."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("NO_SKIPS") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("NO_SKIPS is set, and tests were skipped: a package or a tool is missing", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a fresh generator with a fixed seed."""
    return np.random.default_rng(20_26)


@pytest.fixture(scope="session")
def songs() -> list[np.ndarray]:
    """Return eight melodies of 20 s that differ in key, tempo, notes and timbre."""
    return [song(seed, 20.0) for seed in range(8)]


@pytest.fixture(scope="session")
def music_folder(tmp_path_factory: pytest.TempPathFactory, songs: list[np.ndarray]) -> Path:
    """Return a folder of the eight songs as 16-bit WAV files song-0.wav to song-7.wav."""
    folder = tmp_path_factory.mktemp("music")
    for number, samples in enumerate(songs):
        soundfile.write(folder / f"song-{number}.wav", samples, SAMPLE_RATE_HZ, subtype="PCM_16")
    return folder
