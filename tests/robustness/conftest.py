"""The command line for cases that cross rooms."""

from tests.nowplaying.cli.conftest import database, executable, run

__all__ = ["database", "executable", "run"]
