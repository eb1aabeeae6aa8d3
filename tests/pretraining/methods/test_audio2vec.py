from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.clips import ClipSampler
from pretraining.train import build_pretext
from tests.pretraining.material import small_config
from tests.pretraining.methods.learning import learned

pytestmark = pytest.mark.train


def test_the_middle_is_rebuilt_from_the_others_alone(clips: ClipSampler) -> None:
    pretext, losses = learned("audio2vec_cbow", clips)
    assert losses[-1] < 0.9 * losses[0]
    (slices,) = pretext.draw(clips, np.random.default_rng(3))
    assert slices.shape == (6, 5, 5_120)
    around = np.concatenate([slices[:, :2], slices[:, 3:]], axis=1)
    vectors = np.asarray(pretext.encoder(pretext.images(around))).reshape(6, -1)
    rebuilt = np.asarray(pretext.decoder(vectors))
    middle = np.asarray(pretext.images(slices[:, 2]))
    assert float(pretext.objective(slices)) == pytest.approx(np.mean((rebuilt - middle) ** 2), rel=1e-4)


def test_the_levels_are_the_errors_of_the_mean_image_and_of_the_contexts_bands(clips: ClipSampler) -> None:
    pretext, _ = learned("audio2vec_cbow", clips, n_steps=2)
    (slices,) = pretext.draw(clips, np.random.default_rng(3))
    images = np.asarray(pretext.images(slices)).reshape(6, 5, 32, 32)
    middle, around = images[:, 2], images[:, [0, 1, 3, 4]]
    levels = pretext.levels(slices)
    assert levels["mean image"] == pytest.approx(middle.var(axis=0).mean(), rel=1e-4)
    bands = around.mean(axis=(1, 3))[:, :, None]
    assert levels["band means"] == pytest.approx(np.square(middle - bands).mean(), rel=1e-4)


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


def test_the_first_loss_is_the_error_of_the_mean_image(clips: ClipSampler) -> None:
    pretext = build_pretext(small_config("audio2vec_skipgram"), clips)
    pretext.prepare(clips)
    (slices,) = pretext.draw(clips, np.random.default_rng(3))
    images = np.asarray(pretext.images(slices[:, [0, 1, 3, 4]]))
    wrong = float(np.square(images - np.asarray(pretext.usual)).mean())
    assert np.asarray(pretext.usual).std() > 0.1
    assert float(pretext.objective(slices)) == pytest.approx(wrong, rel=1e-4)
    assert wrong < 1.5 * pretext.levels(slices)["mean image"]


def test_the_mean_image_is_part_of_a_checkpoint(clips: ClipSampler, tmp_path: Path) -> None:
    first, again = (build_pretext(small_config("audio2vec_skipgram"), clips) for _ in range(2))
    first.prepare(clips)
    first.save_weights(tmp_path / "checkpoint.weights.h5")
    again.load_weights(tmp_path / "checkpoint.weights.h5")
    np.testing.assert_array_equal(np.asarray(again.usual), np.asarray(first.usual))
