"""PostgreSQL's programs at a path that every user can reach, for a server that root starts.

The wheel may be below a folder that only root may enter. Then the server runs from a copy of it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from pathlib import Path

from project_postgres import programs
from project_postgres.errors import ServerError

CACHE = Path("/var/cache/project-postgres")


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs that every user can execute.

    Raises:
        ServerError: If the wheel is not installed, or cannot be copied.
    """
    path = Path(programs.program(name)).resolve()
    if all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents):
        return str(path)
    installation = path.parents[1]
    try:
        copy = _copy(installation)
    except OSError as error:
        raise ServerError(
            f"the server would run as the user nobody, who cannot enter {installation}, and "
            f"{CACHE} cannot hold a copy ({error.strerror or error}): run this as an ordinary user"
        ) from None
    return str(copy / "bin" / name)


def _copy(installation: Path) -> Path:
    CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
    _check(CACHE)
    CACHE.chmod(0o755)  # whatever the umask
    complete = CACHE / f"{installation.name}-{programs.version()}"
    cache = os.open(CACHE, os.O_RDONLY)
    try:
        fcntl.flock(cache, fcntl.LOCK_EX)
        if not complete.exists():
            draft = complete.with_name("new")
            shutil.rmtree(draft, ignore_errors=True)
            # Libraries of the wheel's are beside its package, and found by relative paths.
            package = installation.parent
            for part in (installation, package.with_name(f"{package.name}.libs")):
                if part.exists():
                    shutil.copytree(
                        part,
                        draft / part.relative_to(package.parent),
                        ignore=shutil.ignore_patterns("include", "*.a"),
                    )
            for path in (draft, *draft.rglob("*")):
                path.chmod(0o755)
            draft.rename(complete)
    finally:
        os.close(cache)
    _check(complete)
    return complete / installation.relative_to(installation.parents[1])


def _check(folder: Path) -> None:
    """Refuse a folder that anybody but root could have put programs into."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise ServerError(
            f"{folder} is not a folder that only root can write to: remove it, or run this as an "
            "ordinary user"
        )
