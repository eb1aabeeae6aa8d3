"""Changes to a database from its stored codes: remove songs, merge, describe, replace, compact.

Nothing is fingerprinted again: songs travel between databases as their cells and codes. Each function is one change:
one new generation, or none where nothing differs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError, DatabaseError, ManifestMismatchError
from ondevice_db.format.manifest import DatabaseManifest
from ondevice_db.format.songs import as_stored
from ondevice_db.format.track import Track
from ondevice_db.index.codebook import same_codebook
from ondevice_db.index.normalize import l2_normalize
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.content import read_content
from ondevice_db.store.settings import FingerprintSettings
from ondevice_db.store.store import SongDatabase

__all__ = [
    "MergeReport",
    "compact_database",
    "describe_track",
    "merge_databases",
    "remove_tracks",
    "replace_track",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeReport:
    """The fate of the songs of each source.

    Attributes
    ----------
    added : int
    duplicates : int
        Songs of which the same recording was in already.
    quantized_again : int
        Songs of databases with another codebook: their codes were decoded and encoded anew, which costs accuracy.
    """

    added: int = 0
    duplicates: int = 0
    quantized_again: int = 0

    def __add__(self, other: "MergeReport") -> "MergeReport":
        return MergeReport(
            added=self.added + other.added,
            duplicates=self.duplicates + other.duplicates,
            quantized_again=self.quantized_again + other.quantized_again,
        )


def remove_tracks(path: str | Path, track_ids: Iterable[str]) -> list[str]:
    """Remove songs from a database.

    Parameters
    ----------
    path : str or Path
    track_ids : iterable of str

    Returns
    -------
    list of str
        The ids that were in the database and are gone.

    Raises
    ------
    DatabaseError
        When it would leave no song, or another process is writing the database.
    """
    with DatabaseWriter.extend(path) as writer:
        removed = [track_id for track_id in track_ids if writer.remove(track_id)]
        if removed:
            writer.finish()
    return removed


def describe_track(path: str | Path, track_id: str, texts: Mapping[str, str]) -> Track:
    """Change a song's metadata; only the table of songs is written anew.

    Parameters
    ----------
    path : str or Path
    track_id : str
    texts : mapping
        New values of ``title``, ``artist``, ``album`` or ``source``.

    Returns
    -------
    Track
        As it is stored now.

    Raises
    ------
    ConfigError
        When the database holds no such song, or neither title nor artist would be left.
    """
    with DatabaseWriter.extend(path) as writer:
        known = writer.track(track_id)
        if known is None:
            raise _unknown(path, track_id)
        track = as_stored(replace(known, **dict(texts)))  # type: ignore[arg-type]  # the fields of texts hold str
        if not track.name.strip():
            message = f"{path}: song {track_id}: expected a title or an artist, by which it is shown; found neither"
            raise ConfigError(message)
        writer.describe(track)
        writer.finish()
    return track


def replace_track(path: str | Path, track_id: str, track: Track, embeddings: NDArray[np.float32]) -> None:
    """Put another recording in a song's place: both happen or neither.

    Parameters
    ----------
    path : str or Path
    track_id : str
        Of the song that goes.
    track : Track
    embeddings : ndarray of float32, shape (n, dim)
        As of `DatabaseWriter.add`.

    Raises
    ------
    ConfigError
        When the database holds no such song.
    DatabaseError
        When it holds the new recording already, as another song.
    """
    with DatabaseWriter.extend(path) as writer:
        if not writer.remove(track_id):
            raise _unknown(path, track_id)
        if writer.add(track, embeddings) is None:
            message = f"{path}: holds {track.source or track.track_id} already; remove {track_id} instead"
            raise DatabaseError(message)
        writer.finish()


def compact_database(path: str | Path) -> DatabaseManifest:
    """Close the gaps that removed songs left, and drop the previous version.

    Song indices change; track ids do not.
    """
    with DatabaseWriter.extend(path) as writer:
        writer.compact()
        return writer.finish(keep_previous=False)


def merge_databases(path: str | Path, sources: Sequence[str | Path], *, quantize_again: bool = False) -> MergeReport:
    """Add the songs of other databases, each recording once.

    Parameters
    ----------
    path : str or Path
        Database that takes them; a missing one is made, with the first source's codebook.
    sources : sequence of str or Path
    quantize_again : bool
        Take songs of another codebook too, by decoding and encoding them anew.

    Raises
    ------
    ManifestMismatchError
        When a source is of another encoder or hop, or of another codebook without ``quantize_again``.
    DatabaseError
        When a database is missing or being written.
    """
    if not sources:
        message = f"{path}: expected at least one database to merge into it, found none"
        raise ConfigError(message)
    opened = [SongDatabase.open(source) for source in sources]
    report = MergeReport()
    with _open_target(Path(path), opened[0]) as writer:
        for source in opened:
            report += _merge(writer, source, quantize_again=quantize_again)
        writer.finish()
    return report


def _open_target(target: Path, first: SongDatabase) -> DatabaseWriter:
    if target.exists():
        return DatabaseWriter.extend(target)
    manifest = first.manifest
    return DatabaseWriter(
        target,
        settings=FingerprintSettings.of(manifest),
        codebook=read_content(first).codebook,
        layout=manifest.layout,
        n_trees=manifest.annoy_trees,
        seed=manifest.annoy_seed,
    )


def _merge(writer: DatabaseWriter, source: SongDatabase, *, quantize_again: bool) -> MergeReport:
    theirs = FingerprintSettings.of(source.manifest)
    if replace(theirs, encoder=writer.settings.encoder) != writer.settings:
        message = f"{source.path}: built with {theirs}, found {writer.settings} to merge into; index its music again"
        raise ManifestMismatchError(message)
    content = read_content(source)
    same = same_codebook(writer.codebook, content.codebook)
    if content.codebook is not None and not same and not quantize_again:
        message = (
            f"{source.path}: has another codebook than {writer.path}; index its music into it, or merge with "
            "--quantize-again, which costs accuracy"
        )
        raise ManifestMismatchError(message)
    n_added = n_duplicates = 0
    for index, track in content.songs:
        rows = slice(int(content.song_starts[index]), int(content.song_starts[index + 1]))
        if same and content.cells is not None and content.codes is not None:
            added = writer.add_stored(track, content.codes[rows], content.cells[rows].astype(np.int64))
        elif same and content.vectors is not None:
            added = writer.add_stored(track, content.vectors[rows])
        else:
            added = writer.add(track, l2_normalize(source.index.vectors(np.arange(rows.start, rows.stop))))
        n_added += added is not None
        n_duplicates += added is None
    again = 0 if same or content.codebook is None else n_added
    return MergeReport(added=n_added, duplicates=n_duplicates, quantized_again=again)


def _unknown(path: str | Path, track_id: str) -> ConfigError:
    message = f"{path}: holds no song {track_id}; see 'nowplaying db list'"
    return ConfigError(message)
