"""Waiting for a child process and for the signals that end a command, without polling."""

from __future__ import annotations

import os
import select
import signal
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import FrameType

    from typing_extensions import Self

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Child(Protocol):
    """A child process, or several, as `Signals.wait` needs it."""

    def poll(self) -> int | None:
        """Return a number once it has ended."""


class Signals:
    """Takes the signals that would end this process, for as long as it is entered.

    Signals that are ignored, as SIGHUP under nohup, stay ignored.
    """

    def __init__(self) -> None:
        """Take nothing yet."""
        #: The last signal that has come and was not taken.
        self.received: int | None = None
        # An ending signal or child writes into it, so that nothing is missed between two waits.
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)

    def __enter__(self) -> Self:
        """Begin to take signals."""
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Ignore them from here on: what is left to do is short, and the exit code is known."""
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        os.close(self._reading)
        os.close(self._writing)

    def take(self) -> int | None:
        """Return the signal that has come, once, or None."""
        number, self.received = self.received, None
        return number

    def wait(self, child: Child | None = None, timeout: float | None = None) -> None:
        """Wait until the child has ended, a signal has come, or the time is over.

        Args:
            child: The child, if any.
            timeout: Seconds, without limit if None.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.received is None and (child is None or child.poll() is None):
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return
            if select.select([self._reading], [], [], left)[0]:
                os.read(self._reading, 4096)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.received = number
