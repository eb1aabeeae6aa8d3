"""Songs that are played backwards are unknown: the demo's recordings with the shipped model."""

from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.audio import SAMPLE_RATE_HZ, load
from ondevice_db.answer import Recognition
from ondevice_db.recognizer import Recognizer
from simulator.demo import index_demo_songs
from simulator.scenes.recordings import demo_recordings

QUERY = 8 * SAMPLE_RATE_HZ


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    database = tmp_path_factory.mktemp("demo") / "demo.npdb"
    index_demo_songs(database)
    return Recognizer.open(database)


@pytest.fixture(scope="module")
def queries() -> dict[str, np.ndarray]:
    """Return eight seconds of each indexed recording of the demo, by its title."""
    songs = [one for one in demo_recordings().values() if one.indexed]
    return {str(song.path): load(song.path)[4 * SAMPLE_RATE_HZ :][:QUERY] for song in songs}


def ask(recognizer: Recognizer, samples: np.ndarray, **options: float) -> Recognition:
    return recognizer.recognize(np.ascontiguousarray(samples), at_s=0.0, **options)


def test_the_demo_s_songs_are_named_forwards_and_unknown_backwards(
    recognizer: Recognizer, queries: dict[str, np.ndarray]
) -> None:
    n_turned = 0
    for path, samples in queries.items():
        forwards, backwards = ask(recognizer, samples), ask(recognizer, samples[::-1])
        assert forwards.match is not None
        assert Path(forwards.match.track.source).name == Path(path).name
        assert backwards.match is None
        assert backwards.query is not None
        assert backwards.query.is_backwards == (backwards.query.match.best is not None)
        n_turned += backwards.query.is_backwards
        if backwards.query.is_backwards:
            assert "played backwards" in recognizer.explain(backwards).reason
            laid = recognizer.align(backwards)
            assert laid is not None
            assert laid.score >= laid.threshold
            assert ": unknown, score" in laid.plot().axes[0].get_title()
    assert n_turned >= 4, "without the second look these would be named"


def test_noise_and_short_queries_are_told_apart_too(recognizer: Recognizer, queries: dict[str, np.ndarray]) -> None:
    rng = np.random.default_rng(7)
    n_named = 0
    for samples in queries.values():
        noisy = samples + 0.5 * float(samples.std()) * rng.standard_normal(QUERY).astype(np.float32)
        for cut in (noisy, noisy[: QUERY // 2]):
            n_named += ask(recognizer, cut).match is not None
            assert ask(recognizer, cut[::-1]).match is None
    assert n_named >= 2 * len(queries) - 3


def test_other_speeds_are_told_apart_too(recognizer: Recognizer, queries: dict[str, np.ndarray]) -> None:
    import soxr

    for samples in list(queries.values())[:4]:
        faster = soxr.resample(samples, SAMPLE_RATE_HZ * 1.04, SAMPLE_RATE_HZ, quality="HQ").astype(np.float32)
        assert ask(recognizer, faster[::-1], speeds_percent=4.0).match is None
