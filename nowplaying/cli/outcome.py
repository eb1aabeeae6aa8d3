"""The exit code of a command over several files."""

from pathlib import Path

from nowplaying.cli.output import fail
from nowplaying_core.errors import EXIT_BAD_INPUT, EXIT_FOUND, EXIT_NOTHING_RECOGNIZED, NowPlayingError, disk_advice

__all__ = ["Outcome", "disk_error"]


class Outcome:
    """Collects what happened to each file: failures are reported and counted, and the other files go on.

    The exit code is the highest of 5, 4, 3 and 2 that occurred, else 0 if anything was found, else 1.
    """

    def __init__(self) -> None:
        self._codes: set[int] = set()
        self._found = False

    def found(self) -> None:
        """Note that a file gave a result."""
        self._found = True

    def failed(self, error: NowPlayingError | str) -> None:
        """Tell a failure and note its exit code; a bare reason counts as bad input."""
        fail(error)
        self._codes.add(error.exit_code if isinstance(error, NowPlayingError) else EXIT_BAD_INPUT)

    @property
    def exit_code(self) -> int:
        """The code to end with."""
        worst = max(self._codes, default=0)
        if worst:
            return worst
        return EXIT_FOUND if self._found else EXIT_NOTHING_RECOGNIZED

    @property
    def failure_code(self) -> int:
        """The code to end with where finding nothing is a result too."""
        return max(self._codes, default=EXIT_FOUND)


def disk_error(error: OSError) -> str:
    """Return what to tell about an error of the operating system."""
    where = f"{Path(str(error.filename))}: " if error.filename is not None else ""
    known = disk_advice(error)
    tail = "" if known == "run the command again" else f"; {known}"
    return f"{where}{error.strerror or error}{tail}"
