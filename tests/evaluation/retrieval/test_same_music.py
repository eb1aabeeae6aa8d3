"""What counts as the same music, and that the model which is evaluated has no say in it."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from evaluation.retrieval.embedding import EmbeddingCache
from evaluation.retrieval.library import build_library
from evaluation.retrieval.same_music import SameMusic
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.audio.corpus import read_corpus
from nowplaying_core.errors import ConfigError
from tests.ondevice_db.material import walk, worsen
from tests.synthesis import song


@pytest.fixture
def songs(rng: np.random.Generator) -> list[np.ndarray]:
    return [walk(rng, 40) for _ in range(10)]


def joined(songs: list[np.ndarray]) -> SameMusic:
    return SameMusic(np.concatenate(songs), np.cumsum([0, *map(len, songs)]))


def test_music_is_found_whatever_its_place(rng: np.random.Generator, songs: list[np.ndarray]) -> None:
    music = joined(songs)
    assert [number for number, _ in music.find(worsen(rng, songs[4][10:30], 0.1))] == [4]
    assert music.find(walk(rng, 20)) == []
    assert music.find(songs[4], own_song=4) == []


def test_groups_join_what_is_alike_and_nothing_else(rng: np.random.Generator, songs: list[np.ndarray]) -> None:
    remix = worsen(rng, np.concatenate([songs[7][20:], songs[7][:20]]), 0.1)
    silent = np.zeros((5, songs[0].shape[1]), np.float32)
    groups = joined([*songs, remix, silent]).groups()
    assert list(groups) == [*range(10), 7, 11]


def test_other_music_is_what_sounds_and_is_none_of_the_songs(tmp_path: Path) -> None:
    for name, samples in (("0", song(60, 12.0)), ("copy", 0.8 * song(60, 12.0)), ("other", song(71, 12.0))):
        soundfile.write(tmp_path / f"{name}.wav", samples, SAMPLE_RATE_HZ)
    soundfile.write(tmp_path / "silence.wav", np.zeros(12 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    cache = EmbeddingCache(SHIPPED_FINGERPRINTER, tmp_path / "cache", reference_hop_s=0.5)
    music = SameMusic.among([tmp_path / "0.wav"], cache)
    asked = [tmp_path / f"{name}.wav" for name in ("copy", "other", "silence")]
    (found,) = music.others(asked, cache)
    np.testing.assert_array_equal(found, cache.references(asked)[1])
    assert music.others([], cache) == []


def test_silence_is_no_music(songs: list[np.ndarray]) -> None:
    with pytest.raises(ConfigError, match="not silent"):
        joined(songs).find(np.zeros((3, songs[0].shape[1]), np.float32))


def test_a_model_to_which_all_sounds_alike_does_not_make_it_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "corpus" / "music"
    folder.mkdir(parents=True)
    for number in range(3):
        soundfile.write(folder / f"{number}.wav", song(60 + number, 12.0), SAMPLE_RATE_HZ)
    soundfile.write(folder / "copy.wav", 0.8 * song(60, 12.0), SAMPLE_RATE_HZ)
    cache = EmbeddingCache(SHIPPED_FINGERPRINTER, tmp_path / "cache", reference_hop_s=0.5)
    shipped = cache.shipped()
    monkeypatch.setattr(EmbeddingCache, "shipped", lambda _: shipped)
    embed = Fingerprinter.embed_with_levels

    def all_alike(self: Fingerprinter, samples: np.ndarray, hop_s: float) -> tuple[np.ndarray, np.ndarray]:
        vectors, levels_dbfs = embed(self, samples, hop_s)
        return np.full_like(vectors, vectors.shape[1] ** -0.5), levels_dbfs

    shipped.references(sorted(folder.iterdir()))  # fingerprinted and kept before all sounds alike
    monkeypatch.setattr(Fingerprinter, "embed_with_levels", all_alike)
    files = sorted(read_corpus(tmp_path / "corpus", "music", "dev"), key=lambda file: file.path)
    library = build_library(files, cache, tmp_path / "songs.npdb")
    assert float((library.vectors @ library.vectors.T).min()) == pytest.approx(1.0, abs=1e-5)
    names = [path.stem for path in library.paths]
    of = dict(zip(names, library.groups, strict=True))
    assert len({of["0"], of["1"], of["2"]}) == 3
    assert of["copy"] == of["0"]
