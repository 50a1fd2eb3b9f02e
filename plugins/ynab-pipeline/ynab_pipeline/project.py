"""The Meltano project and environment that a run belongs to, from the variables Meltano sets."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUFFIX = "MELTANO_RUN_STATE_ID_SUFFIX"


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
    return environment, os.environ.get(SUFFIX, "")


def tenant_key(of: tuple[str, str]) -> str:
    """Return a name for files of a tenant: a suffix may be long and have any character.

    Args:
        of: The tenant, as `tenant` returns it.
    """
    return sha256(json.dumps(of).encode()).hexdigest()[:16]


def account() -> dict[str, Any]:
    """Return what tells the accounts of a project apart: the sandbox or not, and the suffix.

    Not the environment: `local` and `prod` take the same token from `.env`.
    """
    return {"sandbox": bool(os.environ.get("YNAB_SANDBOX")), "suffix": tenant()[1]}


def named_folder(variable: str) -> Path | None:
    """Return the folder that an environment variable names, or None if it is not set.

    Args:
        variable: Its name; a relative path is one in the project.
    """
    folder = os.environ.get(variable)
    return Path(root() or ".", folder).absolute() if folder else None


def make_private(arguments: Sequence[str]) -> None:
    """Keep what this process and Meltano write for their owner alone, and remove what was left.

    Meltano writes plugins' config files, which may hold secrets, for all to read. It removes them
    at the end of a run, unless it is killed.

    Args:
        arguments: The plugin's command line, which names the config file of this run.
    """
    os.umask(0o077)
    folder = root()
    if folder is None:
        return
    meltano = folder / ".meltano"
    # Each of them, for another user may already be inside.
    for private in (meltano, *meltano.glob("run"), *meltano.glob("run/*")):
        if private.is_dir():
            private.chmod(0o700)
    configs = set(meltano.glob("run/*/*.config.json"))
    left = {path for path in configs if str(path) not in arguments}
    for path in configs - left:
        path.chmod(0o600)
    if left:
        started = min(_starts_of_meltano(folder), default=float("inf"))
        for path in left:
            with suppress(FileNotFoundError):  # removed by its run, which has just ended
                if path.stat().st_mtime < started:
                    path.unlink()
                else:
                    path.chmod(0o600)


def _starts_of_meltano(folder: Path) -> Iterator[float]:
    """Yield when each running Meltano of the project was started, as seconds since 1970."""
    # Rarely needed, and slow to import; it comes without types.
    import psutil  # type: ignore[import-untyped]  # noqa: PLC0415

    for process in psutil.process_iter():
        with suppress(psutil.Error):
            program = {os.path.basename(word) for word in process.cmdline()[:2]}  # noqa: PTH119
            if "meltano" in program and Path(process.cwd()).is_relative_to(folder):
                yield process.create_time()
