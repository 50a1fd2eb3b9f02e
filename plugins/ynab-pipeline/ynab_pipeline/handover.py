"""Messages between the tap and the loader of one run: files in `.meltano/turns`.

Meltano gives both the same `MELTANO_PARENT_CONTEXT_UUID`, and each run another one.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ynab_pipeline import project
from ynab_pipeline.files import write_config

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_DAY = 24 * 60 * 60
_RUN = "MELTANO_PARENT_CONTEXT_UUID"


def in_run() -> bool:
    """Tell whether Meltano has started this process."""
    return bool(os.environ.get(_RUN))


def put(name: str, content: Mapping[str, Any]) -> None:
    """Leave something for the other one. Outside a run nothing happens.

    Args:
        name: What it is.
        content: An object of JSON.
    """
    path = _path(name)
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob("*.json"):
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < time.time() - _DAY:  # of a run that was killed
                left.unlink()
    write_config(path, content)


def take(name: str) -> dict[str, Any] | None:
    """Return what the other one has left, once; None if there is nothing."""
    path = _path(name)
    try:
        content = path.read_text(encoding="utf-8") if path else None
    except FileNotFoundError:
        return None
    if path is None or content is None:
        return None
    path.unlink()
    return dict(json.loads(content))


def _path(name: str) -> Path | None:
    meltano, run = project.meltano_folder(), os.environ.get(_RUN)
    return meltano / "turns" / f"{run}.{name}.json" if meltano and run else None
