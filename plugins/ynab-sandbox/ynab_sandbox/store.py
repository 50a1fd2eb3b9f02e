"""A sandbox in a file: one process at a time has it, and no change is lost."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import threading
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ynab_sandbox.limits import REQUESTS_AN_HOUR
from ynab_sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Grows when saved sandboxes of before can no longer be read.
FORMAT = 1


class StoreError(Exception):
    """A sandbox that cannot be had, and what to do about it."""


@dataclass(frozen=True)
class Options:
    """What a sandbox is made from.

    Attributes:
        seed: what makes the data differ; None for the default.
        transactions: how many the first budget has; None for the default.
        today: the day at which the clock stands, `YYYY-MM-DD`; None for a clock that runs.
        rate_limit: requests per hour, 0 for no limit; None for the default.
    """

    seed: int | None = None
    transactions: int | None = None
    today: str | None = None
    rate_limit: int | None = None

    def make(self) -> Sandbox:
        """A new sandbox."""
        limit = REQUESTS_AN_HOUR if self.rate_limit is None else self.rate_limit
        return Sandbox(
            seed=1 if self.seed is None else self.seed,
            today=date.fromisoformat(self.today) if self.today else None,
            transactions=self.transactions,
            rate_limit=limit or None,
        )

    def fit(self, other: Options) -> bool:
        """Whether a sandbox made from other options is what is asked for.

        Args:
            other: what the sandbox was made from.
        """
        return all(
            value is None or value == getattr(other, name) for name, value in vars(self).items()
        )


class Store:
    """The file that a sandbox is kept in."""

    def __init__(self, path: Path) -> None:
        """Takes the file.

        Args:
            path: the file; its folder is made if need be.
        """
        self.path = path
        self._made_from = Options()
        self._saving = threading.Lock()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other processes from the file while the context lasts.

        Raises:
            StoreError: another process has it.
        """
        with hold(self.path.with_suffix(".lock"), wait=False) as got:
            if not got:
                message = f"another process serves {self.path}"
                raise StoreError(message)
            yield

    def open(self, options: Options) -> Sandbox:
        """The sandbox in the file, or a new one.

        Args:
            options: what a new one is made from.

        Raises:
            StoreError: the file holds a sandbox made from other options, or by another version.
        """
        if not self.path.exists():
            self._made_from = options
            return options.make()
        # The file is the user's own, written by `save`, and nobody else can write it.
        with self.path.open("rb") as file:
            form, self._made_from, pickled = pickle.load(file)  # noqa: S301 - see above
        if form != FORMAT:
            message = f"{self.path} is from another version: `ynab-sandbox reset` discards it"
            raise StoreError(message)
        if not options.fit(self._made_from):
            message = (
                f"{self.path} holds a sandbox made with other options: "
                "`ynab-sandbox reset` discards it"
            )
            raise StoreError(message)
        sandbox: Sandbox = pickle.loads(pickled)  # noqa: S301 - see above
        return sandbox

    def save(self, sandbox: Sandbox) -> None:
        """Saves the sandbox, all of it or nothing.

        Args:
            sandbox: the sandbox that was opened.
        """
        with self._saving:
            content = pickle.dumps((FORMAT, self._made_from, pickle.dumps(sandbox)))
            write_private(self.path, content)


def write_private(path: Path, content: bytes) -> None:
    """Replaces a file in one step; only its owner can read it.

    Args:
        path: the file.
        content: what it holds from now on.
    """
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    new.replace(path)


@contextlib.contextmanager
def hold(path: Path, *, wait: bool) -> Iterator[bool]:
    """Locks a file; the lock ends with the context, or with the process however that ends.

    Args:
        path: the file to lock.
        wait: whether to wait for another process that has it.

    Yields:
        Whether the lock was had.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
