"""Supervised: the labels of all tasks of the corpus at once. What methods without labels are held against.

An encoder trained with labels is the upper row of Tagliasacchi et al. 2019 and of Saeed et al. 2021; one head for each
task over a common encoder is a reconstruction of the idea. Only the training parts of the tasks are read.
"""

import logging
from typing import Any

import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from nowplaying_core.audio.sources import TrainingSources
from pretraining.config.run import PretrainingConfig
from pretraining.labelled import LabelledSampler
from pretraining.methods.pretext import Pretext
from pretraining.tasks.registry import open_tasks

__all__ = ["Supervised"]

_log = logging.getLogger(__name__)


class Supervised(Pretext):
    """A linear classifier over all labels, of which only those of a sound's own task count."""

    @classmethod
    def sampler(cls, config: PretrainingConfig, sources: TrainingSources) -> LabelledSampler:
        """Return the sampler of the corpus's labelled sounds."""
        tasks = open_tasks(corpus=sources.corpus, public=[], names=[])
        for task in tasks:
            _log.info("%s: %d sounds, %d labels", task.name, len(task.train), len(task.labels))
        return LabelledSampler(tasks, config.front_end.window_samples, sources.cache_dir)

    def build(self, shapes: tuple[tuple[int | None, ...], ...]) -> None:
        """Create the classifier for as many labels as there are."""
        self.classifier = layers.Dense(shapes[1][-1], name="classifier")
        self.classifier.build((None, self.config.encoder.dim))

    def draw(self, sampler: LabelledSampler, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        """Draw labelled windows."""
        return sampler.draw(self.config.clips_per_step, rng)

    def levels(self, *inputs: Any) -> dict[str, float]:
        """Return the loss where all labels of a sound's task are alike likely."""
        return {"nothing known": float(np.log(inputs[2].sum(axis=1)).mean())}

    def objective(self, *inputs: Any) -> Any:
        """Return the mean cross entropy of the right label within its task, in nats."""
        windows, wanted, allowed = inputs
        logits = self.classifier(ops.relu(self.encoder(self.images(windows)))) + 1e9 * (allowed - 1.0)
        return ops.mean(ops.logsumexp(logits, axis=1) - ops.sum(wanted * logits, axis=1))
