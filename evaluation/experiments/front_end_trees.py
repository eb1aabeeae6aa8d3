"""A quick judge of features: boosted trees on statistics of windows, which learn in seconds.

The statistics are every channel's mean and deviation, its mean change from one frame to the next and over eight frames,
and how far it stands out from its neighbours over 200 ms, as a held note does.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.network import WINDOW_FRAMES

__all__ = ["drawn_windows", "fitted", "statistics"]

_PER_SCENE: Final = 8
_FIRST_FRAME: Final = 500
_MUSIC_SHARE: Final = 0.3
_NOTE_FRAMES: Final = 20
_SEED: Final = 3


def statistics(windows: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return what the trees learn from.

    Parameters
    ----------
    windows : ndarray of int8, shape (n, n_frames, 40)

    Returns
    -------
    ndarray of float32, shape (n, 236)
    """
    values = windows.astype(np.float32)
    standing_out = values[:, :, 1:-1] - (values[:, :, 2:] + values[:, :, :-2]) / 2
    n_notes = values.shape[1] // _NOTE_FRAMES
    notes = standing_out[:, : n_notes * _NOTE_FRAMES].reshape(len(values), n_notes, _NOTE_FRAMES, -1).mean(axis=2)
    parts = (
        values.mean(axis=1),
        values.std(axis=1),
        np.abs(np.diff(values, axis=1)).mean(axis=1),
        np.abs(values[:, 8:] - values[:, :-8]).mean(axis=1),
        np.abs(notes).mean(axis=1),
        notes.std(axis=1),
    )
    return np.concatenate(parts, axis=1)


def drawn_windows(music: NDArray[np.uint8], first_scene: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where windows begin that are with music or clearly without, and which of both they are.

    Parameters
    ----------
    music : ndarray of uint8, shape (n_scenes, n_frames)
        As in :class:`detector.training.feature_set.FeatureSet`.
    first_scene : int
        Number of the first scene: each draws by its own.

    Returns
    -------
    starts : ndarray of int64, shape (n, 2)
        Scene, among these, and frame.
    is_music : ndarray of bool, shape (n,)
    """
    starts, labels = [], []
    for scene, marks in enumerate(music):
        rng = np.random.default_rng([_SEED, first_scene + scene])
        for start in rng.integers(_FIRST_FRAME, marks.size - WINDOW_FRAMES + 1, _PER_SCENE):
            window = marks[start : start + WINDOW_FRAMES]
            audible = float((window == 1).mean())
            if audible >= _MUSIC_SHARE or not window.any():
                starts.append((scene, int(start)))
                labels.append(audible >= _MUSIC_SHARE)
    return np.array(starts, dtype=np.int64).reshape(-1, 2), np.array(labels, dtype=bool)


def fitted(values: Sequence[NDArray[np.float32]], labels: Iterable[NDArray[np.bool_]], seed: int) -> Any:
    """Return trees that were fitted to the statistics of windows; ``predict_proba`` judges others."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(
        max_iter=150, max_leaf_nodes=15, l2_regularization=1.0, max_features=0.3, random_state=seed
    )
    return trees.fit(np.concatenate(values), np.concatenate(list(labels)))
