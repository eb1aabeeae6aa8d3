"""The privacy audit: train attacks that rebuild sound from stored vectors, and measure what they recover."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from nowplaying_core.manifest import file_digests
from nowplaying_core.settings import check_given, init_run_dir
from nowplaying_core.statistics import bootstrap_means, middle_95
from pretraining.audit.attack import Attack, attack
from pretraining.audit.chroma import chroma, chroma_agreement, strongest_agreement
from pretraining.audit.config import AuditConfig
from pretraining.audit.dataset import AttackDataset, gather
from pretraining.audit.intelligibility import classify_vectors, intelligibility
from pretraining.diffusion.distance import fingerprints
from pretraining.probe.windows import Images, read_windows
from pretraining.tasks.corpus import digits, music_speech_noise, speakers
from pretraining.tasks.segments import Utterance, has_utterances, read_utterances
from pretraining.tasks.task import Example, Task

__all__ = ["Audit", "StoredForm", "privacy_audit"]

_log = logging.getLogger(__name__)

StoredForm = Callable[[NDArray[np.float32]], NDArray[np.float32]]
_BLOCK = 256
_DATASET_NAME = "dataset.npz"
_WORD_TASKS = {"digits": digits, "speakers": speakers}


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit leaves.

    Attributes
    ----------
    result : dict
        ``settings``, ``forms``, ``windows`` (errors and melody by kind of sound) and ``words`` (intelligibility).
    attacks : dict of str to Attack
        Trained decoders by stored form.
    """

    result: dict[str, Any]
    attacks: dict[str, Attack]


@dataclass(frozen=True, slots=True)
class _Means:
    """An attacker's: trained decoders, the forms they read, and the known windows."""

    config: AuditConfig
    front_end: FrontEndConfig
    model: Fingerprinter
    forms: Mapping[str, StoredForm]
    attacks: dict[str, Attack]
    dataset: AttackDataset

    def rebuilt(self, images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return images of the same windows by what they are made from."""
        vectors, rng = fingerprints(self.model, images), np.random.default_rng(5)
        made: dict[str, NDArray[np.float32]] = {}
        for name, attack_on in self.attacks.items():
            stored = self.forms[name](vectors)
            made[f"{name}, linear"] = attack_on.inversion.images(stored)
            made[f"{name}, mean"] = attack_on.first_images(stored)
            made[f"{name}, sampled"] = attack_on.sampled_images(stored, rng, n_steps=self.config.sampling_steps)
        nearest = np.concatenate(
            [
                np.argmax(vectors[at : at + _BLOCK] @ self.dataset.vectors.T, axis=1)
                for at in range(0, len(vectors), _BLOCK)
            ]
        )
        made["nearest known window"] = self.dataset.images[nearest].astype(np.float32)
        mean = self.dataset.images[: len(self.dataset.images) - self.dataset.n_words].mean(axis=0, dtype=np.float32)
        made["mean of known windows"] = np.broadcast_to(mean, images.shape).astype(np.float32)
        return made


def privacy_audit(
    config: AuditConfig,
    model: Fingerprinter,
    forms: Mapping[str, StoredForm],
    sources: TrainingSources,
    run_dir: Path,
) -> Audit:
    """Train a decoder for each stored form on the ``train`` split and measure it on the ``dev`` split.

    Parameters
    ----------
    config : AuditConfig
    model : Fingerprinter
        Which is audited.
    forms : mapping of str to callable
        By name, what a database keeps of unit vectors, (n, dim) to (n, dim): themselves, or what codes decode to.
    sources : TrainingSources
    run_dir : Path
        For the gathered windows and each decoder's run; stopped, the same call goes on.

    Raises
    ------
    ConfigError
        When the folder holds an audit of this model with other settings, or of other recordings, words or codes, or the
        corpus has no recordings to ask about that the attacker does not know.
    """
    folder = run_dir / model.embedding_space
    sources.require("music", splits=["train"])
    asked = music_speech_noise(sources.corpus).test  # what cannot be asked about is refused before decoders learn
    spoken = read_utterances(sources.corpus) if has_utterances(sources.corpus) else []
    tasks = _word_tasks(spoken)
    init_run_dir(config, folder)
    new = _new_speakers(tasks, spoken)
    unknown = {one.path for one in spoken if one.speaker in new}
    known = (one for task in tasks for one in task.train if one.path not in unknown)
    words = list({(one.path, one.start_s): one for one in known}.values())
    listed = {**dict.fromkeys(_WORD_TASKS), **{task.name: task.digest() for task in tasks}}
    given = {**sources.counts(), **file_digests(model.folder.manifest, "codebook"), **listed, "words": len(words)}
    check_given(folder, given, begun=(folder / _DATASET_NAME).is_file())
    front_end = FrontEndConfig(**model.folder.manifest["front_end"])
    dataset = gather(config, model, sources, words, folder / _DATASET_NAME, without=unknown)
    attacks = {}
    for name, form in forms.items():
        _log.info("learning to rebuild sound from %s", name)
        attacks[name] = attack(config, front_end, dataset, form(dataset.vectors), folder / name.replace(" ", "-"))
    means = _Means(config, front_end, model, forms, attacks, dataset)
    started = time.monotonic()
    result: dict[str, Any] = {
        "model": model.name,
        "embedding_space": model.embedding_space,
        "settings": config.to_dict(),
        "n_known_windows": len(dataset.images),
        "n_known_words": dataset.n_words,
        "windows": _windows(means, asked, sources.cache_dir),
        "words": [_words(means, task, sources.cache_dir) for task in tasks],
    }
    _log.info("measured in %.0f s", time.monotonic() - started)
    return Audit(result, attacks)


def _word_tasks(spoken: list[Utterance]) -> list[Task]:
    tasks = []
    for build in _WORD_TASKS.values():
        try:
            tasks.append(build(spoken))
        except ConfigError:  # the corpus has no labels of that kind
            continue
    return tasks


def _new_speakers(tasks: Sequence[Task], spoken: Sequence[Utterance]) -> set[str]:
    """Return the speakers of whom an attacker knows nothing: a task is tested on them, another has their words."""
    asked = {(one.path, one.start_s) for task in tasks if task.parted_by == "speaker" for one in task.test}
    return {one.speaker for one in spoken if (one.path, one.start_s) in asked}


def _windows(means: _Means, asked: Sequence[Example], cache_dir: Path) -> list[dict[str, Any]]:
    """Return errors, and for music the agreement of melodies, by kind of sound and by what an image is made from."""
    by_kind: dict[str, list[Example]] = {"music": [], "speech": []}
    for example in asked:
        if example.label in by_kind:
            by_kind[example.label].append(example)
    found = []
    for kind, examples in by_kind.items():
        if not examples:
            continue
        real = read_windows(examples, means.front_end, cache_dir=cache_dir, most_windows=means.config.most_windows)
        units = [str(examples[owner].path) for owner in real.owners]
        elsewhere = _elsewhere(real)
        for name, images in means.rebuilt(real.images).items():
            row: dict[str, Any] = {
                "sound": kind,
                "made_from": name,
                "n_windows": len(images),
                "n_recordings": len(examples),
            }
            row["error"] = _figure(np.mean((images - real.images) ** 2, axis=(1, 2, 3)), units)
            if kind == "music":
                original, rebuilt = chroma(real.images, means.front_end), chroma(images, means.front_end)
                for measure, agree in (("melody", chroma_agreement), ("strongest_pitch", strongest_agreement)):
                    row[measure] = _figure(agree(rebuilt, original), units)
                    if len(examples) > 1:
                        row[f"{measure}_by_chance"] = _figure(agree(rebuilt, original[elsewhere]), units)
            found.append(row)
    return found


def _elsewhere(real: Images) -> NDArray[np.int64]:
    """Return for each window one of another recording: half of all recordings further on."""
    n_owners = int(real.owners.max()) + 1
    first = np.searchsorted(real.owners, np.arange(n_owners))
    counts = np.bincount(real.owners)
    other = (real.owners + max(1, n_owners // 2)) % n_owners
    place = np.arange(len(real.owners)) - first[real.owners]
    return np.asarray(first[other] + place % counts[other], np.int64)


def _words(means: _Means, task: Task, cache_dir: Path) -> dict[str, Any]:
    """Return the accuracy on a task's words in rebuilt images, and on their stored vectors."""
    known, queries = (
        read_windows(part, means.front_end, cache_dir=cache_dir, most_windows=1).images
        for part in (task.train, task.test)
    )
    made = {"the sound itself": queries, **means.rebuilt(queries)}
    vectors, query_vectors = fingerprints(means.model, known), fingerprints(means.model, queries)
    return {
        "task": task.name,
        "n_labels": len(task.labels),
        "n_known": len(task.train),
        "n_asked": len(task.test),
        "chance": task.chance,
        "parted_by": task.parted_by,
        "rebuilt": intelligibility(task, means.config, means.front_end, known, made),
        "vectors": {
            name: classify_vectors(task, form(vectors), form(query_vectors)) for name, form in means.forms.items()
        },
    }


def _figure(values: NDArray[np.float64], units: list[str]) -> dict[str, float]:
    low, high = middle_95(bootstrap_means(values, units, np.random.default_rng(0)))
    return {"value": float(values.mean()), "low": low, "high": high}
