"""A lock that can be part of saved state: it is saved open."""

from __future__ import annotations

import threading


class Lock:
    """One lock for a whole sandbox; who holds it may take it again."""

    def __init__(self) -> None:
        """Makes an open lock."""
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        """Takes the lock."""
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        """Gives the lock back."""
        self._lock.release()

    def __reduce__(self) -> tuple[type[Lock], tuple[()]]:
        """Saves no more than that there is a lock."""
        return Lock, ()
