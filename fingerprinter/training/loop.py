"""The training loop of the fingerprinter and of pretraining: seeded, logged, resumable to the same weights.

Keras's BackupAndRestore keeps neither the best score nor the place in a stream of drawn batches, so a resumed ``fit``
would draw other batches than the run that was stopped.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import keras
import numpy as np

from fingerprinter.training.progress import RunLog, checkpoint_state
from nowplaying_core.artifacts import write_atomic, write_json
from nowplaying_core.errors import ConfigError
from nowplaying_core.text import listed

__all__ = [
    "CHECKPOINT_NAME",
    "Schedule",
    "averaged_weights",
    "compile_for",
    "fit",
    "learning_rate",
    "prefetch",
    "replace_weights",
]

CHECKPOINT_NAME = "checkpoint.weights.h5"
_PREVIOUS_NAME = "previous.weights.h5"
_log = logging.getLogger(__name__)
_Batch = TypeVar("_Batch")
_N_AHEAD = 3
_UNUSED_DECAY = 0.99  # Keras refuses zero even where nothing is averaged


class Schedule(Protocol):
    """The settings of a run that the loop reads."""

    @property
    def seed(self) -> int:
        """Seed of the drawn batches."""

    @property
    def n_steps(self) -> int:
        """Steps of the whole run."""

    @property
    def learning_rate(self) -> float:
        """Peak of Adam's rate."""

    @property
    def warmup_steps(self) -> int:
        """Steps until the peak."""

    @property
    def checkpoint_every(self) -> int:
        """Steps between checkpoints."""


def fit(
    model: keras.Model,
    draw: Callable[[np.random.Generator], Any],
    schedule: Schedule,
    run_dir: Path,
    *,
    cooldown_steps: int = 0,
    at_start: Callable[[], object] = lambda: None,
    validate: Callable[[int], dict[str, float]] = lambda _done: {},
    at_end: Callable[[], None] = lambda: None,
) -> None:
    """Train a compiled model on drawn batches, from the run's last checkpoint to the end of its schedule.

    Parameters
    ----------
    model : keras.Model
        Adds its objective to its losses.
    draw : callable
        Returns a step's inputs.
    schedule : Schedule
    run_dir : Path
        Receives ``checkpoint.weights.h5`` with ``checkpoint.json``, ``log.csv`` and ``tensorboard``.
    cooldown_steps : int >= 0
        As for :func:`learning_rate`.
    at_start : callable
        Called before the first step of a run that has no checkpoint.
    validate : callable
        Called before every checkpoint with the number of steps done; returns more columns for the log. The greatest
        ``dev_top1`` is recorded in ``checkpoint.json``.
    at_end : callable
        Writes the result, before the last checkpoint says that the run has ended.

    Raises
    ------
    ConfigError
        When the run has ended, or its weights are gone.
    """
    state = checkpoint_state(run_dir)
    first_step = int(state["step"])
    if first_step >= schedule.n_steps:
        message = f"{run_dir}: this run has reached its {schedule.n_steps} steps; choose another run folder"
        raise ConfigError(message)
    if first_step:
        _load_checkpoint(model, run_dir, first_step)
        _log.info("resuming at step %d", first_step)
    else:
        at_start()
    log, losses = RunLog(run_dir, first_step), []
    started, cpu_s = time.monotonic(), time.process_time()
    for step, inputs in prefetch(draw, seed=schedule.seed, steps=range(first_step, schedule.n_steps)):
        model.optimizer.learning_rate = rate = learning_rate(
            step,
            peak=schedule.learning_rate,
            n_warmup=schedule.warmup_steps,
            n_steps=schedule.n_steps,
            n_cooldown=cooldown_steps,
        )
        losses.append(float(model.train_on_batch(inputs)))
        done = step + 1
        if done % schedule.checkpoint_every == 0 or done == schedule.n_steps:
            row: dict[str, float] = {"step": done, "loss": float(np.mean(losses)), "learning_rate": rate}
            losses.clear()
            row |= validate(done)
            row["seconds_per_step"] = (time.monotonic() - started) / (done - first_step)
            row["cpu_s"], cpu_s = time.process_time() - cpu_s, time.process_time()
            log.append(row)
            _log.info(listed(row))
            if done == schedule.n_steps:
                at_end()
            state["best_dev_top1"] = max(state["best_dev_top1"], row.get("dev_top1", 0.0))
            _write_checkpoint(model, run_dir, {**state, "step": done})


def _write_checkpoint(model: keras.Model, run_dir: Path, state: dict[str, float]) -> None:
    """Write the weights and what is said of them, so that a run killed in between finds the weights of before."""
    weights, previous = run_dir / CHECKPOINT_NAME, run_dir / _PREVIOUS_NAME
    if weights.is_file():
        weights.replace(previous)
    replace_weights(model, weights)
    write_json(run_dir / "checkpoint.json", state)
    previous.unlink(missing_ok=True)


def _load_checkpoint(model: keras.Model, run_dir: Path, step: int) -> None:
    """Load the weights after so many steps; a compiled model's file holds the optimizer's state as well."""
    weights, previous = run_dir / CHECKPOINT_NAME, run_dir / _PREVIOUS_NAME
    if weights.is_file():
        model.load_weights(weights)
        if int(model.optimizer.iterations) == step or not previous.is_file():
            return
    if not previous.is_file():
        message = (
            f"{weights}: expected the weights after {step} steps, found none; restore them or choose another run folder"
        )
        raise ConfigError(message)
    previous.replace(weights)
    model.load_weights(weights)


class _AdamOfRates(keras.optimizers.Adam):  # type: ignore[misc]  # Keras has no types
    """Adam with a multiple of the learning rate for each variable; one of its loss would not change its steps."""

    def __init__(self, *options: Any, rates: Sequence[float], **more: Any) -> None:
        super().__init__(*options, name="adam", **more)
        self.rates = tuple(rates)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move one variable."""
        super().update_step(gradient, variable, learning_rate * self.rates[self._get_variable_index(variable)])


def compile_for(
    model: keras.Model, schedule: Schedule, *, average_decay: float = 0.0, rates: Sequence[float] = ()
) -> None:
    """Give a model that has all its weights an optimizer that has all its own, and averages them where asked.

    ``rates`` are what the learning rate is multiplied by for each trainable variable; without any it is one for all.
    """
    adam = partial(_AdamOfRates, rates=rates) if rates else keras.optimizers.Adam
    model.compile(
        adam(schedule.learning_rate, use_ema=average_decay > 0, ema_momentum=average_decay or _UNUSED_DECAY),
        jit_compile="auto" if keras.config.backend() == "jax" else False,  # XLA is far slower on a CPU
    )
    model.optimizer.build(model.trainable_variables)


@contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Put the average of the weights in their place for a while; does nothing where none is kept."""
    if not model.optimizer.use_ema:
        yield
        return
    variables = model.trainable_variables
    kept = [keras.ops.convert_to_numpy(variable) for variable in variables]
    model.optimizer.finalize_variable_values(variables)
    try:
        yield
    finally:
        for variable, value in zip(variables, kept, strict=True):
            variable.assign(value)


def learning_rate(step: int, *, peak: float, n_warmup: int, n_steps: int, n_cooldown: int = 0) -> float:
    """Return the rate of a step: linear warm-up, then cosine to zero, over the last ``n_cooldown`` steps if not 0."""
    if step < n_warmup:
        return peak * (step + 1) / n_warmup
    first = max(n_warmup, n_steps - n_cooldown) if n_cooldown else n_warmup
    progress = max(0, step - first) / max(1, n_steps - first)
    return peak * 0.5 * (1.0 + float(np.cos(np.pi * progress)))


def prefetch(draw: Callable[[np.random.Generator], _Batch], *, seed: int, steps: range) -> Iterator[tuple[int, _Batch]]:
    """Draw batches in a second thread; step k always sees the same batch, so a resumed run continues exactly."""
    with ThreadPoolExecutor(1) as thread:
        ahead: deque[tuple[int, Future[_Batch]]] = deque()
        for step in steps:
            ahead.append((step, thread.submit(draw, np.random.default_rng([seed, step]))))
            if len(ahead) > _N_AHEAD:
                first, batch = ahead.popleft()
                yield first, batch.result()
        for first, batch in ahead:
            yield first, batch.result()


def replace_weights(model: keras.Model, path: Path) -> None:
    """Write a model's weights whole, in the place of the old ones."""

    def write(temporary: Path) -> None:
        named = path.with_name("writing.weights.h5")  # Keras wants this ending
        model.save_weights(named)
        named.replace(temporary)

    write_atomic(path, write)
