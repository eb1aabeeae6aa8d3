"""Damage a database in every way that a disk or an enemy might, and see whether it is taken for a good one.

A case is "damaged" or "forged". Damage leaves the manifest's hashes as they were: it must be refused. A forger makes
them agree again: then bounds, structure and cross references are all that is left, and the database must be refused or
answer like any other, without a crash, a hang, or memory without end; its signature must fail. Deltas are damaged and
forged alike: what they leave is the old version, or exactly the new one.
"""

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.endurance.forgery import damage_bytes, forge_manifest, forged_array, forged_statement
from evaluation.endurance.trials import forked, trial_database, trial_song, trial_track
from nowplaying_core.errors import NowPlayingError
from ondevice_db.format.manifest import MANIFEST_NAME, load_manifest
from ondevice_db.index.base import SearchOptions
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.changes import describe_track
from ondevice_db.store.content import read_content
from ondevice_db.store.store import SongDatabase
from ondevice_db.store.versions import roll_back

__all__ = ["DamageReport", "run_damage"]

_BATCH = 50
_MEMORY_BYTES = 6 << 30
KINDS = ("damaged file", "damaged manifest", "forged file", "forged array", "forged songs", "forged manifest")
DELTA_KINDS = ("damaged delta", "forged delta")


@dataclass(frozen=True, kw_only=True, slots=True)
class DamageReport:
    """What became of the cases.

    Attributes
    ----------
    seed, n_cases : int
    refused, harmless : dict
        Cases by kind that were refused with an error of ours; that opened and answered. For a damaged file or manifest
        "harmless" means that it holds what it held before.
    failures : list of str
        Crashes, hangs, other exceptions, and damage that was not seen: seed, number and what happened.
    """

    seed: int
    n_cases: int
    refused: dict[str, int]
    harmless: dict[str, int]
    failures: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def run_damage(folder: Path, n_cases: int, *, seed: int = 0) -> DamageReport:
    """Damage databases and open them, in processes that may die.

    Parameters
    ----------
    folder : Path
        An empty folder to work in.
    n_cases : int >= 0
    seed : int
    """
    worlds = [_World(folder / layout, layout) for layout in ("pq", "flat")]
    refused: Counter[str] = Counter()
    harmless: Counter[str] = Counter()
    failures: list[str] = []
    number = 0
    while number < n_cases:
        ended = forked(
            partial(_run_cases, worlds, seed, range(number, min(number + _BATCH, n_cases))),
            memory_bytes=_MEMORY_BYTES,
        )
        for line in ended.lines:
            outcome, _, kind = line.partition(" ")
            if outcome == "case":
                number = int(kind)
            elif outcome in {"refused", "harmless"}:
                (refused if outcome == "refused" else harmless)[kind] += 1
            else:
                failures.append(f"seed {seed}, case {number}: {line}")
        if ended.signal or ended.hung:
            how = "hung" if ended.hung else f"died of signal {ended.signal}"
            failures.append(f"seed {seed}, case {number}: {how}")
        number += 1
        for world in worlds:
            world.restore()
    return DamageReport(
        seed=seed,
        n_cases=n_cases,
        refused=dict(sorted(refused.items())),
        harmless=dict(sorted(harmless.items())),
        failures=failures,
    )


def _run_cases(worlds: list["_World"], seed: int, numbers: range, report: Callable[[str], None]) -> None:
    for number in numbers:
        report(f"case {number}")
        rng = np.random.default_rng([80, seed, number])
        world = worlds[int(rng.random() < 0.2)]
        kinds = KINDS + (DELTA_KINDS if world.delta is not None else ())
        kind = str(rng.choice(kinds))
        try:
            outcome = world.try_delta(kind, rng) if kind in DELTA_KINDS else world.try_database(kind, rng)
        except MemoryError:
            outcome = "ran out of memory"
        except Exception as error:  # noqa: BLE001 (any other exception is what this looks for)
            outcome = f"raised {type(error).__name__}: {error};"
        report(f"{outcome} {kind}")
        world.restore()


class _World:
    """One database with a delta to a later version, and the damage done to it."""

    def __init__(self, folder: Path, layout: str) -> None:
        folder.mkdir()
        self._database = trial_database(folder / "songs.npdb", range(14), layout)
        self._original = {path.name: path.read_bytes() for path in self._database.iterdir()}
        self._manifest = load_manifest(self._database)
        self._queries = [trial_song(3)[4:11], trial_song(300)[:7]]
        self.delta: Path | None = None
        try:
            from ondevice_db.update.delta import make_delta
        except ImportError:
            return
        new = Path(shutil.copytree(self._database, folder / "new.npdb"))
        describe_track(new, trial_track(2).track_id, {"title": "Other"})
        _add_song(new)
        self._new_manifest = (new / MANIFEST_NAME).read_bytes()
        self.delta = folder / "change.npdelta"
        try:
            make_delta(self._database, new, self.delta)
        except NowPlayingError:  # without the delta extra
            self.delta = None
            return
        self._delta_bytes = self.delta.read_bytes()

    def restore(self) -> None:
        """Undo all damage."""
        for path in list(self._database.iterdir()):
            content = self._original.get(path.name)
            if content is not None and path.is_file() and not path.is_symlink() and path.read_bytes() == content:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        for name, content in self._original.items():
            if not (self._database / name).exists():
                (self._database / name).write_bytes(content)
        if self.delta is not None:
            self.delta.write_bytes(self._delta_bytes)

    def try_database(self, kind: str, rng: np.random.Generator) -> str:
        """Damage the database; return "refused", "harmless", or what went wrong."""
        role = str(rng.choice(sorted(self._manifest.files)))
        path = self._database / str(self._manifest.files[role]["name"])
        if kind == "damaged file":
            self._damage(path, rng)
        elif kind == "damaged manifest":
            self._damage(self._database / MANIFEST_NAME, rng)
        elif kind == "forged file":
            path.write_bytes(damage_bytes(path.read_bytes(), rng))
        elif kind == "forged array":
            roles = sorted(
                role for role, record in self._manifest.files.items() if str(record["name"]).endswith(".npy")
            )
            role = str(rng.choice(roles))
            path = self._database / str(self._manifest.files[role]["name"])
            path.write_bytes(forged_array(path, rng))
        elif kind == "forged songs":
            role = "songs"
            path = self._database / str(self._manifest.files[role]["name"])
            with closing(sqlite3.connect(path)) as connection:
                for statement in forged_statement(rng):
                    try:
                        connection.execute(statement)
                    except sqlite3.Error:
                        continue
                connection.commit()
        forged = kind.startswith("forged")
        if forged:
            forge_manifest(self._database, role, rng if kind == "forged manifest" else None)
        changed = {one.name: one.read_bytes() for one in self._database.iterdir() if one.is_file()} != self._original
        try:
            database = self._use()
        except NowPlayingError:
            return "refused"
        if forged or not changed:
            return "harmless"
        # Blanks at the end of a manifest, for instance, change its bytes and not what it says.
        same = database.manifest == self._manifest and path.read_bytes() == self._original[path.name]
        return "harmless" if same and kind == "damaged manifest" else "accepted"

    def _damage(self, path: Path, rng: np.random.Generator) -> None:
        """Damage a file, or put something else in its place."""
        choice = int(rng.integers(8))
        if choice < 4:
            path.write_bytes(damage_bytes(path.read_bytes(), rng))
            return
        content = path.read_bytes()
        path.unlink()
        if choice == 4:
            path.with_name("elsewhere").write_bytes(content)
            path.symlink_to("elsewhere")
        elif choice == 5:
            path.symlink_to("/dev/zero")
        elif choice == 6:
            path.mkdir()
        elif rng.random() < 0.5:
            os.mkfifo(path)

    def _use(self) -> SongDatabase:
        """Do all that a reader does; whatever is wrong must be an error of ours."""
        database = SongDatabase.open(self._database)
        matcher = Matcher(database)
        for query in self._queries:
            for candidate in matcher.match(query, 1.0, SearchOptions(n_best=3)).candidates:
                database.track(candidate.song_index)
        database.find(trial_track(3).track_id)
        read_content(database)
        database.info()
        return database

    def try_delta(self, kind: str, rng: np.random.Generator) -> str:
        """Damage or forge the delta and apply it; return "refused", "harmless", or what went wrong."""
        from ondevice_db.update.delta import apply_delta
        from ondevice_db.update.delta_file import read_delta, write_delta

        if self.delta is None:
            return "refused"
        if kind == "damaged delta":
            self.delta.write_bytes(damage_bytes(self._delta_bytes, rng))
        else:
            delta = read_delta(self.delta)
            name = str(rng.choice(["manifest", "files", *sorted(delta.parts)]))
            if name == "manifest":
                delta = replace(delta, manifest=damage_bytes(delta.manifest, rng).decode("utf-8", "replace").encode())
            elif name == "files":
                role = str(rng.choice(sorted(delta.files)))
                method = str(rng.choice(["same", "derived", "patch", "other"]))
                delta = replace(delta, files={**delta.files, role: method})
            else:
                parts = {**delta.parts, name: damage_bytes(delta.parts[name], rng)}
                delta = replace(delta, parts=parts)
            write_delta(self.delta, delta)
        changed = self.delta.read_bytes() != self._delta_bytes
        try:
            apply_delta(self._database, self.delta)
        except NowPlayingError:
            left = {path.name: path.read_bytes() for path in self._database.iterdir()}
            return "refused" if left == self._original else "changed the database and refused"
        if kind == "damaged delta" and changed:
            return "accepted"
        if (self._database / MANIFEST_NAME).read_bytes() != self._new_manifest:
            return "led elsewhere"
        self._use()
        roll_back(self._database)
        return "harmless"


def _add_song(path: Path) -> None:
    from ondevice_db.store.builder import DatabaseWriter

    with DatabaseWriter.extend(path) as writer:
        writer.add(trial_track(40), trial_song(40))
        writer.finish()
