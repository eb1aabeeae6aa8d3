"""Streams to choose a gate on: of ``train`` sources that a detector has not learned from, and of ``dev``."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from detector.gate import GateConfig
from detector.stream import MODEL_FILE
from detector.training.folds import HeldOut, is_collection
from detector.training.pools import SoundPools
from evaluation.detector.evaluate import STREAM_S, StreamSettings, run_streams
from evaluation.detector.graphs import DetectorGraphs
from evaluation.detector.sweep import SILENCE_DBFS
from evaluation.detector.tracks import StreamTrack
from nowplaying_core.artifacts import canonical_json, sha256_file
from nowplaying_core.audio.cache import file_identity
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError, ManifestMismatchError
from nowplaying_core.manifest import ModelFolder

__all__ = ["Detectors", "GateStreams", "held_out_of", "run_gate_streams"]

_GROUPS: Final = ("music", "noise", "speech")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Detectors:
    """A detector, and what runs on the sources that it learned nothing from.

    Attributes
    ----------
    model : ModelFolder
        The detector whose gate is chosen.
    first_stage : ModelFolder
        Whose first stage runs on the held-out sources: the model itself, or one that was trained without them where
        the model's own was not.
    """

    model: ModelFolder
    first_stage: ModelFolder


@dataclass(frozen=True, kw_only=True, slots=True)
class GateStreams:
    """The detector's outputs over both kinds of streams.

    Attributes
    ----------
    train, dev : list of StreamTrack
        Of held-out sources of ``train``, and of ``dev``. Where the detector has two stages, the second was run from the
        smallest ``wanted_above`` on, and ``first_outputs`` are those of the first.
    held_out : HeldOut
    is_recorded : bool
        Whether the manifests record what was held out; else the caller states it.
    """

    train: list[StreamTrack]
    dev: list[StreamTrack]
    held_out: HeldOut
    is_recorded: bool


def held_out_of(detectors: Detectors, stated: HeldOut | None) -> tuple[HeldOut, bool]:
    """Return what no stage has learned from, and whether the manifests of all stages record it.

    Parameters
    ----------
    detectors : Detectors
    stated : HeldOut or None
        What the caller says of a training that was not recorded.

    Raises
    ------
    ConfigError
        When neither a manifest nor the caller says it, or they disagree.
    """
    first, second = detectors.first_stage.manifest, detectors.model.manifest.get("cascade")
    recorded = {f"{detectors.first_stage.path}: its first stage": _recorded(first["training"]["config"]["training"])}
    if second is not None:
        recorded[f"{detectors.model.path}: its second stage"] = _recorded(second["training"]["training"])
    for stage, found in recorded.items():
        if found is None and stated is None:
            message = (
                f"{stage} does not record which sources of train it left out; train it with held_out_fold, or state "
                "what its training left out with --held-out-fold and --held-out-of"
            )
            raise ConfigError(message)
    known = stated or next(found for found in recorded.values() if found is not None)
    for stage, found in recorded.items():
        if found not in (None, known):
            message = (
                f"{stage} left out {found}, expected {known}; use stages that left out the same, or state what is so"
            )
            raise ConfigError(message)
    return known, all(found is not None for found in recorded.values())


def run_gate_streams(
    detectors: Detectors,
    sources: TrainingSources,
    *,
    n_train: int,
    n_dev: int,
    wanted_above: Sequence[int] = (),
    stated: HeldOut | None = None,
    stream_s: float = STREAM_S,
    seed: int = 1,
    jobs: int = 1,
) -> GateStreams:
    """Compose both kinds of streams and run the detector on them; called again after an interruption, go on.

    Parameters
    ----------
    detectors : Detectors
    sources : TrainingSources
        Its corpus is the one that was trained on; finished tracks are kept in its ``cache_dir``.
    n_train, n_dev : int
        Number of streams of each kind.
    wanted_above : sequence of int in [0, 256]
        The first stage's smallest outputs, in 256ths, that are to be compared; unused where there is one stage.
    stated : HeldOut or None
        As :func:`held_out_of` takes it.
    stream_s : float, seconds
    seed : int
    jobs : int >= 1

    Raises
    ------
    ConfigError
        When it is not known what was held out, when the first stage has learned from it, or when a recording is in both
        splits.
    """
    held_out, is_recorded = held_out_of(detectors, stated)
    train, dev = (SoundPools.from_sources(sources.corpus_only(), split) for split in ("train", "dev"))
    pools = held_out.stream_pools(train)
    _refuse_learned(detectors.first_stage, train, held_out)
    _refuse_shared(train, dev)
    second = DetectorGraphs.of(detectors.model)
    if second.second is not None:
        second = replace(second, wanted_above=min(wanted_above, default=second.wanted_above))
    tracks = {}
    for name, part, first, n_streams in (
        (f"{held_out} of train", pools, detectors.first_stage, n_train),
        ("dev", dev, detectors.model, n_dev),
    ):
        graphs = replace(second, first=first.file(MODEL_FILE))
        folder = sources.cache_dir / "gate-streams" / _digest(part, graphs, seed, stream_s)
        settings = StreamSettings(
            gate=GateConfig(silence_dbfs=SILENCE_DBFS), seed=seed, stream_s=stream_s, folder=folder
        )
        _log.info("streams of %s", name)
        tracks[name] = run_streams([(part, graphs)], n_streams, settings, jobs=jobs)
    of_train, of_dev = tracks.values()
    return GateStreams(train=of_train, dev=of_dev, held_out=held_out, is_recorded=is_recorded)


def _recorded(settings: Mapping[str, Any]) -> HeldOut | None:
    """Return what a stage's settings of training say; manifests of before there was such a setting say nothing."""
    fold = settings.get("held_out_fold")
    return None if fold is None else HeldOut(fold=fold, n_folds=settings["held_out_of"])


def _refuse_learned(first_stage: ModelFolder, train: SoundPools, held_out: HeldOut) -> None:
    """Compare whole sources: those of a collection, such as ESC-10, stand on both sides by original recording."""
    described = first_stage.manifest["training"].get("data")
    if described is None:
        message = (
            f"{first_stage.path}: expected the sources of its training in the manifest, found none; publish it with "
            "the corpus that it was trained on"
        )
        raise ManifestMismatchError(message)
    learned = {
        f"{name}: {source}"
        for name in _GROUPS
        for source in {file.source for file in held_out.left_out(getattr(train, name))}
        if not is_collection(source, getattr(train, name), held_out.n_folds)
        and source in described.get(name, {}).get("sources", ())
    }
    if learned:
        message = (
            f"{first_stage.path}: its first stage has learned from {len(learned)} sources of {held_out}, such as "
            f"{min(learned)}; give a model folder whose first stage was trained without them with --first-stage"
        )
        raise ConfigError(message)


def _refuse_shared(train: SoundPools, dev: SoundPools) -> None:
    for name in _GROUPS:
        both = {file.path for file in getattr(train, name)} & {file.path for file in getattr(dev, name)}
        if both:
            message = (
                f"{min(both)}: expected {name} of train or of dev, found it in both splits, as {len(both)} recordings "
                "are; enter a split for each in the corpus's table"
            )
            raise ConfigError(message)


def _digest(pools: SoundPools, graphs: DetectorGraphs, seed: int, stream_s: float) -> str:
    """Return a name for the tracks of these recordings, graphs and settings."""
    identity = {
        "files": [file_identity(file.path) for name in (*_GROUPS, "rooms") for file in getattr(pools, name)],
        "first": sha256_file(graphs.first),
        "second": None if graphs.second is None else [sha256_file(graphs.second), graphs.wanted_above],
        "seed": seed,
        "stream_s": stream_s,
    }
    return hashlib.sha256(canonical_json(identity).encode()).hexdigest()[:16]
