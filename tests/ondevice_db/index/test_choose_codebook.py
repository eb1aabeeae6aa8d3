from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.errors import ConfigError
from ondevice_db.index import choose_codebook
from ondevice_db.index.choose_codebook import CodebookChoice, shipped_codebook
from ondevice_db.index.codebook_files import codebook_names, save_codebook
from ondevice_db.index.smoothing import unsmoothed
from ondevice_db.index.train_codebook import with_smoothing
from tests.ondevice_db.material import make_codebook, make_residual_codebook, walk


@pytest.fixture
def songs(rng: np.random.Generator) -> list[np.ndarray]:
    return [walk(rng, 40 + number) for number in range(20)]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose_codebook, "_FEWEST_FINGERPRINTS", 600)


def lengths(songs: list[np.ndarray]) -> list[int]:
    return [len(song) for song in songs]


def test_a_small_library_takes_the_shipped_codebook(songs: list[np.ndarray]) -> None:
    shipped = make_codebook(np.concatenate(songs), 32)
    for choice in (CodebookChoice(), CodebookChoice(source="shipped"), CodebookChoice(code_bytes=12)):
        assert choice.make(shipped, lengths(songs), songs.__getitem__) is shipped


@pytest.mark.train
@pytest.mark.usefixtures("few")
def test_own_codebooks_have_the_bytes_asked_for_and_the_shipped_cohort(songs: list[np.ndarray]) -> None:
    pytest.importorskip("faiss")
    shipped = make_codebook(np.concatenate(songs), 32)
    errors = []
    for code_bytes in (6, 8, 24):
        own = CodebookChoice(source="own", code_bytes=code_bytes).make(shipped, lengths(songs), songs.__getitem__)
        assert own.n_subspaces == code_bytes
        np.testing.assert_array_equal(own.cohort, shipped.cohort)
        rows = np.concatenate(songs)
        errors.append(np.square(rows - own.decode(*own.quantize(rows))).sum(axis=1).mean())
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.train
@pytest.mark.usefixtures("few")
def test_own_residual_codes_are_smoothed_by_what_their_songs_show(songs: list[np.ndarray]) -> None:
    pytest.importorskip("faiss")
    shipped = make_residual_codebook(np.concatenate(songs), 32)
    own = CodebookChoice(source="own").make(shipped, lengths(songs), songs.__getitem__)
    assert own.kind == "residual"
    np.testing.assert_array_equal(own.smoothing, with_smoothing(own, songs).smoothing)
    assert np.abs(own.smoothing - unsmoothed(96)).max() > 0.01


def test_other_bytes_from_too_little_music_are_refused_with_the_reason(songs: list[np.ndarray]) -> None:
    shipped = make_codebook(np.concatenate(songs), 32)
    with pytest.raises(ConfigError, match="8 bytes"):
        CodebookChoice(code_bytes=8).make(shipped, lengths(songs), songs.__getitem__)


@pytest.mark.parametrize("setting", [{"source": "best"}, {"code_bytes": 7}, {"code_bytes": 0}])
def test_settings_are_checked(setting: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        CodebookChoice(**setting)  # type: ignore[arg-type]


def test_a_model_may_ship_other_sizes_beside_its_default(songs: list[np.ndarray], tmp_path: Path) -> None:
    rows = np.concatenate(songs)
    default = make_codebook(rows, 32)
    save_codebook(default, tmp_path)
    assert shipped_codebook(tmp_path, 8).n_subspaces == 12
    save_codebook(make_codebook(rows, 32, n_subspaces=8), tmp_path, codebook_names(8))
    save_codebook(default, tmp_path)  # the cells are shared
    assert shipped_codebook(tmp_path, 8).n_subspaces == 8
    assert shipped_codebook(tmp_path).n_subspaces == 12


def test_the_sample_is_spread_over_all_songs(songs: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose_codebook, "_MOST_FINGERPRINTS", 100)
    songs[3][5:] = 0
    sample = choose_codebook._sample(lengths(songs), songs.__getitem__, 4)
    assert 80 < len(sample) <= 100
    assert sample.any(axis=1).all()
    owner = [int(np.argmax([(song @ row).max() for song in songs])) for row in sample]
    assert len(set(owner)) >= 18
