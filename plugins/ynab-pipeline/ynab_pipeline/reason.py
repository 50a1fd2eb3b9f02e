"""Why a run has failed, in the words of the first error in its log.

`run` makes a file and names it to Meltano, in whose process the handler of this module, see
meltano_log.yaml, writes the error there.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Names the file.
REASON = "YNAB_PIPELINE_REASON"

_PREFIX = "reason-"
#: Characters of a reason at most.
_LENGTH = 500
#: The command of this package that has ended with the error.
_COMMAND = re.compile(r"ynab-pipeline(-\w+)?: ")


@contextmanager
def reason_file(folder: Path) -> Iterator[Path | None]:
    """Make a file for the reason, and remove it in the end.

    Args:
        folder: Where to make it. If that does not work, as on a full disk, there is none.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _remove_left(folder)
        descriptor, name = mkstemp(prefix=_PREFIX, dir=folder)
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # the system drops it, however this process ends
    except OSError:
        yield None
        return
    path = Path(name)
    try:
        yield path
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _remove_left(folder: Path) -> None:
    """Remove the files of runs that were killed."""
    for path in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError), path.open() as file:  # of a run that goes on, or has just ended
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def reason_in(path: Path | None) -> str:
    """Return the reason as one line, empty if there is none.

    Args:
        path: The file, or None if it could not be made.
    """
    from ynab_pipeline.status_page import printable  # noqa: PLC0415 -- not in Meltano's process

    try:
        text = path.read_text(encoding="utf-8", errors="replace") if path else ""
    except OSError:
        return ""
    line = printable(_COMMAND.sub("", text.strip().partition("\n")[0], count=1))
    return line if len(line) <= _LENGTH else f"{line[: _LENGTH - 3]}..."


class FirstError(logging.Handler):
    """Writes the first error into a file."""

    def __init__(self, path: Path) -> None:
        """Wait for an error.

        Args:
            path: The file.
        """
        super().__init__(logging.ERROR)
        self._path: Path | None = path

    def emit(self, record: logging.LogRecord) -> None:
        """Write an error, if it is the first one."""
        if self._path is not None:
            line: dict[str, Any] = record.msg if isinstance(record.msg, dict) else {}
            text = str(line.get("event") or record.getMessage())
            with suppress(OSError):  # such as a full disk: then the log alone says why
                self._path.write_text(text, encoding="utf-8")
            self._path = None


def handler() -> logging.Handler:
    """Return the handler that Meltano's logging configuration asks for."""
    path = os.environ.get(REASON)
    return FirstError(Path(path)) if path else logging.NullHandler()
