"""A chosen gate as tables, as the TOML that ``nowplaying publish detector --gate`` reads, and as a picture."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from detector.training.folds import HeldOut
from evaluation.committed import committed
from evaluation.detector.sweep import frontier
from nowplaying_core.plotting import pyplot, save_figure
from nowplaying_core.text import markdown_table, with_interval

__all__ = ["COLOURS", "DELAYS_S", "RESULTS", "committed_table", "curves", "draw", "plot", "to_markdown", "to_toml"]

RESULTS: Final = "evaluation/gates.json"
DELAYS_S: Final = (3.0, 3.5, 4.5, 6.0, float("inf"))
"""Median delays of the curves of a picture."""

COLOURS: Final = ("#cf222e", "#d29922", "#2f6feb", "#3fb950", "#8b949e")

_SETS: Final = {"train": "held-out sources of train", "dev": "dev", "both": "both"}
_COUNTED: Final = {"entries": "", "with_rests": ", with rests"}
_LINE: Final = 138


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the figures of :func:`evaluation.detector.gate_choice.choose` as Markdown."""
    wanted, both = result["by_wanted_above"], result["figures"]["both"]
    parts = [
        f"Of {result['n_gates']:,} gates for {result['model']['name']} with {_limits(result)}, the one that finds the "
        f"most of {both['n_regions']} regions at 5 dB or more: {_described(result)}. {_held_out(result)}",
        _figures(result["figures"]),
        *([_wanted(wanted)] if wanted else []),
    ]
    return "\n\n".join(parts) + "\n"


def to_toml(result: Mapping[str, Any]) -> str:
    """Return the gate, and ``wanted_above`` for two stages, as TOML that says what it was chosen on."""
    model, (train, dev, both) = result["model"], (result["figures"][name] for name in _SETS)
    found = both["entries"]
    comment = (
        f"A gate for {model['name']} {model['version']}, chosen by nowplaying evaluate detector-gate: of "
        f"{result['n_gates']:,} gates with {_limits(result)}, the one that finds the most regions on "
        f"{train['n_streams']} streams of held-out sources of `train` and {dev['n_streams']} of `dev` together: "
        f"{100 * found['recall']['value']:.1f} % of {both['n_regions']} at {found['n_false']} false wake-ups in "
        f"{both['hours_without_music']:.1f} h. {_held_out(result)}"
    )
    lines = [f"# {line}" for line in textwrap.wrap(comment, _LINE, break_on_hyphens=False)]
    if "wanted_above" in result:
        lines.append(f"wanted_above = {result['wanted_above']}")
    lines += ["", "[gate]"]
    lines += [f"{name} = {value}" for name, value in result["gate"].items() if value is not None]
    return "\n".join(lines) + "\n"


def committed_table() -> str:
    """Return the tables of the kept run."""
    return to_markdown(committed(RESULTS))


def curves(result: Mapping[str, Any]) -> dict[float, list[Mapping[str, Any]]]:
    """Return, for each median delay that any gate keeps to, the best gates by false wake-ups."""
    found = {}
    for delay_s in DELAYS_S:
        quick = [row for row in result["surface"] if row["median_delay_s"] <= delay_s]
        if quick:
            found[delay_s] = frontier(quick)
    return found


def draw(axes: Any, ink: str, result: Mapping[str, Any], colours: Sequence[Any]) -> None:
    """Draw the surface: music found over false wake-ups an hour, a curve for each median delay, and the chosen gate.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    ink : str
        Colour of words and of the mark's edge.
    result : mapping
        Of :func:`evaluation.detector.gate_choice.choose`.
    colours : sequence
        As many as there are ``DELAYS_S``, or more.
    """
    for (delay_s, rows), colour in zip(curves(result).items(), colours, strict=False):
        axes.step(
            [row["false_triggers_per_hour"] for row in rows],
            [100 * row["recall_audible"] for row in rows],
            where="post",
            color=colour,
            label="any delay" if delay_s == float("inf") else f"median delay of at most {delay_s:g} s",
            linewidth=1.8,
        )
    chosen = result["figures"]["both"]["entries"]
    place = chosen["false_per_hour"]["value"], 100 * chosen["recall"]["value"]
    axes.plot(*place, "o", color=ink, label=f"chosen, {chosen['median_delay_s']:g} s")
    axes.set_xlim(0, 6)
    axes.set_ylim(max(0, 5 * (place[1] // 5) - 15), 100)
    axes.set_xlabel("false wake-ups an hour of sound without music", color=ink)
    axes.set_ylabel("music regions found (%)", color=ink)
    axes.legend(loc="lower right", frameon=False, labelcolor=ink, fontsize=8)


def plot(result: Mapping[str, Any], path: Path) -> None:
    """Write the picture of :func:`draw` as a ``.png`` or ``.svg`` file."""
    figure, axes = pyplot().subplots(figsize=(8, 4), layout="constrained")
    draw(axes, "black", result, COLOURS)
    save_figure(figure, path)
    pyplot().close(figure)


def _figures(figures: Mapping[str, Any]) -> str:
    cells = []
    for counted, suffix in _COUNTED.items():
        for name, title in _SETS.items():
            one, part = figures[name][counted], figures[name]
            recall, rate = one["recall"], one["false_per_hour"]
            cells.append(
                (
                    title + suffix,
                    f"{part['n_streams']}",
                    f"{100 * recall['value']:.1f} of {part['n_regions']}",
                    f"{100 * recall['low']:.1f} to {100 * recall['high']:.1f}",
                    f"{one['n_false']} in {part['hours_without_music']:.1f} h",
                    with_interval(rate, 2),
                    _seconds(one["median_delay_s"]),
                    _seconds(one["delay_90_percent_s"]),
                )
            )
    headings = ("streams of", "n", "found, %", "95 %", "false wake-ups", "an hour, 95 %", "median, s", "nine in ten, s")
    return markdown_table(headings, cells, numbers=(1, 6, 7))


def _wanted(rows: Sequence[Mapping[str, Any]]) -> str:
    cells = [
        (
            f"{row['wanted_above']}",
            f"{row['runs_per_hour'].get('other', 0):,.0f}",
            *(
                ("no gate", "", "", "")
                if row["best"] is None
                else (
                    _described(row["best"]),
                    f"{100 * row['best']['recall_audible']:.1f}",
                    f"{row['best']['false_triggers_per_hour']:.2f}",
                    _seconds(row["best"]["median_delay_s"]),
                )
            ),
        )
        for row in rows
    ]
    headings = ("second stage from", "its runs an hour without music", "best gate", "found, %", "false/h", "median, s")
    return markdown_table(headings, cells, numbers=(0, 1, 3, 4, 5))


def _described(row: Mapping[str, Any]) -> str:
    gate = row.get("gate", row)
    hits = "" if gate["consecutive_hits"] == 1 else f", {gate['consecutive_hits']} times in a row"
    early = "" if gate["early_window"] is None else f", or of {gate['early_window']} at {gate['early_threshold']:.4g}"
    wanted = f", the second stage from {row['wanted_above']} of 256" if "gate" in row and "wanted_above" in row else ""
    return f"an average of {gate['window']} at {gate['enter_threshold']:.4g}{hits}{early}{wanted}"


def _limits(result: Mapping[str, Any]) -> str:
    limits = result["limits"]
    return (
        f"at most {limits['max_false_per_hour']:g} false wake-ups an hour and a median delay of at most "
        f"{limits['max_median_delay_s']:g} s"
    )


def _held_out(result: Mapping[str, Any]) -> str:
    """Say which sources were held out, of what, and who says so."""
    held_out, first = result["held_out"], result["first_stage_on_train"]
    said = "by the manifests" if held_out["is_recorded"] else "as stated by the caller, not by the manifests"
    other = (
        ""
        if first == result["model"]
        else f", where the first stage of {first['name']} ran, because the detector's own has learned from them"
    )
    return f"Held out was {HeldOut(fold=held_out['fold'], n_folds=held_out['n_folds'])}, {said}{other}."


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
