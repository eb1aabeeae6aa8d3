"""The whole phone on a stream of the demo's recordings, whose songs and places are known."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.detector.streams import Region, Stream
from evaluation.detector.whole_phone import follow, summarize, to_markdown
from evaluation.retrieval.embedding import EmbeddingCache
from evaluation.retrieval.library import Library, build_library
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.audio import SAMPLE_RATE_HZ, load
from nowplaying_core.audio.corpus import CorpusFile
from simulator.phone_setup import Setup
from simulator.scenes.recordings import demo_recordings

SONGS = [one for one in demo_recordings().values() if one.indexed][:4]
FIRST, SECOND, UNKNOWN = (
    SONGS[0],
    SONGS[1],
    next(one for one in demo_recordings().values() if one.kind == "music" and not one.indexed),
)
TITLES = {song.path.stem: [number] for number, song in enumerate(SONGS)}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("library")
    files = [
        CorpusFile(path=one.path, split="dev", label="", source="demo", licence="", title=one.path.stem)
        for one in SONGS
    ]
    return build_library(files, EmbeddingCache(SHIPPED_FINGERPRINTER, folder / "cache"), folder / "songs.npdb")


def region(start_s: float, end_s: float, title: str) -> Region:
    return Region(
        start_s=start_s, end_s=end_s, snr_db=20.0, level_dbfs=-20.0, behind="quiet", onset_class="rhythmic", title=title
    )


@pytest.fixture(scope="module")
def stream() -> Stream:
    """Half a minute of a known song, pause, of an unknown one, pause, and of another known one."""
    rng = np.random.default_rng(1)
    samples = (1e-4 * rng.standard_normal(260 * SAMPLE_RATE_HZ)).astype(np.float32)
    regions = []
    for recording, start_s in ((FIRST, 10), (UNKNOWN, 110), (SECOND, 200)):
        music = load(recording.path)[: 30 * SAMPLE_RATE_HZ]
        samples[start_s * SAMPLE_RATE_HZ : start_s * SAMPLE_RATE_HZ + music.size] += music
        regions.append(region(start_s, start_s + music.size / SAMPLE_RATE_HZ, recording.path.stem))
    return Stream(samples, tuple(regions), ())


def test_known_songs_are_named_and_an_unknown_one_is_not(library: Library, stream: Stream) -> None:
    setup = Setup.open(library.database)
    result = follow(stream, setup, library, TITLES)
    assert [one.named_after_s is not None for one in result.regions] == [True, False, True]
    assert [one.is_namable for one in result.regions] == [True, False, True]
    # Clear music without a noise before it is named at the first look, before the buffer is full of it.
    assert all(3 < one.named_after_s < 6 for one in result.regions if one.named_after_s is not None)
    assert (result.wrong_in_music, result.outside_music) == (0, 0)
    metrics = summarize([result, result])
    assert metrics["named"]["audible"]["value"] == pytest.approx(2 / 3, abs=1e-4)
    assert metrics["named"]["namable"]["n"] == 4
    assert metrics["hours"] == pytest.approx(2 * 260 / 3_600, abs=1e-3)
    assert "| of those, namable | 4 | 100.0 |" in to_markdown(metrics)


def test_names_of_other_songs_and_names_without_music_are_counted(library: Library, stream: Stream) -> None:
    setup = Setup.open(library.database)
    swapped = replace(stream.regions[0], title=SECOND.path.stem)
    result = follow(Stream(stream.samples, (swapped, stream.regions[1]), ()), setup, library, TITLES)
    assert (result.wrong_in_music, result.outside_music) == (1, 1)
    assert [one.named_after_s for one in result.regions] == [None, None]
