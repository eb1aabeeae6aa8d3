"""Which songs of a new version were in the old one, and the cells and codes of those that were not."""

from collections.abc import Mapping
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import CorruptArtifactError
from ondevice_db.format.manifest import DatabaseManifest
from ondevice_db.format.packing import concatenated_ranges, n_packed_bytes, pack, unpack, width_of
from ondevice_db.index.codebook import same_codebook
from ondevice_db.store.content import Content

__all__ = ["apply_songs", "songs_between"]

# A run of slots in the new version: (first old slot, how many), or one of these in place of the slot.
_CAME = -1
_EMPTY = -2


def songs_between(old: Content, new: Content) -> dict[str, bytes]:
    """Return the parts of a delta that describe the songs.

    Returns
    -------
    dict of bytes
        "slots": runs of (origin, length) as int64; "counts": fingerprints of each song that came, uint32; "cells":
        their cells, packed; "codes": their codes.
    """
    if new.cells is None or new.codes is None or new.codebook is None:
        return {}
    origins = _origins(old, new)
    starts = new.song_starts.astype(np.int64)
    counts: NDArray[np.int64] = np.diff(starts)
    came = np.flatnonzero(origins == _CAME)
    rows = concatenated_ranges(starts[came], counts[came])
    before = np.append(_EMPTY, origins[:-1])
    follows = np.where(origins >= 0, (before >= 0) & (origins == before + 1), origins == before)
    follows[:1] = False
    first = np.flatnonzero(~follows)
    lengths = np.diff(np.append(first, origins.size))
    return {
        "slots": np.stack([origins[first], lengths], axis=1).astype("<i8").tobytes(),
        "counts": counts[came].astype("<u4").tobytes(),
        "cells": pack(new.cells[rows], width_of(new.codebook.n_cells + 1)).tobytes(),
        "codes": np.ascontiguousarray(new.codes[rows]).tobytes(),
    }


def apply_songs(
    old: Content, parts: Mapping[str, bytes], new: DatabaseManifest
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.uint8]]:
    """Return the new version's song starts, cells and codes.

    Parameters
    ----------
    old : Content
        Of layout "pq".
    parts : mapping of name to bytes
        Untrusted; its sizes bound what is allocated, together with ``new``, whose sizes the caller has checked.
    new : DatabaseManifest

    Raises
    ------
    CorruptArtifactError
        When the parts do not fit the old version, each other, or the new manifest.
    """
    if old.cells is None or old.codes is None or old.codebook is None:
        _refuse("the old version stores no codes")
    if not {"slots", "counts", "cells", "codes"} <= set(parts) or len(parts["slots"]) % 16 or len(parts["counts"]) % 4:
        _refuse("its list of songs is incomplete")
    slots = np.frombuffer(parts["slots"], "<i8").reshape(-1, 2)
    came_counts = np.frombuffer(parts["counts"], "<u4").astype(np.int64)
    old_starts = old.song_starts.astype(np.int64)
    n_old_slots = old_starts.size - 1
    origin, length = slots[:, 0], slots[:, 1]
    valid = bool((length >= 1).all() and (length <= new.n_slots).all())
    valid &= bool((origin >= _EMPTY).all() and (origin <= n_old_slots).all())
    if not valid or int(length.sum()) != new.n_slots or (origin + np.where(origin >= 0, length, 0) > n_old_slots).any():
        _refuse("its list of songs names songs that the old version does not have")
    origins = np.repeat(origin, length)
    from_old = origins >= 0
    origins[from_old] += (np.arange(new.n_slots) - np.repeat(np.cumsum(length) - length, length))[from_old]
    n_came, n_rows = int((origins == _CAME).sum()), int(came_counts.sum())
    width, n_bytes = width_of(old.codebook.n_cells + 1), old.codebook.n_subspaces
    if (
        came_counts.size != n_came
        or len(parts["codes"]) != n_rows * n_bytes
        or len(parts["cells"]) != n_packed_bytes(n_rows, width)
    ):
        _refuse("its songs and their codes differ in number")
    counts = np.zeros(new.n_slots, np.int64)
    counts[from_old] = np.diff(old_starts)[origins[from_old]]
    counts[origins == _CAME] = came_counts
    if int(counts.sum()) != new.n_fingerprints:
        _refuse(f"it leads to {int(counts.sum())} fingerprints, expected {new.n_fingerprints}")
    came_cells = unpack(np.frombuffer(parts["cells"], np.uint8), n_rows, width)
    if n_rows and int(came_cells.max()) > old.codebook.n_cells:
        _refuse("a fingerprint lies in a cell that does not exist")
    first = np.zeros(new.n_slots, np.int64)
    first[from_old] = old_starts[origins[from_old]]
    first[origins == _CAME] = old_starts[-1] + np.cumsum(came_counts) - came_counts
    rows = concatenated_ranges(first, counts)
    codes = np.frombuffer(parts["codes"], np.uint8).reshape(-1, n_bytes)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)
    return starts, np.concatenate([old.cells, came_cells])[rows], np.concatenate([old.codes, codes])[rows]


def _origins(old: Content, new: Content) -> NDArray[np.int64]:
    """Return, for each slot of the new version, the slot of the same song in the old one, or why there is none."""
    origins = np.full(new.song_starts.size - 1, _EMPTY, np.int64)
    old_slots = (
        {track.track_id: index for index, track in old.songs} if same_codebook(old.codebook, new.codebook) else {}
    )
    for index, track in new.songs:
        slot = old_slots.get(track.track_id)
        origins[index] = slot if slot is not None and _equal_songs(old, slot, new, index) else _CAME
    return origins


def _equal_songs(old: Content, slot: int, new: Content, index: int) -> bool:
    theirs = slice(int(old.song_starts[slot]), int(old.song_starts[slot + 1]))
    ours = slice(int(new.song_starts[index]), int(new.song_starts[index + 1]))
    if old.cells is None or old.codes is None or new.cells is None or new.codes is None:
        return False
    return np.array_equal(old.cells[theirs], new.cells[ours]) and np.array_equal(old.codes[theirs], new.codes[ours])


def _refuse(reason: str) -> NoReturn:
    raise CorruptArtifactError(reason)
