"""The tables of variants of the fingerprinter, of what ``evaluation.experiments.ablate`` has measured."""

from collections.abc import Mapping
from typing import Any, Final

from evaluation.retrieval.rank1 import COLUMNS
from nowplaying_core.text import markdown_table, with_interval

__all__ = ["N_QUERIES", "to_markdown"]

N_QUERIES: Final = 300  # where a table of variants does not say
_FEW_STEPS: Final = 1000


def to_markdown(base: dict[str, Any], results: dict[str, Any], n_queries: int = N_QUERIES) -> str:
    """Return the table; every figure is taken from the results, and a column that no variant fills is left out."""
    differ = len({result["n_steps"] for result in results.values() if "n_steps" in result}) > 1
    n_steps, pairs = base["n_steps"], f"steps of {base['pairs_per_step']} pairs"
    enough = "which is far from enough and the same for all" if n_steps < _FEW_STEPS else "the same for all"
    trained = f"{pairs}, with a rate that falls until its last one" if differ else f"{n_steps} {pairs}, {enough}"
    noise = "so that three points between two variants are noise" if n_queries == N_QUERIES else "each the same"
    rows = [_cells(variant, result) for variant, result in results.items()]
    order = ["variant", *(["steps"] if differ else []), "parameters", "million MACs", "bytes/s", "loss"]
    order += [*(one.name for one in COLUMNS), "int8"]
    headings = [heading for heading in order if any(heading in row for row in rows)]
    meanings = {
        "loss": " The loss is that halfway and at the end.",
        "int8": " int8 is the loss to float, in points, on average over the row, where it was measured.",
    }
    text = (
        f"Rank-1 in %, through codes, Annoy and mu-law, int8; each variant trained for {trained}; "
        f"{n_queries} dev queries a cell, {noise}."
        + "".join(meaning for heading, meaning in meanings.items() if heading in headings)
        + " Made by `python -m evaluation.experiments.ablate`."
    )
    table = markdown_table(headings, [[row.get(heading, "") for heading in headings] for row in rows])
    return f"{text}\n\n{table}\n" + _differences(results)


def _differences(results: Mapping[str, Any]) -> str:
    """Return the table of the paired differences; nothing where there are none."""
    rows = {name: result["minus"] for name, result in results.items() if "minus" in result}
    if not rows:
        return ""
    first = next(iter(rows.values()))
    cells = [
        [name, *(with_interval(one, of="difference", scale=100, sign="+") for one in row["rank1"].values())]
        for name, row in rows.items()
    ]
    table = markdown_table([f"less {first['of']}, points", *first["rank1"]], cells)
    return f"\nThe same queries, 95 % intervals by bootstrap over recordings:\n\n{table}\n"


def _cells(variant: str, result: Mapping[str, Any]) -> dict[str, str]:
    """Return what a variant's row has, by heading."""
    cells = {"variant": variant, "parameters": f"{result['n_parameters']:,}", "bytes/s": f"{result['bytes_per_s']:g}"}
    if "n_steps" in result:
        cells["steps"] = f"{result['n_steps']:,}"
    if "n_macs" in result:
        cells["million MACs"] = f"{result['n_macs'] / 1e6:.1f}"
    if "loss" in result:
        cells["loss"] = " to ".join(f"{one:.2f}" for one in result["loss"])
    if "int8_loss_points" in result:
        cells["int8"] = f"{result['int8_loss_points']:.1f}"
    return cells | {name: f"{100 * cell['count'] / cell['n']:.1f}" for name, cell in result["rank1"].items()}
