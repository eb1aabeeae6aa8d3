"""Fit the acceptance model to queries whose answer is known.

Right answers come from degraded queries of dev music. Wrong ones come from the same queries with their song (and its
duplicates) masked from the index, from known queries whose first song is another, and from speech and noise of the
``train`` split. The ``unknown`` music and the dev speech and noise are left for the evaluation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.conditions import CLEAN, Condition, paired_conditions
from evaluation.retrieval.matching import System, match_all
from evaluation.retrieval.setting import Setting
from ondevice_db.match.accept import DEFAULT_ACCEPTANCE, Acceptance, fit_acceptance

__all__ = ["Calibration", "calibrate", "calibration_conditions"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted acceptance model and what it was fitted to.

    Attributes
    ----------
    acceptance : Acceptance
    n_known, n_unknown : int
    false_accept_rate : float
        That the thresholds were chosen for, on the fit's own queries.
    """

    acceptance: Acceptance
    n_known: int
    n_unknown: int
    false_accept_rate: float

    def to_dict(self) -> dict[str, Any]:
        """Return the ``acceptance`` table for a fingerprint model's manifest."""
        return {
            **self.acceptance.to_dict(),
            "calibration": {
                "n_known": self.n_known,
                "n_unknown": self.n_unknown,
                "false_accept_rate": self.false_accept_rate,
            },
        }


def calibration_conditions() -> list[Condition]:
    """Return what the fit is to hold for: clean sound, and the easier and the harder conditions, long and short."""
    return [CLEAN, *paired_conditions()]


def calibrate(
    setting: Setting,
    conditions: Sequence[Condition] | None = None,
    *,
    false_accept_rate: float = 0.003,
    jobs: int = 1,
) -> Calibration:
    """Fit the acceptance model.

    Parameters
    ----------
    setting : Setting
        With speech and noise of the ``train`` split, so that the evaluation's own stay unseen.
    conditions : sequence of Condition, optional
    false_accept_rate : float in (0, 1)
        That the thresholds aim for.
    jobs : int >= 1
    """
    hop_s = setting.cache.fingerprinter.query_hop_s
    system = System(library=setting.library, acceptance=DEFAULT_ACCEPTANCE, hop_s=hop_s)
    masks = [setting.library.members(int(song)) for song in setting.truth]
    known: list[NDArray[np.float64]] = []
    unknown: list[NDArray[np.float64]] = []
    for condition in conditions if conditions is not None else calibration_conditions():
        embeddings = setting.cache.queries(setting.plans["known"], condition)
        open_set = match_all(system, embeddings, jobs=jobs)
        right = open_set.right(setting.library, setting.truth)
        known.append(open_set.features[right])
        unknown.append(open_set.features[~right])
        unknown.append(match_all(system, embeddings, masks, jobs=jobs).features)
    for name in sorted({"speech", "noise"} & set(setting.plans)):
        for condition in (CLEAN, Condition(length_s=2.0)):
            embeddings = setting.cache.queries(setting.plans[name], condition)
            unknown.append(match_all(system, embeddings, jobs=jobs).features)
    right_rows, wrong_rows = (_finite(parts) for parts in (known, unknown))
    acceptance = fit_acceptance(right_rows, wrong_rows, false_accept_rate=false_accept_rate)
    acceptance = replace(acceptance, n_fitted=int(setting.library.song_starts[-1]))
    return Calibration(acceptance, len(right_rows), len(wrong_rows), false_accept_rate)


def _finite(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    joined = np.concatenate(parts)
    return joined[np.isfinite(joined).all(axis=1)]
