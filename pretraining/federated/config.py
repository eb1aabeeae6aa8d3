"""The settings of a federation: readable without Keras and Flower, from TOML; unknown keys are errors."""

from dataclasses import dataclass
from typing import Literal

from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import RunSettings, require_not_negative, require_positive

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
        With ``sampling = "poisson"`` the expected number.
    sampling : str
        "fixed" draws so many clients; "poisson" draws each client by itself, which is what hides who took part and
        makes the same noise protect more.
    trained : tuple of str
        Clients train, and send, the weights whose name in the model holds one of these, such as "norm"; empty: all.
    local_steps, local_clips : int >= 1, >= 2
        Of a client in a round: steps, and clips of a step.
    local_rate : float > 0
        Adam's rate on the client, which begins anew in each round.
    final_rate_share : float in (0, 1]
        Of ``local_rate`` in the last round; half a cosine leads to it. 1 keeps the rate.
    server_rate, server_momentum : float > 0, float in [0, 1)
        The server moves by its rate times the decaying sum of mean updates (FedAvgM, Hsu et al. 2019,
        arXiv 1909.06335). 1 and 0 take the mean of the clients' weights.
    clipping_norm : float >= 0
        Greatest length of a client's update, all its weights as one vector; 0 does not clip.
    clipping_quantile : float in [0, 1)
        The norm follows this quantile of the updates' lengths, from ``clipping_norm`` on (Andrew et al. 2021,
        arXiv 1905.03871). 0 keeps the norm.
    clipping_rate : float > 0
        How fast it follows.
    count_deviation : float > 0
        Deviation of the noise on the number of updates within the norm, as a share of ``clients_per_round``.
    noise_multiplier : float >= 0
        Of the Gaussian noise on the mean of updates, whose deviation is this times the clipping norm over
        ``clients_per_round`` (McMahan et al. 2018, arXiv 1710.06963). Where the norm follows a quantile this covers the
        noisy number of updates as well, and the mean gets more than it: little more where ``count_deviation`` is large
        enough, without bound as this nears ``2 count_deviation clients_per_round``.
    delta : float in (0, 1)
        For which epsilon is stated.
    """

    n_clients: int = 24
    concentration: float = 0.3
    server_share: float = 0.1
    n_rounds: int = 40
    clients_per_round: int = 8
    sampling: Literal["fixed", "poisson"] = "fixed"
    trained: tuple[str, ...] = ()
    local_steps: int = 5
    local_clips: int = 32
    local_rate: float = 1e-3
    final_rate_share: float = 1.0
    server_rate: float = 1.0
    server_momentum: float = 0.0
    clipping_norm: float = 0.0
    clipping_quantile: float = 0.0
    clipping_rate: float = 0.2
    count_deviation: float = 0.05
    noise_multiplier: float = 0.0
    delta: float = 1e-3

    def __post_init__(self) -> None:
        if not 2 <= self.clients_per_round <= self.n_clients:
            message = f"clients_per_round must lie in [2, n_clients], found {self.clients_per_round} of "
            raise ConfigError(message + f"{self.n_clients}")
        if self.sampling not in ("fixed", "poisson"):
            message = f'sampling must be "fixed" or "poisson", found {self.sampling!r}'
            raise ConfigError(message)
        if not isinstance(self.trained, tuple) or not all(isinstance(part, str) and part for part in self.trained):
            message = f"trained must be a list of parts of weights' names, found {self.trained!r}"
            raise ConfigError(message)
        require_positive(self, "concentration", "n_rounds", "local_steps", "local_rate", "server_rate")
        require_positive(self, "clipping_rate", "count_deviation")
        require_not_negative(self, "clipping_norm", "noise_multiplier")
        if self.local_clips < 2:
            message = f"local_clips must be at least 2, found {self.local_clips}"
            raise ConfigError(message)
        for name in ("server_share", "delta"):
            self._require_share(name, 0 < getattr(self, name) < 1, "between 0 and 1")
        self._require_share("final_rate_share", 0 < self.final_rate_share <= 1, "in (0, 1]")
        for name in ("server_momentum", "clipping_quantile"):
            self._require_share(name, 0 <= getattr(self, name) < 1, "in [0, 1)")
        self._require_privacy()

    def _require_share(self, name: str, holds: bool, where: str) -> None:  # noqa: FBT001
        if not holds:
            message = f"{name} must lie {where}, found {getattr(self, name)}"
            raise ConfigError(message)

    def _require_privacy(self) -> None:
        """Check that clipping and noise go together and that the accountant's figures mean something."""
        if not self.clipping_norm and (self.noise_multiplier or self.clipping_quantile):
            message = "noise_multiplier and clipping_quantile need a clipping_norm above 0: found "
            raise ConfigError(message + f"{self.noise_multiplier}, {self.clipping_quantile} and {self.clipping_norm}")
        if self.sampling == "poisson" and not self.clipping_norm:
            message = 'sampling "poisson" divides by the expected number of clients and needs a clipping_norm above 0'
            raise ConfigError(message)
        if self.noise_multiplier and self.delta >= 1 / self.n_clients:
            message = f"delta must lie below 1 / n_clients, else a client may be given away whole: found {self.delta}"
            raise ConfigError(message + f" for {self.n_clients}")
        most = 2 * self.count_deviation * self.clients_per_round
        if self.clipping_quantile and self.noise_multiplier >= most:
            message = f"noise_multiplier must lie below {most:g}, twice count_deviation times clients_per_round, where "
            raise ConfigError(message + f"the norm follows a quantile: found {self.noise_multiplier}")
