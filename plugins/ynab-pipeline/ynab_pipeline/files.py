"""Files for their owner alone."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_config(path: Path, config: Mapping[str, Any]) -> None:
    """Write a plugin's config file, in one step.

    Args:
        path: The file; its content is replaced.
        config: The settings.
    """
    # The process id keeps two writers of the same file apart.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(config, file)
    draft.replace(path)
