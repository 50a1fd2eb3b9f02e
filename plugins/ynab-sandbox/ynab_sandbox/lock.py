"""A lock that can be part of saved state."""

from __future__ import annotations

import threading


class Lock:
    """A re-entrant lock; saved open."""

    def __init__(self) -> None:
        """Make an open lock."""
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        """Take the lock."""
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        """Release the lock."""
        self._lock.release()

    def __reduce__(self) -> tuple[type[Lock], tuple[()]]:
        """Save nothing but the kind of object."""
        return Lock, ()
