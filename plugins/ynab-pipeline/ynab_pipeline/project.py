"""The Meltano project and environment that a run belongs to, from the variables Meltano sets."""

from __future__ import annotations

import os
from pathlib import Path


def root() -> Path | None:
    """Return the project's folder, or None outside Meltano."""
    folder = os.environ.get("MELTANO_PROJECT_ROOT")
    return Path(folder) if folder else None


def tenant() -> tuple[str, str]:
    """Return the environment and the suffix of the state id, both empty unless set.

    A suffix is seen if it comes from the variable. Meltano keeps the option `--state-id-suffix` to
    itself: runs with different options still wait for each other.
    """
    environment = os.environ.get("MELTANO_ENVIRONMENT", "")
    return environment, os.environ.get("MELTANO_RUN_STATE_ID_SUFFIX", "")


def named_folder(variable: str) -> Path | None:
    """Return the folder that an environment variable names, or None if it is not set.

    Args:
        variable: Its name; a relative path is one in the project.
    """
    folder = os.environ.get(variable)
    return Path(root() or ".", folder).absolute() if folder else None
