"""From files to a database: decode, fingerprint and describe each file once, in several processes, resumably."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.errors import AudioFormatError, ConfigError, DatabaseError, NowPlayingError, disk_advice
from nowplaying_core.text import printable
from ondevice_db.format.arrays import open_array
from ondevice_db.format.lock import real_folder, writer_lock
from ondevice_db.format.manifest import MIN_HOP_S, load_manifest
from ondevice_db.format.songs import as_stored
from ondevice_db.format.track import Track
from ondevice_db.index.choose_codebook import CodebookChoice, shipped_codebook
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.flat import FLAT_MAX_SONGS
from ondevice_db.ingest.added import add_tracks, changed_files
from ondevice_db.ingest.arriving import Arriving
from ondevice_db.ingest.cluster import fingerprint_on_cluster
from ondevice_db.ingest.journal import FileStamp, Journal
from ondevice_db.ingest.read_options import ReadOptions
from ondevice_db.ingest.report import IndexProgress, IndexReport
from ondevice_db.ingest.sources import place_of, source_of
from ondevice_db.ingest.workers import fingerprint_file, fingerprint_files
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.changes import replace_track
from ondevice_db.store.settings import FingerprintSettings, check_target
from ondevice_db.store.store import SongDatabase

__all__ = ["index_paths", "replace_with_file"]

_USUAL_LAYOUT = "pq"


def index_paths(
    paths: Sequence[Path],
    database: str | Path,
    fingerprinter: Fingerprinter,
    *,
    jobs: int = 1,
    add: bool = False,
    layout: str | None = None,
    codebook: Codebook | CodebookChoice | None = None,
    hop_s: float | None = None,
    engine: str = "local",
    options: ReadOptions | None = None,
    update_tags: bool = False,
    arriving: Arriving | None = None,
    progress: Callable[[IndexProgress], None] | None = None,
) -> IndexReport:
    """Index audio files.

    Interrupted at any moment, by Ctrl-C, a full disk or a power cut, the same call goes on where it stopped. The
    database does not depend on ``jobs``.

    Parameters
    ----------
    paths : sequence of Path
        Audio files; see :func:`nowplaying_core.audio.find_audio` for folders.
    database : str or Path
        Folder NAME.npdb.
    fingerprinter : Fingerprinter
        Other processes open its model folder.
    jobs : int >= 1
        Processes.
    add : bool
        Add to an existing database instead of making a new one.
    layout : {"pq", "flat"}, optional
        By default "pq", or that of the database that is added to.
    codebook : Codebook or CodebookChoice, optional
        Of a new database; by default what :class:`~ondevice_db.index.choose_codebook.CodebookChoice` chooses.
    hop_s : float in [0.01, window], seconds, optional
        Between fingerprints; by default the model's, or that of the database that is added to.
    engine : {"local", "ray"}
        Where files are fingerprinted: in processes of this machine, or on a Ray cluster; the result is the same.
    options : ReadOptions, optional
        What to do with damaged and with very short files.
    update_tags : bool
        Take title, artist, album and ids of songs that are in the database already from their files: those with the
        same sound, and those at the same path whose file was encoded again.
    arriving : Arriving, optional
        Where ``paths`` are no files here but names of recordings that somebody sends: how they come.
    progress : callable, optional
        Called after every file.

    Raises
    ------
    DatabaseError
        When the database exists (without ``add``), is missing (with it), is being written, or the disk is full.
    ArtifactError
        When the database to add to is damaged or of another encoder.
    ConfigError
        When a setting is out of range.
    """
    path = real_folder(Path(database))
    if jobs < 1:
        message = f"jobs: expected at least 1, found {jobs}"
        raise ConfigError(message)
    if update_tags and not add:
        message = "update_tags: expected it with add, which keeps the songs whose tags are read again"
        raise ConfigError(message)
    for name, value, choices in (("layout", layout, ("pq", "flat")), ("engine", engine, ("local", "ray"))):
        if value is not None and value not in choices:
            message = f"{name}: expected {choices[0]!r} or {choices[1]!r}, found {value!r}"
            raise ConfigError(message)
    if hop_s is None:
        hop_s = load_manifest(path).hop_s if add else fingerprinter.reference_hop_s
    elif not MIN_HOP_S <= hop_s <= fingerprinter.window_s:
        message = f"hop_s: expected {MIN_HOP_S} to {fingerprinter.window_s:g} s, the window, found {hop_s}"
        raise ConfigError(message)
    settings = FingerprintSettings(
        embedding_space=fingerprinter.embedding_space,
        encoder=fingerprinter.name,
        dim=fingerprinter.dim,
        hop_s=hop_s,
        window_s=fingerprinter.window_s,
    )
    choice = codebook or CodebookChoice()
    shipped = None
    if (layout or _USUAL_LAYOUT) == "pq" and not add and isinstance(choice, CodebookChoice):
        # Read first, so that a model without a codebook is refused before hours of work.
        shipped = shipped_codebook(fingerprinter.folder.path, choice.code_bytes)
        shipped = shipped if hop_s == fingerprinter.reference_hop_s else shipped.unsmoothed()
    _make_parent(path)
    began_s = time.perf_counter()
    with writer_lock(path):
        before = check_target(path, settings, extend=add)
        _check_start(path, before, layout, n_files=len(paths))
        options = options or ReadOptions()
        if options.min_s is None:
            options = replace(options, min_s=fingerprinter.window_s)
        journal = Journal(path, {"embedding_space": settings.embedding_space, "hop_s": settings.hop_s}, options)
        stamps = {file: arriving.stamps.get(file) if arriving else FileStamp.of(file) for file in paths}
        n_resumed = sum(journal.find(stamps[file]) is not None for file in paths)
        try:
            done, failed = _fingerprint_all(
                stamps,
                journal,
                fingerprinter,
                hop_s=hop_s,
                jobs=jobs,
                engine=engine,
                options=options,
                arriving=arriving,
                progress=progress,
            )
        except (OSError, BrokenProcessPool) as error:
            message = f"{path}: indexing stopped ({error}); {disk_advice(error)}"
            raise DatabaseError(message) from error
        # In the order of the files, however the work was shared out.
        # An interrupted run may have been given the same files by other names, from another folder.
        sources = {file: str(file) if arriving else source_of(file, path) for file in paths}
        tracks = [(file, as_stored(replace(done[file], source=sources[file]))) for file in paths if file in done]
        report = IndexReport(added=[], skipped=[], failed=failed, n_resumed=n_resumed, seconds_of_audio=0, elapsed_s=0)
        if tracks:
            chosen = _choose_codebook(choice, shipped, [track.track_id for _, track in tracks], journal)
            changed = changed_files(before, tracks, journal) if update_tags and before is not None else {}
            with DatabaseWriter(
                path, settings=settings, codebook=chosen, layout=layout or _USUAL_LAYOUT, extend=add, locked=True
            ) as writer:
                here = {place_of(printable(source), path) for source in sources.values()}
                report = add_tracks(writer, tracks, changed, journal, report, here=here, update_tags=update_tags)
                writer.finish()
        if tracks or not len(journal):
            journal.delete()
    return replace(report, elapsed_s=time.perf_counter() - began_s)


def replace_with_file(database: str | Path, track_id: str, file: Path, fingerprinter: Fingerprinter) -> Track:
    """Put the recording of a file in a song's place: both happen or neither.

    Parameters
    ----------
    database : str or Path
    track_id : str
        Of the song that goes.
    file : Path
    fingerprinter : Fingerprinter

    Returns
    -------
    Track
        The song that came.

    Raises
    ------
    AudioFormatError
        When the file cannot be read.
    ConfigError, DatabaseError
        As of `replace_track`.
    ArtifactError
        When the database is damaged or of another encoder.
    """
    opened = SongDatabase.open(database, fingerprinter.embedding_space)
    with tempfile.TemporaryDirectory() as folder:
        track = fingerprint_file(file, Path(folder), fingerprinter, opened.manifest.hop_s)
        track = replace(track, source=source_of(file, real_folder(Path(database))))
        embeddings = open_array(Path(folder) / f"{track.track_id}.npy", np.float32)
        replace_track(database, track_id, track, embeddings)
    return track


def _choose_codebook(
    choice: Codebook | CodebookChoice, shipped: Codebook | None, track_ids: Sequence[str], journal: Journal
) -> Codebook | None:
    """Return the codebook of a new database; None where the layout has none or the database keeps its own."""
    if isinstance(choice, Codebook) or shipped is None:
        return choice if isinstance(choice, Codebook) else None
    ids, dim = list(dict.fromkeys(track_ids)), shipped.dim

    def load(number: int) -> NDArray[np.float32]:
        return journal.embeddings(ids[number], dim)

    return choice.make(shipped, [len(load(number)) for number in range(len(ids))], load)


def _check_start(path: Path, before: SongDatabase | None, layout: str | None, *, n_files: int) -> None:
    """Refuse what the writer would refuse at the end before the work begins, so that nothing is left beside it."""
    found = before.manifest.layout if before is not None else layout
    if layout not in {None, found}:
        message = f"layout: expected {found!r}, that of {path}, which is kept when songs are added; found {layout!r}"
        raise ConfigError(message)
    if found == "flat" and n_files > FLAT_MAX_SONGS:
        message = (
            f"{path}: the flat layout holds at most {FLAT_MAX_SONGS} songs, found {n_files} files; "
            "make a database of layout 'pq' of them"
        )
        raise DatabaseError(message)
    if before is None:
        return
    try:
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        message = f"{path}: cannot be written ({error.strerror}); {disk_advice(error)}"
        raise DatabaseError(message) from error


def _make_parent(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{path}: cannot make its folder ({error}); write to another place"
        raise DatabaseError(message) from error


def _fingerprint_all(
    stamps: Mapping[Path, FileStamp | None],
    journal: Journal,
    fingerprinter: Fingerprinter,
    *,
    hop_s: float,
    jobs: int,
    engine: str,
    options: ReadOptions,
    arriving: Arriving | None,
    progress: Callable[[IndexProgress], None] | None,
) -> tuple[dict[Path, Track], list[tuple[Path, NowPlayingError]]]:
    """Return the tracks of all files that are in the journal now, and the files that failed, in their order."""
    began_s = time.perf_counter()
    done = {path: found for path, stamp in stamps.items() if (found := journal.find(stamp)) is not None}
    waiting = [path for path in stamps if path not in done]
    failed: dict[Path, NowPlayingError] = {}
    seconds = 0.0
    if arriving is not None:
        results = arriving.fingerprint(waiting, journal.folder, fingerprinter, hop_s=hop_s, options=options)
    else:
        fingerprint = fingerprint_on_cluster if engine == "ray" else fingerprint_files
        results = fingerprint(waiting, journal.folder, fingerprinter, hop_s=hop_s, jobs=jobs, options=options)
    for path, result in results:
        stamp = stamps[path]
        if isinstance(result, NowPlayingError):
            failed[path] = result
        elif stamp is None:  # the file appeared only after the run had begun
            failed[path] = AudioFormatError(f"{path}: No such file")
        else:
            done[path] = result
            journal.add(stamp, result)
            seconds += result.duration_s
        if progress is not None:
            n_done = len(done) + len(failed)
            elapsed_s = time.perf_counter() - began_s
            progress(IndexProgress(n_done=n_done, n_total=len(stamps), seconds_of_audio=seconds, elapsed_s=elapsed_s))
    return done, [(path, failed[path]) for path in stamps if path in failed]
