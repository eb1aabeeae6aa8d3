"""The calibrated probability that the best song is the right one, from the evidence of a match.

The coefficients are fitted to queries whose answer is known and belong to the fingerprint model, in whose manifest they
stand under ``acceptance``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError, CorruptArtifactError
from nowplaying_core.settings import require_between, require_counts
from ondevice_db.match.evidence import FEATURES, N_FEATURES, Evidence

__all__ = ["DEFAULT_ACCEPTANCE", "SIZE_TERMS", "Acceptance", "FalseAcceptRates", "fit_acceptance"]

SIZE_TERMS = (
    "size_slope",
    "size_slope_x_log_fingerprints",
    "small_size_slope",
    "small_size_slope_x_log_fingerprints",
)

_LOG_N = FEATURES.index("log_fingerprints")
_FULL_QUERY = 12  # fingerprints in 8 s
_STEEPEST = 5.0  # of a slope by size
_DRONE_SHARE = 0.05  # of the weight of wrong answers
_TAIL, _LEAST_TAIL = 0.01, 10  # share of wrong answers, and the fewest, that a threshold is estimated from
# Fingerprints of short queries, for which the fit sets the threshold of a single one: three and fewer, or where windows
# lie as close that a second has more of them, as many as most queries below the second number have.
_SHORT_QUERY, _LONGEST_SHORT = 3, 7


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
        return _probability(logit - self.size_penalty(evidence.n_fingerprints, n_searched) + log_prior)

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
        share = _share_of_full(math.log(max(n_fingerprints, 1)))
        if self.threshold == self.threshold_single or share in (0.0, 1.0):
            return self.threshold if share == 1.0 else self.threshold_single
        return _probability((1 - share) * _logit(self.threshold_single) + share * _logit(self.threshold))

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


@dataclass(frozen=True, kw_only=True, slots=True)
class FalseAcceptRates:
    """Shares of wrong answers that the thresholds of a fit may let through.

    Attributes
    ----------
    full, short : float in (0, 1)
        Of queries of eight seconds, and of the short ones.
    drones : float in (0, 1)
        Of drones of eight seconds.
    """

    full: float
    short: float
    drones: float

    def __post_init__(self) -> None:
        require_between(self, 0, 1, "full", "short", "drones", table="false_accept_rates")


def fit_acceptance(
    known_features: NDArray[np.float64],
    unknown_features: NDArray[np.float64],
    drone_features: NDArray[np.float64] | None = None,
    *,
    rates: FalseAcceptRates,
    ridge: float = 1e-6,
) -> Acceptance:
    """Fit the logistic model and its thresholds.

    Parameters
    ----------
    known_features : ndarray of float64, shape (n_known, N_FEATURES)
        :meth:`~ondevice_db.match.evidence.Evidence.to_vector` of queries whose best song was the right one.
    unknown_features : ndarray of float64, shape (n_unknown, N_FEATURES)
        Of queries for which every answer is wrong: music that is not in the database, speech, noise, and known songs
        whose best song was another.
    drone_features : ndarray of float64, shape (n_drones, N_FEATURES), optional
        Of drones that are wrong answers too. They are mistaken more often than anything else, so that among the others
        they would set the thresholds alone: together they weigh a twentieth of the wrong answers, and have a rate of
        their own.
    rates : FalseAcceptRates
    ridge : float > 0
        Penalty on the standardised coefficients, which keeps separable data finite.

    Returns
    -------
    Acceptance

    Notes
    -----
    Both sides weigh the same in the fit, so that the probability is for even odds of a song being in the database.

    A rate of one in a thousand is that of a handful of answers, which come in clusters, one recording's at a time. So
    the thresholds are not the highest of them but an estimate from the highest hundredth, whose log odds are taken to
    fall off exponentially (peaks over threshold; S. Coles, "An Introduction to Statistical Modeling of Extreme Values",
    2001, chapter 4).

    Raises
    ------
    ConfigError
        When a side is empty or has another number of features.
    """
    from scipy.optimize import minimize

    drones = np.empty((0, N_FEATURES)) if drone_features is None else drone_features
    for name, features in (("known", known_features), ("unknown", unknown_features)):
        if features.ndim != 2 or features.shape[1] != N_FEATURES or features.shape[0] == 0:
            message = f"{name}_features: expected an array (n >= 1, {N_FEATURES}), found {features.shape}"
            raise ConfigError(message)
    both = np.concatenate([known_features, unknown_features, drones])
    mean, scale = both.mean(axis=0), np.maximum(both.std(axis=0), 1e-6)
    standard = (both - mean) / scale
    sign = np.where(np.arange(len(both)) < len(known_features), 1.0, -1.0)
    drone_share = _DRONE_SHARE if len(drones) else 0.0
    sizes = [len(known_features), len(unknown_features), len(drones)]
    weight = np.repeat([0.5, 0.5 * (1 - drone_share), 0.5 * drone_share] / np.maximum(sizes, 1), sizes)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (standard @ parameters[:-1] + parameters[-1])
        value = float(weight @ np.logaddexp(0, -margin)) + ridge * float(parameters[:-1] @ parameters[:-1])
        slope = -weight * sign / (1 + np.exp(np.clip(margin, -50, 50)))
        gradient = np.append(standard.T @ slope + 2 * ridge * parameters[:-1], slope.sum())
        return value, gradient

    solution = minimize(loss, np.zeros(N_FEATURES + 1), jac=True, method="L-BFGS-B").x
    coefficients = solution[:-1] / scale
    intercept = float(solution[-1] - mean @ coefficients)
    log_n = unknown_features[:, _LOG_N]
    logits, short_below = unknown_features @ coefficients + intercept, math.log(_most_of_short(log_n)) + 1e-6
    is_short, is_full_drone = log_n <= short_below, drones[:, _LOG_N] > short_below
    threshold = max(
        _threshold(logits if is_short.all() else logits[~is_short], rates.full),
        _threshold(drones[is_full_drone] @ coefficients + intercept, rates.drones),
    )
    # Of two and more fingerprints it is the threshold between the two that has to let no more through.
    share = np.array([_share_of_full(float(one)) for one in log_n[is_short]])
    single = (logits[is_short] - share * _logit(threshold)) / (1 - share)
    return Acceptance(
        coefficients=tuple(float(number) for number in coefficients),
        intercept=intercept,
        threshold=threshold,
        threshold_single=_threshold(single if is_short.any() else logits, rates.short),
    )


def _most_of_short(log_fingerprints: NDArray[np.float64]) -> int:
    """Return how many fingerprints short queries have at most."""
    counts = np.bincount(np.rint(np.exp(log_fingerprints)).astype(np.int64), minlength=_LONGEST_SHORT + 1)
    return max(_SHORT_QUERY, int(counts[: _LONGEST_SHORT + 1].argmax()))


def _share_of_full(log_fingerprints: float) -> float:
    """Return how near a query is to a full one: 0 for one fingerprint, 1 for twelve and more."""
    return min(log_fingerprints / math.log(_FULL_QUERY), 1.0)


def _threshold(logits: NDArray[np.float64], false_accept_rate: float) -> float:
    """Return the probability that such a share of wrong answers reaches; never less than even odds."""
    if logits.size == 0:
        return 0.5
    ordered = np.sort(logits)[::-1]
    n_tail = min(max(math.ceil(_TAIL * ordered.size), _LEAST_TAIL), ordered.size - 1)
    beyond = n_tail / (false_accept_rate * ordered.size)
    if beyond < 1 or n_tail == 0:  # a rate that the answers themselves show
        logit = float(ordered[math.floor(false_accept_rate * ordered.size)])
    else:
        begin = float(ordered[n_tail])
        logit = begin + float(ordered[:n_tail].mean() - begin) * math.log(beyond)
    return min(max(math.nextafter(_probability(logit), 1.0), 0.5), 1.0)


def _probability(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(logit, -40.0), 40.0)))


def _logit(probability: float) -> float:
    return math.log(max(probability, 1e-12)) - math.log(max(1 - probability, 1e-12))
