"""How accuracy grows with the length of training and with the size of the network: two charts of docs/ablations.md."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from evaluation.experiments.ablate import CAPACITY
from nowplaying_core.statistics import wilson

__all__ = ["RESULTS", "committed_points", "draw_points", "points"]

RESULTS: Final = CAPACITY.with_suffix(".json")
_ALSO: Final = {"n_steps": "n_macs", "n_macs": "n_steps"}


def points(results: Mapping[str, Any], along: str) -> dict[str, list[tuple[float, int, int]]]:
    """Return what was measured along one axis, at the other's value of the first variant.

    Parameters
    ----------
    results : mapping
        By variant, as ``evaluation.experiments.ablate`` writes them.
    along : {"n_steps", "n_macs"}

    Returns
    -------
    dict of str to list of (value, right, asked)
        By condition; values ascend.
    """
    first, other = next(iter(results.values())), _ALSO[along]
    of_axis = sorted((one for one in results.values() if one[other] == first[other]), key=lambda one: one[along])
    return {
        name: [(one[along], one["rank1"][name]["count"], one["rank1"][name]["n"]) for one in of_axis]
        for name in first["rank1"]
    }


def committed_points(along: str) -> dict[str, list[tuple[float, int, int]]]:
    """Return the points of the published results."""
    return points(json.loads(RESULTS.read_text(encoding="utf-8")), along)


def draw_points(axes: Any, ink: str, along: str, colours: Sequence[str]) -> None:
    """Draw rank-1 over steps or over multiply-accumulates, with 95 % intervals, a line for each condition.

    Noises have a colour each, lengths of the query a line each.
    """
    unit = 1e6 if along == "n_macs" else 1
    series = committed_points(along)
    noises, lengths = (list(dict.fromkeys(name.rpartition(", ")[part] for name in series)) for part in (0, 2))
    for name, found in series.items():
        places = [value / unit for value, _, _ in found]
        rates = [wilson(right, asked) for _, right, asked in found]
        heights = [100 * one.value for one in rates]
        errors = [[100 * (one.value - one.low) for one in rates], [100 * (one.high - one.value) for one in rates]]
        noise, _, length = name.rpartition(", ")
        style = {"color": colours[2 * noises.index(noise)], "linestyle": ("--", "-")[lengths.index(length)]}
        axes.errorbar(places, heights, yerr=errors, fmt="o", capsize=3, label=name, **style)
    axes.set_xscale("log")
    axes.set_xticks(places, [f"{place:,.3g}" if along == "n_macs" else f"{place:,.0f}" for place in places])
    axes.minorticks_off()
    axes.set_xlabel("million multiply-accumulates a fingerprint" if along == "n_macs" else "training steps", color=ink)
    axes.set_ylabel("right song first (%)", color=ink)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, labelcolor=ink, fontsize=8, handlelength=4)
