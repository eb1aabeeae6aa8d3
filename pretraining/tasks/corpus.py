"""Tasks that a corpus with labels holds: kinds of sound, sound events, digits, speakers, wake words."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from nowplaying_core.audio.corpus import GROUPS, SPLITS, CorpusFile, Group, read_corpus
from pretraining.tasks.segments import Utterance, has_utterances, read_utterances
from pretraining.tasks.task import Example, Task

__all__ = ["corpus_tasks", "digits", "music_speech_noise", "sound_events", "speakers", "wake_words"]

_DIGITS: Final = frozenset("0123456789")
_LEAST_FILES_A_LABEL: Final = 4
_SHARE_HELD_OUT: Final = 3  # every third speaker is held out for testing


def corpus_tasks(corpus: Path) -> dict[str, Callable[[], Task]]:
    """Return the tasks that a corpus may hold, by name; building one raises ConfigError where it does not."""
    tasks: dict[str, Callable[[], Task]] = {
        "music_speech_noise": lambda: music_speech_noise(corpus),
        "sound_events": lambda: sound_events(corpus),
    }
    if has_utterances(corpus):
        tasks |= {
            "digits": lambda: digits(read_utterances(corpus)),
            "speakers": lambda: speakers(read_utterances(corpus)),
            "wake_words": lambda: wake_words(read_utterances(corpus)),
        }
    return tasks


def music_speech_noise(corpus: Path) -> Task:
    """Return the task of telling the groups of a corpus apart; recordings of one source are one unit."""
    groups: tuple[Group, ...] = ("music", "speech", "noise")

    def part(split: str) -> list[Example]:
        files = [(group, file) for group in groups for file in read_corpus(corpus, group, split)]
        return [Example(path=file.path, label=group, unit=_origin(file)) for group, file in files]

    return Task.of("music_speech_noise", part("train"), part("dev"), parted_by="recording")


def sound_events(corpus: Path) -> Task:
    """Return the task of the labels in ``noise.tsv``, which ESC-10 gives; its clips of one recording stay together."""
    labelled = [file for file in read_corpus(corpus, "noise") if file.label]
    counts = Counter(file.label for file in labelled)

    def part(split: str) -> list[Example]:
        files = [file for file in labelled if file.split == split and counts[file.label] >= _LEAST_FILES_A_LABEL]
        return [Example(path=file.path, label=file.label, unit=_origin(file)) for file in files]

    return Task.of("sound_events", part("train"), part("dev"), parted_by="original recording")


def digits(utterances: Iterable[Utterance]) -> Task:
    """Return the task of spoken digits, tested on speakers without training labels.

    The test utterances are of the ``dev`` split as well, so that no pretraining has seen them either.
    """
    spoken = [one for one in utterances if one.label in _DIGITS and one.speaker]
    held_out = set(sorted({one.speaker for one in spoken if one.split == "dev"})[::_SHARE_HELD_OUT])
    train = [one for one in spoken if one.split == "train" and one.speaker not in held_out]
    test = [one for one in spoken if one.split == "dev" and one.speaker in held_out]
    return Task.of("digits", _by_word(train), _by_word(test), parted_by="speaker")


def speakers(utterances: Iterable[Utterance]) -> Task:
    """Return the task of recognizing known speakers in new recordings."""
    spoken = [one for one in utterances if one.speaker]
    parts = [[_example(one, one.speaker) for one in spoken if one.split == split] for split in ("train", "dev")]
    return Task.of("speakers", *parts, parted_by="recording")


def wake_words(utterances: Iterable[Utterance]) -> Task:
    """Return the task of words other than digits, in new recordings; their speakers are not known."""
    spoken = [one for one in utterances if one.label and not one.speaker]
    sources: dict[str, Counter[str]] = defaultdict(Counter)
    for one in spoken:
        sources[one.source][one.label] += 1
    # The source with most utterances: in another one a word may be a digit spelt out.
    source = max(sources, key=lambda name: sum(sources[name].values()), default="")
    usual = {label for label, count in sources[source].items() if count >= _LEAST_FILES_A_LABEL}
    chosen = [one for one in spoken if one.source == source and one.label in usual]
    parts = [_by_word([one for one in chosen if one.split == split]) for split in ("train", "dev")]
    return Task.of("wake_words", *parts, parted_by="recording")


def _by_word(utterances: list[Utterance]) -> list[Example]:
    return [_example(one, one.label) for one in utterances]


def _example(one: Utterance, label: str) -> Example:
    unit = f"{one.path.name} {one.start_s:g}"
    return Example(path=one.path, label=label, unit=unit, start_s=one.start_s, end_s=one.end_s)


def _origin(file: CorpusFile) -> str:
    """Return what a file is cut from, itself where no source is known.

    ESC names begin with a fold and the number of the original recording.
    """
    parts = file.path.stem.split("-")
    if "ESC" in file.source and len(parts) > 2:
        return f"{file.source} {parts[1]}"
    folder = file.path.parent
    if file.source == folder.name and folder.name in (*GROUPS, *SPLITS):
        # No table names a source, and a folder of all recordings is none.
        return "/".join(file.path.parts[-2 if folder.name in GROUPS else -3 :])
    return file.source
