"""The parts that training loops share: the rate of a step, batches drawn ahead, and checkpoints."""

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import keras
import numpy as np

from nowplaying_core.artifacts import write_json

__all__ = ["learning_rate", "prefetch", "replace_weights", "write_checkpoint"]

_Batch = TypeVar("_Batch")
_QUEUE_LENGTH = 3


def learning_rate(step: int, *, peak: float, n_warmup: int, n_steps: int) -> float:
    """Return the rate of a step: linear warm-up, then cosine to zero."""
    if step < n_warmup:
        return peak * (step + 1) / n_warmup
    progress = (step - n_warmup) / max(1, n_steps - n_warmup)
    return peak * 0.5 * (1.0 + float(np.cos(np.pi * progress)))


def prefetch(draw: Callable[[np.random.Generator], _Batch], *, seed: int, steps: range) -> Iterator[tuple[int, _Batch]]:
    """Draw batches in a second thread; step k always sees the same batch, so a resumed run goes on as it was."""
    batches: queue.Queue[tuple[int, _Batch] | BaseException] = queue.Queue(_QUEUE_LENGTH)

    def fill() -> None:
        try:
            for step in steps:
                batches.put((step, draw(np.random.default_rng([seed, step]))))
        except BaseException as error:  # noqa: BLE001  # handed to the training thread, which raises it
            batches.put(error)

    threading.Thread(target=fill, daemon=True).start()
    for _ in steps:
        item = batches.get()
        if isinstance(item, BaseException):
            raise item
        yield item


def write_checkpoint(model: keras.Model, run_dir: Path, state: dict[str, float]) -> None:
    """Write a compiled model's weights with its optimizer's, and after them what the run had reached."""
    replace_weights(model, run_dir / "checkpoint.weights.h5")
    write_json(run_dir / "checkpoint.json", state)


def replace_weights(model: keras.Model, path: Path) -> None:
    """Write a model's weights under another name, then in the place of the old ones."""
    # Keras wants this ending of the name.
    temporary = path.with_name("writing.weights.h5")
    model.save_weights(temporary)
    temporary.replace(path)
