"""A task: labelled sounds to train on, and others to test on."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nowplaying_core.errors import ConfigError

__all__ = ["Example", "Task"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One labelled sound.

    Attributes
    ----------
    path : Path
    label : str
    unit : str
        What is independent of the others in an interval: the recording, its source or its speaker.
    start_s : float, seconds
    end_s : float or None
        None for the file's end.
    """

    path: Path
    label: str
    unit: str
    start_s: float = 0.0
    end_s: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """Labelled sounds in two parts that share no recording.

    Attributes
    ----------
    name : str
    train, test : tuple of Example
        Of the test part only labels that the training part has.
    parted_by : str
        In words: what the two parts do not share.
    pooled : bool
        Whether one window is too short for an answer, so that a probe reads statistics over all windows of a sound.
    """

    name: str
    train: tuple[Example, ...]
    test: tuple[Example, ...]
    parted_by: str
    pooled: bool = False

    @classmethod
    def of(
        cls,
        name: str,
        train: Iterable[Example],
        test: Iterable[Example],
        *,
        parted_by: str,
        pooled: bool = False,
    ) -> "Task":
        """Build a task, leaving out of the test part what cannot be known from the training part.

        Raises
        ------
        ConfigError
            When a part has fewer than two labels or nothing at all, or both hold the same sound.
        """
        train = tuple(train)
        known = {example.label for example in train}
        test = tuple(example for example in test if example.label in known)
        if len(known) < 2 or not test:
            message = f"task {name}: expected training sounds of two labels and test sounds, found "
            raise ConfigError(message + f"{dict(Counter(one.label for one in train))} and {len(test)} test sounds")
        shared = {(one.path, one.start_s) for one in train} & {(one.path, one.start_s) for one in test}
        if shared:
            message = f"task {name}: {min(shared)[0]} is in both parts; part them by {parted_by}"
            raise ConfigError(message)
        return cls(name, train, test, parted_by, pooled)

    @property
    def labels(self) -> list[str]:
        """The labels in a fixed order."""
        return sorted({example.label for example in self.train})

    def digest(self) -> str:
        """Return 16 hex digits that change with what is asked: names, places, labels and parts."""
        lines = [
            f"{part}\t{one.path.name}\t{one.start_s:g}\t{one.end_s}\t{one.label}\t{one.unit}"
            for part, examples in (("train", self.train), ("test", self.test))
            for one in examples
        ]
        text = "\n".join([f"{self.name} {self.pooled}", *lines])
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]

    @property
    def chance(self) -> float:
        """Accuracy of always answering the test part's most common label."""
        counts = Counter(example.label for example in self.test)
        return max(counts.values()) / len(self.test)
