import numpy as np
import pytest

pytest.importorskip("keras", reason="the train extra is not installed")

from fingerprinter.objectives.nt_xent import nt_xent

pytestmark = pytest.mark.train


def reference(vectors: np.ndarray, temperature: float) -> float:
    n_rows = len(vectors)
    losses = []
    for row in range(n_rows):
        partner = (row + n_rows // 2) % n_rows
        similarity = vectors[row].astype(np.float64) @ vectors.T.astype(np.float64) / temperature
        others = np.delete(similarity, row)
        losses.append(np.log(np.exp(others).sum()) - similarity[partner])
    return float(np.mean(losses))


@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_equals_the_formula_written_out(rng, temperature):
    vectors = rng.standard_normal((10, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert float(nt_xent(vectors, temperature)) == pytest.approx(reference(vectors, temperature), rel=1e-4)


def test_further_negatives_count_where_they_are_of_another_song(rng):
    vectors = rng.standard_normal((14, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    batch, others = vectors[:10], vectors[10:]
    is_other = rng.random((10, 4)) < 0.5
    losses = []
    for row in range(10):
        similarity = vectors[row].astype(np.float64) @ vectors.T.astype(np.float64) / 0.2
        counted = np.concatenate([np.arange(10) != row, is_other[row]])
        losses.append(np.log(np.exp(similarity[counted]).sum()) - similarity[(row + 5) % 10])
    assert float(nt_xent(batch, 0.2, others, is_other)) == pytest.approx(np.mean(losses), rel=1e-4)


def test_equal_partners_cost_less_than_strangers(rng):
    first = rng.standard_normal((16, 8)).astype(np.float32)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    together = float(nt_xent(np.concatenate([first, first]), 0.1))
    apart = float(nt_xent(np.concatenate([first, first[::-1]]), 0.1))
    assert together < apart


def test_other_windows_of_an_anchors_song_are_left_out_but_not_its_partner(rng):
    vectors = rng.standard_normal((8, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    numbers = np.tile([1, 2, 1, 3], 2)
    losses = []
    for row in range(8):
        partner = (row + 4) % 8
        similarity = vectors[row].astype(np.float64) @ vectors.T.astype(np.float64) / 0.2
        counted = (numbers != numbers[row]) | (np.arange(8) == partner)
        losses.append(np.log(np.exp(similarity[counted]).sum()) - similarity[partner])
    songs = numbers[:, None].astype(np.float32)
    assert float(nt_xent(vectors, 0.2, songs=songs)) == pytest.approx(np.mean(losses), rel=1e-4)
    assert float(nt_xent(vectors, 0.2)) > np.mean(losses)
