"""The settings of codes and of the transformer over them; readable without Keras."""

from dataclasses import dataclass

from nowplaying_core.errors import ConfigError

__all__ = ["CodeConfig"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeConfig:
    """A codebook of slices of log-mel, and a causal transformer.

    Attributes
    ----------
    n_codes : int >= 2
        Words of the codebook.
    slice_frames : int >= 1
        Frames of a slice; four of 10 ms are 40 ms.
    n_fitted : int
        Slices that k-means is fitted to.
    latent : int
        Dimensions in which the VQ bottleneck compares a slice with its codes.
    units : int
        Of the VQ bottleneck's hidden layers.
    commitment : float >= 0
        Weight of the slice's way to its code (van den Oord et al. 2017).
    decay : float in [0, 1)
        Of the moving means that codes are behind the VQ bottleneck.
    dead_below : float in [0, 1)
        Share of an even count below which such a code begins anew; 0 leaves unused codes where they are.
    moving_share : float in (0, 1]
        Of a run's steps, the first ones, in which the VQ bottleneck and its codes learn; then they rest, codes that
        are not in use included, and the transformer alone goes on learning.
    dim, n_layers, n_heads : int
        Of the transformer; a layer's hidden units are four times ``dim``.
    """

    n_codes: int = 512
    slice_frames: int = 4
    n_fitted: int = 50_000
    latent: int = 16
    units: int = 256
    commitment: float = 0.25
    decay: float = 0.9
    dead_below: float = 0.1
    moving_share: float = 1.0
    dim: int = 128
    n_layers: int = 4
    n_heads: int = 4

    def __post_init__(self) -> None:
        numbers = (self.slice_frames, self.latent, self.units, self.dim, self.n_layers, self.n_heads)
        if min(numbers) < 1 or self.n_codes < 2 or self.commitment < 0 or self.dim % self.n_heads:
            message = (
                f"codes: expected positive numbers, two codes or more, and a dim that n_heads divides, found {self}"
            )
            raise ConfigError(message)
        if not (0 <= self.decay < 1 and 0 <= self.dead_below < 1):
            message = f"codes: expected decay and dead_below in [0, 1), found {self.decay} and {self.dead_below}"
            raise ConfigError(message)
        if not 0 < self.moving_share <= 1:
            message = f"codes.moving_share: expected a share above 0, at most 1, found {self.moving_share:g}"
            raise ConfigError(message)
        if self.n_fitted < self.n_codes:
            message = f"codes: expected n_fitted of at least n_codes, found {self.n_fitted} and {self.n_codes}"
            raise ConfigError(message)
