"""From fingerprinted files to a database's songs: those that are new, and those that it has already."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ondevice_db.format.track import Track
from ondevice_db.index.normalize import power_normalize
from ondevice_db.ingest.journal import Journal
from ondevice_db.ingest.report import IndexReport
from ondevice_db.ingest.sources import place_of
from ondevice_db.match.same_music import is_same_recording
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.store import SongDatabase

__all__ = ["add_tracks", "changed_files"]


def add_tracks(
    writer: DatabaseWriter,
    tracks: Sequence[tuple[Path, Track]],
    changed: Mapping[Path, Track],
    journal: Journal,
    report: IndexReport,
    *,
    here: set[str],
    update_tags: bool,
) -> IndexReport:
    """Add songs and refresh those whose recordings are in already; return the report with what became of each.

    Parameters
    ----------
    writer : DatabaseWriter
    tracks : sequence of (Path, Track)
        Files and what they hold, as `as_stored` returns it.
    changed : mapping of Path to Track
        Songs whose files were encoded again, as `changed_files` finds them.
    journal : Journal
        Has the fingerprints.
    report : IndexReport
        Of the run so far.
    here : set of str
        Places of all files of the run: where a known song's file is one of them, it has not moved.
    update_tags : bool
        Take metadata of known songs from their files.
    """
    added: list[tuple[Path, str]] = []
    copies: list[tuple[Path, str]] = []
    n_known = n_updated = 0
    seconds = 0.0
    for file, track in tracks:
        before = changed.get(file) or writer.track(track.track_id)
        if before is None:
            writer.add(track, journal.embeddings(track.track_id, writer.settings.dim))
            added.append((file, track.track_id))
            seconds += track.duration_s
            continue
        n_known += 1
        place = place_of(before.source, writer.path)
        is_same = place == place_of(track.source, writer.path)
        # Not Path.exists, which fails on names too long.
        is_moved = not is_same and place not in here and not os.path.exists(place)  # noqa: PTH110
        refreshed = _refreshed(before, track, is_same=is_same, is_moved=is_moved, update_tags=update_tags)
        n_updated += refreshed != before and writer.describe(refreshed)
        if not (is_same or is_moved):
            copies.append((file, before.source))
    return replace(
        report,
        added=added,
        skipped=copies,
        n_unchanged=n_known - len(copies),
        n_updated=n_updated,
        seconds_of_audio=seconds,
    )


def _refreshed(known: Track, found: Track, *, is_same: bool, is_moved: bool, update_tags: bool) -> Track:
    """Return a known song's metadata after its recording was found again, perhaps elsewhere or with other tags."""
    if update_tags and (is_same or is_moved):
        return replace(found, track_id=known.track_id, duration_s=known.duration_s)
    return replace(known, source=found.source) if is_moved else known


def changed_files(before: SongDatabase, tracks: Sequence[tuple[Path, Track]], journal: Journal) -> dict[Path, Track]:
    """Return the songs whose files hold the same music as before in another encoding, so that their ids differ."""
    by_place = {place_of(track.source, before.path): (song, track) for song, track in before.songs}
    found: dict[Path, Track] = {}
    for file, track in tracks:
        song, known = by_place.get(place_of(track.source, before.path), (-1, track))
        if song < 0 or known.track_id == track.track_id:
            continue
        first, last = (int(before.song_starts[one]) for one in (song, song + 1))
        stored = power_normalize(before.index.vectors(np.arange(first, last)))
        if is_same_recording(stored, journal.embeddings(track.track_id, before.manifest.dim)):
            found[file] = known
    return found
