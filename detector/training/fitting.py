"""The training loop of one run: batches, checkpoints, a log, and the mining of hard examples."""

import csv
import logging
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from detector.training.config import TrainingConfig
from detector.training.model import normalised
from detector.training.window_sampler import WindowSampler
from nowplaying_core.artifacts import write_arrays
from nowplaying_core.statistics import area_under_roc

__all__ = ["FitRun"]

_log = logging.getLogger(__name__)


class FitRun:
    """A run's folder with its log and checkpoints, and the loop that both stages share.

    Parameters
    ----------
    folder : Path
    sampler : WindowSampler
        Source of batches; keeps the hard examples.
    check : tuple of ndarray
        Segments, labels and weights that the ROC area is measured on.
    training : TrainingConfig
    averaged : float in [0, 1)
        Momentum of an average over the steps of all weights, batch normalization's statistics included, which is what
        is measured and what the model ends with; 0 for none (Polyak and Juditsky, 1992).
    weight_decay : float >= 0
    """

    def __init__(
        self,
        folder: Path,
        sampler: WindowSampler,
        check: tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.float32]],
        training: TrainingConfig,
        *,
        averaged: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        self._folder, self._sampler, self._check, self._training = folder, sampler, check, training
        self._momentum, self._weight_decay = averaged, weight_decay or None
        self._average: list[NDArray[np.float32]] = []

    def fit(self, model: keras.Model, stage: str, steps: int, learning_rate: float, warmup_steps: int) -> float:
        """Train one stage to its end and return the ROC area on the check windows."""
        training = self._training
        if steps:
            schedule = keras.optimizers.schedules.CosineDecay(
                learning_rate / 20 if warmup_steps else learning_rate,
                steps - warmup_steps,
                alpha=0.01,
                warmup_target=learning_rate if warmup_steps else None,
                warmup_steps=warmup_steps,
            )
            optimizer = keras.optimizers.Adam(schedule, weight_decay=self._weight_decay)
            optimizer.build(model.trainable_variables)
            loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=training.label_smoothing)
            # XLA compiles these small convolutions for the CPU far slower than the plain graph runs.
            model.compile(optimizer=optimizer, loss=loss, jit_compile=False)
            self._average = [np.asarray(value).copy() for value in model.weights] if self._momentum else []
            first = self._restore(model, optimizer, stage)
            begun, losses = time.monotonic(), []
            self._restore_hard_examples(first if stage == "float" else training.steps)
            for step in range(first, steps):
                if stage == "float" and training.mined_share and step and step % training.mine_every == 0:
                    self._mine(model, step)
                # Every step draws from its own generator, so that a resumed run draws the same windows.
                stage_number = 0 if stage == "float" else 1
                rng = np.random.default_rng([training.seed, stage_number, step])
                segments, labels, weights = self._sampler.batch(training.batch_segments, rng, augmented=True)
                losses.append(float(model.train_on_batch(normalised(segments), labels[..., None], weights)))
                self._add_to_average(model, step)
                if (step + 1) % training.log_every == 0 or step + 1 == steps:
                    self._save(model, optimizer, stage, step + 1)
                    present = [np.asarray(value).copy() for value in model.weights]
                    self._assign(model, self._average)
                    self._report(model, stage, step + 1, float(np.mean(losses)), time.monotonic() - begun)
                    self._assign(model, present)
                    losses = []
            self._assign(model, self._average)
        return self._area(model)

    def _add_to_average(self, model: keras.Model, step: int) -> None:
        # Shorter in the beginning, when the first weights are worth nothing.
        momentum = min(self._momentum, (step + 1) / (step + 10))
        for i, value in enumerate(model.weights if self._average else ()):
            mean = momentum * self._average[i] + (1 - momentum) * np.asarray(value)
            self._average[i] = np.asarray(mean, dtype=np.float32)

    @staticmethod
    def _assign(model: keras.Model, values: list[NDArray[np.float32]]) -> None:
        """Give the model other weights; with no values it keeps its own."""
        for variable, value in zip(model.weights, values, strict=False):
            variable.assign(value)

    def _mine(self, model: keras.Model, step: int) -> None:
        """Run the network over all training scenes as streams, and keep the hardest examples."""
        frames = self._sampler.features.frames
        logits = [
            np.asarray(model(normalised(frames[start : start + 50]), training=False))[..., 0]
            for start in range(0, len(frames), 50)
        ]
        self._sampler.mine(np.concatenate(logits))
        arrays = {f"label{label}": table for label, table in self._sampler.hard_examples.items()}
        write_arrays(self._folder / f"mined-{step}.npz", arrays)

    def _restore_hard_examples(self, step: int) -> None:
        """Restore the last hard examples before a step, so that a resumed run draws as an uninterrupted one."""
        found = {int(path.stem.removeprefix("mined-")): path for path in self._folder.glob("mined-*.npz")}
        before = [number for number in found if number < step]
        if before:
            with np.load(found[max(before)], allow_pickle=False) as archive:
                self._sampler.hard_examples = {label: archive[f"label{label}"] for label in (0, 1)}

    def _area(self, model: keras.Model) -> float:
        segments, labels, weights = self._check
        logits = [
            np.asarray(model(normalised(segments[start : start + 100]), training=False))[..., 0]
            for start in range(0, len(segments), 100)
        ]
        counted = weights > 0
        return area_under_roc(np.concatenate(logits)[counted], labels[counted] > 0.5)

    def _report(self, model: keras.Model, stage: str, step: int, loss: float, elapsed_s: float) -> None:
        row: dict[str, Any] = {
            "stage": stage,
            "step": step,
            "loss": round(loss, 5),
            "check_area": round(self._area(model), 5),
            "elapsed_s": round(elapsed_s, 1),
        }
        log = self._folder / "log.csv"
        is_new = not log.is_file()
        with log.open("a", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, fieldnames=list(row))
            if is_new:
                writer.writeheader()
            writer.writerow(row)
        _log.info("%s step %d: loss %.4f, ROC area %.4f", stage, step, row["loss"], row["check_area"])

    def _save(self, model: keras.Model, optimizer: Any, stage: str, step: int) -> None:
        arrays = {f"v{i}": np.asarray(value) for i, value in enumerate([*model.variables, *optimizer.variables])}
        averages = {f"average{i}": value for i, value in enumerate(self._average)}
        write_arrays(self._folder / f"checkpoint-{stage}.npz", {"step": np.array(step), **arrays, **averages})

    def _restore(self, model: keras.Model, optimizer: Any, stage: str) -> int:
        path = self._folder / f"checkpoint-{stage}.npz"
        if not path.is_file():
            return 0
        with np.load(path, allow_pickle=False) as archive:
            for i, variable in enumerate([*model.variables, *optimizer.variables]):
                variable.assign(archive[f"v{i}"])
            self._average = [archive[f"average{i}"] for i in range(len(self._average))]
            return int(archive["step"])
