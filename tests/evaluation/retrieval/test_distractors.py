"""Synthetic distractors: the same for the same seed, and like the songs that they were fitted to."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.retrieval.distractor_fit import compare, fit_statistics
from evaluation.retrieval.distractors import SongStatistics, distractor_track, synthesize_songs
from nowplaying_core.errors import ConfigError, CorruptArtifactError
from ondevice_db.index.codebook import Codebook
from tests.ondevice_db.material import make_codebook, walk


@pytest.fixture(scope="module")
def real() -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    songs = [walk(rng, 90) for _ in range(24)]
    for song in songs[::2]:
        song[60:80] = song[20:40]  # a refrain
    return songs


@pytest.fixture(scope="module")
def codebook(real: list[np.ndarray]) -> Codebook:
    return make_codebook(np.concatenate(real), 64)


@pytest.fixture(scope="module")
def statistics(real: list[np.ndarray], codebook: Codebook) -> SongStatistics:
    return fit_statistics(real, codebook, hop_s=1.0, embedding_space="0123", provenance={"music": "walks"})


def test_distractors_are_like_the_fitted_songs(
    real: list[np.ndarray], codebook: Codebook, statistics: SongStatistics
) -> None:
    synthetic = list(synthesize_songs(statistics, codebook, 24, seed=3, mean_duration_s=90.0))
    found = compare(real, synthetic, codebook)
    assert found["variance_within_songs"][1] == pytest.approx(found["variance_within_songs"][0], rel=0.2)
    assert found["autocorrelation_1"][1] == pytest.approx(found["autocorrelation_1"][0], abs=0.15)
    assert found["nearest_other_song_p50"][1] == pytest.approx(found["nearest_other_song_p50"][0], abs=0.1)
    assert found["repeated_share"][1] > 0.05
    other = replace(statistics, repeat_share=0.0, clustering=0.8)
    without = compare(real, list(synthesize_songs(other, codebook, 24, seed=3, mean_duration_s=90.0)), codebook)
    assert without["nearest_other_song_p50"][1] > found["nearest_other_song_p50"][1] + 0.05
    plain = replace(statistics, repeat_share=0.0)
    without = compare(real, list(synthesize_songs(plain, codebook, 24, seed=3, mean_duration_s=90.0)), codebook)
    assert without["repeated_share"][1] < 0.2 * found["repeated_share"][1]


def test_a_song_is_the_same_whatever_was_made_before(codebook: Codebook, statistics: SongStatistics) -> None:
    first = list(synthesize_songs(statistics, codebook, 130, mean_duration_s=20.0))
    later = list(synthesize_songs(statistics, codebook, 2, first=128, mean_duration_s=20.0))
    assert len(first) == 130
    for ours, theirs in zip(first[128:], later, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len({len(song) for song in first}) > 5
    assert {
        len(song) for song in synthesize_songs(statistics, codebook, 9, mean_duration_s=20.0, equal_lengths=True)
    } == {20}
    rows = np.concatenate(first)
    np.testing.assert_allclose(np.linalg.norm(rows[rows.any(axis=1)], axis=1), 1, atol=1e-5)


def test_statistics_come_back_from_their_file(statistics: SongStatistics, tmp_path: Path) -> None:
    statistics.save(tmp_path / "s.npz")
    again = SongStatistics.load(tmp_path / "s.npz")
    np.testing.assert_allclose(again.within, statistics.within, atol=1e-3)
    assert again.section_s == statistics.section_s
    assert again.provenance["music"] == "walks"
    (tmp_path / "s.npz").write_bytes(b"PK")
    with pytest.raises(CorruptArtifactError, match="fit_distractors"):
        SongStatistics.load(tmp_path / "s.npz")


def test_the_shipped_statistics_belong_to_the_shipped_space_and_tell_where_they_come_from() -> None:
    shipped = SongStatistics.load()
    assert shipped.provenance["music"]
    for name, (real, synthetic) in shipped.provenance["real_and_synthetic"].items():
        if name.startswith(("nearest", "mean_of")):
            assert synthetic == pytest.approx(real, abs=0.07), name


def test_settings_are_checked(codebook: Codebook, statistics: SongStatistics) -> None:
    with pytest.raises(ConfigError, match="repeat_share"):
        replace(statistics, repeat_share=1.5)
    with pytest.raises(ConfigError, match="multiple"):
        next(synthesize_songs(statistics, codebook, 1, first=3))
    assert "synthetic" in distractor_track(3, 210, 1.0).title
