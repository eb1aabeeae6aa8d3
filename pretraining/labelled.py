"""Labelled windows of several tasks at once, for the one method that reads labels."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ, to_float32, to_int16
from nowplaying_core.audio.cache import load_cached
from pretraining.tasks.task import Example, Task

__all__ = ["LabelledSampler"]


class LabelledSampler:
    """Draw windows from the training parts of tasks: tasks alike often, and within each its labels.

    Parameters
    ----------
    tasks : sequence of Task
    window_samples : int
    cache_dir : Path
        For decoded audio, which is kept in memory as int16.
    """

    def __init__(self, tasks: Sequence[Task], window_samples: int, cache_dir: Path) -> None:
        self._window = window_samples
        self._by_label: list[list[list[Example]]] = []
        self._first: list[int] = []
        self.n_labels = 0
        for task in tasks:
            of_label: dict[str, list[Example]] = defaultdict(list)
            for example in task.train:
                of_label[example.label].append(example)
            self._by_label.append([of_label[label] for label in task.labels])
            self._first.append(self.n_labels)
            self.n_labels += len(task.labels)
        paths = {example.path for task in tasks for example in task.train}
        self._pcm = {path: to_int16(load_cached(path, cache_dir)) for path in sorted(paths)}

    def draw(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        """Draw a batch.

        Returns
        -------
        windows : ndarray of float32, shape (n, 1, window_samples)
            A random part of each sound; one that is shorter lies in the middle of silence.
        wanted : ndarray of float32, shape (n, n_labels)
            One where the label is, counted through all tasks.
        allowed : ndarray of float32, shape (n, n_labels)
            One where a label is of the same task.
        """
        windows = np.zeros((n, 1, self._window), np.float32)
        wanted, allowed = np.zeros((2, n, self.n_labels), np.float32)
        for row in range(n):
            task = int(rng.integers(len(self._by_label)))
            labels = self._by_label[task]
            label = int(rng.integers(len(labels)))
            example = labels[label][int(rng.integers(len(labels[label])))]
            windows[row, 0] = self._cut(example, rng)
            wanted[row, self._first[task] + label] = 1.0
            allowed[row, self._first[task] : self._first[task] + len(labels)] = 1.0
        return windows, wanted, allowed

    def _cut(self, example: Example, rng: np.random.Generator) -> NDArray[np.float32]:
        pcm = self._pcm[example.path]
        end = len(pcm) if example.end_s is None else round(example.end_s * SAMPLE_RATE_HZ)
        part = pcm[round(example.start_s * SAMPLE_RATE_HZ) : end]
        room = len(part) - self._window
        if room > 0:
            start = int(rng.integers(room + 1))
            part = part[start : start + self._window]
        before = max(0, -room) // 2
        return np.pad(to_float32(part), (before, max(0, -room) - before))
