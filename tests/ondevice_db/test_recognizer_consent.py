"""Answers that are not beyond doubt need the detector's consent."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.stream import Decision
from nowplaying_core.audio import SAMPLE_RATE_HZ
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.lookup import acceptance_of
from ondevice_db.match.accept import Acceptance
from ondevice_db.recognizer import Recognizer
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import SpectrumFingerprinter


class FixedDetector:
    """Says the same of every sound, or nothing; counts how often it is asked."""

    def __init__(self, *probabilities: float) -> None:
        self.probabilities = probabilities
        self.n_asked = 0

    def reset(self) -> None:
        self.n_asked += 1

    def process(self, samples: np.ndarray) -> list[Decision]:
        return [Decision(4.48 + number, one) for number, one in enumerate(self.probabilities)]


@pytest.fixture(scope="module")
def database(music_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> SongDatabase:
    path = tmp_path_factory.mktemp("flat") / "a.npdb"
    index_paths(sorted(music_folder.iterdir()), path, SpectrumFingerprinter(), layout="flat")
    return SongDatabase.open(path)


@pytest.fixture(scope="module")
def query(songs: list[np.ndarray]) -> tuple[np.ndarray, int]:
    rng = np.random.default_rng(4)
    cut = songs[2][: 8 * SAMPLE_RATE_HZ]
    return (0.3 * cut + 0.02 * rng.standard_normal(cut.size)).astype(np.float32), SAMPLE_RATE_HZ


def recognizer(database: SongDatabase, query: tuple[np.ndarray, int], factor: float, detector: object) -> Recognizer:
    """Return one whose threshold the query's odds exceed by a factor."""
    fingerprinter = SpectrumFingerprinter()
    plain = acceptance_of(fingerprinter)
    found = Recognizer(database, fingerprinter, replace(plain, threshold=1e-9, threshold_single=1e-9)).recognize(query)
    assert found.match is not None
    odds = found.match.score / (1 - found.match.score) / factor
    limit = odds / (1 + odds)
    acceptance: Acceptance = replace(plain, threshold=limit, threshold_single=limit)
    made = Recognizer(database, fingerprinter, acceptance, detector="is never opened")
    made._detector = detector  # type: ignore[assignment]
    return made


def test_a_doubtful_answer_to_what_is_no_music_is_refused(
    database: SongDatabase, query: tuple[np.ndarray, int]
) -> None:
    doubted = recognizer(database, query, 2.0, FixedDetector(0.02, 0.08))
    answer = doubted.recognize(query)
    assert answer.match is None
    assert "no music" in doubted.explain(answer).reason
    assert doubted.recognize(query, at_s=0.0).match is None
    ((_, every),) = doubted.recognize_every(query, 10.0)
    assert every.match is None


@pytest.mark.parametrize(
    ("factor", "probabilities", "n_asked"),
    [(2.0, (0.02, 0.3), 1), (2.0, (), 1), (4.0, (0.0, 0.0), 0)],
    ids=["some music", "too short to tell", "beyond doubt"],
)
def test_other_answers_stand(
    database: SongDatabase,
    query: tuple[np.ndarray, int],
    factor: float,
    probabilities: tuple[float, ...],
    n_asked: int,
) -> None:
    detector = FixedDetector(*probabilities)
    answer = recognizer(database, query, factor, detector).recognize(query)
    assert answer.match is not None
    assert answer.match.track.title == "song-2"
    assert detector.n_asked == n_asked


def test_the_phone_s_buffer_needs_no_consent(database: SongDatabase, query: tuple[np.ndarray, int]) -> None:
    detector = FixedDetector(0.0)
    assert recognizer(database, query, 2.0, detector).recognize(query[0]).match is not None
    assert detector.n_asked == 0


def test_the_odds_factor_is_that_of_the_threshold(database: SongDatabase, query: tuple[np.ndarray, int]) -> None:
    answer = recognizer(database, query, 2.0, FixedDetector(0.5)).recognize(query)
    assert answer.query is not None
    assert answer.query.match.odds_factor == pytest.approx(2.0, rel=1e-3)
    unknown = recognizer(database, query, 0.5, FixedDetector(0.5)).recognize(query)
    assert unknown.query is not None
    assert unknown.query.match.odds_factor == 0.0
