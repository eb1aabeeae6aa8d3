from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.errors import ConfigError, CorruptArtifactError, MissingExtraError
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.codebook_files import load_codebook, save_codebook
from ondevice_db.index.train_codebook import default_n_cells, train_codebook
from tests.ondevice_db.material import make_codebook, make_residual_codebook, walk, worsen


@pytest.fixture
def vectors(rng: np.random.Generator) -> np.ndarray:
    return np.concatenate([walk(rng, 60) for _ in range(20)])


def test_encoding_takes_the_nearest_centroid_of_each_part(vectors: np.ndarray) -> None:
    codebook = make_codebook(vectors)
    cells = codebook.assign(vectors[:50])
    codes = codebook.quantize(vectors[:50], 1)[1]
    directions = codebook.centroids / np.linalg.norm(codebook.centroids, axis=1, keepdims=True)
    np.testing.assert_array_equal(cells, [np.argmax(directions @ row) for row in vectors[:50]])
    rest = (vectors[:50] - codebook.centroids[cells]) @ codebook.rotation.T
    for row in range(50):
        for part in range(12):
            distances = np.sum((codebook.pq_centroids[part] - rest[row, 8 * part : 8 * part + 8]) ** 2, axis=1)
            assert distances[codes[row, part]] == pytest.approx(distances.min(), abs=1e-6)


def both(vectors: np.ndarray) -> dict[str, Codebook]:
    return {"product": make_codebook(vectors), "residual": make_residual_codebook(vectors)}


def test_the_kind_follows_from_the_words(vectors: np.ndarray) -> None:
    assert {kind: codebook.kind for kind, codebook in both(vectors).items()} == {
        "product": "product",
        "residual": "residual",
    }
    assert make_codebook(vectors, n_subspaces=1).kind == "product"  # where both would be the same


def test_whole_words_that_are_added_describe_better_than_parts(vectors: np.ndarray) -> None:
    pytest.importorskip("faiss")
    codebooks = [train_codebook(vectors, 32, n_subspaces=6, kind=kind) for kind in ("product", "residual")]
    errors = [np.square(vectors - one.decode(*one.quantize(vectors))).sum(axis=1).mean() for one in codebooks]
    assert [one.kind for one in codebooks] == ["product", "residual"]
    assert errors[1] < 0.9 * errors[0]
    again = train_codebook(vectors, 32, n_subspaces=6, kind="residual")
    np.testing.assert_array_equal(again.pq_centroids, codebooks[1].pq_centroids)


def test_only_bytes_that_name_parts_must_divide_the_dimensions(vectors: np.ndarray) -> None:
    pytest.importorskip("faiss")
    seven = train_codebook(vectors, 32, n_subspaces=7, kind="residual")  # of 96 dimensions
    assert (seven.n_subspaces, seven.kind, seven.dim % 7) == (7, "residual", 5)
    assert seven.tables(vectors[:3]).shape == (7, 256, 3)
    errors = [
        np.square(vectors - one.decode(*one.quantize(vectors))).sum(axis=1).mean()
        for one in (train_codebook(vectors, 32, n_subspaces=6, kind="residual"), seven)
    ]
    assert errors[1] < errors[0]
    with pytest.raises(ConfigError, match="expected code bytes that divide the 96 dimensions, found 7"):
        train_codebook(vectors, 32, n_subspaces=7)


@pytest.mark.parametrize("kind", ["product", "residual"])
def test_any_number_of_vectors_is_quantized(vectors: np.ndarray, kind: str) -> None:
    codebook = both(vectors)[kind]
    for n in (0, 1, 128, 129):
        cells, codes = codebook.quantize(vectors[:n])
        assert (cells.shape, codes.shape) == ((n,), (n, 12))
        assert (np.square(vectors[:n] - codebook.decode(cells, codes)).sum(axis=1) < 0.9).all()


def test_trying_several_cells_never_describes_worse(vectors: np.ndarray) -> None:
    codebook = make_codebook(vectors)

    def errors(cells: np.ndarray, codes: np.ndarray) -> np.ndarray:
        return np.sum((vectors - codebook.decode(cells, codes)) ** 2, axis=1)

    nearest = codebook.assign(vectors)
    plain, tried = errors(nearest, codebook.quantize(vectors, 1)[1]), errors(*codebook.quantize(vectors, 4))
    assert (tried <= plain + 1e-5).all()
    assert np.mean(tried) < np.mean(plain)
    np.testing.assert_array_equal(codebook.quantize(vectors, 1)[0], nearest)


@pytest.mark.parametrize("kind", ["product", "residual"])
def test_tables_give_the_inner_product_with_the_decoded_vector(
    vectors: np.ndarray, rng: np.random.Generator, kind: str
) -> None:
    codebook = both(vectors)[kind]
    cells = codebook.assign(vectors)
    codes = codebook.quantize(vectors, 1)[1]
    queries = worsen(rng, vectors[:7], 1.0)
    tables = codebook.tables(queries)
    by_table = queries @ codebook.centroids[cells].T
    for part in range(12):
        by_table += tables[part, codes[:, part]].T
    np.testing.assert_allclose(by_table, queries @ codebook.decode(cells, codes).T, atol=1e-5)


@pytest.mark.parametrize("kind", ["product", "residual"])
def test_files_come_back_bit_for_bit(vectors: np.ndarray, tmp_path: Path, kind: str) -> None:
    codebook = both(vectors)[kind]
    if kind == "residual":
        codebook = replace(codebook, smoothing=codebook.smoothing + np.float32(0.01))
    save_codebook(codebook, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"codebook_{role}.npy" for role in codebook.roles)
    again = load_codebook(tmp_path)
    assert again.kind == kind
    words = ("words", "word_steps", "smoothing") if kind == "residual" else ("pq_centroids",)
    assert codebook.roles == ("centroids", "rotation", *words)
    for name in ("centroids", "rotation", "pq_centroids", "smoothing"):
        np.testing.assert_array_equal(getattr(again, name), getattr(codebook, name))


@pytest.mark.parametrize("role", ["rotation", "smoothing"])
@pytest.mark.parametrize("damage", ["missing", "pickle", "shape", "dtype", "nan", "text"])
def test_bad_files_are_refused(vectors: np.ndarray, tmp_path: Path, damage: str, role: str) -> None:
    save_codebook(make_residual_codebook(vectors), tmp_path)
    path = tmp_path / f"codebook_{role}.npy"
    rotation = np.load(path)
    path.unlink()
    if damage == "pickle":
        np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    elif damage == "shape":
        np.save(path, rotation[:-1])
    elif damage == "dtype":
        np.save(path, rotation.astype(np.float64))
    elif damage == "nan":
        np.save(path, np.where(rotation > 0.2, np.nan, rotation).astype(np.float32))
    elif damage == "text":
        path.write_text("not an array")
    with pytest.raises(CorruptArtifactError, match=role):
        load_codebook(tmp_path)


def test_subspaces_must_divide_the_dimensions(vectors: np.ndarray) -> None:
    codebook = make_codebook(vectors)
    with pytest.raises(ConfigError, match="sub-spaces"):
        Codebook(codebook.centroids, codebook.rotation, np.zeros((11, 256, 8), np.float32))
    with pytest.raises(ConfigError, match="smoothing"):
        replace(codebook, smoothing=make_residual_codebook(vectors).smoothing)
    with pytest.raises(ConfigError, match="pq_centroids"):
        Codebook(codebook.centroids, codebook.rotation, np.zeros((12, 256, 95), np.float32))


@pytest.mark.parametrize(("n", "cells"), [(35_000, 512), (200_000, 2048), (21_000_000, 16_384), (10, 1)])
def test_cells_grow_with_the_root_of_the_fingerprints(n: int, cells: int) -> None:
    assert default_n_cells(n) == cells


@pytest.mark.train
def test_training_beats_samples_and_repeats(vectors: np.ndarray) -> None:
    pytest.importorskip("faiss")

    def error(codebook: Codebook) -> float:
        cells = codebook.assign(vectors)
        rest = vectors - codebook.decode(cells, codebook.quantize(vectors, 1)[1])
        return float(np.mean(np.sum(rest**2, axis=1)))

    trained = train_codebook(vectors, 32, seed=3)
    assert error(trained) < 0.8 * error(make_codebook(vectors))
    np.testing.assert_allclose(trained.rotation @ trained.rotation.T, np.eye(96), atol=1e-4)
    np.testing.assert_array_equal(train_codebook(vectors, 32, seed=3).pq_centroids, trained.pq_centroids)


def test_training_asks_for_enough_music(vectors: np.ndarray) -> None:
    try:
        with pytest.raises(ConfigError, match="at least 256 embeddings"):
            train_codebook(vectors[:100], 32)
    except MissingExtraError:
        pytest.skip("faiss is not installed")
