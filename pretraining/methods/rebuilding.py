"""What methods that rebuild log-mel share: they begin with the mean image, and learn only what differs from it."""

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from pretraining.clips import ClipSampler
from pretraining.config.run import PretrainingConfig
from pretraining.decoder import build_decoder
from pretraining.methods.pretext import Pretext

__all__ = ["Rebuilding", "error_levels"]


class Rebuilding(Pretext):
    """A mirrored decoder whose answer is added to the mean image of the run's own sound.

    The decoder's last layer begins with zeros, so the first loss is the error of the mean image. A decoder that begins
    at random spends hundreds of steps on that image alone, and its encoder gets gradients that mean nothing.

    Parameters
    ----------
    config : PretrainingConfig
    n_numbers, n_images : int
        Of the decoder.
    """

    n_level_batches = 16  # one of 128 clips has 0.66 to 0.84 where sixteen have 0.78

    def __init__(self, config: PretrainingConfig, *, n_numbers: int, n_images: int) -> None:
        super().__init__(config)
        self.decoder = build_decoder(config.encoder, config.front_end, n_numbers=n_numbers, n_images=n_images)
        last = self.decoder.layers[-1]
        last.kernel.assign(ops.zeros_like(last.kernel))
        shape = (config.front_end.n_mels, config.front_end.n_frames, 1)
        self.usual = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="usual")

    def prepare(self, clips: ClipSampler) -> None:
        """Set the mean image, from eight batches that no training step draws."""
        batches = range(8)
        drawn = (self.draw(clips, np.random.default_rng([self.config.seed, self.config.n_steps, k])) for k in batches)
        means = [np.asarray(self.images(slices)).mean(axis=0) for (slices,) in drawn]
        self.usual.assign(np.mean(means, axis=0))

    def rebuilt(self, numbers: Any) -> Any:
        """Return images from numbers, (n_batch, n_numbers) to (n_batch, n_mels, n_frames, n_images)."""
        return self.decoder(numbers) + ops.convert_to_tensor(self.usual)


def error_levels(wanted: NDArray[np.float32], known: NDArray[np.float32]) -> dict[str, float]:
    """Return the squared errors of two answers without any encoder, for images (n, n_slices, n_mels, n_frames).

    Parameters
    ----------
    wanted : ndarray of float32, shape (n, n_slices, n_mels, n_frames)
        What is to be rebuilt.
    known : ndarray of float32, shape (n, n_slices, n_mels, n_frames)
        What an encoder is given.

    Returns
    -------
    dict of str to float
        "mean image" of all that is wanted, and the "band means" of what each encoder is given.
    """
    bands = known.mean(axis=(1, 3))[:, None, :, None]
    answers: dict[str, Any] = {"mean image": wanted.mean(axis=(0, 1)), "band means": bands}
    return {name: float(np.square(wanted - answer).mean()) for name, answer in answers.items()}
