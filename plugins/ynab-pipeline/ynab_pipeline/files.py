"""Files for their owner alone."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_config(path: Path, config: Mapping[str, Any]) -> None:
    """Write a file of JSON, such as a plugin's config, in one step.

    Args:
        path: The file; its content is replaced.
        config: The content.
    """
    write_private(path, json.dumps(config))


def write_private(path: Path, text: str) -> None:
    """Write a file in one step.

    Args:
        path: The file; its content is replaced.
        text: The content.
    """
    # The process id keeps two writers of the same file apart.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def open_lock(path: Path) -> int:
    """Return a descriptor of a file that is there to be locked, which is made unless it is there.

    Args:
        path: The file. The system drops the lock with the process that holds it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def pipe_of(config: Mapping[str, Any]) -> str:
    """Return the path of a config that is in no file, so that nobody else can ever read it.

    The program that this process becomes can read it, once.

    Args:
        config: The settings, a few kilobytes at most.
    """
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        json.dump(config, pipe)
    os.set_inheritable(reading, True)  # noqa: FBT003 -- its only parameter
    return f"/dev/fd/{reading}"
