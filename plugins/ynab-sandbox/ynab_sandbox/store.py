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

from ynab_sandbox.errors import SandboxError
from ynab_sandbox.limits import REQUESTS_AN_HOUR
from ynab_sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Grows if saved sandboxes can no longer be read.
FORMAT = 3


@dataclass(frozen=True)
class Options:
    """Options of a new sandbox; None for a default."""

    seed: int | None = None
    transactions: int | None = None
    today: str | None = None  # the day at which the clock stands, `YYYY-MM-DD`
    rate_limit: int | None = None  # requests an hour, 0 for no limit

    def make(self) -> Sandbox:
        """Make a new sandbox."""
        limit = REQUESTS_AN_HOUR if self.rate_limit is None else self.rate_limit
        return Sandbox(
            seed=1 if self.seed is None else self.seed,
            today=date.fromisoformat(self.today) if self.today else None,
            transactions=self.transactions,
            rate_limit=limit or None,
        )

    def fit(self, other: Options) -> bool:
        """Return whether a sandbox made from other options is what these ask for."""
        return all(
            value is None or value == getattr(other, name) for name, value in vars(self).items()
        )


class Store:
    """The file of a sandbox."""

    def __init__(self, path: Path) -> None:
        """Take the path; its folder is made if need be."""
        self.path = path
        self._made_from = Options()
        self._saving = threading.Lock()

    @contextlib.contextmanager
    def open(self, options: Options) -> Iterator[Sandbox]:
        """Yield the sandbox in the file, or a new one, and keep other processes from the file."""
        with hold(self.path.with_suffix(".lock"), wait=False) as is_held:
            if not is_held:
                raise SandboxError(f"another process serves {self.path}")
            yield self._load(options)

    def _load(self, options: Options) -> Sandbox:
        if not self.path.exists():
            self._made_from = options
            return options.make()
        # The file is the user's own, written by `save`, and nobody else can write it.
        with self.path.open("rb") as file:
            form, self._made_from, pickled = pickle.load(file)  # noqa: S301 - see above
        made = "by another version" if form != FORMAT else "from other options"
        if form != FORMAT or not options.fit(self._made_from):
            raise SandboxError(
                f"{self.path} holds a sandbox made {made}: `ynab-sandbox reset` discards it"
            )
        sandbox: Sandbox = pickle.loads(pickled)  # noqa: S301 - see above
        return sandbox

    def save(self, sandbox: Sandbox) -> None:
        """Save the sandbox that was opened, as a whole or not at all."""
        with self._saving:
            with sandbox.lock:
                pickled = pickle.dumps(sandbox)
            write_private(self.path, pickle.dumps((FORMAT, self._made_from, pickled)))


def write_private(path: Path, content: bytes) -> None:
    """Replace a file in one step; only its owner can read it."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    new.replace(path)


@contextlib.contextmanager
def hold(path: Path, *, wait: bool) -> Iterator[bool]:
    """Lock a file until the context or the process ends; yield whether it is locked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
