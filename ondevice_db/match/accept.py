"""The calibrated probability that the best song is the right one, from the evidence of a match.

The coefficients are fitted to queries whose answer is known (``evaluation.retrieval.acceptance_fit``) and belong to the
fingerprint model, in whose manifest they stand under ``acceptance``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nowplaying_core.errors import ConfigError, CorruptArtifactError
from nowplaying_core.settings import require_between, require_counts
from ondevice_db.match.evidence import FEATURES, N_FEATURES, Evidence

__all__ = ["DEFAULT_ACCEPTANCE", "SIZE_TERMS", "Acceptance", "log_odds", "probability_of", "share_of_full"]

SIZE_TERMS = (
    "size_slope",
    "size_slope_x_log_fingerprints",
    "small_size_slope",
    "small_size_slope_x_log_fingerprints",
)

_FULL_QUERY = 12  # fingerprints in 8 s
_STEEPEST = 5.0  # of a slope by size


@dataclass(frozen=True, kw_only=True, slots=True)
class Acceptance:
    """A logistic model over :class:`~ondevice_db.match.evidence.Evidence`.

    Attributes
    ----------
    coefficients : tuple of float, length N_FEATURES
    intercept : float
    threshold : float in [0, 1]
        Smallest probability that is accepted as a match for a query of 8 s, which is 12 fingerprints, or longer.
    threshold_single : float in [0, 1]
        The same for a single fingerprint. One second of sound is far easier mistaken, so that the same rate of false
        accepts needs a higher threshold.
    n_fitted : int >= 1
        Fingerprints in the database of the fit.
    size_slope, size_slope_x_log_fingerprints : float in [-5, 5]
        Decrease of the log odds for a database e times as large, of a query of one fingerprint, and what is added to it
        for e times as many. More songs are more chances for a wrong one to look right, but neighbors and runners-up,
        which are part of the evidence, come nearer as well: where that outweighs it, the number is negative.
    small_size_slope, small_size_slope_x_log_fingerprints : float in [-5, 5]
        The same for a database e times as small: its neighborhoods are empty, which flatters whatever is in it.
    """

    coefficients: tuple[float, ...]
    intercept: float
    threshold: float
    threshold_single: float
    n_fitted: int = 1
    size_slope: float = 0.0
    size_slope_x_log_fingerprints: float = 0.0
    small_size_slope: float = 0.0
    small_size_slope_x_log_fingerprints: float = 0.0

    def __post_init__(self) -> None:
        numbers = (*self.coefficients, self.intercept, self.threshold, self.threshold_single)
        require_counts(self, "n_fitted", table="acceptance")
        require_between(self, -_STEEPEST, _STEEPEST, *SIZE_TERMS, table="acceptance")
        if len(self.coefficients) != N_FEATURES or not all(math.isfinite(number) for number in numbers):
            message = f"acceptance: expected {N_FEATURES} finite coefficients, found {self.coefficients!r}"
            raise ConfigError(message)
        require_between(self, 0, 1, "threshold", "threshold_single", table="acceptance")

    def probability(self, evidence: Evidence, *, n_searched: int = 1, log_prior: float = 0.0) -> float:
        """Return the probability that the best song is the right one, in [0, 1].

        Parameters
        ----------
        evidence : Evidence
        n_searched : int >= 1
            Fingerprints in the database.
        log_prior : float
            Natural logarithm of how much likelier the song is than the average one.
        """
        logit = float(evidence.to_vector() @ np.array(self.coefficients)) + self.intercept
        return probability_of(logit - self.size_penalty(evidence.n_fingerprints, n_searched) + log_prior)

    def size_penalty(self, n_fingerprints: int, n_searched: int) -> float:
        """Return by how much the log odds fall because the database is not as large as that of the fit.

        Parameters
        ----------
        n_fingerprints : int >= 1
            Of the query.
        n_searched : int >= 1
            In the database.
        """
        log_n, growth = math.log(n_fingerprints), math.log(n_searched / self.n_fitted)
        if growth >= 0:
            return (self.size_slope + self.size_slope_x_log_fingerprints * log_n) * growth
        return (self.small_size_slope + self.small_size_slope_x_log_fingerprints * log_n) * -growth

    def threshold_for(self, n_fingerprints: int) -> float:
        """Return the threshold for a query of so many fingerprints: between the two, by their logarithm."""
        share = share_of_full(math.log(max(n_fingerprints, 1)))
        if self.threshold == self.threshold_single or share in (0.0, 1.0):
            return self.threshold if share == 1.0 else self.threshold_single
        return probability_of((1 - share) * log_odds(self.threshold_single) + share * log_odds(self.threshold))

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest's form."""
        return {
            "features": list(FEATURES),
            "coefficients": list(self.coefficients),
            "intercept": self.intercept,
            "threshold": self.threshold,
            "threshold_single": self.threshold_single,
            "n_fitted": self.n_fitted,
            **{name: getattr(self, name) for name in SIZE_TERMS},
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Acceptance":
        """Read the ``acceptance`` table of a fingerprint model's manifest.

        Raises
        ------
        CorruptArtifactError
            When the features are not the ones that this release computes or a number is missing.
        """
        try:
            if tuple(value["features"]) != FEATURES:
                message = f"expected the features {list(FEATURES)}, found {value['features']}"
                raise ConfigError(message)
            coefficients = tuple(float(number) for number in value["coefficients"])
            return cls(
                coefficients=coefficients,
                intercept=float(value["intercept"]),
                threshold=float(value["threshold"]),
                threshold_single=float(value["threshold_single"]),
                n_fitted=int(value.get("n_fitted", 1)),
                **{name: float(value.get(name, 0.0)) for name in SIZE_TERMS},
            )
        except (KeyError, TypeError, ValueError) as error:
            message = f"model manifest, 'acceptance': {error}; export the model again"
            raise CorruptArtifactError(message) from error


# For models without a fit of their own: half-way between what unrelated music reaches and a clean match.
DEFAULT_ACCEPTANCE = Acceptance(
    coefficients=(4.0, 4.0, 14.0, 10.0, 1.5, *[0.0] * 5, 1.5, 0.0, 0.0, 2.0, 4.0, *[0.0] * 6),
    intercept=-9.5,
    threshold=0.5,
    threshold_single=0.5,
)


def share_of_full(log_fingerprints: float) -> float:
    """Return how near a query is to a full one: 0 for one fingerprint, 1 for twelve and more."""
    return min(log_fingerprints / math.log(_FULL_QUERY), 1.0)


def probability_of(logit: float) -> float:
    """Return the probability of natural log odds, which are held within -40 and 40."""
    return 1.0 / (1.0 + math.exp(-min(max(logit, -40.0), 40.0)))


def log_odds(probability: float) -> float:
    """Return the natural log odds of a probability in [0, 1], finite at both ends."""
    return math.log(max(probability, 1e-12)) - math.log(max(1 - probability, 1e-12))
