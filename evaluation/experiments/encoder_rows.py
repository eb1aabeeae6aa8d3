"""The rows of the table of encoders: each pretrained in a process of its own, asked all tasks, and kept as JSON."""

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evaluation.experiments.encoder_report import BAG
from evaluation.experiments.encoder_summary import BANDS, METHODS, NORMALISED, RANDOM, SHARES, TASKS_NAME, TUNED
from evaluation.experiments.lab import chosen_tasks, in_own_processes, logged
from fingerprinter.config import FrontEndConfig
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import init_run_dir, merged, read_settings, require_given
from pretraining.config.run import LEVELS_NAME, PretrainingConfig

if TYPE_CHECKING:
    from pretraining.probe.answers import TaskWindows

__all__ = ["CONFIGS", "N_RANDOM", "fill", "pretrain_run", "row_configs"]

CONFIGS: Final = Path(__file__).parents[2] / "configs" / "pretraining"
N_RANDOM: Final = 15  # one draw of weights may be worth ten points more than another
ROW_NAME: Final = "row.json"
_UNTRAINED: Final = {RANDOM, BANDS, TUNED}
_MOST_WINDOWS: Final = 8
_SETTLING_BATCHES: Final = 16
_log = logging.getLogger(__name__)


def row_configs(method: str, budget: Path, n_steps: int | None, n_seeds: int) -> list[PretrainingConfig]:
    """Return the settings of a method's runs: its own file, and on top of it the budget that all share.

    Methods with codes keep clips and learning rate of their own file: a clip is ten seconds, and a step of 128 takes
    ten.
    """
    of_method = RANDOM if method in {*_UNTRAINED, NORMALISED} else method
    own = read_settings(CONFIGS / f"{of_method}.toml")
    shared = read_settings(budget)
    if n_steps is not None:
        shared["n_steps"] = n_steps
    if method.endswith("_codes"):
        shared = {name: value for name, value in shared.items() if name not in {"clips_per_step", "learning_rate"}}
    first = PretrainingConfig.from_dict(merged(own, shared))
    n_random = max(N_RANDOM, n_seeds)
    n_runs = {RANDOM: n_random, NORMALISED: n_random, BANDS: 1}.get(method, n_seeds)
    return [replace(first, seed=first.seed + number) for number in range(n_runs)]


def fill(options: argparse.Namespace) -> None:
    """Pretrain and probe every row that is not there, all methods of the first seed before any of the second.

    Raises
    ------
    ConfigError
        When a row is there whose run had other settings or was given other recordings.
    """
    from pretraining.probe.answers import read_task
    from pretraining.probe.rows import describe_tasks

    of_method = {
        method: row_configs(method, options.budget, options.steps, options.seeds) for method in options.only or METHODS
    }
    ordered = [
        (method, configs[number])
        for number in range(max(map(len, of_method.values())))
        for method, configs in of_method.items()
        if number < len(configs)
    ]
    sources = TrainingSources(
        corpus=options.corpus,
        cache_dir=options.cache_dir,
        rendered_midi=options.rendered_midi,
        extra_data=options.extra_data,
    )
    for method, config in ordered:
        if method not in {*_UNTRAINED, NORMALISED}:  # a row that is there is of these settings, or nothing is run
            folder = row_folder(options.out, method, config)
            init_run_dir(config, folder)
            require_given(folder, sources.counts())
    missing = [one for one in ordered if not (row_folder(options.out, *one) / ROW_NAME).is_file()]
    named = [(one, one.name, False) for one in options.beside] + [
        (one, f"{one.name}{BAG}", True) for one in options.bag
    ]
    beside = [one for one in named if not (options.out / one[1] / ROW_NAME).is_file()]
    if not missing and not beside:
        return
    options.out.mkdir(parents=True, exist_ok=True)
    tasks = chosen_tasks(options, sources.rendered_files())
    describe_tasks(tasks, options.out / TASKS_NAME)
    (front_end,) = {config.front_end for _, config in ordered}
    read = [read_task(task, front_end, cache_dir=options.cache_dir, most_windows=_MOST_WINDOWS) for task in tasks]
    for method, config in missing:
        folder = row_folder(options.out, method, config)
        if method not in _UNTRAINED:
            work = normalise_run if method == NORMALISED else pretrain_run
            in_own_processes(work, [(config, sources, folder)])
        row = measure(method, config, folder, read, tuning_steps=options.tuning_steps)
        folder.mkdir(exist_ok=True)
        write_json(folder / ROW_NAME, row)
        _log.info("%s is there, %d of %d", folder.name, 1 + missing.index((method, config)), len(missing))
    for folder, name, is_bag in beside:
        (options.out / name).mkdir(exist_ok=True)
        write_json(options.out / name / ROW_NAME, measure_beside(folder, name, front_end, read, is_bag=is_bag))


def row_folder(out: Path, method: str, config: PretrainingConfig) -> Path:
    """Return where a row and its run are kept."""
    return out / f"{method}-{config.seed}"


def pretrain_run(config: PretrainingConfig, sources: TrainingSources, run_dir: Path) -> None:
    """Pretrain one encoder, unless it is there."""
    from pretraining.train import pretrain_once

    pretrain_once(config, sources, run_dir)


def normalise_run(config: PretrainingConfig, sources: TrainingSources, run_dir: Path) -> None:
    """Write random weights whose normalisation knows what is usual in the training sound, unless they are there."""
    from fingerprinter.encoders.log_mel import LogMel
    from fingerprinter.training.loop import replace_weights
    from pretraining.encoder import WEIGHTS_NAME
    from pretraining.methods.random import random_encoder
    from pretraining.normalisation import settle
    from pretraining.sounds import clip_sampler

    if (run_dir / WEIGHTS_NAME).is_file():
        return
    init_run_dir(config, run_dir)
    encoder, clips, log_mel = random_encoder(config), clip_sampler(config, sources), LogMel(config.front_end)
    starts = np.zeros((config.clips_per_step, 1), np.int64)
    drawn = (clips.slices(starts, np.random.default_rng([config.seed, k]))[:, 0] for k in range(_SETTLING_BATCHES))
    settle(encoder, map(log_mel, drawn))
    replace_weights(encoder, run_dir / WEIGHTS_NAME)


def measure(
    method: str, config: PretrainingConfig, run_dir: Path, tasks: "Sequence[TaskWindows]", *, tuning_steps: int
) -> dict[str, Any]:
    """Probe one encoder, and add what its pretraining cost, how its loss fell and what its loss is measured by."""
    from pretraining.encoder import load_encoder
    from pretraining.methods.random import random_encoder
    from pretraining.probe.answers import ProbeSettings
    from pretraining.probe.rows import BandStatistics, measure_row

    settings = ProbeSettings(label_shares=SHARES, most_windows=_MOST_WINDOWS)
    if method == TUNED:
        settings = replace(settings, n_seeds=1, fine_tune_steps=tuning_steps)
    if method == BANDS:
        encoder: Any = BandStatistics()
    else:
        encoder = random_encoder(config) if method in _UNTRAINED else load_encoder(run_dir)[1]
    row = measure_row(method, config, encoder, tasks, settings, tuned=method == TUNED)
    return {**row, **_training(run_dir)}


def measure_beside(
    folder: Path, name: str, front_end: FrontEndConfig, tasks: "Sequence[TaskWindows]", *, is_bag: bool = False
) -> dict[str, Any]:
    """Probe a finished run or a model, or how often each code of a run is in a window.

    Raises
    ------
    ConfigError
        When it has another front end, or codes are asked for and it has none.
    """
    from pretraining.codes.encoder import QUANTIZERS
    from pretraining.probe.answers import ProbeSettings
    from pretraining.probe.rows import BagOfCodes, measure_row
    from pretraining.probe.run import open_encoder

    _, config, encoder = open_encoder(folder)
    if config.front_end != front_end:
        message = f"{folder}: expected the front end of the table's runs; probe it by itself"
        raise ConfigError(message)
    if is_bag and config.method not in QUANTIZERS:
        message = f"{folder}: expected a run of {' or '.join(QUANTIZERS)}, found {config.method}"
        raise ConfigError(message)
    settings = ProbeSettings(label_shares=SHARES, most_windows=_MOST_WINDOWS)
    row = measure_row(name, config, BagOfCodes(encoder) if is_bag else encoder, tasks, settings)
    training = {"train_cpu_s": 0.0, "losses": [], "levels": {}} if is_bag else _training(folder)
    return {**row, **training}


def _training(run_dir: Path) -> dict[str, Any]:
    """Return a run's CPU seconds, its loss by step, and the levels that its loss is measured by."""
    rows, levels = logged(run_dir), run_dir / LEVELS_NAME
    return {
        "train_cpu_s": sum(float(row.get("cpu_s") or 0.0) for row in rows),  # of a run from before they were counted
        "losses": [[int(row["step"]), float(row["loss"])] for row in rows],
        "levels": json.loads(levels.read_text(encoding="utf-8")) if levels.is_file() else {},
    }
