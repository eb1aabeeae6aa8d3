"""Songs are named and explained with the shipped model, and what cannot be asked is refused."""

from pathlib import Path

import numpy as np
import pytest

from fingerprinter.fingerprint import Fingerprinter, QueryFingerprints
from nowplaying_core.errors import ConfigError, ManifestMismatchError
from ondevice_db.answer import Recognition
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.match.match import Trace
from ondevice_db.match.matcher import Matcher
from ondevice_db.recognizer import Recognizer
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import SpectrumFingerprinter
from tests.synthesis import SAMPLE_RATE_HZ


@pytest.fixture(scope="module")
def recognizer(music_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    fingerprinter = Fingerprinter.from_model()
    database = tmp_path_factory.mktemp("shipped") / "music.npdb"
    index_paths(sorted(music_folder.iterdir()), database, fingerprinter)
    return Recognizer(SongDatabase.open(database, fingerprinter.embedding_space), fingerprinter)


def test_songs_are_named_at_their_positions(recognizer: Recognizer, songs: list[np.ndarray]) -> None:
    for number, samples in enumerate(songs):
        start = (number + 1.3) * SAMPLE_RATE_HZ
        answer = recognizer.recognize(0.5 * samples[int(start) : int(start) + 8 * SAMPLE_RATE_HZ])
        assert answer.match is not None
        assert answer.match.track.title == f"song-{number}"
        assert answer.match.offset_s == pytest.approx(start / SAMPLE_RATE_HZ, abs=0.3)
        assert answer.n_fingerprints == 12
        assert answer.latency_ms > 0
        assert set(answer.match.to_dict()) == {"track_id", "title", "artist", "source", "offset_s", "score"}


def test_the_first_sound_is_taken(recognizer: Recognizer, songs: list[np.ndarray]) -> None:
    silence = np.zeros(12 * SAMPLE_RATE_HZ, np.float32)
    answer = recognizer.recognize(np.concatenate([silence, songs[4][: 9 * SAMPLE_RATE_HZ]]))
    assert answer.match is not None
    assert answer.match.track.title == "song-4"
    assert recognizer.explain(answer).query_start_s == pytest.approx(12.0, abs=0.2)


def test_at_and_every(recognizer: Recognizer, songs: list[np.ndarray]) -> None:
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
    recognizer: Recognizer, songs: list[np.ndarray], n_samples: int, n_fingerprints: int
) -> None:
    """Windows of the shipped model reach 0.6 s beyond queries of less than 3.5 s."""
    found = recognizer.recognize(songs[0][30_000 : 30_000 + n_samples])
    assert found.n_fingerprints == n_fingerprints


def test_explanations_and_alignments_are_made_of_the_match_and_only_when_asked_for(
    recognizer: Recognizer, songs: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
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


def test_an_answer_without_its_query_cannot_be_explained(recognizer: Recognizer) -> None:
    with pytest.raises(ConfigError, match="without"):
        recognizer.explain(Recognition(match=None, latency_ms=1.0, n_fingerprints=12))


def test_silence_is_unknown(recognizer: Recognizer) -> None:
    answer = recognizer.recognize(np.zeros(8 * SAMPLE_RATE_HZ, np.float32))
    assert answer.match is None
    assert recognizer.explain(answer).reason == "nothing above -60 dBFS"


def test_silence_within_the_music_is_not_evidence(recognizer: Recognizer, songs: list[np.ndarray]) -> None:
    samples = np.zeros(8 * SAMPLE_RATE_HZ, np.float32)
    samples[: 2 * SAMPLE_RATE_HZ] = songs[5][3 * SAMPLE_RATE_HZ : 5 * SAMPLE_RATE_HZ]
    samples[-SAMPLE_RATE_HZ:] = songs[5][10 * SAMPLE_RATE_HZ : 11 * SAMPLE_RATE_HZ]
    answer = recognizer.recognize(samples)
    # Four windows begin before second two; two reach into the last second, the twelfth begins at 5.5.
    assert answer.n_fingerprints == 12
    assert len(recognizer.explain(answer).steps) == 4 + 2


@pytest.mark.parametrize(("at_s", "wanted"), [(-1.0, "seconds from 0"), (8.0, "within the 8"), (100.0, "within the 8")])
def test_a_place_outside_is_refused(recognizer: Recognizer, at_s: float, wanted: str) -> None:
    with pytest.raises(ConfigError, match=wanted):
        recognizer.recognize(np.zeros(8 * SAMPLE_RATE_HZ, np.float32), at_s=at_s)


def test_no_samples_are_refused(recognizer: Recognizer) -> None:
    with pytest.raises(ConfigError, match="mono samples"):
        recognizer.recognize(np.zeros(0, np.float32))


def test_another_encoder_is_refused(music_database: Path) -> None:
    other = SpectrumFingerprinter()
    other.embedding_space = "fedcba9876543210"
    with pytest.raises(ManifestMismatchError, match="fedcba9876543210"):
        Recognizer(SongDatabase.open(music_database), other)


class OverhangingFingerprinter(SpectrumFingerprinter):
    """Its windows begin a second before a query and end as much after it."""

    def embed_query(self, samples: np.ndarray, hop_s: float = 0.5) -> QueryFingerprints:
        return QueryFingerprints(*self.embed_with_levels(np.pad(samples, 16_000), hop_s), -1.0)


def test_offsets_count_from_the_query_s_first_sample_where_windows_overhang_it(
    music_database: Path, songs: list[np.ndarray]
) -> None:
    database = SongDatabase.open(music_database)
    cut = (0.3 * songs[2][5 * SAMPLE_RATE_HZ : 9 * SAMPLE_RATE_HZ]).astype(np.float32)
    plain = Recognizer(database, SpectrumFingerprinter()).recognize(cut)
    recognizer = Recognizer(database, OverhangingFingerprinter())
    answer = recognizer.recognize(cut)
    assert answer.n_fingerprints == plain.n_fingerprints + 4
    assert plain.match is not None
    assert answer.match is not None
    assert answer.match.track.title == plain.match.track.title == "song-2"
    assert answer.match.offset_s == pytest.approx(5.0, abs=0.1)
    explained, laid = recognizer.explain(answer), recognizer.align(answer)
    assert explained.steps[0].time_s == pytest.approx(-1.0)
    assert explained.steps[0].reference_s == pytest.approx(4.0, abs=0.1)
    assert laid is not None
    np.testing.assert_allclose(laid.times_s, np.arange(answer.n_fingerprints) / 2 - 1.0)
    inner = laid.similarities[:, 2:-2:2]  # windows within the query that begin where a reference does
    nearest_s = laid.reference_s[np.nanargmax(inner, axis=0)]
    assert np.abs(nearest_s - laid.offset_s - laid.times_s[2:-2:2]).max() <= 0.1
