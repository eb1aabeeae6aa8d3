"""What a learning rate does to a method's encoder: rows of two tables, python -m evaluation.experiments.two_rates -h.

A pretext loss is lowest at one rate, and the encoder may be better at another. The rows of both tables answer the same
test sounds, so that their differences are paired.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from evaluation.experiments.encoder_summary import ON_CLIPS, TASKS_NAME, rounded
from nowplaying_core.artifacts import write_json
from nowplaying_core.command import run_command
from nowplaying_core.errors import ConfigError
from nowplaying_core.text import markdown_table
from pretraining.config.run import PretrainingConfig
from pretraining.probe.report import points

__all__ = ["committed_table", "main", "paired", "to_markdown"]

RESULTS: Final = Path(__file__).with_suffix(".json")
MEAN: Final = "mean"


def main() -> None:
    """Compare the methods that have rows in both folders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="folder of encoder_table's --out")
    parser.add_argument("--less", type=Path, required=True, help="another, whose rows are taken from these")
    parser.add_argument(
        "--publish", action="store_true", help=f"write {RESULTS.name} here, which a page's table is made from"
    )
    options = parser.parse_args()
    result = paired(options.rows, options.less)
    print(to_markdown(result))
    if options.publish:
        write_json(RESULTS, result)


def committed_table() -> str:
    """Return the table of the published result."""
    return to_markdown(json.loads(RESULTS.read_text(encoding="utf-8")))


def paired(folder: Path, less: Path) -> dict[str, Any]:
    """Return, for each method with rows in both folders, how much better its encoders are in the first one.

    Parameters
    ----------
    folder, less : Path
        Of ``encoder_table``'s rows.

    Returns
    -------
    dict
        ``n_steps``; ``methods``: of each and of both folders the learning rate, the seeds and the mean of their last
        losses; ``differences``: by task of one window and as their mean, in shares of 1 with a 95 % interval.

    Raises
    ------
    ConfigError
        When no method is in both folders, or their rows answer other tasks or differ in more than the rate.
    """
    from pretraining.probe.compare import compare
    from pretraining.probe.rows import row_answers

    if not (folder / TASKS_NAME).is_file():
        message = f"{folder}: expected rows of encoder_table and {TASKS_NAME}, found none"
        raise ConfigError(message)
    tasks = json.loads((folder / TASKS_NAME).read_text(encoding="utf-8"))
    by_method = [_rows(one, tasks) for one in (folder, less)]
    methods = [method for method in by_method[0] if method in by_method[1]]
    if not methods:
        message = f"{less}: expected a row of a method that {folder} has too, found none"
        raise ConfigError(message)
    folders = ((folder, by_method[0]), (less, by_method[1]))
    runs = {method: [(_config(one, rows[method]), rows[method]) for one, rows in folders] for method in methods}
    for method, ((first, _), (second, _)) in runs.items():
        if replace(first, learning_rate=second.learning_rate) != second:
            message = f"{less}: expected runs of {method} that differ from those of {folder} in the rate alone"
            raise ConfigError(message)
    of_windows = [task for task in tasks if not task["pooled"]]
    answers = [
        {
            (name, "probe", 1.0): np.stack([row_answers(row, task["name"], 1.0) for row in rows[method]])
            for method in methods
            for name, rows in zip((method, _less(method)), by_method, strict=True)
        }
        for task in of_windows
    ]
    by_task, means = compare({task["name"]: task["units"] for task in of_windows}, answers)
    return {
        "n_steps": by_method[0][methods[0]][0]["n_steps"],
        "methods": [
            {"method": method, "runs": [_of_runs(config, rows) for config, rows in both]}
            for method, both in runs.items()
        ],
        "differences": [
            {"task": row.get("task", MEAN), "method": row["method"], **rounded(row["minus"][_less(row["method"])])}
            for row in [*by_task, *means]
            if row["method"] in methods
        ],
    }


def _less(method: str) -> str:
    return f"less {method}"


def _rows(folder: Path, tasks: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the methods that train on clips, by method."""
    from pretraining.probe.rows import read_rows

    found = read_rows(folder, tasks)
    of_method = {method: [row for row in found if row["method"] == method] for method in ON_CLIPS}
    return {method: rows for method, rows in of_method.items() if rows}


def _config(folder: Path, rows: Sequence[Mapping[str, Any]]) -> PretrainingConfig:
    """Return the settings of a method's first run."""
    return PretrainingConfig.from_json(folder / f"{rows[0]['method']}-{rows[0]['seed']}" / "config.json")


def _of_runs(config: PretrainingConfig, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "learning_rate": config.learning_rate,
        "seeds": [row["seed"] for row in rows],
        "last_loss": round(float(np.mean([row["losses"][-1][1] for row in rows])), 4),
    }


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the table: a row a method, a column a task."""
    found = {(row["task"], row["method"]): row for row in result["differences"]}
    tasks = list(dict.fromkeys(row["task"] for row in result["differences"]))
    rows = []
    for one in result["methods"]:
        first, second = one["runs"]
        rows.append(
            [
                f"`{one['method']}`",
                f"{first['learning_rate']:g} less {second['learning_rate']:g}",
                f"{len(first['seeds'])}, {len(second['seeds'])}",
                f"{first['last_loss']:.3f}, {second['last_loss']:.3f}",
                *(points(found[task, one["method"]]) for task in tasks),
            ]
        )
    text = (
        f"A method's encoders at one learning rate less those at another, after {result['n_steps']} steps, in points "
        "of accuracy; 95 % intervals, units paired. Made by `python -m evaluation.experiments.two_rates`.\n\n"
    )
    return text + markdown_table(["method", "rate", "seeds", "last loss", *tasks], rows) + "\n"


if __name__ == "__main__":
    run_command(main)
