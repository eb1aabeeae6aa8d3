"""Public collections as folders, in the layout that they are published in."""

import csv
import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from nowplaying_core.audio import find_audio
from nowplaying_core.errors import ConfigError
from pretraining.tasks.task import Example, Task

__all__ = ["COLLECTIONS"]

_TEST_SHARE: Final = 0.2


def esc50(folder: Path) -> Task:
    """Return ESC-50's sound events; its fifth fold is the test set (clips of one recording are in one fold)."""
    table = _found(folder / "meta" / "esc50.csv")
    with table.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    if not rows or not {"filename", "fold", "category", "src_file"} <= set(rows[0]):
        message = f"{table}: expected columns filename, fold, category and src_file; is this ESC-50?"
        raise ConfigError(message)
    parts: tuple[list[Example], list[Example]] = [], []
    for row in rows:
        example = Example(path=folder / "audio" / row["filename"], label=row["category"], unit=row["src_file"])
        parts[row["fold"] == "5"].append(example)
    return Task.of("esc50", *parts, parted_by="original recording")


def speech_commands(folder: Path) -> Task:
    """Return Speech Commands' words with its own list of tested files, whose speakers are in no other part."""
    tested = set(_found(folder / "testing_list.txt").read_text(encoding="utf-8").split())
    left_out = set(_found(folder / "validation_list.txt").read_text(encoding="utf-8").split())
    parts: tuple[list[Example], list[Example]] = [], []
    for path in _audio(folder):
        name = path.relative_to(folder).as_posix()
        if name in left_out or path.parent.name.startswith("_") or path.parent == folder:
            continue
        example = Example(path=path, label=path.parent.name, unit=path.name.partition("_nohash_")[0])
        parts[name in tested].append(example)
    return Task.of("speech_commands", *parts, parted_by="speaker")


def nsynth(folder: Path) -> Task:
    """Return NSynth's instrument families; no instrument is in two parts."""

    def part(name: str) -> list[Example]:
        files = _audio(_found(folder / f"nsynth-{name}"))
        return [Example(path=path, label=_family(path), unit=path.stem.rsplit("-", 2)[0]) for path in files]

    return Task.of("nsynth", part("train"), part("test"), parted_by="instrument")


def musan(folder: Path) -> Task:
    """Return MUSAN's music, speech and noise, parted by file, since it has no parts of its own."""
    files = [(kind, path) for kind in ("music", "speech", "noise") for path in _audio(_found(folder / kind))]
    return _drawn("musan", (Example(path=path, label=kind, unit=path.stem) for kind, path in files))


def librispeech(folder: Path) -> Task:
    """Return LibriSpeech's speakers (folders SPEAKER/CHAPTER); the last chapter of each is the test set."""
    parts: tuple[list[Example], list[Example]] = [], []
    for speaker in sorted(path for path in folder.iterdir() if path.is_dir()):
        chapters = sorted(path for path in speaker.iterdir() if path.is_dir())
        if len(chapters) < 2:
            continue
        for chapter in chapters:
            examples = [Example(path=path, label=speaker.name, unit=chapter.name) for path in _audio(chapter)]
            parts[chapter == chapters[-1]].extend(examples)
    return Task.of("librispeech", *parts, parted_by="chapter")


def gtzan(folder: Path) -> Task:
    """Return GTZAN's genres, parted by file; it is known to repeat recordings and artists, which this cannot see."""
    return _drawn("gtzan", (Example(path=path, label=path.parent.name, unit=path.stem) for path in _audio(folder)))


COLLECTIONS: Final[dict[str, Callable[[Path], Task]]] = {
    "esc50": esc50,
    "gtzan": gtzan,
    "librispeech": librispeech,
    "musan": musan,
    "nsynth": nsynth,
    "speech_commands": speech_commands,
}


def _family(path: Path) -> str:
    """Return the family in a name such as ``bass_synthetic_033-022-050``; families may hold a '_' themselves."""
    return path.stem.partition("-")[0].rsplit("_", 2)[0]


def _drawn(name: str, examples: Iterable[Example]) -> Task:
    """Part by a hash of the file's name: the same on every machine, whatever else is in the folder."""
    parts: tuple[list[Example], list[Example]] = [], []
    for example in examples:
        digest = hashlib.sha256(example.path.name.encode("utf-8", "surrogateescape")).digest()
        parts[digest[0] < 256 * _TEST_SHARE].append(example)
    return Task.of(name, *parts, parted_by="file")


def _audio(folder: Path) -> list[Path]:
    return find_audio([_found(folder)])


def _found(path: Path) -> Path:
    if not path.exists():
        message = f"{path}: expected it in this collection, found none; pass the folder as it is unpacked"
        raise ConfigError(message)
    return path
