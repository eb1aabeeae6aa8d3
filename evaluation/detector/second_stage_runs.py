"""How often a detector's second stage runs in music, in other sound and in quiet, for the energy account."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from detector.network import DECISION_S
from evaluation.detector.tracks import StreamTrack
from nowplaying_core.statistics import cluster_bootstrap

__all__ = ["runs_per_hour", "second_stage_metrics"]

_OUTPUTS_PER_H = 3600 / DECISION_S


def second_stage_metrics(tracks: Sequence[StreamTrack], wanted_above: int, *, seed: int = 1) -> dict[str, Any]:
    """Return plain values for ``metrics.json``: ``wanted_above`` and :func:`runs_per_hour`."""
    return {"wanted_above": wanted_above, "runs_per_hour": runs_per_hour(tracks, wanted_above, seed=seed)}


def runs_per_hour(tracks: Sequence[StreamTrack], wanted_above: int, *, seed: int = 1) -> dict[str, dict[str, float]]:
    """Return the runs of a second stage an hour of each kind of sound.

    Parameters
    ----------
    tracks : sequence of StreamTrack
        Of a detector of two stages.
    wanted_above : int in [0, 256]
        Its smallest output, in 256ths, for which the second is run.
    seed : int
        Of the interval.

    Returns
    -------
    dict
        ``music`` (windows wholly in it), ``other`` sound without music and ``quiet``: each with ``value``, the ``low``
        and ``high`` end of its 95 % interval (streams drawn with replacement), and ``hours``; without a kind that no
        window is of.
    """
    is_run = np.concatenate([track.first_outputs >= wanted_above for track in tracks])
    stream = np.concatenate([np.full(track.first_outputs.size, number) for number, track in enumerate(tracks)])
    kinds = {
        "music": np.concatenate([track.region_of >= 0 for track in tracks]),
        "other": np.concatenate([track.is_other for track in tracks]),
        "quiet": np.concatenate([track.is_outside & ~track.is_other for track in tracks]),
    }
    rates = {}
    for kind, rows in kinds.items():
        if not rows.any():
            continue
        share = cluster_bootstrap(is_run[rows].astype(np.float64), stream[rows].tolist(), np.random.default_rng(seed))
        ends = {"value": share.value, "low": share.low, "high": share.high}
        rates[kind] = {name: round(_OUTPUTS_PER_H * end, 1) for name, end in ends.items()}
        rates[kind]["hours"] = round(float(np.count_nonzero(rows)) / _OUTPUTS_PER_H, 3)
    return rates
