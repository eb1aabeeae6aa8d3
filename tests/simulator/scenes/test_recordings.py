"""The shipped recordings: openly licensed, attributed, small, and as their manifest says."""

import shutil
from pathlib import Path

import pytest

from nowplaying_core.audio import SAMPLE_RATE_HZ, load
from nowplaying_core.errors import CorruptArtifactError
from simulator.scenes import recordings as module
from simulator.scenes.recordings import demo_recordings
from simulator.scenes.scene import SoundKind

FOLDER = Path(module.__file__).parent / "demo_assets"


def test_a_dozen_songs_to_know_and_some_not_to() -> None:
    music = [one for one in demo_recordings().values() if one.kind is SoundKind.MUSIC]
    assert sum(one.indexed for one in music) == 12
    assert sum(not one.indexed for one in music) >= 1


def test_three_megabytes_at_most() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 3_000_000


def test_every_file_is_attributed() -> None:
    page = (FOLDER / "ATTRIBUTION.md").read_text(encoding="utf-8")
    recordings = demo_recordings().values()
    for one in recordings:
        section = page.split(f"## {one.path.name}\n")[1].split("\n## ")[0]
        for fact in (one.title, one.artist, one.licence, one.licence_url, one.source, one.changes):
            assert fact in section
    shipped = {path.name for path in FOLDER.iterdir() if path.suffix == ".opus"}
    assert shipped == {one.path.name for one in recordings}


def test_only_free_licences() -> None:
    allowed = ("CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY (", "Public domain")
    assert all(one.licence.startswith(allowed) for one in demo_recordings().values())


def test_recordings_can_be_read() -> None:
    samples = load(demo_recordings()["cabin-fever"].path)
    assert len(samples) / SAMPLE_RATE_HZ == pytest.approx(34.0, abs=0.1)


def test_a_changed_recording_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "assets"
    shutil.copytree(FOLDER, copy)
    data = bytearray((copy / "rain.opus").read_bytes())
    data[5000] ^= 1
    (copy / "rain.opus").write_bytes(data)
    monkeypatch.setattr(module, "_FOLDER", copy)
    demo_recordings.cache_clear()
    try:
        with pytest.raises(CorruptArtifactError, match="SHA-256"):
            demo_recordings()
    finally:
        monkeypatch.undo()
        demo_recordings.cache_clear()
