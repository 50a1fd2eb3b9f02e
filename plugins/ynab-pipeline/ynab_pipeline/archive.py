"""The file of a backup: a ZIP archive with the dump, and what belongs to it in JSON.

| member | is |
|---|---|
| `database.dump` | pg_dump's custom format, which pg_restore reads |
| `backup.json` | of which account, schemas and time it is, and Meltano's states of that time |

ZIP has a checksum of each member, and ends with the list of them: a file that was cut off or
changed is noticed before anything is restored.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from ynab_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_DUMP = "database.dump"
_CONTENT = "backup.json"
#: Raised when an older version could not restore it.
_FORMAT = 1


@contextmanager
def writing(path: Path, content: Mapping[str, Any]) -> Iterator[IO[bytes]]:
    """Write a backup, which only its owner can read, in one step.

    Args:
        path: The file, which does not exist yet.
        content: What belongs to the dump.

    Yields:
        The file to write the dump into.
    """
    draft = path.with_name(f"{path.name}.part")
    draft.unlink(missing_ok=True)  # of a backup that was killed
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with ZipFile(file, "w", ZIP_STORED) as archive:
                with archive.open(
                    ZipInfo(_DUMP, time.localtime()[:6]), "w", force_zip64=True
                ) as dump:
                    yield dump
                archive.writestr(_CONTENT, json.dumps({"format": _FORMAT, **content}))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


class Backup:
    """A backup that is there, and whole."""

    def __init__(self, path: Path) -> None:
        """Check it.

        Raises:
            PipelineError: If it is damaged, or no backup of this project.
        """
        try:
            self._archive = ZipFile(path)
            damaged = self._archive.testzip()
            content = json.loads(self._archive.read(_CONTENT))
            self._archive.getinfo(_DUMP)
            number = content["format"]
        except (BadZipFile, EOFError, KeyError, TypeError, ValueError, zlib.error):
            damaged, number, content = str(path), 0, {}
        if damaged:
            raise PipelineError(
                f"{path} is damaged, or no backup that ynab-pipeline has made: nothing was changed"
            )
        if number != _FORMAT:
            raise PipelineError(
                f"{path} was made by a newer version: update this project, then run it again"
            )
        self.content: dict[str, Any] = content

    def read(self) -> IO[bytes]:
        """Open the dump."""
        return self._archive.open(_DUMP)
