"""Kill a writer at a random moment and look at what is left: the old version or the new one, never a third thing.

Half of the kills come after a random time, within a write or between two; the other half at a random one of the
operating system's calls that Python reports to audit hooks (open, rename, remove, ...), so that the short moments
between two renames are met as often as the long ones. A kill leaves what the kernel has in its caches: a power cut
would also lose what was not synced, which a test of the order of syncs covers.
"""

import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.endurance.trials import forked, trial_database, trial_song, trial_track
from nowplaying_core.errors import NowPlayingError
from ondevice_db.format.manifest import MANIFEST_NAME
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.changes import compact_database, describe_track, merge_databases, remove_tracks, replace_track
from ondevice_db.store.content import read_content
from ondevice_db.store.store import SongDatabase
from ondevice_db.store.versions import last_good, roll_back, signature_name

__all__ = ["KillReport", "run_kills"]

_AUDITED = ("open", "os.", "shutil.", "sqlite3.")
_MOST_SONGS = 40
Change = Callable[[Path], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class KillReport:
    """What the kills left.

    Attributes
    ----------
    seed : int
    n_kills : int
    n_landed : int
        Writers that were killed before they had ended.
    old, new : int
        Databases left as they were, and with the whole change.
    changes : dict
        Kills by the kind of change.
    failures : list of str
        Anything else: seed, number and what was found.
    """

    seed: int
    n_kills: int
    n_landed: int
    old: int
    new: int
    changes: dict[str, int]
    failures: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def run_kills(folder: Path, n_kills: int, *, seed: int = 0, layout: str = "pq", at_calls: float = 0.5) -> KillReport:
    """Kill writers of one database again and again.

    Parameters
    ----------
    folder : Path
        An empty folder to work in.
    n_kills : int >= 0
    seed : int
    layout : {"pq", "flat"}
    at_calls : float in [0, 1]
        Share of the kills that come at a call; with 1 a seed gives the same kills on every machine.
    """
    rng = np.random.default_rng([79, seed])
    trial = _Trial(folder, rng, layout, at_calls)
    seen: Counter[str] = Counter()
    failures: list[str] = []
    counts = Counter[str]()
    for number in range(n_kills):
        name, change = trial.draw_change()
        seen[name] += 1
        try:
            landed, left = trial.kill(change, keeps_previous=name not in {"compact", "rollback", "sign"})
            counts[left] += 1
            counts["landed"] += landed
        except (NowPlayingError, AssertionError, OSError) as error:
            failures.append(f"seed {seed}, kill {number}, {name}: {error}")
            trial.restart()
    return KillReport(
        seed=seed,
        n_kills=n_kills,
        n_landed=counts["landed"],
        old=counts["old"],
        new=counts["new"],
        changes=dict(sorted(seen.items())),
        failures=failures,
    )


class _Trial:
    """One database under fire, and the changes that it undergoes."""

    def __init__(self, folder: Path, rng: np.random.Generator, layout: str, at_calls: float) -> None:
        self._folder, self._rng, self._layout = folder, rng, layout
        self._at_calls = at_calls
        self._next = 1000
        self._other = trial_database(folder / "other.npdb", range(500, 504), layout)
        self._database = folder / "songs.npdb"
        self.restart()

    def restart(self) -> None:
        """Begin with a fresh database."""
        shutil.rmtree(self._database, ignore_errors=True)
        trial_database(self._database, range(12), self._layout)

    def draw_change(self) -> tuple[str, Change]:
        """Return a change that is possible now, and its kind."""
        database = SongDatabase.open(self._database)
        ids = [track.track_id for _, track in database.songs]
        picked = [str(one) for one in self._rng.choice(ids, min(len(ids) - 1, 3), replace=False)]
        self._next += 1
        number = self._next
        changes: dict[str, Change] = {
            "add": lambda path: _add(path, number),
            "remove": lambda path: remove_tracks(path, picked[: 1 + number % 3]),
            "describe": lambda path: describe_track(path, picked[0], {"title": f"Name {number}"}),
            "replace": lambda path: replace_track(path, picked[0], trial_track(number), trial_song(number)),
            "compact": compact_database,
            "merge": lambda path: merge_databases(path, [self._other]),
        }
        delta = self._make_delta(number)
        if delta is not None:
            changes["apply"] = lambda path: _apply(path, delta)
        if last_good(self._database) is not None:
            changes["rollback"] = roll_back
        if len(ids) > _MOST_SONGS:
            changes = {name: changes[name] for name in ("remove", "compact")}
        elif len(ids) < 6:
            changes = {name: changes[name] for name in ("add", "replace", "describe")}
        name = str(self._rng.choice(sorted(changes)))
        return name, changes[name]

    def kill(self, change: Change, *, keeps_previous: bool) -> tuple[bool, str]:
        """Let a process make a change and kill it; return whether it was still at it, and what is left.

        Raises
        ------
        AssertionError
            When neither the old version nor the new one is left.
        """
        before = (self._database / MANIFEST_NAME).read_bytes()
        kept_before = last_good(self._database)
        after, n_calls, duration_s = self._rehearse(change)
        if self._rng.random() < self._at_calls:
            nth = int(self._rng.integers(1, n_calls + 1))
            ended = forked(lambda report: _change_until(change, self._database, report, nth))
        else:
            delay_s = float(self._rng.uniform(0, 1.1 * duration_s))
            ended = forked(lambda report: _change_until(change, self._database, report, None), kill_after_s=delay_s)
        raised = [line for line in ended.lines if line.startswith("raised")]
        _require(not raised and not ended.hung, f"the writer failed by itself: {raised}")
        found = (self._database / MANIFEST_NAME).read_bytes()
        _require(found in {before, after}, "the manifest is neither the old one nor the new one")
        database = SongDatabase.open(self._database)
        content = read_content(database)
        _require(len(content.songs) == database.n_songs, "songs are missing")
        kept = last_good(self._database)
        if found == before:
            _require(kept == kept_before or not keeps_previous, "the version before the old one is lost")
        elif keeps_previous:
            _require(kept is not None, "the old version is not kept")
            SongDatabase.open_version(self._database, kept)  # type: ignore[arg-type]  # not None
        _require("ended" not in ended.lines or found == after, "a change that was reported as made is lost")
        return "ended" not in ended.lines, "old" if found == before else "new"

    def _rehearse(self, change: Change) -> tuple[bytes, int, float]:
        """Make the change to a copy: what comes of it, how many calls it takes, and how long."""
        copy = self._folder / "copy.npdb"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self._database, copy)
        began_s = time.perf_counter()
        ended = forked(lambda report: _change_counted(change, copy, report))
        duration_s = time.perf_counter() - began_s
        _require(len(ended.lines) == 1 and ended.lines[0].isdigit(), f"the change itself fails: {ended.lines}")
        names = {str(one["name"]) for one in SongDatabase.open(copy).manifest.files.values()}
        before = last_good(copy)
        names |= {str(one["name"]) for one in before.files.values()} if before is not None else set()
        own = {MANIFEST_NAME, f"manifest-{before.generation}.json" if before else ""}
        signatures = {signature_name(SongDatabase.open(copy).manifest.generation)}
        extra = {path.name for path in copy.iterdir()} - names - own - signatures
        _require(not extra, f"a change that was not interrupted leaves {sorted(extra)}")
        return (copy / MANIFEST_NAME).read_bytes(), int(ended.lines[0]), duration_s

    def _make_delta(self, number: int) -> Path | None:
        try:
            from ondevice_db.update.delta import make_delta
        except ImportError:
            return None
        new = self._folder / "new.npdb"
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(self._database, new)
        _add(new, number)
        make_delta(self._database, new, self._folder / "change.npdelta")
        return self._folder / "change.npdelta"


def _add(path: Path, number: int) -> None:
    with DatabaseWriter.extend(path) as writer:
        writer.add(trial_track(number), trial_song(number))
        writer.finish()


def _apply(path: Path, delta: Path) -> None:
    from ondevice_db.update.delta import apply_delta

    apply_delta(path, delta)


def _change_counted(change: Change, path: Path, report: Callable[[str], None]) -> None:
    calls = [0]
    sys.addaudithook(lambda event, _: _count(calls, event))
    change(path)
    report(str(calls[0]))


def _count(calls: list[int], event: str) -> None:
    calls[0] += event.startswith(_AUDITED)


def _change_until(change: Change, path: Path, report: Callable[[str], None], nth: int | None) -> None:
    """Make a change; with ``nth``, kill this process before the nth reported call."""
    report("begun")
    if nth is not None:
        calls = [0]

        def watch(event: str, _: object) -> None:
            _count(calls, event)
            if calls[0] == nth:
                calls[0] += 1  # the kill is such a call too
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
    change(path)
    report("ended")


def _require(valid: bool, message: str) -> None:  # noqa: FBT001 (an assertion)
    if not valid:
        raise AssertionError(message)
