"""Send what native libraries write to file descriptor 2 elsewhere, from any number of threads."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["native_stderr_to"]

_STDERR = 2


@contextmanager
def native_stderr_to(descriptor: int) -> Iterator[None]:
    """Let file descriptor 2 be another one within a block; afterwards it is what it was.

    Blocks of several threads may overlap: what is written meanwhile goes where the first of them sends it. A process
    whose stderr is closed keeps it closed.

    Parameters
    ----------
    descriptor : int
        Of a file open for writing, which may be closed while another block goes on.
    """
    _stderr.begin(descriptor)
    try:
        yield
    finally:
        _stderr.end()


class _Stderr:
    """The one descriptor of the process: the first block moves it away, the last that ends puts it back."""

    def __init__(self) -> None:
        self._turn = threading.RLock()  # garbage collection may close a decoder, a block of its own, within these lines
        self._n_open = 0
        self._kept: int | None = None

    def begin(self, descriptor: int) -> None:
        with self._turn:
            self._n_open += 1  # before anything is moved, so that a block within these lines leaves it alone
            if self._n_open > 1:
                return
            try:
                self._kept = os.dup(_STDERR)
            except OSError:  # closed: nothing can appear there
                return
            os.dup2(descriptor, _STDERR)

    def end(self) -> None:
        with self._turn:
            if self._n_open == 1 and self._kept is not None:
                os.dup2(self._kept, _STDERR)
                os.close(self._kept)
                self._kept = None
            self._n_open -= 1  # after all is back, for the same reason


_stderr = _Stderr()
