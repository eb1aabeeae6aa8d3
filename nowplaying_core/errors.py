"""The error tree: one root, and under it one class for each exit code that a script may depend on.

A message says what was expected, what was found, where, and what to do about it. The command line prints the message
without a traceback and ends with ``exit_code``.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = [
    "ArtifactError",
    "AudioFormatError",
    "ConfigError",
    "CorruptArtifactError",
    "DatabaseError",
    "ManifestMismatchError",
    "MissingExtraError",
    "MissingPathError",
    "NowPlayingError",
    "ParityError",
    "UnsupportedVersionError",
    "disk_advice",
    "needs_extra",
    "unreadable",
]

DISTRIBUTION = "nowplaying-ondevice"
"""Name under which pip knows this project; on the public index the plain name is another project's."""

EXIT_FOUND = 0
EXIT_NOTHING_RECOGNIZED = 1
EXIT_USAGE = 2
EXIT_BAD_INPUT = 3
EXIT_ARTIFACT = 4
EXIT_MISSING_EXTRA = 5
EXIT_INTERRUPTED = 130


class NowPlayingError(Exception):
    """Root of all errors that a user can cause and mend."""

    exit_code = EXIT_BAD_INPUT


class ConfigError(NowPlayingError, ValueError):
    """A setting or an argument is out of its range or unknown."""

    exit_code = EXIT_USAGE


class AudioFormatError(NowPlayingError, ValueError):
    """A file or stream cannot be read as audio; the message names it and the reason."""


class DatabaseError(NowPlayingError):
    """A song database is missing, locked, full or cannot be written."""


class ArtifactError(NowPlayingError):
    """A model or database is not what its manifest says."""

    exit_code = EXIT_ARTIFACT


class ManifestMismatchError(ArtifactError):
    """Two artifacts do not belong together, such as a database and another encoder."""


class CorruptArtifactError(ArtifactError):
    """Bytes differ from the recorded hash or size, or a structure breaks its own bounds."""


class ParityError(ArtifactError):
    """A graph does not compute what was evaluated."""


class UnsupportedVersionError(ArtifactError):
    """The artifact was written under a schema that this release does not read."""


class MissingPathError(ConfigError, ArtifactError):
    """A file or folder that was named is not there or may not be read, be it settings, a model, a run or a corpus."""

    exit_code = EXIT_BAD_INPUT


def unreadable(message: str, cause: BaseException) -> ConfigError:
    """Return the error about a file of settings that cannot be read, which says why."""
    reason = (cause.strerror if isinstance(cause, OSError) else None) or str(cause)
    other = cause.filename if isinstance(cause, OSError) else None
    if other is not None and str(other) not in message:
        reason = f"{other}: {reason}"
    kind = MissingPathError if isinstance(cause, FileNotFoundError) else ConfigError
    return kind(f"{message} ({reason})")


class MissingExtraError(NowPlayingError, ImportError):
    """An optional dependency is not installed; the message says which ``pip install`` line brings it."""

    exit_code = EXIT_MISSING_EXTRA

    def __init__(self, extra: str, needed_for: str, cause: BaseException | None = None) -> None:
        reason = f" ({cause})" if cause else ""
        line = f"pip install '{DISTRIBUTION}[{extra}]', or in a checkout pip install -e '.[{extra}]'"
        super().__init__(f"{needed_for} needs the '{extra}' extra{reason}: {line}")
        self.extra = extra


_ADVICE = {
    "ENOSPC": "free some space and run the command again",
    "EDQUOT": "your disk quota is used up; free some space and run the command again",
    "EFBIG": "the file may not grow any larger here; raise the limit and run the command again",
    "EACCES": "check the permissions",
    "EPERM": "check the permissions",
    "EROFS": "write to another place",
}


def disk_advice(error: BaseException) -> str:
    """Return what to do about an error of the operating system; the command may be given again afterwards."""
    number = error.errno if isinstance(error, OSError) else None
    return _ADVICE.get(errno.errorcode.get(number or 0, ""), "run the command again")


@contextmanager
def needs_extra(extra: str, purpose: str) -> Iterator[None]:
    """Import optional packages: where one is missing, MissingExtraError names the extra and what it is needed for."""
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(extra, purpose, error) from error
