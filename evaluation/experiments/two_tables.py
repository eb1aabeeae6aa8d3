"""What one change does to a method's encoder: rows of two tables, python -m evaluation.experiments.two_tables --help.

The learning rate, the number of steps or the recordings of a method's runs differ between the tables. The rows of both
answer the same test sounds, so that their differences are paired.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from evaluation.experiments.encoder_summary import ON_CLIPS, TASKS_NAME, rounded
from nowplaying_core.artifacts import write_json
from nowplaying_core.command import run_command
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import recorded_given
from nowplaying_core.text import markdown_table
from pretraining.config.run import PretrainingConfig
from pretraining.probe.report import points

__all__ = ["committed_table", "main", "paired", "to_markdown"]

RESULTS: Final = Path(__file__).parent
MEAN: Final = "mean"
_NAMES: Final = {"learning_rate": "learning rate", "n_steps": "steps", "recordings": "recordings"}
_CHANGES: Final = tuple(_NAMES)
_NO_RECORDINGS: Final = {"perceptual_encoder", "rir", "extra rir"}


def main() -> None:
    """Compare the methods that have rows in both folders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="folder of encoder_table's --out")
    parser.add_argument("--less", type=Path, required=True, help="another, whose rows are taken from these")
    parser.add_argument("--publish", metavar="NAME", help="write two_tables-NAME.json here, which a page shows")
    options = parser.parse_args()
    result = paired(options.rows, options.less)
    print(to_markdown(result))
    if options.publish:
        write_json(_published(options.publish), result)


def committed_table(name: str) -> str:
    """Return a published table, by the name that it was published under."""
    return to_markdown(json.loads(_published(name).read_text(encoding="utf-8")))


def _published(name: str) -> Path:
    return RESULTS / f"two_tables-{name}.json"


def paired(folder: Path, less: Path) -> dict[str, Any]:
    """Return, for each method with rows in both folders, how much better its encoders are in the first one.

    Parameters
    ----------
    folder, less : Path
        Of ``encoder_table``'s rows.

    Returns
    -------
    dict
        ``change``: what differs, learning_rate, n_steps or recordings; ``methods``: of each and of both folders the
        value of each of these, the seeds and the mean of their last losses; ``differences``: by task of one window and
        as their mean, in shares of 1 with a 95 % interval.

    Raises
    ------
    ConfigError
        When no method is in both folders, their rows answer other tasks, or their runs differ in nothing or in more
        than one of these.
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
    runs = {
        method: [_of_runs(one, rows[method]) for one, rows in zip((folder, less), by_method, strict=True)]
        for method in methods
    }
    change = _change(folder, less, runs)
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
        "change": change,
        "methods": [
            {"method": method, "runs": [{key: run[key] for key in run if key != "settings"} for run in both]}
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


def _of_runs(folder: Path, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a method's runs in a folder have in common, and what came out; their settings are the first run's."""
    run_dir = folder / f"{rows[0]['method']}-{rows[0]['seed']}"
    config = PretrainingConfig.from_json(run_dir / "config.json")
    given = recorded_given(run_dir)
    return {
        "settings": {key: value for key, value in asdict(config).items() if key not in _CHANGES},
        "learning_rate": config.learning_rate,
        "n_steps": config.n_steps,
        "recordings": sum(number for name, number in given.items() if name not in _NO_RECORDINGS),
        "seeds": [row["seed"] for row in rows],
        "last_loss": round(float(np.mean([row["losses"][-1][1] for row in rows])), 4),
    }


def _change(folder: Path, less: Path, runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return what differs between the runs of all methods."""
    changes = set()
    for method, (first, second) in runs.items():
        found = [name for name in ("settings", *_CHANGES) if first[name] != second[name]]
        if len(found) != 1 or found == ["settings"]:
            message = (
                f"{less}: expected runs of {method} that differ from those of {folder} in one of "
                f"{', '.join(_CHANGES)}, found {', '.join(found) or 'no difference'}"
            )
            raise ConfigError(message)
        changes.add(found[0])
    if len(changes) > 1:
        message = f"{less}: expected one difference to {folder} for all methods, found {', '.join(sorted(changes))}"
        raise ConfigError(message)
    return changes.pop()


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the table: a row a method, a column a task."""
    found = {(row["task"], row["method"]): row for row in result["differences"]}
    tasks = list(dict.fromkeys(row["task"] for row in result["differences"]))
    change, rows = result["change"], []
    for one in result["methods"]:
        first, second = one["runs"]
        rows.append(
            [
                f"`{one['method']}`",
                f"{first[change]:,} less {second[change]:,}",
                f"{len(first['seeds'])}, {len(second['seeds'])}",
                f"{first['last_loss']:.3f}, {second['last_loss']:.3f}",
                *(points(found[task, one["method"]]) for task in tasks),
            ]
        )
    text = (
        "A method's encoders of one table less those of another, in points of accuracy; 95 % intervals, units paired. "
        "Made by `python -m evaluation.experiments.two_tables`.\n\n"
    )
    return text + markdown_table(["method", _NAMES[change], "seeds", "last loss", *tasks], rows) + "\n"


if __name__ == "__main__":
    run_command(main)
