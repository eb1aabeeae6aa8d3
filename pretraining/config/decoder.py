"""The settings of a decoder: its first guess, its refiner, and what its errors weigh."""

from dataclasses import dataclass
from typing import Final

from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import require_counts, require_not_negative, require_positive

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
    adversarial_weight, matching_weight : float >= 0
        Of what the critic makes of rebuilt images, and of the mean absolute difference between its activations on them
        and on the real ones (feature matching: Salimans et al. 2016, arXiv 1606.03498).
    critic_rate : float > 0
        Times the run's learning rate is the critic's own (Heusel et al. 2017, arXiv 1706.08500).
    critic_spectral : bool
        Whether the critic's kernels are divided by their spectral norm (Miyato et al. 2018, arXiv 1802.05957); it then
        normalises no activations.
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
    matching_weight: float = 0.0
    critic_rate: float = 1.0
    critic_spectral: bool = False

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
        require_not_negative(self, *weights, "matching_weight", table="decoder")
        require_positive(self, "critic_rate", table="decoder")
        if not any(getattr(self, name) for name in weights):
            message = f"decoder: one must be positive of {', '.join(weights)}, found none"
            raise ConfigError(message)
        if self.diffusion_weight and self.adversarial_weight:
            message = "decoder: a refiner either samples (diffusion_weight) or has a critic (adversarial_weight)"
            raise ConfigError(message)
        if not self.adversarial_weight and (self.matching_weight, self.critic_rate, self.critic_spectral) != (0, 1, 0):
            message = (
                "decoder: matching_weight, critic_rate and critic_spectral are of a critic; adversarial_weight is 0"
            )
            raise ConfigError(message)
