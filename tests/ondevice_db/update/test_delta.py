"""Deltas: the new version byte for byte, or the old one untouched."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.endurance.trials import trial_database, trial_song
from nowplaying_core.errors import (
    ArtifactError,
    CorruptArtifactError,
    DatabaseError,
    ManifestMismatchError,
    MissingPathError,
)
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.changes import (
    compact_database,
    describe_track,
    merge_databases,
    remove_tracks,
    replace_track,
)
from ondevice_db.store.store import SongDatabase
from ondevice_db.store.versions import roll_back
from ondevice_db.update.delta import apply_delta, make_delta
from ondevice_db.update.delta_file import read_delta, write_delta
from ondevice_db.update.patch import make_patch
from ondevice_db.verify import verify_database
from tests.ondevice_db.material import build_database, make_codebook, make_track, named_files, walk
from tests.ondevice_db.tampering import set_field

pytest.importorskip("zstandard", reason="needs the delta extra")

NEW_SONGS = [trial_song(50 + number) for number in range(4)]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bases")
    return {layout: trial_database(folder / f"{layout}.npdb", range(40), layout) for layout in ("pq", "flat")}


@pytest.fixture(params=["pq", "flat"])
def old(request: pytest.FixtureRequest, bases: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(bases[request.param], tmp_path / "old.npdb"))


def add(database: Path) -> None:
    with DatabaseWriter.extend(database) as writer:
        for number, vectors in enumerate(NEW_SONGS):
            writer.add(make_track(50 + number), vectors)
        writer.finish()


def remove(database: Path) -> None:
    remove_tracks(database, [make_track(number).track_id for number in (0, 7, 8, 39)])


def describe(database: Path) -> None:
    describe_track(database, make_track(5).track_id, {"title": "Another name"})


def swap(database: Path) -> None:
    replace_track(database, make_track(12).track_id, make_track(60), NEW_SONGS[0])


def swap_and_take_back(database: Path) -> None:
    """Give the first song a new place, right behind a song that came."""
    old = database.with_name("old.npdb")
    swap(database)
    remove_tracks(database, [make_track(0).track_id])
    merge_databases(database, [old])


CHANGES: dict[str, list[Callable[[Path], object]]] = {
    "add": [add],
    "remove": [remove],
    "describe": [describe],
    "replace": [swap],
    "compact": [remove, compact_database],
    "take back": [swap_and_take_back],
    "all": [add, remove, describe, swap, compact_database],
}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def current(folder: Path) -> dict[str, bytes]:
    """Return the files of the current version alone."""
    names = {str(record["name"]) for record in SongDatabase.open(folder).manifest.files.values()}
    return {name: content for name, content in contents(folder).items() if name in names | {"manifest.json"}}


def changed(old: Path, *changes: Callable[[Path], object]) -> Path:
    new = Path(shutil.copytree(old, old.with_name("new.npdb")))
    for change in changes:
        change(new)
    return new


@pytest.mark.parametrize("kind", CHANGES)
def test_the_result_is_the_new_version_byte_for_byte(old: Path, kind: str) -> None:
    new = changed(old, *CHANGES[kind])
    before = current(old)
    n_bytes = make_delta(old, new, old.with_name("d.npdelta"))
    assert n_bytes == old.with_name("d.npdelta").stat().st_size
    apply_delta(old, old.with_name("d.npdelta"))
    assert current(old) == current(new)
    assert {path.name for path in old.iterdir()} == named_files(old)
    assert verify_database(old).n_found == SongDatabase.open(new).n_songs
    roll_back(old)
    assert current(old) == before == contents(old)


def test_a_few_songs_are_a_small_download(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    songs = [walk(rng, 200) for _ in range(160)]
    codebook = make_codebook(np.concatenate(songs))
    old = build_database(tmp_path / "old.npdb", songs[:150], codebook=codebook)
    new = Path(shutil.copytree(old, tmp_path / "new.npdb"))
    with DatabaseWriter.extend(new) as writer:
        for number in range(150, 160):
            writer.add(make_track(number), songs[number])
        for number in range(0, 20, 2):
            writer.remove(make_track(number).track_id)
        writer.finish()
    whole = sum(map(len, current(new).values()))
    # 10 songs of 200 codes of 12 bytes and a cell, and what the table of songs costs.
    assert make_delta(old, new, tmp_path / "d.npdelta") < 10 * 200 * 14 + 8_000 < whole / 4


def test_applied_twice_is_applied_once(old: Path) -> None:
    new = changed(old, add)
    make_delta(old, new, old.with_name("d.npdelta"))
    apply_delta(old, old.with_name("d.npdelta"))
    before = contents(old)
    assert apply_delta(old, old.with_name("d.npdelta")).generation == 2
    assert contents(old) == before


def test_another_version_is_left_alone(old: Path) -> None:
    make_delta(old, changed(old, add), old.with_name("d.npdelta"))
    remove(old)
    before = contents(old)
    with pytest.raises(ManifestMismatchError, match="starts from version"):
        apply_delta(old, old.with_name("d.npdelta"))
    assert contents(old) == before


def test_what_is_no_later_version_is_refused(old: Path, tmp_path: Path, song_vectors: list[np.ndarray]) -> None:
    with pytest.raises(ManifestMismatchError, match="later version"):
        make_delta(old, old, tmp_path / "d.npdelta")
    built_anew = build_database(tmp_path / "anew.npdb", song_vectors[:9])
    describe(built_anew)
    with pytest.raises(ManifestMismatchError, match="whole"):
        make_delta(old, built_anew, tmp_path / "d.npdelta")
    assert not (tmp_path / "d.npdelta").exists()


def test_deltas_follow_each_other(old: Path) -> None:
    first = changed(old, add)
    make_delta(old, first, old.with_name("1.npdelta"))
    second = Path(shutil.copytree(first, old.with_name("second.npdb")))
    remove(second)
    make_delta(first, second, old.with_name("2.npdelta"))
    apply_delta(old, old.with_name("1.npdelta"))
    apply_delta(old, old.with_name("2.npdelta"))
    assert current(old) == current(second)


def test_any_damage_is_refused_and_nothing_changes(old: Path) -> None:
    delta = old.with_name("d.npdelta")
    make_delta(old, changed(old, add, remove), delta)
    original, before = delta.read_bytes(), contents(old)
    rng = np.random.default_rng(9)
    for number in range(60):
        damaged = bytearray(original)
        if number % 3 == 0:
            damaged = damaged[: rng.integers(len(damaged))]
        elif number % 3 == 1:
            damaged[rng.integers(len(damaged) if number % 2 else 3_000)] ^= 1 << int(rng.integers(8))
        else:
            damaged += bytes(int(rng.integers(1, 50)))
        delta.write_bytes(damaged)
        with pytest.raises(CorruptArtifactError, match="download it again"):
            apply_delta(old, delta)
        assert contents(old) == before
    delta.unlink()
    with pytest.raises(MissingPathError, match="found nothing"):
        apply_delta(old, delta)


@pytest.mark.parametrize("seed", range(20))
def test_a_delta_that_lies_changes_nothing(bases: dict[str, Path], tmp_path: Path, seed: int) -> None:
    """Parts are damaged and the hashes made to agree, as somebody would who means harm."""
    old = Path(shutil.copytree(bases["pq"], tmp_path / "old.npdb"))
    path = tmp_path / "d.npdelta"
    make_delta(old, changed(old, add, remove), path)
    delta, before = read_delta(path), contents(old)
    rng = np.random.default_rng([8, seed])
    name = str(rng.choice(sorted(delta.parts)))
    part = bytearray(delta.parts[name])
    kind = seed % 4
    if kind == 0:
        part = part[: rng.integers(len(part))]
    elif kind == 1:
        part[rng.integers(len(part))] ^= 1 << int(rng.integers(8))
    elif kind == 2:
        values = np.frombuffer(bytes(part[: len(part) // 8 * 8]), "<i8").copy()
        values[rng.integers(values.size)] = rng.choice([-3, -1, 2**62, 2**63 - 1, 40, -(2**63)])
        part[: values.nbytes] = values.tobytes()
    else:
        part = bytearray(rng.integers(0, 256, int(rng.integers(200)), np.uint8).tobytes())
    write_delta(path, replace(delta, parts={**delta.parts, name: bytes(part)}))
    try:
        apply_delta(old, path)
    except ArtifactError:
        assert contents(old) == before
    else:  # only a change without a meaning may pass, such as one in padding
        assert current(old) == current(tmp_path / "new.npdb")


@pytest.mark.parametrize("method", ["same", "derived", "patch", "other", None])
def test_methods_that_do_not_lead_there(bases: dict[str, Path], tmp_path: Path, method: str | None) -> None:
    old = Path(shutil.copytree(bases["pq"], tmp_path / "old.npdb"))
    path = tmp_path / "d.npdelta"
    make_delta(old, changed(old, add), path)
    delta, before = read_delta(path), contents(old)
    roles = [role for role in delta.files if delta.files[role] != method]
    assert len(roles) >= 5
    for role in roles:
        files = dict(delta.files) | ({role: method} if method else {})
        if method is None:
            del files[role]
        write_delta(path, replace(delta, files=files))
        with pytest.raises(ArtifactError):
            apply_delta(old, path)
        assert contents(old) == before


def test_a_delta_cannot_write_over_the_current_version(old: Path, tmp_path: Path) -> None:
    """The new version keeps a file's name and hash, and the delta brings other bytes for it."""
    path, other = tmp_path / "d.npdelta", tmp_path / "other"
    make_delta(old, changed(old, describe), path)
    delta, before = read_delta(path), contents(old)
    roles = [role for role, method in delta.files.items() if method == "same"]
    assert "song_starts" in roles
    records = SongDatabase.open(old).manifest.files
    for role in roles:
        there = old / str(records[role]["name"])
        other.write_bytes(there.read_bytes()[::-1])
        for method in ("patch", "derived"):
            parts = {**delta.parts, role: make_patch(there, other)}
            write_delta(path, replace(delta, files={**delta.files, role: method}, parts=parts))
            with pytest.raises(CorruptArtifactError, match="the database is as it was"):
                apply_delta(old, path)
            assert contents(old) == before


def test_a_delta_cannot_write_over_the_last_good_version(old: Path, tmp_path: Path) -> None:
    path, other = tmp_path / "d.npdelta", tmp_path / "other"
    describe(old)
    new = changed(old, remove)
    make_delta(old, new, path)
    set_field(new, "songs-1.sqlite", "files", "songs", "name")
    other.write_bytes(bytes(SongDatabase.open(old).manifest.files["songs"]["bytes"]))
    patch = make_patch(old / "songs-2.sqlite", other)
    set_field(new, other.stat().st_size, "files", "songs", "bytes")
    delta, before = read_delta(path), contents(old)
    forged = replace(delta, manifest=(new / "manifest.json").read_bytes(), parts={**delta.parts, "songs": patch})
    write_delta(path, forged)
    with pytest.raises(CorruptArtifactError, match=r"write over \['songs-1.sqlite'\].*the database is as it was"):
        apply_delta(old, path)
    assert contents(old) == before
    assert roll_back(old).generation == 1


def test_what_an_interrupted_run_left_is_in_nobodys_way(old: Path) -> None:
    new = changed(old, add)
    make_delta(old, new, old.with_name("d.npdelta"))
    for name in ("songs-2.sqlite", ".songs-2.sqlite", ".song_starts-2.npy", "manifest-1.json", ".manifest.json.9.tmp"):
        (old / name).write_text("cut")
    apply_delta(old, old.with_name("d.npdelta"))
    assert current(old) == current(new)
    assert {path.name for path in old.iterdir()} == named_files(old)


def test_a_full_disk_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ondevice_db.update import delta

    make_delta(old, changed(old, add), old.with_name("d.npdelta"))
    before = contents(old)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for step in ("check_file", "sync_folder", "keep_current", "switch_to"):
        with monkeypatch.context() as patched:
            patched.setattr(delta, step, fail)
            with pytest.raises(DatabaseError, match="free some space"):
                apply_delta(old, old.with_name("d.npdelta"))
        assert contents(old) == before


def test_one_writer_at_a_time(old: Path) -> None:
    make_delta(old, changed(old, add), old.with_name("d.npdelta"))
    with DatabaseWriter.extend(old), pytest.raises(DatabaseError, match="is writing it"):
        apply_delta(old, old.with_name("d.npdelta"))
