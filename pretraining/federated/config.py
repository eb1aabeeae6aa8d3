"""The settings of a federation: readable without Keras and Flower, from TOML; unknown keys are errors."""

from dataclasses import dataclass

from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import RunSettings, require_positive

__all__ = ["FederationConfig"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FederationConfig(RunSettings):
    """Who learns from what, how often, and what the server may know of it.

    Attributes
    ----------
    n_clients : int >= 2
    concentration : float > 0
        Of the Dirichlet distribution that deals each source's recordings to clients: small gives a source to few
        clients, large makes clients alike.
    server_share : float in (0, 1)
        Of all recordings, drawn at random: the server's own, which no client has.
    n_rounds : int >= 1
    clients_per_round : int >= 2
    local_steps, local_clips : int >= 1, >= 2
        Of a client in a round: steps, and clips of a step.
    local_rate : float > 0
        Adam's rate on the client, which begins anew in each round.
    clipping_norm : float >= 0
        Greatest length of a client's update, all its weights as one vector; 0 does not clip.
    noise_multiplier : float >= 0
        Of the Gaussian noise on the mean of updates, whose deviation is this times ``clipping_norm`` over
        ``clients_per_round`` (McMahan et al. 2018, arXiv 1710.06963).
    delta : float in (0, 1)
        For which epsilon is stated.
    """

    n_clients: int = 24
    concentration: float = 0.3
    server_share: float = 0.1
    n_rounds: int = 40
    clients_per_round: int = 8
    local_steps: int = 5
    local_clips: int = 32
    local_rate: float = 1e-3
    clipping_norm: float = 0.0
    noise_multiplier: float = 0.0
    delta: float = 1e-3

    def __post_init__(self) -> None:
        if not 2 <= self.clients_per_round <= self.n_clients:
            message = f"clients_per_round must lie in [2, n_clients], found {self.clients_per_round} of "
            raise ConfigError(message + f"{self.n_clients}")
        require_positive(self, "concentration", "n_rounds", "local_steps", "local_rate")
        if self.local_clips < 2:
            message = f"local_clips must be at least 2, found {self.local_clips}"
            raise ConfigError(message)
        for name in ("server_share", "delta"):
            if not 0 < getattr(self, name) < 1:
                message = f"{name} must lie between 0 and 1, found {getattr(self, name)}"
                raise ConfigError(message)
        if min(self.clipping_norm, self.noise_multiplier) < 0 or (self.noise_multiplier and not self.clipping_norm):
            message = "noise needs a clipping_norm above 0, and neither may be negative: found "
            raise ConfigError(message + f"{self.noise_multiplier} and {self.clipping_norm}")
