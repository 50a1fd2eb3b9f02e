"""The Meltano project and environment that a run belongs to, from the variables Meltano sets."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ynab_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUFFIX = "MELTANO_RUN_STATE_ID_SUFFIX"
#: Meltano's folder, `.meltano` in the project unless set.
SYSTEM = "MELTANO_SYS_DIR_ROOT"
_MELTANO = ".meltano"
_TENANTS = "tenants"


def root() -> Path | None:
    """Return the project's folder, or None outside Meltano."""
    folder = os.environ.get("MELTANO_PROJECT_ROOT")
    return Path(folder) if folder else None


def meltano_folder() -> Path | None:
    """Return Meltano's folder, or None outside Meltano; a tenant has one of its own."""
    folder = root()
    return folder and meltano_in(folder)


def meltano_in(folder: Path) -> Path:
    """Return Meltano's folder for a project, which is another one for each tenant."""
    return Path(os.environ.get(SYSTEM) or folder / _MELTANO)


def tenant_folder(folder: Path, name: str) -> Path:
    """Return Meltano's folder for a tenant of a project."""
    return folder / _MELTANO / _TENANTS / name


def log_file() -> str:
    """Return the path of Meltano's log in the project, for messages."""
    meltano = Path(os.environ.get(SYSTEM, ""))
    is_tenants = meltano.parts[-3:-1] == (_MELTANO, _TENANTS)
    return f"logs/{meltano.name}/meltano.log" if is_tenants else "logs/meltano.log"


def tenant_of(folder: Path, meltano: Path) -> str | None:
    """Return the tenant that has this folder of Meltano's in a project, or None if none has."""
    return meltano.name if meltano == tenant_folder(folder, meltano.name).resolve() else None


def tenant_name() -> str | None:
    """Return the name of the tenant that this process works for, or None if it is none.

    Raises:
        PipelineError: If only its folder of Meltano's or only the suffix of the state id is a
            tenant's.
    """
    folder, meltano, (_, suffix) = root(), meltano_folder(), tenant()
    if folder is None or meltano is None:
        return None
    name = tenant_of(folder, meltano)
    if name is None and suffix and folder.joinpath(_TENANTS, f"{suffix}.env").exists():
        raise PipelineError(
            f"{SUFFIX}={suffix} is a tenant's: use .venv/bin/meltano, which `make install` "
            f"installs, with --env-file={_TENANTS}/{suffix}.env"
        )
    if name is not None and suffix != name:
        raise PipelineError(
            f"this is not the env file of the tenant {name}, as `meltano schedule run` does not "
            "pass --env-file on: use .venv/bin/ynab-pipeline run"
        )
    return name


def option() -> str:
    """Return the option that has a command shown to people work on the same, after a space."""
    if name := tenant_name():
        return f" --env-file={_TENANTS}/{name}.env"
    environment, _ = tenant()
    return f" --environment={environment}" if environment else ""


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
    meltano = meltano_folder() or folder
    # Each of them, for another user may already be inside.
    for private in (folder / _MELTANO, meltano, *meltano.glob("run"), *meltano.glob("run/*")):
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
