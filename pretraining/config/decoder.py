"""The settings of a decoder: its first guess, its refiner, and what its errors weigh."""

from dataclasses import dataclass
from typing import Final

from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import require_counts, require_not_negative

__all__ = ["PREDICTIONS", "DecoderConfig"]

PREDICTIONS: Final = ("v", "x")


@dataclass(frozen=True, kw_only=True, slots=True)
class DecoderConfig:
    """A decoder in two parts, and the weights of its losses.

    Attributes
    ----------
    first_channels : tuple of int
        Of the first decoder, in the order of an encoder whose mirror it is.
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
        sizes = ("first_channels", "widths", "critic_channels", "patch", "n_time_features")
        require_counts(self, *sizes, table="decoder")
        if self.n_time_features % 2:
            message = f"decoder: n_time_features must be even, found {self.n_time_features}"
            raise ConfigError(message)
        weights = ("diffusion_weight", "mse_weight", "perceptual_weight", "adversarial_weight")
        require_not_negative(self, *weights, table="decoder")
        if not any(getattr(self, name) for name in weights):
            message = f"decoder: one must be positive of {', '.join(weights)}, found none"
            raise ConfigError(message)
        if self.diffusion_weight and self.adversarial_weight:
            message = "decoder: a refiner either samples (diffusion_weight) or has a critic (adversarial_weight)"
            raise ConfigError(message)
