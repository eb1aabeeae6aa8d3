"""What a training run leaves to be looked at: a CSV, and TensorBoard events where TensorFlow is there to write them."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nowplaying_core.artifacts import write_bytes

__all__ = ["RunLog", "checkpoint_state"]

_COLUMNS = ("step", "loss", "dev_top1", "learning_rate", "seconds_per_step", "cpu_s")


class RunLog:
    """Writes ``log.csv`` and ``tensorboard/`` in a run's folder; both go on where an interrupted run stopped.

    Parameters
    ----------
    run_dir : Path
    step : int >= 0
        That the run goes on from; rows of later steps, which it repeats, are taken out of ``log.csv``.
    """

    def __init__(self, run_dir: Path, step: int) -> None:
        self._csv = run_dir / "log.csv"
        if self._csv.is_file():
            _cut_after(self._csv, step)
        self._events = _event_writer(run_dir / "tensorboard")

    def append(self, row: dict[str, float]) -> None:
        """Add one row; ``step`` is required, the other columns may be missing."""
        new = not self._csv.is_file() or not self._csv.stat().st_size
        columns: Sequence[str] = _COLUMNS
        if not new:  # a run from before a column was added goes on with those that it has
            with self._csv.open(newline="", encoding="utf-8") as handle:
                columns = next(csv.reader(handle))
        with self._csv.open("a", newline="", encoding="utf-8") as handle:
            writer = csv.DictWriter(handle, columns, extrasaction="ignore")
            if new:
                writer.writeheader()
            writer.writerow(row)
        if self._events is not None:
            self._events(row)


def checkpoint_state(run_dir: Path) -> dict[str, float]:
    """Return what the last checkpoint says: ``step`` reached, and ``best_dev_top1``; step 0 where there is none."""
    path = run_dir / "checkpoint.json"
    return {"step": 0, "best_dev_top1": 0.0, **(json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {})}


def _cut_after(log: Path, step: int) -> None:
    """Leave the heading and the rows up to a step; a line that was not written to its end goes as well."""
    heading, *rows = [line for line in log.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")] or [b""]
    write_bytes(log, b"".join([heading, *(row for row in rows if int(row.partition(b",")[0]) <= step)]))


def _event_writer(folder: Path) -> Any:
    try:
        import tensorflow as tf
    except ImportError:  # on the JAX backend the CSV has to do
        return None
    writer = tf.summary.create_file_writer(str(folder))

    def write(row: dict[str, float]) -> None:
        with writer.as_default():
            for name in set(row) - {"step"}:
                tf.summary.scalar(name, row[name], step=int(row["step"]))
        writer.flush()

    return write
