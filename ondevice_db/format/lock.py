"""One writer at a time: an advisory lock beside the database that ends with its process."""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nowplaying_core.errors import DatabaseError

__all__ = ["real_folder", "writer_lock"]

_MAX_HOLDER_BYTES = 300


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
    # Beside the folder under its real name, whatever links lead there.
    real = real_folder(database)
    path = real.with_name(f".{real.name}.lock")
    descriptor = _open(path, database)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, _myself().encode("utf-8", "replace")[:_MAX_HOLDER_BYTES])
        with _folder_lock(real, database):
            yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def real_folder(database: Path) -> Path:
    """Return the folder that a database's path leads to, which need not exist.

    Raises
    ------
    DatabaseError
        When it is no folder's name.
    """
    try:
        real = Path(database).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        message = f"{database}: this path leads nowhere ({error}); check its links"
        raise DatabaseError(message) from error
    if not real.name:
        message = f"{database}: expected a folder NAME.npdb, found the root of the file system"
        raise DatabaseError(message)
    return real


@contextmanager
def _folder_lock(real: Path, database: Path) -> Iterator[None]:
    """Hold the lock of the folder itself, where it exists: a bind mount gives it a second real name."""
    try:
        descriptor = os.open(real, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield  # there is no folder yet, or it is none, which the caller finds out
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"{database}: another process is writing it under another name; wait for it to end and try again"
            raise DatabaseError(message) from error
        yield
    finally:
        os.close(descriptor)


def _open(path: Path, database: Path) -> int:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            message = f"{database}: cannot write beside it ({error.strerror}); check the folder and its permissions"
            raise DatabaseError(message) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The holder before may have removed the name between our open and our lock; then nobody else sees ours.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    return descriptor
        except BlockingIOError as error:
            holder = _printable(os.read(descriptor, _MAX_HOLDER_BYTES)) or "unknown, just started"
            os.close(descriptor)
            message = f"{database}: another process ({holder}) is writing it; wait for it to end and try again"
            raise DatabaseError(message) from error
        os.close(descriptor)


def _myself() -> str:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:3]]) if sys.argv and sys.argv[0] else "python"
    return f"pid {os.getpid()}: {command}, since {time.strftime('%Y-%m-%d %H:%M:%S')}"


def _printable(content: bytes) -> str:
    # The lock is a file that anybody may have written: nothing in it may steer a terminal.
    return "".join(letter for letter in content.decode("utf-8", "replace") if letter.isprintable()).strip()
