"""Equal detectors on other settings of the front end: python -m evaluation.experiments.front_end_detectors --help.

Scenes of ``train`` and clips of ``dev`` are composed once and kept as levels of mel bands, before anything adapts
(:mod:`detector.band_levels`). For every setting they become features; a network of the second stage's shape and a third
of its size, or boosted trees on statistics of windows, learn from the same draws of the same scenes, labels alone, and
judge the same clips. What is finished is kept, so that a study that was stopped goes on. With ``--beside MODEL`` each
is added to a detector's second stage, log-odds added: a setting that only shows it what it knows brings nothing.
"""

import argparse
import json
import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.band_levels import BandLevels
from detector.features import quantize
from detector.front_end import SHIPPED_FRONT_END, Adaptation, FrontEndSettings
from detector.network import WINDOW_FRAMES
from detector.second_stage import SECOND_STAGE_FILE, SecondStage
from detector.training.config import SceneConfig, TrainingConfig
from detector.training.pools import SoundPools
from detector.training.scenes import compose_scene
from evaluation.detector.clips import WINDOW_SAMPLES, clip_rng, clip_sounds
from evaluation.detector.onsets import onset_class
from evaluation.experiments.front_end_comparison import Clips, beside, compare, to_markdown
from evaluation.experiments.front_end_trees import drawn_windows, fitted, statistics
from evaluation.experiments.front_ends import SETTINGS
from nowplaying_core.artifacts import write_arrays, write_json
from nowplaying_core.audio import to_int16
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.command import run_command
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["features", "main"]

SCENES: Final = SceneConfig(
    level_low_dbfs=-65.0,
    level_high_dbfs=-3.0,
    synthetic_share=0.06,
    transformed_share=0.15,
    varied_share=0.5,
)
_SHARD: Final = 50
_CHECK_SHARDS: Final = 1
_SCENE_SEED: Final = 77
_CLIP_SEED: Final = 1  # that of ``evaluate detector``, so that the clips are the same
_SCORES: Final = "scores.npz"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compose, train and judge what is missing, then print the tables; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--rendered-midi", type=Path)
    parser.add_argument("--extra-data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder of levels and runs")
    parser.add_argument("--scenes", type=int, default=1_500)
    parser.add_argument("--clips", type=int, default=400, help="clips with music, and as many without")
    parser.add_argument("--steps", type=int, default=1_500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--only", action="append", choices=list(SETTINGS), help="a setting; all by default")
    parser.add_argument("--learner", choices=("network", "trees"), default="network")
    parser.add_argument("--beside", metavar="MODEL", help="a shipped detector with a second stage, or a model folder")
    options = parser.parse_args(arguments)
    sources = TrainingSources(
        corpus=options.corpus,
        cache_dir=options.cache_dir,
        rendered_midi=options.rendered_midi,
        extra_data=options.extra_data,
    )
    sources.require("music", "noise", "speech")
    _compose(sources, options)
    for name in options.only or SETTINGS:
        missing = [seed for seed in options.seeds if len(_scores(_run(options, name, seed))) < 2 * options.clips]
        if options.learner == "trees" and missing:
            _fit_trees(name, missing, options)
        for seed in missing if options.learner == "network" else ():
            # A process each: TensorFlow gives its memory back only when it ends.
            child = multiprocessing.get_context("spawn").Process(target=_train, args=(name, seed, options))
            child.start()
            child.join()
            if child.exitcode:
                return child.exitcode
    clips, scores = _results(options)
    if options.beside is not None:
        scores = beside(_second_stage_outputs(options), scores)
    sys.stdout.write(to_markdown(compare(clips, scores, np.random.default_rng(0))) + "\n")
    return 0


def features(levels: NDArray[np.uint32], settings: FrontEndSettings) -> NDArray[np.int8]:
    """Return the network's frames of many sounds of equal length.

    Parameters
    ----------
    levels : ndarray of uint32, shape (n_sounds, n_frames, 40)
    settings : FrontEndSettings
    """
    raw = Adaptation(settings).process(np.swapaxes(levels, 0, 1))
    return np.ascontiguousarray(np.swapaxes(quantize(raw, settings.full_scale), 0, 1))


def _second_stage_outputs(options: argparse.Namespace) -> NDArray[np.int64]:
    folder = ModelFolder.open(options.beside, role="detector")
    stage = SecondStage(TfliteModel(folder.file(SECOND_STAGE_FILE), reference_kernels=True), wanted_above=0)
    outputs = []
    for path, _ in _shards(options.out, "clips", 2 * options.clips):
        with np.load(path, allow_pickle=False) as archive:
            for frames in features(archive["levels"], SHIPPED_FRONT_END):
                stage.reset()
                outputs += [output for _, output in stage.process(frames, [(len(frames), 0)])]
    return np.array(outputs, dtype=np.int64)


def _compose(sources: TrainingSources, options: argparse.Namespace) -> None:
    (options.out / "levels").mkdir(parents=True, exist_ok=True)
    train: SoundPools | None = None
    for path, numbers in _shards(options.out, "scenes", options.scenes):
        if not path.is_file():
            train = train or SoundPools.from_sources(sources, "train", stretched_share=SCENES.stretched_share)
            levels, music = [], []
            for number in numbers:
                scene = compose_scene(train, SCENES, np.random.default_rng([_SCENE_SEED, number]))
                levels.append(BandLevels().process(to_int16(scene.samples)))
                music.append(scene.music[: len(levels[-1])])
            write_arrays(path, {"levels": np.stack(levels), "music": np.stack(music)})
    dev: SoundPools | None = None
    for path, numbers in _shards(options.out, "clips", 2 * options.clips):
        if not path.with_suffix(".json").is_file():
            dev = dev or SoundPools.from_sources(sources.corpus_only(), "dev")
            found = [_clip(dev, number) for number in numbers]
            write_arrays(path, {"levels": np.stack([levels for levels, _ in found])})
            write_json(path.with_suffix(".json"), [row for _, row in found])


def _shards(out: Path, kind: str, n: int) -> list[tuple[Path, range]]:
    parts = [range(start, min(start + _SHARD, n)) for start in range(0, n, _SHARD)]
    return [(out / "levels" / f"{kind}-{part.start:06d}-{part.stop:06d}.npz", part) for part in parts]


def _clip(pools: SoundPools, number: int) -> tuple[NDArray[np.uint32], dict[str, Any]]:
    one = clip_sounds(pools, clip_rng(_CLIP_SEED, number), is_music=number % 2 == 0)
    music = None if one.music is None else onset_class(one.music[-WINDOW_SAMPLES:])
    row = {
        "is_music": one.is_music,
        "kind": one.kind,
        "onset_class": music,
        "file": one.file.title or one.file.path.name,
    }
    return BandLevels().process(to_int16(one.sounds["full band"])), row


def _train(name: str, seed: int, options: argparse.Namespace) -> None:
    """Train on one setting's features, and write what the network says of the clips."""
    from detector.training.feature_set import FeatureSet
    from detector.training.model import normalised
    from detector.training.second_stage import SecondStageConfig, SecondStageNetwork, inference_model
    from detector.training.second_stage_fit import SECOND_STAGE_WEIGHTS_FILE, fit_second_stage

    settings, run = SETTINGS[name], _run(options, name, seed)
    config = SecondStageConfig(
        network=SecondStageNetwork(n_first_filters=8, width=0.5),
        scenes=SCENES,
        training=TrainingConfig(
            seed=seed,
            n_scenes=options.scenes,
            batch_segments=24,
            n_decisions=3,
            steps=options.steps,
            warmup_steps=min(200, options.steps - 1),
            label_smoothing=0.0,
            extreme_share=0.02,
            music_fraction=0.3,
            masked_share=0.5,
        ),
    )
    if not (run / SECOND_STAGE_WEIGHTS_FILE).is_file():
        shards = []
        for path, _ in _shards(options.out, "scenes", options.scenes):
            with np.load(path, allow_pickle=False) as archive:
                shards.append((features(archive["levels"], settings), archive["music"]))
        train, check = (
            FeatureSet(np.concatenate([one for one, _ in part]), np.concatenate([music for _, music in part]))
            for part in (shards[: max(1, len(shards) - _CHECK_SHARDS)], shards[-_CHECK_SHARDS:])
        )
        fit_second_stage(config, run, train, check, n_threads=1)
    with np.load(run / SECOND_STAGE_WEIGHTS_FILE, allow_pickle=False) as archive:
        model = inference_model(config.network, dict(archive))
    scores = []
    for path, _ in _shards(options.out, "clips", 2 * options.clips):
        with np.load(path, allow_pickle=False) as archive:
            windows = features(archive["levels"], settings)[:, -WINDOW_FRAMES:]
        scores.append(np.asarray(model(normalised(windows)[..., None], training=False))[:, 0])
    write_arrays(run / _SCORES, {"scores": np.concatenate(scores)})


def _fit_trees(name: str, seeds: Sequence[int], options: argparse.Namespace) -> None:
    """Fit trees to one setting's features, and write what they say of the clips."""
    values, labels = [], []
    for path, numbers in _shards(options.out, "scenes", options.scenes):
        with np.load(path, allow_pickle=False) as archive:
            starts, is_music = drawn_windows(archive["music"], numbers.start)
            frames = features(archive["levels"], SETTINGS[name])
        values.append(statistics(np.stack([frames[scene, first : first + WINDOW_FRAMES] for scene, first in starts])))
        labels.append(is_music)
    asked = []
    for path, _ in _shards(options.out, "clips", 2 * options.clips):
        with np.load(path, allow_pickle=False) as archive:
            asked.append(statistics(features(archive["levels"], SETTINGS[name])[:, -WINDOW_FRAMES:]))
    for seed in seeds:
        scores = fitted(values, labels, seed).predict_proba(np.concatenate(asked))[:, 1]
        run = _run(options, name, seed)
        run.mkdir(parents=True, exist_ok=True)
        write_arrays(run / _SCORES, {"scores": scores})


def _scores(run: Path) -> NDArray[np.float64]:
    """Return what a run said of the clips; nothing where it is not finished."""
    if not (run / _SCORES).is_file():
        return np.empty(0)
    with np.load(run / _SCORES, allow_pickle=False) as archive:
        return np.asarray(archive["scores"], dtype=np.float64)


def _run(options: argparse.Namespace, name: str, seed: int) -> Path:
    out: Path = options.out
    return out / str(options.learner) / f"{name.replace(' ', '-')}-{seed}"


def _results(options: argparse.Namespace) -> tuple[Clips, dict[str, NDArray[np.float64]]]:
    paths = [path.with_suffix(".json") for path, _ in _shards(options.out, "clips", 2 * options.clips)]
    rows = [row for path in paths for row in json.loads(path.read_text(encoding="utf-8"))]
    scores = {}
    for name in SETTINGS:
        of_seeds = [_scores(_run(options, name, seed))[: len(rows)] for seed in options.seeds]
        if all(values.size == len(rows) for values in of_seeds):
            scores[name] = np.stack(of_seeds)
    return Clips(rows), scores


if __name__ == "__main__":
    run_command(main)
