"""The folder's lock, which also tells whether a server lives.

The process that starts a server takes the lock, and every process of the server inherits it. The
kernel releases it when the last of them is gone, however it ended. So "is it held?" is right after
`kill -9`, after a reboot, and when the number in a left-over `postmaster.pid` is another program's
by now.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FolderLock:
    """An advisory lock on one file."""

    def __init__(self, path: Path) -> None:
        """Name the file; it is created when the lock is first taken."""
        self._path = path

    def take(self) -> int | None:
        """Take the lock and return its descriptor, or None if another process has it.

        Closing the descriptor releases the lock, unless a program that inherited it lives.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if _locked(descriptor, fcntl.LOCK_EX):
            return descriptor
        os.close(descriptor)
        return None

    @property
    def held(self) -> bool:
        """True if a process has the lock; no file is created."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            return False
        try:
            # Shared, so that two processes that check at once do not take each other for a server.
            return not _locked(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
