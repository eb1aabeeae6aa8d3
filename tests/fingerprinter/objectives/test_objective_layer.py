import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from fingerprinter.objectives.config import ObjectiveConfig
from fingerprinter.objectives.nt_xent import nt_xent
from fingerprinter.objectives.objective_layer import ObjectiveLayer
from nowplaying_core.errors import ConfigError

pytestmark = pytest.mark.train


def unit(rng: np.random.Generator, n_rows: int) -> np.ndarray:
    rows = rng.standard_normal((n_rows, 5)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_references_of_earlier_steps_are_negatives_but_not_of_their_own_song(rng):
    layer = ObjectiveLayer(ObjectiveConfig(temperature=0.2, n_memory=6))
    batches = [unit(rng, 8) for _ in range(3)]
    songs = [np.tile(numbers, 2)[:, None].astype(np.float32) for numbers in ([1, 2, 3, 4], [5, 5, 6, 7], [2, 5, 8, 9])]
    losses = []
    for batch, numbers in zip(batches, songs, strict=True):
        layer(batch, numbers, training=True)
        losses.append(float(layer.losses[0]))
    assert losses[0] == pytest.approx(float(nt_xent(batches[0], 0.2)), rel=1e-5)
    # Six are remembered: all references of the second step and two of the first, the newest first.
    others = np.concatenate([batches[1][:4], batches[0][:2]])
    is_other = np.array([5, 5, 6, 7, 1, 2])[None] != songs[2]
    assert losses[2] == pytest.approx(float(nt_xent(batches[2], 0.2, others, is_other)), rel=1e-5)


def test_nothing_is_remembered_outside_of_training(rng):
    layer = ObjectiveLayer(ObjectiveConfig(n_memory=4))
    layer(unit(rng, 8), np.zeros((8, 1), np.float32), training=False)
    assert not np.any(layer.get_weights()[0])


def test_only_nt_xent_has_a_memory():
    with pytest.raises(ConfigError, match="n_memory"):
        ObjectiveConfig(name="triplet_semi_hard", n_memory=8)


def test_code_noise_moves_half_of_the_references_in_training_alone(rng):
    layer = ObjectiveLayer(ObjectiveConfig(code_noise=0.2))
    batch, songs = unit(rng, 2000), np.zeros((2000, 1), np.float32)
    moved = np.asarray(layer._with_code_noise(batch))
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(moved[1000:], batch[1000:])
    changed = np.abs(moved[:1000] - batch[:1000]).max(axis=1) > 1e-6
    assert 0.45 < changed.mean() < 0.55
    # To first order noise of that size lowers the cosine to 1 / sqrt(1.2), and a little less along the vector itself.
    cosine = np.sum(moved[:1000] * batch[:1000], axis=1)[changed]
    assert cosine.mean() == pytest.approx(1 / 1.2**0.5, abs=0.03)
    layer(batch, songs, training=False)
    assert float(layer.losses[0]) == pytest.approx(float(nt_xent(batch, 0.06)), rel=1e-5)


def test_only_nt_xent_leaves_out_an_anchors_song():
    with pytest.raises(ConfigError, match="same_song_negatives"):
        ObjectiveConfig(name="triplet_semi_hard", same_song_negatives=False)


def test_references_are_compared_as_their_codes_decode_in_training_alone(rng):
    layer = ObjectiveLayer(ObjectiveConfig(coded_share=0.5, n_subspaces=1))
    batch, songs = unit(rng, 600), np.zeros((600, 1), np.float32)
    for _ in range(2):
        layer(batch, songs, training=True)
    seen = np.asarray(layer._with_codes(batch, layer._codebook))
    moved = np.abs(seen - batch).max(axis=1) > 1e-3
    assert not moved[150:].any()
    assert moved[:150].mean() > 0.5  # some are centroids themselves
    layer(batch, songs, training=False)
    assert float(layer.losses[0]) == pytest.approx(float(nt_xent(batch, 0.06)), rel=1e-5)


def test_the_gradient_passes_through_codes(rng):
    tensorflow = pytest.importorskip("tensorflow")
    layer = ObjectiveLayer(ObjectiveConfig(coded_share=1.0, n_subspaces=1))
    batch, songs = unit(rng, 40), np.zeros((40, 1), np.float32)
    layer(batch, songs, training=True)
    rows = tensorflow.Variable(batch)
    with tensorflow.GradientTape() as tape:
        coded = layer._with_codes(rows, layer._codebook)
        total = tensorflow.reduce_sum(coded * np.arange(5, dtype=np.float32))
    np.testing.assert_allclose(tape.gradient(total, rows), np.tile(np.arange(5), (40, 1)), atol=1e-6)
    assert np.abs(np.asarray(coded) - batch).max() > 1e-3


def test_only_a_share_of_references_can_be_coded():
    with pytest.raises(ConfigError, match="coded_share"):
        ObjectiveConfig(coded_share=1.5)
