"""The training set: features of composed streams, kept on disk."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.features import features_of
from detector.training.config import DetectorConfig, SceneConfig
from detector.training.pools import SoundPools
from detector.training.scenes import compose_scene
from detector.training.soft_targets import scene_logits
from detector.training.teacher import Teacher
from nowplaying_core.artifacts import canonical_json, write_arrays, write_json
from nowplaying_core.audio import to_int16
from nowplaying_core.processes import as_given, share_out

__all__ = ["FeatureSet", "build_features"]

_SHARD = 50
_FORMAT = 5
_POOLS = ("music", "noise", "speech", "rooms", "rendered_midi")


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """Features of many scenes of equal length.

    Attributes
    ----------
    frames : ndarray of int8, shape (n_scenes, n_frames, 40)
    music : ndarray of uint8, shape (n_scenes, n_frames)
        0 no music, 1 audible music, 2 inaudible music.
    teacher : ndarray of float16, shape (n_scenes, n_frames), or None
        A teacher's logits of music; see :func:`detector.training.soft_targets.scene_logits`.
    """

    frames: NDArray[np.int8]
    music: NDArray[np.uint8]
    teacher: NDArray[np.float16] | None = None

    def chosen(self, scenes: NDArray[np.bool_]) -> "FeatureSet":
        """Return the set of some scenes alone."""
        teacher = None if self.teacher is None else self.teacher[scenes]
        return FeatureSet(self.frames[scenes], self.music[scenes], teacher)


def build_features(
    pools: Sequence[SoundPools],
    config: SceneConfig,
    *,
    n_scenes: int,
    seed: int,
    folder: Path,
    jobs: int = 1,
    teacher: Teacher | None = None,
) -> FeatureSet:
    """Compose scenes and return their features; finished shards of an earlier run are read instead of made again.

    Parameters
    ----------
    pools : sequence of SoundPools
        Scene i draws from pool number i modulo the number of pools.
    config : SceneConfig
    n_scenes : int
    seed : int
        Scene i is drawn from ``default_rng([seed, i])`` for any number of processes.
    folder : Path
        Made when missing; what was made of other settings or recordings is deleted, embeddings of scenes included.
    jobs : int
        Number of processes.
    teacher : Teacher or None
        Judges the parts of every scene.
    """
    folder.mkdir(parents=True, exist_ok=True)
    identity = {"format": _FORMAT, "seed": seed, "scenes": DetectorConfig(scenes=config).to_dict()["scenes"]}
    identity["pools"] = [_summary(pool) for pool in pools]
    identity["recordings"] = _names_digest(pools)
    if teacher is not None:
        identity["teacher"] = teacher.name
    record = folder / "scenes.json"
    if record.is_file():
        # One from before recordings were in it tells their numbers alone.
        known = {"recordings": identity["recordings"], **json.loads(record.read_text(encoding="utf-8"))}
        for old in () if known == identity else (*folder.glob("shard-*.npz"), *folder.glob("encoder-*.npy")):
            old.unlink()
    write_json(record, identity)
    shards_at = [(start, min(start + _SHARD, n_scenes)) for start in range(0, n_scenes, _SHARD)]
    paths = share_out(_build_shard, shards_at, as_given, pools, config, seed, folder, teacher, jobs=jobs)
    shards = [np.load(path, allow_pickle=False) for path in paths]
    arrays = {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0].files}
    return FeatureSet(**arrays)


def _names_digest(pools: Sequence[SoundPools]) -> str:
    """Return 16 hex digits that change with the recordings, wherever their folders are."""
    groups = [getattr(pool, name) for pool in pools for name in _POOLS]
    extra = [pool.extra_data[group] for pool in pools for group in sorted(pool.extra_data)]
    names = [["/".join(file.path.parts[-2:]) for file in files] for files in (*groups, *extra)]
    return hashlib.sha256(canonical_json(names).encode()).hexdigest()[:16]


def _summary(pools: SoundPools) -> dict[str, float]:
    counts = {name: len(getattr(pools, name)) for name in _POOLS}
    extra = {f"extra {group}": len(files) for group, files in pools.extra_data.items()}
    return {"stretched_share": pools.stretched_share, **counts, **extra}


def _build_shard(
    state: tuple[Sequence[SoundPools], SceneConfig, int, Path, Teacher | None], scenes: tuple[int, int]
) -> Path:
    (pools, config, seed, folder, teacher), (start, stop) = state, scenes
    path = folder / f"shard-{start:06d}-{stop:06d}.npz"
    if path.is_file():
        return path
    names = ("frames", "music") if teacher is None else ("frames", "music", "teacher")
    rows: dict[str, list[NDArray[np.generic]]] = {name: [] for name in names}
    for index in range(start, stop):
        rng = np.random.default_rng([seed, index])
        scene = compose_scene(pools[index % len(pools)], config, rng)
        features = features_of(to_int16(scene.samples))
        rows["frames"].append(features)
        rows["music"].append(scene.music[: len(features)])
        if teacher is not None:
            rows["teacher"].append(scene_logits(scene, teacher)[: len(features)])
    write_arrays(path, {name: np.stack(values) for name, values in rows.items()})
    return path
