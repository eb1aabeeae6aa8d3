"""Tasks of rendered scores, whose labels are certain: instrument family, key, tempo."""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from fingerprinter.training.midi import Rendering, choose_scores, render, renderings_of
from nowplaying_core.audio.corpus import CorpusFile
from nowplaying_core.errors import ConfigError, needs_extra
from pretraining.tasks.task import Example, Task

__all__ = ["Facts", "MidiTasks", "is_test_score", "midi_facts"]

# General MIDI, eight programs each; percussion, ethnic instruments and effects are left out.
_FAMILIES: Final = (
    "piano",
    "chromatic percussion",
    "organ",
    "guitar",
    "bass",
    "strings",
    "ensemble",
    "brass",
    "reed",
    "pipe",
    "synth lead",
    "synth pad",
)
_TONICS: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_NATURALS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_TEMPO_EDGES_BPM: Final = np.geomspace(60.0, 160.0, 6)
_DEFAULT_BPM: Final = 120.0  # of a score that states no tempo
_STEADY: Final = 0.05  # tempi that differ by less are one
_FACTORS: Final = (0.7, 1.4)  # further changes of tempo no longer sound played
_TEST_EVERY: Final = 5
_START_S: Final = 5.0
_MOST_OFTEN: Final = 3  # one score for one label
_Change = Callable[[int, "Facts", np.random.Generator], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a score says of itself.

    Attributes
    ----------
    tonic : int or None
        Of its key signature's major key, 0 for C; None where there is no signature or more than one.
    tempo_bpm : float or None
        None where it changes by more than a twentieth.
    has_drums : bool
    """

    tonic: int | None
    tempo_bpm: float | None
    has_drums: bool


def midi_facts(score: Path) -> Facts | None:
    """Read a score's facts; None where it cannot be read."""
    with needs_extra("train", "tasks of MIDI files"):
        import mido
    try:
        messages = [message for track in mido.MidiFile(score, clip=True).tracks for message in track]
    except (OSError, EOFError, ValueError, KeyError, IndexError):
        return None
    keys = {message.key for message in messages if message.type == "key_signature"}
    tempi = [mido.tempo2bpm(message.tempo) for message in messages if message.type == "set_tempo"] or [_DEFAULT_BPM]
    steady = max(tempi) < (1 + _STEADY) * min(tempi)
    return Facts(
        tonic=_tonic(keys.pop()) if len(keys) == 1 else None,
        tempo_bpm=float(np.median(tempi)) if steady else None,
        has_drums=any(message.type == "note_on" and message.channel == 9 for message in messages),
    )


def _tonic(key: str) -> int:
    """Return the pitch class of a signature's major key: A minor has that of C."""
    altered = {"#": 1, "b": -1}.get(key[1:2], 0)
    return (_NATURALS[key[0]] + altered + (3 if key.endswith("m") else 0)) % 12


class MidiTasks:
    """Renders what tasks ask, once: excerpts drawn by the seed alone.

    Scores of the two parts are different ones; with several sound fonts the last renders the test part.

    Parameters
    ----------
    folder : Path
        Of MIDI files.
    soundfonts : sequence of Path
    cache_dir : Path
        Receives the renderings, half a megabyte each.
    per_label : int >= 2
        Renderings of each label, of which a fifth, at least one, is for testing.
    seed, jobs : int
    duration_s : float, seconds
        Of each excerpt.
    learned : sequence of CorpusFile
        Rendered music that the encoders learn from.

    Raises
    ------
    ConfigError
        Without sound fonts, or when music to learn from is rendered from scores of the test part.
    """

    def __init__(
        self,
        folder: Path,
        soundfonts: Sequence[Path],
        cache_dir: Path,
        *,
        per_label: int = 40,
        seed: int = 1,
        jobs: int = 1,
        duration_s: float = 8.0,
        learned: Sequence[CorpusFile] = (),
    ) -> None:
        if not soundfonts:
            message = "tasks of scores need a --soundfont, such as /usr/share/sounds/sf2/FluidR3_GM.sf2"
            raise ConfigError(message)
        self._soundfonts, self._output = soundfonts, cache_dir / "midi-tasks"
        self._per_label, self._seed, self._jobs, self._duration_s = per_label, seed, jobs, duration_s
        scores = choose_scores(folder, per_folder=10_000, seed=seed)
        if known := renderings_of(filter(is_test_score, scores), [file.path for file in learned]):
            message = (
                f"{known[0]}: expected no music of the scores that tasks are tested with, found {len(known)} of "
                f"{len(learned)} recordings; render it with --without-test"
            )
            raise ConfigError(message)
        self._facts = [(score, facts) for score in scores if (facts := midi_facts(score)) is not None]

    def instrument_family(self) -> Task:
        """Return the task of naming the family that all voices of a score without drums are played by."""

        def change(label: int, _facts: Facts, rng: np.random.Generator) -> dict[str, Any]:
            return {"programs": (8 * label + int(rng.integers(8)),) * 16}

        return self._task("instrument_family", _FAMILIES, lambda facts: not facts.has_drums, change)

    def key(self) -> Task:
        """Return the task of naming the key signature after a drawn transposition: twelve pitch classes."""

        def change(label: int, facts: Facts, _rng: np.random.Generator) -> dict[str, Any]:
            semitones = (label - (facts.tonic or 0)) % 12
            return {"transpose_semitones": semitones - 12 if semitones > 6 else semitones}

        return self._task("key", _TONICS, _has_one_key, change, pooled=True)

    def tempo(self) -> Task:
        """Return the task of naming the tempo among five ranges from 60 to 160 beats a minute."""
        edges = _TEMPO_EDGES_BPM
        names = [f"{low:.0f}-{high:.0f} bpm" for low, high in itertools.pairwise(edges)]

        def change(label: int, facts: Facts, rng: np.random.Generator) -> dict[str, Any]:
            wanted_bpm = float(np.exp(rng.uniform(np.log(edges[label]), np.log(edges[label + 1]))))
            factor = wanted_bpm / (facts.tempo_bpm or _DEFAULT_BPM)
            return {"tempo_factor": factor} if _FACTORS[0] <= factor <= _FACTORS[1] else {}

        return self._task("tempo", names, lambda facts: facts.tempo_bpm is not None, change, pooled=True)

    def builders(self) -> dict[str, Callable[[], Task]]:
        """Return the tasks by name."""
        return {"instrument_family": self.instrument_family, "key": self.key, "tempo": self.tempo}

    def _task(
        self,
        name: str,
        labels: Sequence[str],
        fits: Callable[[Facts], bool],
        change: _Change,
        *,
        pooled: bool = False,
    ) -> Task:
        """Render a task's examples; a change that comes back empty means another score."""
        fitting = [(score, facts) for score, facts in self._facts if fits(facts)]
        folder = self._output / name
        folder.mkdir(parents=True, exist_ok=True)
        parts: tuple[list[Example], list[Example]] = [], []
        jobs: list[tuple[Path, Path, Rendering]] = []
        for label, score, changes in self._drawn(fitting, len(labels), change):
            is_test = is_test_score(score)
            how = self._rendering(changes, is_test=is_test)
            # Named by what is in it: other scores, seeds or fonts are other files.
            path = folder / f"{score.stem}-{hashlib.sha256(repr((score, how)).encode()).hexdigest()[:16]}.wav"
            parts[is_test].append(Example(path=path, label=labels[label], unit=score.stem))
            if not path.exists():
                jobs.append((score, path, how))
        with ThreadPoolExecutor(self._jobs) as pool:
            list(pool.map(lambda job: render(*job), jobs))
        return Task.of(name, *parts, parted_by="score", pooled=pooled)

    def _drawn(
        self, fitting: Sequence[tuple[Path, Facts]], n_labels: int, change: _Change
    ) -> Iterator[tuple[int, Path, dict[str, Any]]]:
        """Draw each label's renderings, a fifth of them of test scores; few scores come again."""
        rng = np.random.default_rng([self._seed, n_labels])
        n_test = max(1, self._per_label // _TEST_EVERY)
        for is_test, quota in ((False, self._per_label - n_test), (True, n_test)):
            part = [pair for pair in fitting if is_test_score(pair[0]) == is_test]
            for label in range(n_labels):
                drawn = np.tile(rng.permutation(len(part)), _MOST_OFTEN)
                changed = ((part[index][0], change(label, part[index][1], rng)) for index in drawn)
                suited = ((label, score, changes) for score, changes in changed if changes)
                yield from itertools.islice(suited, quota)

    def _rendering(self, changes: dict[str, Any], *, is_test: bool) -> Rendering:
        still = {"transpose_semitones": 0, "tempo_factor": 1.0, "programs": (-1,) * 16}
        fixed = {"soundfont": self._soundfonts[-1 if is_test else 0], "start_s": _START_S}
        return Rendering(**{**still, **changes, **fixed, "duration_s": self._duration_s})


def _has_one_key(facts: Facts) -> bool:
    return facts.tonic is not None and not facts.has_drums


def is_test_score(score: Path) -> bool:
    """Return whether tasks test with a score: by a hash of its name, so that it is in the same part of each."""
    return hashlib.sha256(score.name.encode("utf-8", "surrogateescape")).digest()[0] % _TEST_EVERY == 0
