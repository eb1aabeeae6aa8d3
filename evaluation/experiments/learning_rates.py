"""Each method's loss after short runs at several learning rates: python -m evaluation.experiments.learning_rates -h.

Runs of one method begin with the same weights and draw the same clips, so that their losses differ by the rate alone.
Finished runs are kept, and a stopped run resumes.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from evaluation.experiments.encoder_rows import CONFIGS, pretrain_run, row_configs
from evaluation.experiments.encoder_summary import ON_CLIPS
from evaluation.experiments.lab import in_own_processes, logged
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.command import run_command
from nowplaying_core.settings import init_run_dir
from nowplaying_core.text import markdown_table
from pretraining.config.run import PretrainingConfig

__all__ = ["committed_table", "main", "to_markdown"]

RATES: Final = (3e-4, 1e-3, 3e-3)
RESULTS: Final = Path(__file__).with_suffix(".json")


def main() -> None:
    """Pretrain what is missing, then write the table of what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=ON_CLIPS, help="a method; all by default")
    parser.add_argument("--budget", type=Path, default=CONFIGS / "table.toml", help="settings that all runs share")
    parser.add_argument("--steps", type=int, default=300, help="of a run")
    parser.add_argument("--rates", type=float, nargs="+", default=RATES, help="highest learning rate of a run")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--table", action="store_true", help="only make the table of the finished runs")
    parser.add_argument(
        "--publish", action="store_true", help=f"write {RESULTS.name} here, which a page's table is made from"
    )
    options = parser.parse_args()
    sources = TrainingSources(corpus=options.corpus, cache_dir=options.cache_dir)
    runs = {
        (method, rate): replace(config, learning_rate=rate)
        for method in options.only or ON_CLIPS
        for config in row_configs(method, options.budget, options.steps, 1)
        for rate in sorted(options.rates)
    }
    folders = {run: options.out / f"{run[0]}-{run[1]:g}" for run in runs}
    if options.table:
        folders = finished(runs, folders)
    else:
        in_own_processes(pretrain_run, [(runs[run], sources, folders[run]) for run in runs], jobs=options.jobs)
    result = {
        "n_steps": options.steps,
        "rows": [found(method, runs[method, rate], folder) for (method, rate), folder in folders.items()],
    }
    print(to_markdown(result))
    if options.publish:
        write_json(RESULTS, result)


def committed_table() -> str:
    """Return the table of the published result."""
    return to_markdown(json.loads(RESULTS.read_text(encoding="utf-8")))


def finished(
    runs: Mapping[tuple[str, float], PretrainingConfig], folders: Mapping[tuple[str, float], Path]
) -> dict[tuple[str, float], Path]:
    """Return the folders of runs that have ended.

    Raises
    ------
    ConfigError
        When one is of other settings.
    """
    from pretraining.encoder import WEIGHTS_NAME

    there = {run: folder for run, folder in folders.items() if (folder / WEIGHTS_NAME).is_file()}
    for run, folder in there.items():
        init_run_dir(runs[run], folder)
    return there


def found(method: str, config: PretrainingConfig, run_dir: Path) -> dict[str, Any]:
    """Return a finished run's last logged loss, a mean over many steps, or None of a run that diverged."""
    rows = logged(run_dir)
    loss = float(rows[-1]["loss"])
    return {
        "method": method,
        "learning_rate": config.learning_rate,
        "clips_per_step": config.clips_per_step,
        "loss": round(loss, 4) if math.isfinite(loss) else None,
        "cpu_s": round(sum(float(row["cpu_s"]) for row in rows), 1),
    }


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the table: a row a method, a column a rate."""
    rows: Sequence[Mapping[str, Any]] = result["rows"]
    methods, rates = list(dict.fromkeys(row["method"] for row in rows)), sorted({row["learning_rate"] for row in rows})
    clips = " or ".join(str(n) for n in dict.fromkeys(row["clips_per_step"] for row in rows))
    minutes = sum(row["cpu_s"] for row in rows) / 60
    losses = {(row["method"], row["learning_rate"]): row["loss"] for row in rows}
    text = (
        f"Loss at the end of {result['n_steps']} steps of {clips} clips, a mean over the last steps, by the highest "
        "learning rate; all runs of a row begin with the same weights and draw the same clips. Made by "
        f"`python -m evaluation.experiments.learning_rates` in {minutes:.0f} CPU minutes.\n\n"
    )
    cells = []
    for method in methods:
        of_method = {rate: losses[method, rate] for rate in rates if (method, rate) in losses}
        ended = {rate: loss for rate, loss in of_method.items() if loss is not None}
        shown = [_cell(of_method[rate]) if rate in of_method else "" for rate in rates]
        lowest = min(ended, key=lambda rate: ended[rate], default=None)
        cells.append([f"`{method}`", *shown, "" if lowest is None else f"{lowest:g}"])
    headings = ["method", *(f"{rate:g}" for rate in rates), "lowest at"]
    return text + markdown_table(headings, cells, numbers=range(1, len(headings))) + "\n"


def _cell(loss: float | None) -> str:
    return "diverged" if loss is None else f"{loss:.3f}"


if __name__ == "__main__":
    run_command(main)
