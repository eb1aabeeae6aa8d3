"""What experiments with trainings share: processes of their own, logs, and the options that choose labelled tasks."""

import argparse
import csv
import logging
import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from nowplaying_core.audio.corpus import CorpusFile
    from pretraining.tasks.task import Task

__all__ = ["add_task_options", "chosen_tasks", "in_own_processes", "logged"]

Result = TypeVar("Result")


def in_own_processes(
    work: Callable[..., Result], arguments: Iterable[tuple[Any, ...]], *, jobs: int = 1
) -> list[Result]:
    """Return ``work(*row)`` for each row of arguments, each computed in a new process.

    TensorFlow gives its memory back only when its process ends.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=1, initializer=_log_to_stderr) as pool:
        return [future.result() for future in [pool.submit(work, *row) for row in arguments]]


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")


def logged(run_dir: Path) -> list[dict[str, str]]:
    """Return the rows of a run's ``log.csv`` (:class:`~fingerprinter.training.progress.RunLog`); none without one."""
    log = run_dir / "log.csv"
    if not log.is_file():
        return []
    with log.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def add_task_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that :func:`chosen_tasks` reads: corpus, cache, MIDI, tasks and processes."""
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--midi", type=Path, help="folder of MIDI files, for the tasks rendered from MIDI")
    parser.add_argument(
        "--soundfont", type=Path, action="append", default=[], help="if several, the last is held out for test queries"
    )
    parser.add_argument("--public", action="append", default=[], help="a public collection, as NAME=FOLDER")
    parser.add_argument("--task", action="append", default=[], help="only this task; default: all tasks with data")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")


def chosen_tasks(options: argparse.Namespace, learned: "Sequence[CorpusFile]" = ()) -> "list[Task]":
    """Return the labelled tasks that the options choose; ConfigError when one tests with a score that is learned."""
    from pretraining.tasks.midi import MidiTasks
    from pretraining.tasks.registry import open_tasks

    rendered = options.midi and MidiTasks(
        options.midi, options.soundfont, options.cache_dir, jobs=options.jobs, learned=learned
    )
    return open_tasks(corpus=options.corpus, public=options.public, names=options.task, rendered=rendered)
