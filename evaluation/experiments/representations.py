"""Encoders by every method, with equal budgets, under one probe.

python -m evaluation.experiments.representations --help. Finished runs are kept and a stopped run resumes, so the same
command may be given again, also with further methods or seeds; another budget needs another folder of runs.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from evaluation.experiments.lab import add_task_options, chosen_tasks, in_own_processes
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.command import run_command
from nowplaying_core.settings import merged, read_settings
from nowplaying_core.text import with_interval
from pretraining.config.run import METHOD_NAMES, PretrainingConfig

RESULTS: Final = Path(__file__).parent  # representations.json and representations-3000.json
CONFIGS: Final = Path(__file__).parents[2] / "configs" / "pretraining"
WITH_LABELS: Final = "supervised"
WITHOUT_TRAINING: Final = "random"
ENCODERS: Final = tuple(name for name in METHOD_NAMES if not name.endswith(("_codes", "diffusion_autoencoder")))


def main() -> None:
    """Run what is missing, probe what is finished, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=ENCODERS, help="a method; all by default")
    parser.add_argument(
        "--beside", type=Path, action="append", default=[], help="a finished run of another budget, such as of codes"
    )
    parser.add_argument("--budget", type=Path, default=CONFIGS / "table.toml", help="settings that all runs share")
    parser.add_argument("--steps", type=int, help="of a run, instead of the budget's")
    parser.add_argument("--runs", type=int, default=1, help="of each method, with other seeds")
    add_task_options(parser)
    parser.add_argument("--extra-data", type=Path, help="more recordings, in folders music, noise and speech")
    parser.add_argument("--fine-tune", type=int, default=0, help="also fine-tune the encoders, for so many steps")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs and of probe.json")
    parser.add_argument(
        "--publish", metavar="NAME", help="write NAME.json here: representations, which docs/pretraining/table.md shows"
    )
    options = parser.parse_args()
    sources = TrainingSources(corpus=options.corpus, cache_dir=options.cache_dir, extra_data=options.extra_data)
    runs = {
        options.out / f"{config.method}-{config.seed}": config
        for method in options.only or ENCODERS
        for config in configs(method, options.budget, options.steps, options.runs)
    }
    in_own_processes(run, [(config, sources, folder) for folder, config in runs.items()], jobs=options.jobs)
    (result,) = in_own_processes(measure, [([*runs, *options.beside], options)])
    result["beside"] = [one["method"] for one in result["runs"][len(runs) :]]
    write_json(options.out / "probe.json", result)
    print(to_markdown(result))
    if options.publish:
        write_json(RESULTS / f"{options.publish}.json", result)


def committed_table(name: str) -> str:
    """Return the tables of a published result, ``representations`` or ``representations-3000``."""
    return to_markdown(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


def configs(method: str, budget: Path, n_steps: int | None, n_runs: int) -> list[PretrainingConfig]:
    """Return the settings of a method's runs: its own file, and on top of it the budget that all share."""
    shared = read_settings(budget)
    if n_steps is not None:
        shared["n_steps"] = n_steps
    first = PretrainingConfig.from_dict(merged(read_settings(CONFIGS / f"{method}.toml"), shared))
    return [replace(first, seed=first.seed + number) for number in range(n_runs)]


def run(config: PretrainingConfig, sources: TrainingSources, run_dir: Path) -> None:
    """Pretrain one encoder, unless it is there."""
    from pretraining.train import pretrain_once

    pretrain_once(config, sources, run_dir)


def measure(runs: Sequence[Path], options: argparse.Namespace) -> dict[str, Any]:
    """Probe all encoders."""
    from pretraining.probe.run import ProbeSettings, probe

    tasks = chosen_tasks(options)
    settings = ProbeSettings(fine_tune_steps=options.fine_tune)
    return probe(runs, tasks, settings, cache_dir=options.cache_dir)


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the table, and above it what it shows; every figure is taken from the result."""
    from pretraining.probe.report import to_markdown as tables

    _, _, rest = tables(result).partition("\n")
    beside = result["beside"]
    trained = [one for one in result["runs"] if one["method"] not in {WITHOUT_TRAINING, *beside}] or result["runs"]
    budgets = sorted({(one["n_steps"], one["clips_per_step"]) for one in trained})
    budget = " or ".join(f"{n_steps} steps of {n_clips} clips" for n_steps, n_clips in budgets)
    which = "Every encoder"
    if beside:
        which = (
            f"Beside them, with budgets of their own: {', '.join(f'`{name}`' for name in beside)}. Every other encoder"
        )
    lines = [
        f"{which} is the small encoder, pretrained for {budget}: far from enough, and the same for all. `supervised` "
        "is the same encoder with the labels of the corpus's tasks, none of the scores'. Made by "
        "`python -m evaluation.experiments.representations`.",
        "",
        "## What it shows, frozen",
        "",
        *findings(result),
    ]
    return "\n".join(lines) + "\n" + rest


def findings(result: Mapping[str, Any]) -> list[str]:
    """Return what the literature leads one to expect, and whether it is so here, with all labels."""
    from pretraining.probe.report import surely_above

    share = max(result["settings"]["label_shares"])
    rows, means = (
        [row for row in result[part] if row["mode"] == "frozen" and row["label_share"] == share]
        for part in ("results", "means")
    )
    mean = {row["method"]: row for row in means}
    lines = []
    blind = {name: row for name, row in mean.items() if name not in {WITH_LABELS, WITHOUT_TRAINING}}
    alike = {name: row for name, row in blind.items() if name not in result["beside"]}
    for name in blind if WITHOUT_TRAINING in mean else ():
        against = {row["task"]: row["minus"][WITHOUT_TRAINING] for row in rows if row["method"] == name}
        sure = [task for task, found in against.items() if surely_above(found)]
        below = [task for task, found in against.items() if _surely_below(found)]
        of_mean = _points(blind[name]["minus"][WITHOUT_TRAINING])
        lines.append(
            f"- `{name}`: {of_mean} to random on average; surely above it on {len(sure)} of {len(against)} tasks"
            + (f", surely below on {', '.join(below)}" if below else "")
            + "."
        )
    if alike and WITH_LABELS in mean:
        best = max(alike, key=lambda name: alike[name]["accuracy"])
        lines.append(f"- Best without labels: `{best}`, {_points(alike[best]['minus'][WITH_LABELS])} to supervised.")
    others = [other for other in ("audio2vec_cbow", "audio2vec_skipgram") if {other, "cola"} <= set(mean)]
    return [*lines, *(f"- `cola` to `{other}`: {_points(mean['cola']['minus'][other])}." for other in others)]


def _surely_below(minus: Mapping[str, float]) -> bool:
    return bool(minus["surely_below"]) if "surely_below" in minus else minus["high"] < 0


def _points(found: Mapping[str, float]) -> str:
    return with_interval(found, of="difference", scale=100, sign="+", unit=" points")


if __name__ == "__main__":
    run_command(main)
