"""The settings of a decoder: its first guess, its refiner, and what its errors weigh."""

from dataclasses import dataclass
from typing import Final

from nowplaying.errors import ConfigError

__all__ = ["PREDICTIONS", "DecoderConfig"]

PREDICTIONS: Final = ("v", "x")


@dataclass(frozen=True, kw_only=True, slots=True)
class DecoderConfig:
    """A decoder in two parts, and the weights of its losses.

    Attributes
    ----------
    first_channels : tuple of int
        Of the first decoder, in the order of an ear whose mirror it is.
    patch : int
        The refiner works on squares of so many mel bands and frames.
    widths : tuple of int
        Channels of the refiner's levels; each further one halves both axes.
    n_time_features : int, even
        Sines and cosines that tell the refiner how noisy its input is.
    critic_channels : tuple of int
        Of the critic that tells rebuilt images from real ones; each halves both axes.
    prediction : str
        ``v`` (Salimans & Ho 2022, arXiv 2202.00512) or ``x``: what the refiner gives under noise.
    diffusion_weight : float >= 0
        0 makes the refiner a plain network: it then sees no noise, and the other losses are of what it gives.
    mse_weight, perceptual_weight : float >= 0
        1 and 0.1 in "Sample What You Can't Compress" (arXiv 2409.02529), of the first decoder's image.
    adversarial_weight : float >= 0
    """

    first_channels: tuple[int, ...] = (16, 32, 48, 64, 96)
    patch: int = 4
    widths: tuple[int, ...] = (32, 64)
    n_time_features: int = 32
    critic_channels: tuple[int, ...] = (16, 32, 64)
    prediction: str = "v"
    diffusion_weight: float = 1.0
    mse_weight: float = 1.0
    perceptual_weight: float = 0.1
    adversarial_weight: float = 0.0

    def __post_init__(self) -> None:
        if self.prediction not in PREDICTIONS:
            message = f"prediction: expected one of {', '.join(PREDICTIONS)}, found {self.prediction!r}"
            raise ConfigError(message)
        sizes = (*self.first_channels, *self.widths, *self.critic_channels, self.patch, self.n_time_features)
        if min(sizes) < 1 or self.n_time_features % 2 or not (self.first_channels and self.widths):
            message = f"decoder: sizes must be positive and n_time_features even, found {self}"
            raise ConfigError(message)
        weights = (self.diffusion_weight, self.mse_weight, self.perceptual_weight, self.adversarial_weight)
        if min(weights) < 0 or max(weights) == 0:
            message = f"decoder: weights must not be negative, and one must be positive, found {weights}"
            raise ConfigError(message)
        if self.diffusion_weight and self.adversarial_weight:
            message = "decoder: a refiner either samples (diffusion_weight) or has a critic (adversarial_weight)"
            raise ConfigError(message)
