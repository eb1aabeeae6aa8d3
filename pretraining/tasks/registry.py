"""Tasks by name, from a corpus and from public collections."""

import logging
from collections.abc import Sequence
from pathlib import Path

from nowplaying_core.errors import ConfigError, MissingPathError
from pretraining.tasks.corpus import corpus_tasks
from pretraining.tasks.midi import MidiTasks
from pretraining.tasks.public import COLLECTIONS
from pretraining.tasks.task import Task

__all__ = ["open_tasks"]

_log = logging.getLogger(__name__)


def open_tasks(
    *,
    corpus: Path | None,
    public: Sequence[str],
    names: Sequence[str],
    rendered: MidiTasks | None = None,
) -> list[Task]:
    """Return the tasks to ask.

    Parameters
    ----------
    corpus : Path or None
        Of which those tasks are taken that it has labels for; the others are reported.
    public : sequence of str
        ``NAME=FOLDER``, the name one of ``COLLECTIONS``; a collection that is asked for must be there.
    names : sequence of str
        Only these; empty for all.
    rendered : MidiTasks, optional
        Tasks of rendered scores.

    Raises
    ------
    ConfigError
        When a name or a folder is unknown, a collection is given twice or not asked for, or nothing is left.
    """
    builders = dict(corpus_tasks(corpus)) if corpus is not None else {}
    of_midi = rendered.builders() if rendered is not None else {}
    builders |= of_midi
    demanded, given = set(names), set()
    for item in public:
        name, _, folder = item.partition("=")
        if name not in COLLECTIONS or not folder:
            message = f"--public: expected NAME=FOLDER with a name of {', '.join(COLLECTIONS)}, found {item!r}"
            raise ConfigError(message)
        if name in given:
            message = f"--public: expected one folder of {name}, found more"
            raise ConfigError(message)
        given.add(name)
        builders[name] = lambda name=name, folder=folder: COLLECTIONS[name](Path(folder))  # type: ignore[misc]
        demanded.add(name)
    unknown = sorted(set(names) - set(builders))
    if unknown:
        message = (
            f"--task: expected some of {', '.join(builders) or 'a corpus or --public'}, found {', '.join(unknown)}"
        )
        raise ConfigError(message)
    idle = [f"--public {name}" for name in sorted(given - set(names))]
    if of_midi and not set(of_midi) & set(names):
        idle.append("--midi")
    if names and idle:
        message = f"{', '.join(idle)}: no --task asks for it, found {', '.join(names)}; ask for it too, or leave it out"
        raise ConfigError(message)
    tasks = []
    for name, build in builders.items():
        if names and name not in names:
            continue
        try:
            tasks.append(build())
        except MissingPathError:  # a path that was named is meant
            raise
        except ConfigError as error:
            if name in demanded:
                raise
            _log.info("left out: %s", error)
    if not tasks:
        message = "expected a --corpus with labels or a --public collection, found no task"
        raise ConfigError(message)
    return tasks
