"""The segments that training cuts from a feature set, every other one with music."""

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.features import N_CHANNELS
from detector.training.augment import augment
from detector.training.config import SceneConfig, TrainingConfig
from detector.training.feature_set import FeatureSet
from detector.training.soft_targets import window_targets
from nowplaying_core.errors import ConfigError

__all__ = ["SamplerSettings", "WindowSampler"]

_TRACE = 1e-6
_FRAMES_PER_S = 100


class _Windows(Protocol):
    """A network's windows."""

    @property
    def n_frames(self) -> int:
        """Frames of one window."""

    @property
    def decision_frames(self) -> int:
        """Frames from one window to the next."""


class SamplerSettings(Protocol):
    """What cutting segments depends on: the settings of either stage of the detector."""

    @property
    def network(self) -> _Windows:
        """The network's windows."""

    @property
    def scenes(self) -> SceneConfig:
        """How scenes are composed."""

    @property
    def training(self) -> TrainingConfig:
        """How the network is trained."""


class WindowSampler:
    """Cuts training segments from a feature set: a few overlapping windows each, for one pass of the network.

    Parameters
    ----------
    features : FeatureSet
    config : SamplerSettings
        Of either stage. Of the training settings, ``n_decisions``, ``music_fraction`` and the shares matter here.

    Attributes
    ----------
    hard_examples : dict of int to ndarray of int64, shape (n, 2)
        Scene and first frame of the windows that :meth:`mine` kept, by label.
    """

    def __init__(self, features: FeatureSet, config: SamplerSettings) -> None:
        network, self._training, self.features = config.network, config.training, features
        self.hard_examples: dict[int, NDArray[np.int64]] = {}
        self._n_frames, self._step = network.n_frames, network.decision_frames
        self._offsets = np.arange(self._training.n_decisions) * self._step
        self.segment_frames = self._n_frames + int(self._offsets[-1])
        self._share = _window_share(features.music == 1, self._n_frames)
        # A window with inaudible music is an example of neither class.
        self._share[(self._share == 0) & (_window_share(features.music > 0, self._n_frames) > 0)] = _TRACE
        labels = self._share >= self._training.music_fraction
        self._targets = (
            labels.astype(np.float32)
            if features.teacher is None
            else window_targets(features.teacher, features.music, labels, network.n_frames, self._training)
        )
        preroll_frames = int(config.scenes.preroll_s * _FRAMES_PER_S)
        n_starts = features.frames.shape[1] - self.segment_frames + 1
        if n_starts <= preroll_frames:
            message = f"scenes of {features.frames.shape[1]} frames are too short for segments of {self.segment_frames}"
            raise ConfigError(message)
        self._first, self._n_starts = preroll_frames, n_starts
        # 8 frames between candidate starts is far below what the network's strides can tell apart.
        warm, cold = np.arange(preroll_frames, n_starts, 8), np.array([0])
        self._tables: dict[tuple[int, bool], NDArray[np.int64]] = {}
        for is_cold, starts in ((False, warm), (True, cold)):
            share = self._share[:, starts[:, None] + self._offsets]
            is_music = share >= self._training.music_fraction
            for label, chosen in ((1, is_music.any(axis=2)), (0, (share == 0).all(axis=2))):
                scene, column = np.nonzero(chosen)
                self._tables[label, is_cold] = np.stack([scene, starts[column]], axis=1)

    def batch(
        self, size: int, rng: np.random.Generator, *, augmented: bool = False
    ) -> tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.float32]]:
        """Return random segments, every other one with music.

        Returns
        -------
        segments : ndarray of int8, shape (size, segment_frames, 40)
        targets : ndarray of float32, shape (size, n_decisions)
            1 for music, 0 for none; in between where a teacher has its say.
        weights : ndarray of float32, shape (size, n_decisions)
            0 for a window that holds too little music to count for either class.
        """
        segments = np.empty((size, self.segment_frames, N_CHANNELS), dtype=np.int8)
        share = np.empty((size, len(self._offsets)), dtype=np.float32)
        targets = np.zeros_like(share)
        for row in range(size):
            if self._training.extreme_share and row % 2 == 0 and rng.random() < 2 * self._training.extreme_share:
                segments[row], share[row] = _extreme(segments.shape[1:], rng), 0
                continue
            scene, start = self._place(row % 2, rng)
            segment = self.features.frames[scene, start : start + self.segment_frames]
            if augmented:
                segment = augment(segment, self._background(rng), rng, masked_share=self._training.masked_share)
            segments[row] = segment
            share[row] = self._share[scene, start + self._offsets]
            targets[row] = self._targets[scene, start + self._offsets]
        weights = (share >= self._training.music_fraction) | (share == 0)
        return segments, targets, weights.astype(np.float32)

    def mine(self, logits: NDArray[np.float32], hardest: float = 0.05) -> None:
        """Keep the windows that the network gets most wrong; later batches hold a share of them.

        Parameters
        ----------
        logits : ndarray of float32, shape (n_scenes, n_windows)
            Of every window of every scene, 64 frames apart from frame 0 on.
        hardest : float in (0, 1]
            Share of each class's windows that is kept.
        """
        # A network may answer once more than a whole window fits, where its layers leave the last frames out.
        starts = np.arange(0, self._share.shape[1], self._step)[: logits.shape[1]]
        logits, share = logits[:, : starts.size], self._share[:, starts]
        usable = starts >= self._first
        for label, chosen in ((0, share == 0), (1, share >= self._training.music_fraction)):
            wrong = np.where(chosen & usable, logits if label == 0 else -logits, -np.inf)
            n_kept = math.ceil(hardest * np.count_nonzero(np.isfinite(wrong)))
            kept = np.argsort(wrong, axis=None)[wrong.size - n_kept :]
            scene, column = np.unravel_index(kept, wrong.shape)
            self.hard_examples[label] = np.stack([scene, starts[column]], axis=1)

    def _place(self, label: int, rng: np.random.Generator) -> tuple[int, int]:
        """Draw a segment's scene and first frame."""
        hard, hard_share = self.hard_examples.get(label), self._training.mined_share
        if hard_share and hard is not None and len(hard) and rng.random() < hard_share:
            scene, window = hard[int(rng.integers(len(hard)))]
            start = int(window) - int(rng.choice(self._offsets)) + int(rng.integers(-16, 17))
            return int(scene), min(max(start, self._first), self._n_starts - 1)
        cold = self._tables[label, True]
        table = cold if len(cold) and rng.random() < self._training.cold_share else self._tables[label, False]
        scene, start = table[int(rng.integers(len(table)))]
        return int(scene), int(start)

    def _background(self, rng: np.random.Generator) -> NDArray[np.int8]:
        table = self._tables[0, False]
        scene, start = table[int(rng.integers(len(table)))]
        return self.features.frames[scene, start : start + self.segment_frames]


def _extreme(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int8]:
    """Return silence, the front end's flicker in a silent room, or clipping."""
    draw = rng.random()
    if draw < 0.4:
        return np.full(shape, -128, dtype=np.int8)
    if draw < 0.7:
        flicker = rng.integers(-128, -128 + int(rng.integers(2, 40)), shape)
        return np.where(rng.random(shape) < rng.uniform(0.01, 0.5), flicker, -128).astype(np.int8)
    return rng.integers(int(rng.integers(60, 127)), 128, shape).astype(np.int8)


def _window_share(marked: NDArray[np.bool_], n_frames: int) -> NDArray[np.float32]:
    """Return, for every scene and start, the share of a window's frames that are marked."""
    counts = np.cumsum(np.pad(marked.astype(np.int32), ((0, 0), (1, 0))), axis=1)
    return ((counts[:, n_frames:] - counts[:, :-n_frames]) / n_frames).astype(np.float32)
