"""Pretrain the detector: its convolutions first learn to predict the embeddings of an audio encoder.

An encoder of 2-D convolutions over log-mel does not fit into 10 KB of 1-D ones over the microcontroller's features, so
its weights cannot be reused. Its embeddings can: the small network learns them without labels, as far as it can, before
it learns to detect music (distillation, Hinton et al. 2015, arXiv 1503.02531, with embeddings in place of class
probabilities).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from detector.training.config import DetectorConfig
from detector.training.feature_set import FeatureSet
from detector.training.model import normalised
from detector.training.pools import SoundPools
from detector.training.scenes import compose_scene
from nowplaying_core.artifacts import write_array
from nowplaying_core.errors import ConfigError

__all__ = ["DISTILLED_SCENES", "DISTILLED_STEPS", "Encoder", "embeddings_of_scenes", "pretrain"]

DISTILLED_SCENES: Final = 1000
DISTILLED_STEPS: Final = 1000
_RATE: Final = 2e-3
_SAMPLES_A_FRAME: Final = 160


class Encoder(Protocol):
    """An audio encoder, such as ``pretraining.tflite_encoder.TfliteEncoder`` of the room above this one."""

    @property
    def window_samples(self) -> int:
        """Number of samples at 16 kHz in one window."""

    @property
    def embedding_space(self) -> str:
        """Identifier of its embedding space."""

    def embed(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return embeddings, (n, window_samples) to (n, dim)."""


def embeddings_of_scenes(
    encoder: Encoder, pools: Sequence[SoundPools], config: DetectorConfig, *, n_scenes: int, folder: Path
) -> NDArray[np.float32]:
    """Return an encoder's embedding of each of the detector's windows in training scenes, cached in the folder.

    Parameters
    ----------
    encoder : Encoder
    pools : sequence of SoundPools
        As :func:`detector.training.feature_set.build_features` was given.
    config : DetectorConfig
    n_scenes : int
        Number of scenes, from the first on.
    folder : Path
        Folder of the scenes' features.

    Returns
    -------
    ndarray of float32, shape (n_scenes, n_windows, dim)
        For windows 64 frames apart from frame 0 on: the mean over the encoder's windows inside, which begin 64 frames
        apart.

    Raises
    ------
    ConfigError
        When the encoder's window is longer than the detector's.
    """
    network, step = config.network, config.network.decision_frames * _SAMPLES_A_FRAME
    windows = f"{network.n_frames}-{network.decision_frames}"
    path = folder / f"encoder-{encoder.embedding_space}-{n_scenes}-{windows}.npy"
    if path.is_file():
        kept: NDArray[np.float32] = np.load(path, allow_pickle=False)
        return kept
    inside = (network.n_frames * _SAMPLES_A_FRAME - encoder.window_samples) // step + 1
    if inside < 1:
        message = f"expected an encoder of windows of at most {network.n_frames * _SAMPLES_A_FRAME} samples, found "
        raise ConfigError(message + f"{encoder.window_samples}")
    rows = []
    for index in range(n_scenes):
        rng = np.random.default_rng([config.training.seed, index])
        samples = compose_scene(pools[index % len(pools)], config.scenes, rng).samples
        embedded = encoder.embed(np.lib.stride_tricks.sliding_window_view(samples, encoder.window_samples)[::step])
        sums = np.cumsum(np.concatenate([np.zeros_like(embedded[:1]), embedded]), axis=0, dtype=np.float64)
        rows.append((sums[inside:] - sums[:-inside]) / inside)
    n_windows = min(len(row) for row in rows)
    embeddings = np.stack([row[:n_windows] for row in rows]).astype(np.float32)
    write_array(path, embeddings)
    return embeddings


def pretrain(
    embeddings: NDArray[np.float32], model: keras.Model, features: FeatureSet, config: DetectorConfig, n_steps: int
) -> float:
    """Train the convolutions to predict embeddings, and return the share of their variance that is then explained.

    Parameters
    ----------
    embeddings : ndarray of float32, shape (n_scenes, n_windows, dim)
    model : keras.Model
        Of :func:`detector.training.model.build_training_model`; its head is left as it is.
    features : FeatureSet
        Of the same scenes, and perhaps more.
    config : DetectorConfig
    n_steps : int >= 1
    """
    network, training = config.network, config.training
    targets = (embeddings - embeddings.mean(axis=(0, 1))) / (embeddings.std(axis=(0, 1)) + 1e-6)
    trunk = model.get_layer("hidden").input
    predicted = keras.layers.Conv1D(targets.shape[2], network.frames_after_layers, name="predicted")(trunk)
    student = keras.Model(model.inputs, predicted)
    schedule = keras.optimizers.schedules.CosineDecay(_RATE, n_steps)
    # XLA compiles these small convolutions for the CPU far slower than the plain graph runs.
    student.compile(keras.optimizers.Adam(schedule), "mse", jit_compile=False)
    n_decisions, step = training.n_decisions, network.decision_frames
    first = -(-int(config.scenes.preroll_s * 100) // step)
    last = min(targets.shape[1], (features.frames.shape[1] - network.n_frames) // step + 1) - n_decisions
    if last < first:
        message = f"scenes of {features.frames.shape[1]} frames are too short for {n_decisions} windows after pre-roll"
        raise ConfigError(message)
    losses = []
    for number in range(n_steps):
        rng = np.random.default_rng([training.seed, 2, number])
        scenes = rng.integers(len(targets), size=training.batch_segments)
        windows = rng.integers(first, last + 1, size=training.batch_segments)
        length = network.n_frames + (n_decisions - 1) * step
        segments = np.stack(
            [features.frames[scene, at * step : at * step + length] for scene, at in zip(scenes, windows, strict=True)]
        )
        expected = np.stack([targets[scene, at : at + n_decisions] for scene, at in zip(scenes, windows, strict=True)])
        losses.append(float(student.train_on_batch(normalised(segments), expected)))
    return 1.0 - float(np.mean(losses[-max(1, n_steps // 10) :]))
