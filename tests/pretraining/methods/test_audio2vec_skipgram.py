import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.clips import ClipSampler
from tests.pretraining.methods.learning import learned

pytestmark = pytest.mark.train


def test_the_others_are_rebuilt_in_their_order_from_the_middle_alone(clips: ClipSampler) -> None:
    pretext, losses = learned("audio2vec_skipgram", clips, n_steps=25)
    assert losses[-1] < 0.95 * losses[0]
    (slices,) = pretext.draw(clips, np.random.default_rng(3))
    rebuilt = np.asarray(pretext.decoder(pretext.encoder(pretext.images(slices[:, 2]))))
    assert rebuilt.shape == (6, 32, 32, 4)
    errors = []
    for image, place in enumerate((0, 1, 3, 4)):
        wanted = np.asarray(pretext.images(slices[:, place]))[..., 0]
        errors.append(np.mean((rebuilt[..., image] - wanted) ** 2))
    assert float(pretext.objective(slices)) == pytest.approx(np.mean(errors), rel=1e-4)
