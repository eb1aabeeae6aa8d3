"""An interrupted run goes on where it stopped, whatever happened to its journal or its files."""

import errno
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying_core.errors import (
    DatabaseError,
)
from ondevice_db.index.codebook import Codebook
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.ingest.read_options import ReadOptions
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import Interrupting, SpectrumFingerprinter, index_spectra
from tests.synthesis import SAMPLE_RATE_HZ, song


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_second_run_goes_on_where_the_first_stopped(
    music_folder: Path, codebook: Codebook, tmp_path: Path, error: BaseException
) -> None:
    paths = sorted(music_folder.iterdir())
    expected = DatabaseError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        index_paths(paths, tmp_path / "a.npdb", Interrupting(5, error), codebook=codebook)
    assert names(tmp_path) == ["a.npdb.partial"]
    rest = Interrupting(100, None)
    report = index_paths(paths, tmp_path / "a.npdb", rest, codebook=codebook)
    assert (rest.n_done, report.n_resumed, len(report.added)) == (3, 5, 8)
    index_spectra(paths, tmp_path / "b.npdb", codebook)
    whole, resumed = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("b.npdb", "a.npdb"))
    assert whole == resumed
    assert names(tmp_path) == ["a.npdb", "b.npdb"]


def test_files_of_an_interrupted_run_have_the_names_that_they_are_given_now(
    music_folder: Path, codebook: Codebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(music_folder)
    paths = sorted(music_folder.iterdir())
    with pytest.raises(KeyboardInterrupt):
        index_paths(
            [Path(path.name) for path in paths],
            tmp_path / "a.npdb",
            Interrupting(5, KeyboardInterrupt()),
            codebook=codebook,
        )
    assert index_spectra(paths, tmp_path / "a.npdb", codebook).n_resumed == 5
    assert [track.source for _, track in SongDatabase.open(tmp_path / "a.npdb").songs] == [str(path) for path in paths]


def test_a_torn_journal_costs_one_file(music_folder: Path, codebook: Codebook, tmp_path: Path) -> None:
    paths = sorted(music_folder.iterdir())
    with pytest.raises(KeyboardInterrupt):
        index_paths(paths, tmp_path / "a.npdb", Interrupting(5, KeyboardInterrupt()), codebook=codebook)
    journal = tmp_path / "a.npdb.partial" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-30])
    with pytest.raises(KeyboardInterrupt):
        # The file whose line was torn, and one more.
        index_paths(paths, tmp_path / "a.npdb", Interrupting(2, KeyboardInterrupt()), codebook=codebook)
    report = index_spectra(paths, tmp_path / "a.npdb", codebook)
    assert (report.n_resumed, len(report.added)) == (6, 8)


def test_a_changed_file_is_fingerprinted_again(
    music_folder: Path, codebook: Codebook, songs: list[np.ndarray], tmp_path: Path
) -> None:
    music = Path(shutil.copytree(music_folder, tmp_path / "music"))
    paths = sorted(music.iterdir())
    with pytest.raises(KeyboardInterrupt):
        index_paths(paths, tmp_path / "a.npdb", Interrupting(5, KeyboardInterrupt()), codebook=codebook)
    soundfile.write(paths[0], song(40, 10.0), SAMPLE_RATE_HZ)
    report = index_spectra(paths, tmp_path / "a.npdb", codebook)
    assert (report.n_resumed, len(report.added)) == (4, 8)
    assert SongDatabase.open(tmp_path / "a.npdb").track(0).duration_s == 10.0


@pytest.mark.parametrize(
    ("first", "reason"), [(ReadOptions(lenient=True), "truncated"), (ReadOptions(min_s=0), "shorter than")]
)
def test_what_other_options_took_is_not_taken_over(
    music_folder: Path, codebook: Codebook, tmp_path: Path, first: ReadOptions, reason: str
) -> None:
    music = Path(shutil.copytree(music_folder, tmp_path / "music"))
    if first.lenient:
        whole = (music / "song-0.wav").read_bytes()
        (music / "song-0.wav").write_bytes(whole[: len(whole) // 2])
    else:
        soundfile.write(music / "song-0.wav", song(40, 1.0), SAMPLE_RATE_HZ)
    paths = sorted(music.iterdir())
    with pytest.raises(KeyboardInterrupt):
        index_paths(paths, tmp_path / "a.npdb", Interrupting(5, KeyboardInterrupt()), codebook=codebook, options=first)
    resumed = index_spectra(paths, tmp_path / "a.npdb", codebook)
    whole_run = index_spectra(paths, tmp_path / "b.npdb", codebook)
    for report in (resumed, whole_run):
        ((failed, error),) = report.failed
        assert failed == paths[0]
        assert reason in str(error)
    one, other = (sorted(p.read_bytes() for p in (tmp_path / name).iterdir()) for name in ("a.npdb", "b.npdb"))
    assert one == other


def test_a_lenient_run_takes_over_what_a_strict_one_has_done(
    music_folder: Path, codebook: Codebook, tmp_path: Path
) -> None:
    paths = sorted(music_folder.iterdir())
    with pytest.raises(KeyboardInterrupt):
        index_paths(paths, tmp_path / "a.npdb", Interrupting(5, KeyboardInterrupt()), codebook=codebook)
    report = index_spectra(paths, tmp_path / "a.npdb", codebook, options=ReadOptions(lenient=True))
    assert (report.n_resumed, len(report.added)) == (5, 8)


def test_a_journal_of_another_encoder_is_dropped(music_folder: Path, codebook: Codebook, tmp_path: Path) -> None:
    paths = sorted(music_folder.iterdir())
    with pytest.raises(KeyboardInterrupt):
        index_paths(paths, tmp_path / "a.npdb", Interrupting(5, KeyboardInterrupt()), codebook=codebook)
    other = SpectrumFingerprinter()
    other.embedding_space = "fedcba9876543210"
    assert index_paths(paths, tmp_path / "a.npdb", other, codebook=codebook).n_resumed == 0


def test_fingerprints_without_a_journal_are_not_taken(music_folder: Path, codebook: Codebook, tmp_path: Path) -> None:
    """Clearing another model's journal may itself be interrupted, after the list and before the fingerprints."""
    paths = sorted(music_folder.iterdir())
    other = Interrupting(5, KeyboardInterrupt())
    other.embedding_space = "fedcba9876543210"
    with pytest.raises(KeyboardInterrupt):
        index_paths(paths, tmp_path / "a.npdb", other, hop_s=0.5, codebook=codebook)
    (tmp_path / "a.npdb.partial" / "journal.jsonl").unlink()
    index_spectra(paths, tmp_path / "a.npdb", codebook)
    index_spectra(paths, tmp_path / "b.npdb", codebook)
    resumed, whole = (SongDatabase.open(tmp_path / name).manifest for name in ("a.npdb", "b.npdb"))
    assert resumed == whole
