"""What a teacher says of a scene's clean parts, and the training targets that follow from it and from the labels.

After Hinton et al., "Distilling the knowledge in a neural network", arXiv 1503.02531. The student gets the degraded
mixture; the teacher gets the music and its background apart, so that its answer does not depend on level, noise, codec
or band limit.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.training.config import TrainingConfig
from detector.training.scenes import Scene
from detector.training.teacher import SUREST, Teacher, music_logits

__all__ = ["scene_logits", "window_targets"]

_FRAMES_PER_S: Final = 100
_AUDIBLE: Final = 1


def scene_logits(scene: Scene, teacher: Teacher) -> NDArray[np.float16]:
    """Return the teacher's logit of music for every 10 ms of a scene.

    Where music is audible (``scene.music`` is 1) it is the larger of the teacher's opinions of the music and of its
    background; elsewhere it is that of the background alone. What needs no teacher has the surest logit of its label.

    Parameters
    ----------
    scene : Scene
    teacher : Teacher

    Returns
    -------
    ndarray of float16, shape (n_blocks,), in [-6.9, 6.9]
    """
    is_audible, surest = scene.music == _AUDIBLE, np.full(scene.music.size, np.log((1 - SUREST) / SUREST))
    logits = -surest
    if scene.doubtful_background is not None:
        logits = _logits(teacher, scene.doubtful_background, scene.music.size)
    if is_audible.any():
        music = surest
        if scene.doubtful_music is not None:
            music = _logits(teacher, scene.doubtful_music, scene.music.size)
        logits = np.where(is_audible, np.maximum(music, logits), logits)
    return logits.astype(np.float16)


def window_targets(
    logits: NDArray[np.float16],
    music: NDArray[np.uint8],
    labels: NDArray[np.bool_],
    n_frames: int,
    training: TrainingConfig,
) -> NDArray[np.float32]:
    """Return the targets of every window of every scene: part teacher, part label.

    The teacher's part is the sigmoid of its mean logit, divided by the temperature: over the frames with audible music
    where the window's label is music, over all frames elsewhere. Cross-entropy is linear in the target, so one target
    that mixes both equals a weighted sum of two losses.

    Parameters
    ----------
    logits : ndarray of float16, shape (n_scenes, n_frames_of_a_scene)
    music : ndarray of uint8, same shape
        As in :class:`detector.training.scenes.Scene`.
    labels : ndarray of bool, shape (n_scenes, n_windows)
        Of the window that begins at each frame.
    n_frames : int
        Of a window.
    training : TrainingConfig
        Its ``teacher_weight``, ``teacher_temperature``, ``doubted_below`` and ``doubted_above`` matter here.

    Returns
    -------
    ndarray of float32, shape (n_scenes, n_windows)
    """
    targets = np.empty(labels.shape, dtype=np.float32)
    for scene, row in enumerate(labels):
        audible = music[scene] == _AUDIBLE
        steps = logits[scene].astype(np.float64)
        everywhere = _window_sums(steps, n_frames) / n_frames
        inside = _window_sums(steps * audible, n_frames) / np.maximum(1, _window_sums(audible, n_frames))
        mean = np.where(row, inside, everywhere)
        probability = _sigmoid(mean)
        doubted = np.where(row, probability < training.doubted_below, probability > training.doubted_above)
        soft = _sigmoid(mean / training.teacher_temperature)
        mixed = training.teacher_weight * soft + (1 - training.teacher_weight) * row
        targets[scene] = np.where(doubted, soft, mixed)
    return targets


def _logits(teacher: Teacher, samples: NDArray[np.float32], n_blocks: int) -> NDArray[np.float64]:
    logits = music_logits(teacher, samples)
    step = (np.arange(n_blocks) / (_FRAMES_PER_S * teacher.hop_s) + 1e-6).astype(np.int64)
    return logits[np.minimum(step, logits.size - 1)]


def _window_sums(values: NDArray[np.float64] | NDArray[np.bool_], n_frames: int) -> NDArray[np.float64]:
    sums = np.cumsum(np.concatenate([[0.0], values]))
    return np.asarray(sums[n_frames:] - sums[:-n_frames])


def _sigmoid(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-logit)))
