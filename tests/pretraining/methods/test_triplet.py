import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.clips import ClipSampler
from tests.pretraining.methods.learning import learned

pytestmark = pytest.mark.train


def test_neighbours_in_time_come_nearer_than_strangers(clips: ClipSampler) -> None:
    pretext, losses = learned("triplet", clips, n_steps=20)
    assert losses[-1] < losses[0]
    (slices,) = pretext.draw(clips, np.random.default_rng(3))
    vectors = np.asarray(pretext.unit(pretext.encoder(pretext.images(slices), training=True))).reshape(6, 2, -1)
    similarity = vectors[:, 0] @ vectors[:, 1].T
    strangers = similarity[~np.eye(6, dtype=bool)]
    assert np.diag(similarity).mean() > strangers.mean() + 0.2
