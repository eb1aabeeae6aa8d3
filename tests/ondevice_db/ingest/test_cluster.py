"""Indexing on a local Ray cluster, with a worker killed in the middle, gives the bytes of a local build."""

import os
import signal
from pathlib import Path

import pytest
import soundfile

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.errors import ConfigError
from ondevice_db.ingest.ingest import index_paths
from tests.ondevice_db.material import SpectrumFingerprinter
from tests.synthesis import song


@pytest.fixture
def music(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "music"
    folder.mkdir()
    paths = [folder / f"{number:02}.wav" for number in range(40)]
    for number, path in enumerate(paths):
        soundfile.write(path, song(number + 900, 6.0), SAMPLE_RATE_HZ)
    (folder / "07.wav").write_text("no audio")
    return paths


def contents(database: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(database.iterdir())}


def busy_workers() -> list[int]:
    """Return the processes that Ray's own process below this one has given work."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and (folder / "cmdline").read_bytes().startswith(b"ray::Map"):
                raylet = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                if int((Path("/proc") / raylet / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid():
                    found.append(int(folder.name))
        except OSError:  # it has ended
            continue
    return found


def test_a_killed_worker_changes_nothing(music: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason="needs the cluster extra")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    fingerprinter = Fingerprinter.from_model()
    index_paths(music, tmp_path / "local.npdb", fingerprinter)
    killed: list[int] = []

    def kill_a_worker(state: object) -> None:
        if not killed:
            killed.append(busy_workers()[0])
            os.kill(killed[0], signal.SIGKILL)

    try:
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        report = index_paths(music, tmp_path / "ray.npdb", fingerprinter, jobs=2, engine="ray", progress=kill_a_worker)
    finally:
        ray.shutdown()
    assert killed
    assert [path.name for path, _ in report.failed] == ["07.wav"]
    assert "07.wav" in str(report.failed[0][1])
    assert len(report.added) == len(music) - 1
    assert contents(tmp_path / "ray.npdb") == contents(tmp_path / "local.npdb")


def test_engines_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'cloud'"):
        index_paths([], tmp_path / "a.npdb", SpectrumFingerprinter(), engine="cloud")
    assert not (tmp_path / "a.npdb").exists()
