"""One writer at a time: an advisory lock beside the database that ends with its process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nowplaying.errors import DatabaseError

__all__ = ["writer_lock"]


@contextmanager
def writer_lock(database: Path) -> Iterator[None]:
    """Hold the writer's lock of a database.

    The kernel releases it when the process ends, however it ends, so that no stale lock is ever left to clean up.

    Parameters
    ----------
    database : Path
        The folder NAME.npdb, which need not exist yet.

    Raises
    ------
    DatabaseError
        When another process writes this database, or the folder above it cannot be written.
    """
    path = database.with_name(f".{database.name}.lock")
    descriptor = _open(path, database)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _open(path: Path, database: Path) -> int:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            message = f"{database}: cannot write beside it ({error}); check the folder and its permissions"
            raise DatabaseError(message) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The holder before may have removed the name between our open and our lock; then nobody else sees ours.
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError as error:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            message = f"{database}: another process (pid {holder}) is writing it; wait for it to end and try again"
            raise DatabaseError(message) from error
        os.close(descriptor)
