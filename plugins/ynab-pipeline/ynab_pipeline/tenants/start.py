"""The start of a process for a tenant: Meltano's, or that of `ynab-pipeline`.

Meltano keeps one folder for all accounts of a project, with bookmarks, run history, config files,
and the catalog and state of the run under way. With `--env-file=tenants/NAME.env` it gets one of
that tenant alone, so that runs at the same time cannot read each other's files.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ynab_pipeline.errors import UsageError
from ynab_pipeline.files import open_lock
from ynab_pipeline.project import SYSTEM, tenant_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OPTION = "--env-file"
#: Folders of Meltano's with the installed plugins: the same for all.
_SHARED = ("extractors", "loaders", "mappers", "utilities")
#: Variables that name an account or a database, or set something for one. A tenant has them from
#: its file alone. Others, such as `TAP_YNAB__SELECT_FILTER`, are about one run.
_SETTING = re.compile(
    r"TAP_YNAB(_RECONCILE)?_[A-Z].*|TARGET_POSTGRES_.*|PROJECT_POSTGRES|PG[A-Z]+"
    r"|YNAB_(?!PIPELINE_).*|YNAB_PIPELINE_(NOTIFY|PING)"
    r"|MELTANO_(ENVIRONMENT|RUN_STATE_ID_SUFFIX|DATABASE_URI|STATE_BACKEND_.*)"
)


def enter(arguments: Sequence[str]) -> None:
    """Make this process one of the tenant whose env file is on its command line, if any.

    Args:
        arguments: The command line.

    Raises:
        PipelineError: If that file is not as it should be.
    """
    file = env_file_of(arguments)
    if file is None:
        return
    from ynab_pipeline import workspace  # noqa: PLC0415 -- not needed otherwise
    from ynab_pipeline.tenants import env_file  # noqa: PLC0415 -- likewise

    try:
        root = workspace.find_root().resolve()
    except UsageError:
        return  # Meltano says so, if that matters to the command
    path = Path(root, file)
    if path.parent.resolve() != root / env_file.FOLDER:
        return
    folder = tenant_folder(root, env_file.read_apart(path).name)
    _lock(folder)
    values = env_file.read(path).values  # it may just have been removed
    _make(root, folder)
    kept = without_settings(os.environ)
    for variable in list(os.environ):
        if variable in values or variable not in kept:
            del os.environ[variable]
    os.environ[SYSTEM] = str(folder)


def without_settings(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that say nothing of an account or a database."""
    return {name: value for name, value in variables.items() if not _SETTING.fullmatch(name)}


def env_file_of(arguments: Sequence[str]) -> str | None:
    """Return the value of the option `--env-file` on a command line, if it is there."""
    for position, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if option.replace("_", "-") == _OPTION:  # Meltano takes either
            return value if equals else next(iter(arguments[position + 1 : position + 2]), None)
    return None


def _make(root: Path, folder: Path) -> None:
    meltano = root / ".meltano"
    for each in (meltano, folder.parent, folder, *(meltano / name for name in _SHARED)):
        each.mkdir(mode=0o700, exist_ok=True)
    for name in _SHARED:
        with suppress(FileExistsError):
            (folder / name).symlink_to(Path("..", "..", name))


def _lock(folder: Path) -> None:
    """Lock a tenant until this process ends: `tenants remove` waits for that, and this for it."""
    fcntl.flock(open_lock(lock_of(folder)), fcntl.LOCK_SH)  # the descriptor stays open


def lock_of(folder: Path) -> Path:
    """Return the file that is locked while a command runs for a tenant.

    Args:
        folder: The tenant's folder.
    """
    return folder.with_name(f"{folder.name}.lock")
