"""What a power cut may take: everything that a manifest names is synced before the manifest takes its name."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ondevice_db.format.manifest import load_manifest
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.changes import describe_track
from tests.ondevice_db.material import build_database, make_track

Event = tuple[str, str]


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """Return what is synced and renamed from now on, in order."""
    seen: list[Event] = []
    fsync, replace, rename = os.fsync, Path.replace, Path.rename

    def note_sync(descriptor: int) -> None:
        seen.append(("sync", str(Path(f"/proc/self/fd/{descriptor}").readlink())))
        fsync(descriptor)

    def note(real: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
        def call(path: Path, target: Path) -> Path:
            seen.append(("name", str(target)))
            return real(path, target)

        return call

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note(replace))
    monkeypatch.setattr(Path, "rename", note(rename))
    return seen


def check_order(events: list[Event], folder: Path, names: set[str]) -> None:
    """Every file, then the folder, then the manifest's name, then the folder again."""
    switch = events.index(("name", str(folder / "manifest.json")))
    before, after = events[:switch], events[switch:]
    last_file = max(whole_from(before, folder, name) for name in names)
    assert ("sync", str(folder)) in before[last_file:]
    assert ("sync", str(folder)) in after


def whole_from(events: list[Event], folder: Path, name: str) -> int:
    """Return from where on a file is synced and has its name, which it may have taken after it was synced."""
    final = str(folder / name)
    if ("sync", final) in events:
        return events.index(("sync", final))
    assert ("sync", str(folder / f".{name}")) in events[: events.index(("name", final))], name
    return events.index(("name", final))


def named(folder: Path) -> set[str]:
    return {str(record["name"]) for record in load_manifest(folder).files.values()}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to name what is synced")
class TestOrder:
    def test_a_change(
        self, pq_database: Path, tmp_path: Path, song_vectors: list[np.ndarray], events: list[Event]
    ) -> None:
        copy = Path(shutil.copytree(pq_database, tmp_path / "copy.npdb"))
        old = named(copy)
        with DatabaseWriter.extend(copy) as writer:
            writer.add(make_track(50), song_vectors[0])
            writer.finish()
        check_order(events, copy, named(copy) - old)

    def test_a_new_database(self, tmp_path: Path, song_vectors: list[np.ndarray], events: list[Event]) -> None:
        path = build_database(tmp_path / "new.npdb", song_vectors[:5], "flat")
        hidden = tmp_path / f".new.npdb.{os.getpid()}.tmp"
        check_order(events, hidden, named(path))
        shown = events.index(("name", str(path)))
        assert ("sync", str(hidden)) in events[:shown]
        assert ("sync", str(tmp_path)) in events[shown:]

    def test_a_delta(self, pq_database: Path, tmp_path: Path, events: list[Event]) -> None:
        pytest.importorskip("zstandard", reason="needs the delta extra")
        from ondevice_db.update.delta import apply_delta, make_delta

        copy = Path(shutil.copytree(pq_database, tmp_path / "copy.npdb"))
        new = Path(shutil.copytree(pq_database, tmp_path / "new.npdb"))
        describe_track(new, make_track(1).track_id, {"title": "Other"})
        make_delta(copy, new, tmp_path / "d.npdelta")
        events.clear()
        old = named(copy)
        apply_delta(copy, tmp_path / "d.npdelta")
        check_order(events, copy, named(copy) - old)
