"""Fit the model of acceptance, and its thresholds, to queries whose answer is known."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import require_between
from ondevice_db.match.accept import Acceptance, log_odds, probability_of, share_of_full
from ondevice_db.match.evidence import FEATURES, N_FEATURES

__all__ = ["FalseAcceptRates", "fit_acceptance"]

_LOG_N: Final = FEATURES.index("log_fingerprints")
_DRONE_SHARE: Final = 0.05  # of the weight of wrong answers
# Share of wrong answers, and the fewest, that a threshold is estimated from.
_TAIL: Final = 0.01
_LEAST_TAIL: Final = 10
# Fingerprints of short queries, for which the fit sets the threshold of a single one: three and fewer, or where windows
# lie as close that a second has more of them, as many as most queries below the second number have.
_SHORT_QUERY: Final = 3
_LONGEST_SHORT: Final = 7


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
    share = np.array([share_of_full(float(one)) for one in log_n[is_short]])
    single = (logits[is_short] - share * log_odds(threshold)) / (1 - share)
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
    return min(max(math.nextafter(probability_of(logit), 1.0), 0.5), 1.0)
