"""From log-mel images to codes and back: the nearest of a codebook's slices, or of its points behind a bottleneck."""

from typing import Any

import keras
from keras import layers, ops

from fingerprinter.config import FrontEndConfig
from nowplaying_core.errors import ConfigError
from pretraining.config.codes import CodeConfig

__all__ = ["Bottleneck", "Codebook", "MovingPoints", "Quantizer", "nearest", "slices", "unit"]


def slices(images: Any, slice_frames: int) -> Any:
    """Return what lies side by side in images (n, n_mels, n_frames, 1): (n, n_slices, slice_frames * n_mels)."""
    n_mels, n_frames = images.shape[1:3]
    frames = ops.transpose(images[..., 0], (0, 2, 1))
    return ops.reshape(frames, (-1, n_frames // slice_frames, slice_frames * n_mels))


def nearest(points: Any, codebook: Any) -> Any:
    """Return the number of the nearest row of a codebook (n_codes, d) for points (..., d), int32."""
    # ||p - c||^2 = ||p||^2 - 2 (p.c - ||c||^2 / 2), whose bracket is largest for the nearest c.
    return ops.argmax(
        ops.matmul(points, ops.transpose(codebook)) - 0.5 * ops.sum(ops.square(codebook), axis=1), axis=-1
    )


class Quantizer(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Turns images into codes, (n, n_mels, n_frames, 1) to int (n, n_slices), and codes into images.

    Parameters
    ----------
    config : CodeConfig
    front_end : FrontEndConfig
        Whose bands a slice has; images may be of any number of slices.

    Raises
    ------
    ConfigError
        When a window is no whole number of slices.
    """

    def __init__(self, config: CodeConfig, front_end: FrontEndConfig, **options: Any) -> None:
        super().__init__(**options)
        if front_end.n_frames % config.slice_frames:
            message = (
                f"codes.slice_frames: expected a divisor of {front_end.n_frames} frames, found {config.slice_frames}"
            )
            raise ConfigError(message)
        self.config = config
        self.n_mels = front_end.n_mels
        self.n_numbers = config.slice_frames * front_end.n_mels

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (n, n_slices)."""
        return (shape[0], None if shape[2] is None else shape[2] // self.config.slice_frames)

    def compute_output_spec(self, images: Any) -> keras.KerasTensor:
        """Return what codes are: whole numbers."""
        return keras.KerasTensor(self.compute_output_shape(images.shape), "int32")

    def words(self) -> Any:
        """Return the slice that each code stands for, (n_codes, slice_frames * n_mels), in the front end's units."""
        raise NotImplementedError

    def images(self, codes: Any) -> Any:
        """Return what codes (n, n_slices) stand for, (n, n_mels, n_slices * slice_frames, 1)."""
        rows = ops.take(self.words(), codes, axis=0)
        frames = ops.reshape(rows, (-1, codes.shape[1] * self.config.slice_frames, self.n_mels))
        return ops.expand_dims(ops.transpose(frames, (0, 2, 1)), -1)


class Codebook(Quantizer):
    """A code is the nearest of ``n_codes`` slices; they are fitted, not trained."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Create the slices, all zero."""
        del shape
        wanted = (self.config.n_codes, self.n_numbers)
        self.slices = self.add_weight(shape=wanted, initializer="zeros", trainable=False, name="slices")

    def call(self, images: Any) -> Any:
        """Return the codes of images."""
        return ops.cast(nearest(slices(images, self.config.slice_frames), self.slices), "int32")

    def words(self) -> Any:
        """Return the slices."""
        return ops.convert_to_tensor(self.slices)


class MovingPoints(layers.Layer):  # type: ignore[misc]
    """Points on a sphere that follow what is nearest to them; a point that hardly anything is nearest to begins anew.

    Online k-means, as in the appendix of van den Oord et al. 2017 (arXiv 1711.00937): each training step moves a point
    towards the mean of its rows. A point whose moving count is below ``dead_below`` of an even share is set on a row
    of the batch. At the beginning every count is zero, so the first batch gives all points. Without this, rows of a
    young encoder lie in a narrow cone and the few points that are in it stay the only ones that are ever chosen.

    Parameters
    ----------
    config : CodeConfig
    """

    def __init__(self, config: CodeConfig, **options: Any) -> None:
        super().__init__(**options)
        self.config = config

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Create points, and their moving sums and counts; no gradient reaches any."""
        del shape
        n_codes, latent = self.config.n_codes, self.config.latent
        self.points = self.add_weight(
            shape=(n_codes, latent), initializer="random_normal", trainable=False, name="points"
        )
        self.counts = self.add_weight(shape=(n_codes,), initializer="zeros", trainable=False, name="counts")

    def call(self, rows: Any, training: bool | None = None, moving: Any = True) -> tuple[Any, Any]:  # noqa: FBT001, FBT002
        """Return the codes of rows (..., latent) of unit length, and their points.

        In training the points also move, unless ``moving`` is false; it may be a tensor.
        """
        points = unit(ops.convert_to_tensor(self.points))
        codes = ops.cast(nearest(rows, points), "int32")
        if training:
            self._follow(ops.reshape(rows, (-1, self.config.latent)), ops.reshape(codes, (-1,)), moving)
        return codes, ops.take(points, codes, axis=0)

    def _follow(self, rows: Any, codes: Any, moving: Any) -> None:
        n_codes, decay = self.config.n_codes, self.config.decay
        even = ops.cast(ops.shape(rows)[0], "float32") / n_codes
        found = ops.segment_sum(ops.ones_like(rows[:, 0]), codes, num_segments=n_codes)
        counts = decay * self.counts + (1 - decay) * found
        # Points are moving sums divided by moving counts: the length of a sum is kept, so that it can be continued.
        sums = decay * self.points + (1 - decay) * ops.segment_sum(rows, codes, num_segments=n_codes)
        if not self.config.dead_below:  # else what nothing is nearest to would shrink until it is no direction any more
            sums = ops.where(found[:, None] > 0, sums, self.points)
        # Batches are drawn anew, so rows that are spread evenly over one are as good as drawn, and resumed runs agree.
        spread = ops.cast(ops.arange(n_codes, dtype="float32") * even, "int32")
        dead = (counts < self.config.dead_below * even)[:, None]
        points = ops.where(dead, even * ops.take(rows, spread, axis=0), sums)
        self.points.assign(ops.where(moving, points, self.points))
        self.counts.assign(ops.where(moving, ops.where(dead[:, 0], even, counts), self.counts))


class Bottleneck(Quantizer):
    """A code is the nearest of ``n_codes`` points on a sphere of few dimensions, between an encoder and a decoder.

    Points of few dimensions and unit length are those of Yu et al. 2022, "Vector-quantized image modeling with improved
    VQGAN" (arXiv 2110.04627); they follow their slices (:class:`MovingPoints`), and the loss that keeps slices near
    them is that of van den Oord et al. 2017 (arXiv 1711.00937).
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Create encoder, points and decoder."""
        del shape
        self.encoder = self._two_layers(self.n_numbers, self.config.latent, "encoder")
        self.decoder = self._two_layers(self.config.latent, self.n_numbers, "decoder")
        self.moving = MovingPoints(self.config, name="moving")
        self.moving.build((None, self.config.latent))

    def _two_layers(self, n_in: int, n_out: int, name: str) -> list[layers.Layer]:
        hidden = layers.Dense(self.config.units, activation="gelu", name=f"{name}_hidden")
        last = layers.Dense(n_out, name=name)
        hidden.build((None, n_in))
        last.build((None, self.config.units))
        return [hidden, last]

    def call(self, images: Any) -> Any:
        """Return the codes of images."""
        return self.moving(unit(_through(self.encoder, slices(images, self.config.slice_frames))), training=False)[0]

    def bottleneck(self, rows: Any, *, moving: Any = True) -> tuple[Any, Any, Any]:
        """Pass slices (..., slice_frames * n_mels) through the bottleneck.

        Where a model trains, its points move, unless ``moving`` is false; it may be a tensor.

        Returns
        -------
        codes : tensor of int32, shape (...)
        rebuilt : tensor of float32, as the slices
            Its gradient reaches the encoder straight through the choice of the code.
        apart : tensor of float32, a scalar
            What brings encoded slices nearer to their codes.
        """
        encoded = unit(_through(self.encoder, rows))
        codes, chosen = self.moving(ops.stop_gradient(encoded), moving=moving)
        to_code = ops.mean(ops.sum(ops.square(encoded - chosen), axis=-1))
        straight = encoded + ops.stop_gradient(chosen - encoded)
        return codes, _through(self.decoder, straight), self.config.commitment * to_code

    def words(self) -> Any:
        """Return what the decoder makes of each point."""
        return _through(self.decoder, unit(ops.convert_to_tensor(self.moving.points)))


def unit(rows: Any) -> Any:
    """Return rows of length 1."""
    return rows / ops.sqrt(ops.sum(ops.square(rows), axis=-1, keepdims=True) + 1e-12)


def _through(parts: list[layers.Layer], rows: Any) -> Any:
    for part in parts:
        rows = part(rows)
    return rows
