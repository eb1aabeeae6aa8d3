"""The end of a command that is run as ``python -m``: a user's mistake gives one line and no traceback."""

import sys
from collections.abc import Callable

from nowplaying_core.errors import EXIT_INTERRUPTED, NowPlayingError

__all__ = ["run_command"]


def run_command(main: Callable[[], object]) -> None:
    """Run a command and end the process with its exit code.

    Parameters
    ----------
    main : callable
        The command. An ``int`` that it returns is the exit code; anything else is a result, and the code is 0.

    Raises
    ------
    SystemExit
        Always; with the error's own code after a :class:`nowplaying_core.errors.NowPlayingError`, whose message goes
        to stderr, and 130 after Ctrl-C.
    """
    try:
        result = main()
    except NowPlayingError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(result if isinstance(result, int) else 0)
