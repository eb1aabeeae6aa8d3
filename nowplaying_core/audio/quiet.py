"""Keep what libraries write to the process's stderr out of it; ``-vv`` shows it."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from nowplaying_core.stderr import native_stderr_to

__all__ = ["QuietStderr"]

_log = logging.getLogger(__name__)
_MOST_BYTES = 4_000


class QuietStderr:
    """Catches what is written to file descriptor 2 within its blocks, as libmpg123 does, and logs it for debugging."""

    def __init__(self) -> None:
        self._caught = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the decoder)

    @contextmanager
    def block(self) -> Iterator[None]:
        """Catch what is written within the block; once closed, nothing is caught."""
        if self._caught.closed:  # an abandoned decoder may be freed after its file
            yield
            return
        with native_stderr_to(self._caught.fileno()):
            yield

    def close(self) -> None:
        """Log what was caught."""
        if self._caught.closed:
            return
        text = os.pread(self._caught.fileno(), _MOST_BYTES, 0).decode("utf-8", "replace").strip()
        if text:
            _log.debug("decoder: %s", text)
        self._caught.close()
