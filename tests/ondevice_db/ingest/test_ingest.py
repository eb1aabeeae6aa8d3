"""Indexing real files with a small encoder: duplicates, failures, resuming, processes; then recognizing them."""

import errno
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, builtin_model_dir
from nowplaying_core.audio import to_int16
from nowplaying_core.errors import (
    AudioFormatError,
    ConfigError,
    CorruptArtifactError,
    DatabaseError,
    ManifestMismatchError,
)
from ondevice_db.answer import Recognition
from ondevice_db.format.lock import writer_lock
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.pq import PqIndex
from ondevice_db.index.smoothing import unsmoothed
from ondevice_db.ingest import workers
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.ingest.report import IndexProgress, IndexReport
from ondevice_db.levels import first_audible_s
from ondevice_db.match.match import Trace
from ondevice_db.match.matcher import Matcher
from ondevice_db.recognizer import Recognizer
from ondevice_db.store.store import SongDatabase
from ondevice_db.verify import verify_database
from tests.ondevice_db.material import SpectrumFingerprinter, make_codebook, make_residual_codebook
from tests.synthesis import SAMPLE_RATE_HZ, song


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    parts = [SpectrumFingerprinter().embed_with_levels(song(seed, 30.0), 0.25)[0] for seed in range(100, 106)]
    return make_codebook(np.concatenate(parts), n_cells=48)


@pytest.fixture(scope="session")
def music_database(music_folder: Path, codebook: Codebook, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("indexed") / "songs.npdb"
    run(sorted(music_folder.iterdir()), path, codebook)
    return path


def run(paths: list[Path], database: Path, codebook: Codebook, **options: object) -> IndexReport:
    return index_paths(paths, database, SpectrumFingerprinter(), codebook=codebook, **options)  # type: ignore[arg-type]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_report_and_metadata(music_folder: Path, codebook: Codebook, tmp_path: Path) -> None:
    steps: list[IndexProgress] = []
    paths = sorted(music_folder.iterdir())
    report = run(paths, tmp_path / "a.npdb", codebook, progress=steps.append)
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
    run([path], tmp_path / "a.npdb", codebook)
    track = SongDatabase.open(tmp_path / "a.npdb").track(0)
    assert (track.title, track.artist, track.album) == ("Morning", "The Örchestra", "Days")


def test_the_same_sound_is_stored_once(codebook: Codebook, songs: list[np.ndarray], tmp_path: Path) -> None:
    for name in ("a.wav", "b.flac"):
        soundfile.write(tmp_path / name, to_int16(songs[0]), SAMPLE_RATE_HZ)
    report = run([tmp_path / "a.wav", tmp_path / "b.flac"], tmp_path / "a.npdb", codebook)
    assert [path.name for path, _ in report.added] == ["a.wav"]
    assert report.skipped == [(tmp_path / "b.flac", str(tmp_path / "a.wav"))]
    again = run([tmp_path / "b.flac"], tmp_path / "a.npdb", codebook, add=True)
    assert (again.added, again.skipped) == ([], [(tmp_path / "b.flac", str(tmp_path / "a.wav"))])


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
    report = run([tmp_path / "words.mp3"], tmp_path / "a.npdb", codebook)
    assert len(report.failed) == 1
    assert names(tmp_path) == ["words.mp3"]


def test_processes_do_not_change_the_database(music_folder: Path, tmp_path: Path) -> None:
    for jobs in (1, 3):
        index_paths(sorted(music_folder.iterdir()), tmp_path / f"{jobs}.npdb", Fingerprinter.from_model(), jobs=jobs)
    one, three = ({path.name: path.read_bytes() for path in (tmp_path / f"{jobs}.npdb").iterdir()} for jobs in (1, 3))
    assert one == three


class Interrupting(SpectrumFingerprinter):
    """Works for a while, then fails as a disk or a user would make it fail."""

    def __init__(self, n_files: int, error: BaseException | None) -> None:
        self.left, self.error, self.n_done = n_files, error, 0

    def embed_with_levels(self, samples: np.ndarray, hop_s: float) -> tuple[np.ndarray, np.ndarray]:
        if self.left == 0 and self.error is not None:
            raise self.error
        self.left -= 1
        self.n_done += 1
        return super().embed_with_levels(samples, hop_s)


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
    with pytest.raises(DatabaseError, match="exists already"):
        index_paths(paths, copy, idle, codebook=codebook)
    with pytest.raises(DatabaseError, match="expected a database folder"):
        index_paths(paths, tmp_path / "b.npdb", idle, add=True, hop_s=1.0)
    with pytest.raises(CorruptArtifactError, match="no-such-model"):
        index_paths(paths, tmp_path / "b.npdb", idle)
    assert names(tmp_path) == ["copy.npdb"]


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
    run(paths, tmp_path / "b.npdb", codebook)
    whole, resumed = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("b.npdb", "a.npdb"))
    assert whole == resumed
    assert names(tmp_path) == ["a.npdb", "b.npdb"]


def test_a_torn_journal_costs_one_file(music_folder: Path, codebook: Codebook, tmp_path: Path) -> None:
    paths = sorted(music_folder.iterdir())
    with pytest.raises(KeyboardInterrupt):
        index_paths(paths, tmp_path / "a.npdb", Interrupting(5, KeyboardInterrupt()), codebook=codebook)
    journal = tmp_path / "a.npdb.partial" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-30])
    with pytest.raises(KeyboardInterrupt):
        # The file whose line was torn, and one more.
        index_paths(paths, tmp_path / "a.npdb", Interrupting(2, KeyboardInterrupt()), codebook=codebook)
    report = run(paths, tmp_path / "a.npdb", codebook)
    assert (report.n_resumed, len(report.added)) == (6, 8)


def test_a_changed_file_is_fingerprinted_again(
    music_folder: Path, codebook: Codebook, songs: list[np.ndarray], tmp_path: Path
) -> None:
    music = Path(shutil.copytree(music_folder, tmp_path / "music"))
    paths = sorted(music.iterdir())
    with pytest.raises(KeyboardInterrupt):
        index_paths(paths, tmp_path / "a.npdb", Interrupting(5, KeyboardInterrupt()), codebook=codebook)
    soundfile.write(paths[0], song(40, 10.0), SAMPLE_RATE_HZ)
    report = run(paths, tmp_path / "a.npdb", codebook)
    assert (report.n_resumed, len(report.added)) == (4, 8)
    assert SongDatabase.open(tmp_path / "a.npdb").track(0).duration_s == 10.0


def test_a_journal_of_another_encoder_is_dropped(music_folder: Path, codebook: Codebook, tmp_path: Path) -> None:
    paths = sorted(music_folder.iterdir())
    with pytest.raises(KeyboardInterrupt):
        index_paths(paths, tmp_path / "a.npdb", Interrupting(5, KeyboardInterrupt()), codebook=codebook)
    other = SpectrumFingerprinter()
    other.embedding_space = "fedcba9876543210"
    assert index_paths(paths, tmp_path / "a.npdb", other, codebook=codebook).n_resumed == 0


def test_adding_to_another_encoders_database_is_refused(music_database: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(music_database, tmp_path / "copy.npdb"))
    other = SpectrumFingerprinter()
    other.embedding_space = "fedcba9876543210"
    with pytest.raises(ManifestMismatchError, match="fedcba9876543210"):
        index_paths([], copy, other, add=True)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"jobs": 0}, "jobs"),
        ({"layout": "tree"}, "tree"),
        ({"hop_s": 0.0}, "hop"),
        ({"hop_s": 9.0}, "hop"),
    ],
)
def test_settings_out_of_range(tmp_path: Path, options: dict[str, object], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        index_paths([], tmp_path / "a.npdb", SpectrumFingerprinter(), **options)  # type: ignore[arg-type]


def test_flat_layout_needs_no_codebook(music_folder: Path, tmp_path: Path, songs: list[np.ndarray]) -> None:
    index_paths(sorted(music_folder.iterdir()), tmp_path / "a.npdb", SpectrumFingerprinter(), layout="flat")
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
    shipped.save(tmp_path)
    embedder.folder = SimpleNamespace(path=tmp_path, manifest={})
    expected = {1.0: shipped.smoothing, 0.5: unsmoothed(shipped.dim)}
    for hop_s, smoothing in expected.items():
        database = tmp_path / f"{hop_s}.npdb"
        index_paths(sorted(music_folder.iterdir())[:1], database, embedder, hop_s=hop_s)
        index = SongDatabase.open(database).index
        assert isinstance(index, PqIndex)
        np.testing.assert_array_equal(index.codebook.smoothing, smoothing)


def test_a_worker_ends_with_its_parent() -> None:
    """A worker starts a thread that waits for its parent's end, and ignores Ctrl-C."""
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    parent, child = context.Pipe()
    outer = context.Process(target=_outer, args=(child,))
    outer.start()
    child.close()
    inner_pid = parent.recv()
    os.kill(outer.pid, 9)  # type: ignore[arg-type]
    outer.join()
    assert parent.poll(30)
    with pytest.raises(EOFError):
        parent.recv()  # the grandchild held the other end; it is gone
    assert inner_pid != outer.pid


def _outer(connection: object) -> None:
    import multiprocessing

    inner = multiprocessing.get_context("fork").Process(target=_inner, args=(connection,))
    inner.start()
    inner.join()


def _inner(connection: object) -> None:
    import time

    workers._start(builtin_model_dir(SHIPPED_FINGERPRINTER))
    connection.send(os.getpid())  # type: ignore[attr-defined]
    time.sleep(60)


@pytest.fixture(scope="module")
def recognizer(music_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    fingerprinter = Fingerprinter.from_model()
    database = tmp_path_factory.mktemp("shipped") / "music.npdb"
    index_paths(sorted(music_folder.iterdir()), database, fingerprinter)
    return Recognizer(SongDatabase.open(database, fingerprinter.embedding_space), fingerprinter)


class TestRecognizer:
    def test_songs_are_named_at_their_positions(self, recognizer: Recognizer, songs: list[np.ndarray]) -> None:
        for number, samples in enumerate(songs):
            start = (number + 1.3) * SAMPLE_RATE_HZ
            answer = recognizer.recognize(0.5 * samples[int(start) : int(start) + 8 * SAMPLE_RATE_HZ])
            assert answer.match is not None
            assert answer.match.track.title == f"song-{number}"
            assert answer.match.offset_s == pytest.approx(start / SAMPLE_RATE_HZ, abs=0.3)
            assert answer.n_fingerprints == 12
            assert answer.latency_ms > 0
            assert set(answer.match.to_dict()) == {"track_id", "title", "artist", "source", "offset_s", "score"}

    def test_the_first_sound_is_taken(self, recognizer: Recognizer, songs: list[np.ndarray]) -> None:
        silence = np.zeros(12 * SAMPLE_RATE_HZ, np.float32)
        answer = recognizer.recognize(np.concatenate([silence, songs[4][: 9 * SAMPLE_RATE_HZ]]))
        assert answer.match is not None
        assert answer.match.track.title == "song-4"
        assert recognizer.explain(answer).query_start_s == pytest.approx(12.0, abs=0.2)

    def test_at_and_every(self, recognizer: Recognizer, songs: list[np.ndarray]) -> None:
        both = np.concatenate([songs[1][: 10 * SAMPLE_RATE_HZ], songs[6][: 10 * SAMPLE_RATE_HZ]])
        at = recognizer.recognize(both, at_s=11.0)
        assert at.match is not None
        assert (at.match.track.title, at.match.offset_s) == ("song-6", pytest.approx(1.0, abs=0.3))
        every = list(recognizer.recognize_every(both, 10.0))
        assert [start_s for start_s, _ in every] == [0.0, 10.0]
        assert [answer.match.track.title for _, answer in every if answer.match] == ["song-1", "song-6"]
        assert [answer.query for _, answer in every] == [None, None]  # a day of them must not fill the memory
        with pytest.raises(ConfigError, match="explainable"):
            recognizer.explain(every[0][1])
        (_, kept), *_ = recognizer.recognize_every(both, 10.0, explainable=True)
        assert recognizer.explain(kept).query_start_s == 0.0
        with pytest.raises(ConfigError, match="every_s"):
            next(recognizer.recognize_every(both, np.inf))

    @pytest.mark.parametrize(
        ("n_samples", "n_fingerprints"), [(1, 1), (100, 1), (4_800, 1), (32_768, 3), (40_000, 4), (56_000, 3)]
    )
    def test_short_sounds_have_an_answer(
        self, recognizer: Recognizer, songs: list[np.ndarray], n_samples: int, n_fingerprints: int
    ) -> None:
        """Windows of the shipped model reach 0.6 s beyond queries of less than 3.5 s."""
        found = recognizer.recognize(songs[0][30_000 : 30_000 + n_samples])
        assert found.n_fingerprints == n_fingerprints

    def test_explanations_and_alignments_are_made_of_the_match_and_only_when_asked_for(
        self, recognizer: Recognizer, songs: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(Trace, "steps", lambda _: pytest.fail("computed without being asked for"))
            answer = recognizer.recognize(songs[3][: 8 * SAMPLE_RATE_HZ])
        with monkeypatch.context() as patched:
            patched.setattr(Matcher, "match", lambda *_: pytest.fail("matched again"))
            explanation, alignment = recognizer.explain(answer), recognizer.align(answer)
        assert answer.match is not None
        assert alignment is not None
        first = explanation.candidates[0]
        assert explanation.tracks[first.song_index].title == alignment.title == answer.match.track.title == "song-3"
        assert (first.offset_s, first.score) == (alignment.offset_s, alignment.score)
        assert (first.offset_s, first.score) == (answer.match.offset_s, answer.match.score)
        assert alignment.steps == explanation.steps
        assert len(explanation.steps) == answer.n_fingerprints == 12

    def test_an_answer_without_its_query_cannot_be_explained(self, recognizer: Recognizer) -> None:
        with pytest.raises(ConfigError, match="without"):
            recognizer.explain(Recognition(match=None, latency_ms=1.0, n_fingerprints=12))

    def test_silence_is_unknown(self, recognizer: Recognizer) -> None:
        answer = recognizer.recognize(np.zeros(8 * SAMPLE_RATE_HZ, np.float32))
        assert answer.match is None
        assert recognizer.explain(answer).reason == "nothing above -60 dBFS"

    def test_silence_within_the_music_is_not_evidence(self, recognizer: Recognizer, songs: list[np.ndarray]) -> None:
        samples = np.zeros(8 * SAMPLE_RATE_HZ, np.float32)
        samples[: 2 * SAMPLE_RATE_HZ] = songs[5][3 * SAMPLE_RATE_HZ : 5 * SAMPLE_RATE_HZ]
        samples[-SAMPLE_RATE_HZ:] = songs[5][10 * SAMPLE_RATE_HZ : 11 * SAMPLE_RATE_HZ]
        answer = recognizer.recognize(samples)
        # Four windows begin before second two; two reach into the last second, the twelfth begins at 5.5.
        assert answer.n_fingerprints == 12
        assert len(recognizer.explain(answer).steps) == 4 + 2

    @pytest.mark.parametrize("at_s", [-1.0, 8.0, 100.0])
    def test_a_place_outside_is_refused(self, recognizer: Recognizer, at_s: float) -> None:
        with pytest.raises(ConfigError, match="within the 8"):
            recognizer.recognize(np.zeros(8 * SAMPLE_RATE_HZ, np.float32), at_s=at_s)

    def test_no_samples_are_refused(self, recognizer: Recognizer) -> None:
        with pytest.raises(ConfigError, match="mono samples"):
            recognizer.recognize(np.zeros(0, np.float32))

    def test_another_encoder_is_refused(self, music_database: Path) -> None:
        other = SpectrumFingerprinter()
        other.embedding_space = "fedcba9876543210"
        with pytest.raises(ManifestMismatchError, match="fedcba9876543210"):
            Recognizer(SongDatabase.open(music_database), other)

    def test_first_audible(self) -> None:
        samples = np.zeros(3 * SAMPLE_RATE_HZ, np.float32)
        assert first_audible_s(samples) == 0.0
        samples[2 * SAMPLE_RATE_HZ :: 2], samples[2 * SAMPLE_RATE_HZ + 1 :: 2] = 0.01, -0.01
        assert first_audible_s(samples) == pytest.approx(2.0)
        assert first_audible_s(samples[:50]) == 0.0


def test_verify_finds_every_song(music_database: Path) -> None:
    report = verify_database(music_database)
    assert (report.n_songs, report.n_found, report.not_found) == (8, 8, ())
    assert report.to_dict()["n_bytes"] == sum(path.stat().st_size for path in music_database.iterdir())
    assert "8 of 8 songs" in str(report)
