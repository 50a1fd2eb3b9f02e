"""A tenant's env file, `tenants/NAME.env`: read and checked, written and removed."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ynab_pipeline import meltano
from ynab_pipeline.account import TOKEN
from ynab_pipeline.errors import PipelineError, UsageError, explain
from ynab_pipeline.files import write_private
from ynab_pipeline.notify import NOTIFY
from ynab_pipeline.project import SUFFIX
from ynab_pipeline.tenants.names import check_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

FOLDER = "tenants"
ENVIRONMENT = "MELTANO_ENVIRONMENT"
SCHEMA = "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"
VIEWS = "YNAB_BUDGET_SCHEMA"
ROLE = "TARGET_POSTGRES_USER"
PASSWORD = "TARGET_POSTGRES_PASSWORD"  # noqa: S105 -- a name
_REQUIRED = (TOKEN, ENVIRONMENT, SUFFIX, SCHEMA, VIEWS, ROLE, PASSWORD)
#: What names the database in an environment.
DATABASE = tuple(f"TARGET_POSTGRES_{name}" for name in ("HOST", "PORT", "DATABASE"))
_HEADER = (
    "# A tenant of tap-ynab. Holds its token and the password of its role: for the owner alone.\n"
)
_ENDING = ".env"
#: Of a file that `add` has not finished.
_DRAFT = ".draft"
_OTHERS = 0o077


@dataclass(frozen=True)
class Tenant:
    """A tenant, as its env file describes it."""

    name: str
    path: Path
    values: Mapping[str, str]

    @property
    def environment(self) -> str:
        """The environment of Meltano."""
        return self.values[ENVIRONMENT]

    @property
    def schemas(self) -> tuple[str, str]:
        """The schema of its tables, and that of its views."""
        return self.values[SCHEMA], self.values[VIEWS]

    @property
    def role(self) -> str:
        """Its role in the database."""
        return self.values[ROLE]


def path_of(root: Path, name: str) -> Path:
    """Return the path of a tenant's file, which need not exist.

    Raises:
        PipelineError: If a tenant can't have that name.
    """
    check_name(name)
    return root / FOLDER / f"{name}{_ENDING}"


def read(path: Path) -> Tenant:
    """Read a tenant's file.

    Raises:
        PipelineError: If a tenant can't have that name.
        UsageError: If the file is not there, or is not as it should be.
    """
    name = path.name.removesuffix(_ENDING)
    check_name(name)
    shown = f"{FOLDER}/{path.name}"
    if not path.is_file():
        raise UsageError(f"there is no tenant {name}: no file {shown}")
    if path.stat().st_mode & _OTHERS:
        raise UsageError(f"{shown} holds a token and others can read it: chmod 600 {shown}")
    values = _values(path, shown)
    if missing := [key for key in _REQUIRED if not values.get(key)]:
        raise UsageError(f"{shown} has no {', '.join(missing)}: add them, or the tenant again")
    if values[SUFFIX] != name:
        raise UsageError(f"{shown} sets {SUFFIX}={values[SUFFIX]}: it has to be {name}")
    return Tenant(name, path, values)


def _values(path: Path, shown: str) -> dict[str, str]:
    from dotenv.parser import parse_stream  # noqa: PLC0415 -- Meltano's; read as Meltano does

    values: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8") as file:
            for binding in parse_stream(file):
                if binding.error or (binding.key and binding.value is None):
                    line = binding.original.line
                    raise UsageError(f"{shown}, line {line}: NAME=value is expected")
                if binding.key:
                    values[binding.key] = binding.value or ""
    except UnicodeDecodeError:
        raise UsageError(f"{shown} is not text in UTF-8") from None
    return values


def read_apart(path: Path) -> Tenant:
    """Read a tenant's file, and see that no other tenant has the same schema or role.

    Raises:
        PipelineError: If the file is not there, is not as it should be, or shares one.
    """
    tenant = read(path)
    names = (*tenant.schemas, tenant.role)
    shared = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b".encode())
    for other in path.parent.glob(f"*{_ENDING}"):
        # Most have none of its names, and need not be parsed.
        with suppress(OSError):
            if other != path and shared.search(other.read_bytes()):
                found = read_all(path.parents[1])[tenant.name]
                if isinstance(found, PipelineError):
                    raise found
    return tenant


def names(root: Path) -> list[str]:
    """Return the names of the tenants' files, sorted; some may be no name for a tenant."""
    files = (root / FOLDER).glob(f"*{_ENDING}")
    return sorted(path.name.removesuffix(_ENDING) for path in files)


def drafts(root: Path) -> list[str]:
    """Return the names of tenants whose `add` has not ended."""
    return sorted({path.name.partition(".")[0] for path in (root / FOLDER).glob(f"*{_DRAFT}*")})


def read_all(root: Path) -> dict[str, Tenant | PipelineError]:
    """Return the tenants by name, each with what is wrong with it, if anything.

    Args:
        root: The project.
    """
    found = {name: _read_or_error(root / FOLDER / f"{name}{_ENDING}") for name in names(root)}
    tenants = [each for each in found.values() if isinstance(each, Tenant)]
    return found | {
        name: PipelineError(f"{' and '.join(shared)} have the same {what}: give each its own")
        for what, shared in _conflicts(tenants)
        for name in shared
    }


def _read_or_error(path: Path) -> Tenant | PipelineError:
    try:
        return read(path)
    except PipelineError as error:
        return error
    except OSError as error:
        return PipelineError(explain(error))


def _conflicts(tenants: Iterable[Tenant]) -> Iterator[tuple[str, list[str]]]:
    """Yield what several tenants of one database share, and their names."""
    owners: dict[tuple[str | None, ...], set[str]] = {}
    for tenant in tenants:
        database = [tenant.values.get(key) for key in (ENVIRONMENT, *DATABASE)]
        for schema in tenant.schemas:
            owners.setdefault((f"schema {schema}", *database), set()).add(tenant.name)
        owners.setdefault((f"role {tenant.role}", *database), set()).add(tenant.name)
    for (what, *_), sharing in owners.items():
        if len(sharing) > 1:
            yield str(what), sorted(sharing)


def for_all(root: Path, environment: str | None) -> dict[str, Tenant | PipelineError]:
    """Return the tenants, as `read_all` does, for a command with the option `--tenants`.

    Args:
        root: The project.
        environment: The option that chooses an environment, which has to be left out.

    Raises:
        UsageError: If an option names an environment or an account, or if there is no tenant.
    """
    if environment or meltano.env_file:
        raise UsageError("a tenant's file names its environment: leave out what names one")
    found = read_all(root)
    if not found:
        raise UsageError("there are no tenants yet: .venv/bin/ynab-pipeline tenants add NAME")
    return found


def password_of_draft(path: Path) -> str | None:
    """Return the password in the file that an unfinished `add` has left, if any."""
    draft = path.with_suffix(_DRAFT)
    try:
        return _values(draft, draft.name).get(PASSWORD)
    except FileNotFoundError:
        return None


def write_draft(path: Path, values: Mapping[str, str]) -> None:
    """Write the draft of a tenant's file, from which `add` can go on after a crash.

    Args:
        path: The file; the draft is another one, beside it.
        values: Its content.

    Raises:
        PipelineError: If a value can't be in an env file.
    """
    text = "".join([_HEADER, *(_line(key, value) for key, value in values.items())])
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.parent.chmod(0o700)
    write_private(path.with_suffix(_DRAFT), text)


def _line(key: str, value: str) -> str:
    """Return a line for a value, as Meltano's parser of env files reads it."""
    # The parser expands ${NAME} in each value, and Meltano also $NAME in its settings.
    expanded = "${" if key == NOTIFY else "$"
    if expanded in value or not value.isprintable():
        raise PipelineError(f"{key} has characters that an env file cannot hold")
    escaped = value.replace("\\", r"\\").replace("'", r"\'")
    return f"{key}='{escaped}'\n"


def finish(path: Path) -> None:
    """Make the draft the tenant's file."""
    path.with_suffix(_DRAFT).rename(path)
    drop_draft(path)


def drop_draft(path: Path) -> None:
    """Remove the draft of a tenant's file, and what an `add` has left that was killed."""
    for draft in path.parent.glob(f"{path.stem}{_DRAFT}*"):
        draft.unlink()
