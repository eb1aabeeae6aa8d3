"""Indexing real files with a small encoder: what is reported, stored, refused, and kept for later."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio import to_int16
from nowplaying_core.errors import (
    AudioFormatError,
    ConfigError,
    CorruptArtifactError,
    DatabaseError,
    ManifestMismatchError,
)
from ondevice_db.format.lock import writer_lock
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.codebook_files import save_codebook
from ondevice_db.index.flat import FLAT_MAX_SONGS
from ondevice_db.index.pq import PqIndex
from ondevice_db.index.smoothing import unsmoothed
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.ingest.report import IndexProgress
from ondevice_db.recognizer import Recognizer
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import Interrupting, SpectrumFingerprinter, index_spectra, make_residual_codebook
from tests.synthesis import SAMPLE_RATE_HZ, song


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_report_and_metadata(music_folder: Path, codebook: Codebook, tmp_path: Path) -> None:
    steps: list[IndexProgress] = []
    paths = sorted(music_folder.iterdir())
    report = index_spectra(paths, tmp_path / "a.npdb", codebook, progress=steps.append)
    assert [path for path, _ in report.added] == paths
    assert (report.skipped, report.failed, report.n_resumed) == ([], [], 0)
    assert report.seconds_of_audio == pytest.approx(160.0)
    assert [step.n_done for step in steps] == list(range(1, 9))
    assert all(step.n_total == 8 for step in steps)
    assert steps[-1].times_real_time > 0
    track = SongDatabase.open(tmp_path / "a.npdb").track(3)
    assert (track.title, track.artist, track.duration_s) == ("song-3", "", 20.0)
    assert track.source == str(paths[3])
    assert names(tmp_path) == ["a.npdb"]  # the journal and the lock are gone


def test_tags_are_read(codebook: Codebook, songs: list[np.ndarray], tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    with soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 1, format="FLAC") as file:
        file.title, file.artist, file.album = "Morning", "The Örchestra", "Days"
        file.write(songs[0])
    index_spectra([path], tmp_path / "a.npdb", codebook)
    track = SongDatabase.open(tmp_path / "a.npdb").track(0)
    assert (track.title, track.artist, track.album) == ("Morning", "The Örchestra", "Days")


def test_the_same_sound_is_stored_once(codebook: Codebook, songs: list[np.ndarray], tmp_path: Path) -> None:
    for name in ("a.wav", "b.flac"):
        soundfile.write(tmp_path / name, to_int16(songs[0]), SAMPLE_RATE_HZ)
    report = index_spectra([tmp_path / "a.wav", tmp_path / "b.flac"], tmp_path / "a.npdb", codebook)
    assert [path.name for path, _ in report.added] == ["a.wav"]
    assert report.skipped == [(tmp_path / "b.flac", str(tmp_path / "a.wav"))]
    again = index_spectra([tmp_path / "b.flac"], tmp_path / "a.npdb", codebook, add=True)
    assert (again.added, again.skipped) == ([], [(tmp_path / "b.flac", str(tmp_path / "a.wav"))])


def test_a_copy_of_a_file_with_a_name_in_no_encoding_is_a_copy(
    codebook: Codebook, songs: list[np.ndarray], tmp_path: Path
) -> None:
    paths = [tmp_path / os.fsdecode(b"a\xe9.wav"), tmp_path / "b.wav"]
    try:
        for path in paths:
            with path.open("wb") as file:
                soundfile.write(file, to_int16(songs[0]), SAMPLE_RATE_HZ, format="WAV")
    except OSError:
        pytest.skip("this file system takes no such name")
    report = index_spectra(paths, tmp_path / "a.npdb", codebook)
    assert report.skipped == [(tmp_path / "b.wav", str(tmp_path / "a\\xe9.wav"))]
    assert report.n_updated == 0


def test_bad_files_are_reported_and_the_rest_is_indexed(songs: list[np.ndarray], tmp_path: Path) -> None:
    soundfile.write(tmp_path / "good.wav", songs[0], SAMPLE_RATE_HZ)
    soundfile.write(tmp_path / "silent.wav", np.zeros(5 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    (tmp_path / "words.mp3").write_text("words " * 1000)
    paths = [tmp_path / name for name in ("words.mp3", "silent.wav", "good.wav", "missing.wav")]
    for jobs in (1, 2):
        report = index_paths(paths, tmp_path / f"{jobs}.npdb", Fingerprinter.from_model(), jobs=jobs)
        assert [path.name for path, _ in report.added] == ["good.wav"]
        assert [path.name for path, _ in report.failed] == ["words.mp3", "silent.wav", "missing.wav"]
        assert all(isinstance(error, AudioFormatError) and str(path) in str(error) for path, error in report.failed)


def test_nothing_readable_makes_no_database(codebook: Codebook, tmp_path: Path) -> None:
    (tmp_path / "words.mp3").write_text("words " * 1000)
    report = index_spectra([tmp_path / "words.mp3"], tmp_path / "a.npdb", codebook)
    assert len(report.failed) == 1
    assert names(tmp_path) == ["words.mp3"]


def test_the_lock_is_held_while_fingerprinting_and_the_writer_is_opened_last(
    music_folder: Path, codebook: Codebook, tmp_path: Path
) -> None:
    database = tmp_path / "a.npdb"

    class Looking(SpectrumFingerprinter):
        n_looks = 0

        def embed_with_levels(self, samples: np.ndarray, hop_s: float) -> tuple[np.ndarray, np.ndarray]:
            with pytest.raises(DatabaseError, match="is writing it"), writer_lock(database):
                pass
            assert not database.exists()
            self.n_looks += 1
            return super().embed_with_levels(samples, hop_s)

    looking = Looking()
    report = index_paths(sorted(music_folder.iterdir()), database, looking, codebook=codebook)
    assert len(report.added) == looking.n_looks == 8


def test_what_would_be_refused_at_the_end_is_refused_at_the_start(
    music_folder: Path, music_database: Path, codebook: Codebook, tmp_path: Path
) -> None:
    paths, copy = sorted(music_folder.iterdir()), Path(shutil.copytree(music_database, tmp_path / "copy.npdb"))
    idle = Interrupting(0, AssertionError("fingerprinted"))
    with pytest.raises(DatabaseError, match="exists already; add to it"):
        index_paths(paths, copy, idle, codebook=codebook)
    with pytest.raises(DatabaseError, match="it is no database"):
        index_paths(paths, paths[0], idle, codebook=codebook)
    with pytest.raises(DatabaseError, match="expected a database folder"):
        index_paths(paths, tmp_path / "b.npdb", idle, add=True, hop_s=1.0)
    with pytest.raises(CorruptArtifactError, match="no-such-model"):
        index_paths(paths, tmp_path / "b.npdb", idle)
    assert names(tmp_path) == ["copy.npdb"]


@pytest.mark.parametrize("add", [False, True])
def test_more_files_than_the_flat_layout_holds_are_refused_at_the_start(
    music_folder: Path, tmp_path: Path, add: bool
) -> None:
    if add:
        index_paths([music_folder / "song-0.wav"], tmp_path / "a.npdb", SpectrumFingerprinter(), layout="flat")
    before = names(tmp_path)
    paths = [tmp_path / f"{number}.wav" for number in range(FLAT_MAX_SONGS + 1)]
    with pytest.raises(DatabaseError, match="at most 2000 songs, found 2001 files"):
        index_paths(paths, tmp_path / "a.npdb", SpectrumFingerprinter(), layout="flat", add=add)
    assert names(tmp_path) == before


def test_adding_to_another_encoders_database_is_refused(music_database: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(music_database, tmp_path / "copy.npdb"))
    other = SpectrumFingerprinter()
    other.embedding_space = "fedcba9876543210"
    with pytest.raises(ManifestMismatchError, match="fedcba9876543210"):
        index_paths([], copy, other, add=True)
    other.window_s = 0.5  # the database's hop is no setting of this run
    with pytest.raises(ManifestMismatchError, match="fedcba9876543210"):
        index_paths([], copy, other, add=True)


def test_adding_in_another_layout_is_refused(music_database: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(music_database, tmp_path / "copy.npdb"))
    with pytest.raises(ConfigError, match="layout: expected 'pq'"):
        index_paths([], copy, SpectrumFingerprinter(), add=True, layout="flat")
    index_paths([], copy, SpectrumFingerprinter(), add=True, layout="pq")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"jobs": 0}, "jobs"),
        ({"update_tags": True}, "update_tags: expected it with add"),
        ({"layout": "tree"}, "tree"),
        ({"hop_s": 0.0}, "hop"),
        ({"hop_s": 9.0}, "hop"),
        ({"hop_s": 1e-9}, "hop"),  # which is no sample: the windows would never move on
    ],
)
def test_settings_out_of_range(tmp_path: Path, options: dict[str, object], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        index_paths([], tmp_path / "a.npdb", SpectrumFingerprinter(), **options)  # type: ignore[arg-type]


def test_flat_layout_needs_no_codebook(music_folder: Path, tmp_path: Path, songs: list[np.ndarray]) -> None:
    first, *rest = sorted(music_folder.iterdir())
    index_paths([first], tmp_path / "a.npdb", SpectrumFingerprinter(), layout="flat")
    with pytest.raises(ConfigError, match="layout: expected 'flat'"):
        index_paths(rest, tmp_path / "a.npdb", SpectrumFingerprinter(), add=True, layout="pq")
    index_paths(rest, tmp_path / "a.npdb", SpectrumFingerprinter(), add=True)
    answer = Recognizer(SongDatabase.open(tmp_path / "a.npdb"), SpectrumFingerprinter()).recognize(songs[2])
    assert answer.match is not None
    assert answer.match.track.title == "song-2"


def test_a_finer_hop_is_kept_when_songs_are_added(music_folder: Path, codebook: Codebook, tmp_path: Path) -> None:
    first, *rest = sorted(music_folder.iterdir())
    embedder = SpectrumFingerprinter()
    hop_s = embedder.reference_hop_s / 2
    index_paths([first], tmp_path / "a.npdb", embedder, codebook=codebook, hop_s=hop_s)
    usual = tmp_path / "b.npdb"
    index_paths([first], usual, embedder, codebook=codebook)
    index_paths(rest, tmp_path / "a.npdb", embedder, add=True)
    manifest = SongDatabase.open(tmp_path / "a.npdb").manifest
    assert manifest.hop_s == hop_s
    assert manifest.n_songs == 1 + len(rest)
    assert (
        np.diff(SongDatabase.open(tmp_path / "a.npdb").song_starts)[0] > 1.8 * SongDatabase.open(usual).song_starts[1]
    )
    with pytest.raises(ManifestMismatchError, match=r"found hop 1\.0 instead of 0\.5"):
        index_paths(rest, tmp_path / "a.npdb", embedder, add=True, hop_s=embedder.reference_hop_s)


def test_references_are_smoothed_only_at_the_models_own_hop(music_folder: Path, tmp_path: Path) -> None:
    embedder = SpectrumFingerprinter()
    shipped = make_residual_codebook(embedder.embed_with_levels(song(100, 90.0), 0.25)[0])
    shipped = replace(shipped, smoothing=shipped.smoothing + np.float32(0.01))
    save_codebook(shipped, tmp_path)
    embedder.folder = SimpleNamespace(path=tmp_path, manifest={})
    expected = {1.0: shipped.smoothing, 0.5: unsmoothed(shipped.dim)}
    for hop_s, smoothing in expected.items():
        database = tmp_path / f"{hop_s}.npdb"
        index_paths(sorted(music_folder.iterdir())[:1], database, embedder, hop_s=hop_s)
        index = SongDatabase.open(database).index
        assert isinstance(index, PqIndex)
        np.testing.assert_array_equal(index.codebook.smoothing, smoothing)
