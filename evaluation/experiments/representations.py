"""Encoders by every method, with equal budgets, under one probe.

python -m evaluation.experiments.representations --help. Finished runs are kept and a stopped run resumes, so the same
command may be given again, also with further methods or seeds; another budget needs another folder of runs.
"""

import argparse
import logging
import multiprocessing
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.settings import merged, read_settings
from pretraining.config.run import METHOD_NAMES, PretrainingConfig

CONFIGS: Final = Path(__file__).parents[2] / "configs" / "pretraining"
WITH_LABELS: Final = "supervised"
WITHOUT_TRAINING: Final = "random"
ENCODERS: Final = tuple(name for name in METHOD_NAMES if not name.endswith(("_codes", "diffusion_autoencoder")))
_log = logging.getLogger("representations")


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
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--extra-data", type=Path, help="more recordings, in folders music, noise and speech")
    parser.add_argument("--midi", type=Path, help="folder of MIDI files, for tasks of them")
    parser.add_argument("--soundfont", type=Path, action="append", default=[], help="the last is for what is asked")
    parser.add_argument("--public", action="append", default=[], help="a public collection, as NAME=FOLDER")
    parser.add_argument("--task", action="append", default=[], help="only this task; all that there is data for")
    parser.add_argument("--fine-tune", type=int, default=0, help="also let the encoders go on learning, so many steps")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs and of probe.json")
    parser.add_argument("--table", type=Path, help="Markdown file to write, such as docs/pretraining/table.md")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    sources = TrainingSources(corpus=options.corpus, cache_dir=options.cache_dir, extra_data=options.extra_data)
    runs = {
        options.out / f"{config.method}-{config.seed}": config
        for method in options.only or ENCODERS
        for config in configs(method, options.budget, options.steps, options.runs)
    }
    # A process each: TensorFlow gives its memory back only when it ends.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, mp_context=context, max_tasks_per_child=1) as pool:
        list(pool.map(run, runs.values(), [sources] * len(runs), runs))
        result = pool.submit(ask, [*runs, *options.beside], options).result()
    result["beside"] = [one["method"] for one in result["runs"][len(runs) :]]
    write_json(options.out / "probe.json", result)
    text = to_markdown(result)
    print(text)
    if options.table:
        options.table.write_text(text, encoding="utf-8")


def configs(method: str, budget: Path, n_steps: int | None, n_runs: int) -> list[PretrainingConfig]:
    """Return the settings of a method's runs: its own file, and on top of it the budget that all share."""
    shared = tomllib.loads(budget.read_text(encoding="utf-8"))
    if n_steps is not None:
        shared["n_steps"] = n_steps
    first = PretrainingConfig.from_dict(merged(read_settings(CONFIGS / f"{method}.toml"), shared))
    return [replace(first, seed=first.seed + number) for number in range(n_runs)]


def run(config: PretrainingConfig, sources: TrainingSources, run_dir: Path) -> None:
    """Pretrain one encoder, unless it is there."""
    from pretraining.train import pretrain_once

    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {run_dir.name}: %(message)s")
    pretrain_once(config, sources, run_dir)


def ask(runs: Sequence[Path], options: argparse.Namespace) -> dict[str, Any]:
    """Probe all encoders."""
    from pretraining.probe.run import ProbeSettings, probe
    from pretraining.tasks.midi import MidiTasks
    from pretraining.tasks.registry import open_tasks

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    rendered = options.midi and MidiTasks(options.midi, options.soundfont, options.cache_dir, jobs=options.jobs)
    tasks = open_tasks(corpus=options.corpus, public=options.public, names=options.task, rendered=rendered)
    settings = ProbeSettings(fine_tune_steps=options.fine_tune)
    return probe(runs, tasks, settings, cache_dir=options.cache_dir)


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the table, and above it what it shows; every figure is taken from the result."""
    from pretraining.probe.report import to_markdown as tables

    title, _, rest = tables(result).partition("\n")
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
        title,
        "",
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
        sure = [task for task, found in against.items() if found["low"] > 0]
        below = [task for task, found in against.items() if found["high"] < 0]
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


def _points(found: Mapping[str, float]) -> str:
    difference, low, high = (100 * found[name] for name in ("difference", "low", "high"))
    return f"{difference:+.1f} points ({low:+.1f} to {high:+.1f})"


if __name__ == "__main__":
    main()
