"""Tenants of a project in tests."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import TYPE_CHECKING
from zlib import crc32

from project_postgres import Server
from ynab_sandbox import Sandbox, serve

from tests.support.meltano_project import PYTHON, Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "kt8Zq-Jb4nQx1VwR6yLm0KcP3sFhD9uGaEi2oTzXr7B"  # noqa: S105 opens nothing
#: Databases of Meltano's, by tenant: one without its driver, and one whose password has an `@`.
ODD_DATABASES = {
    "bob": "postgresql+psycopg://bob@127.0.0.1/meltano",
    "cy": "postgresql://cy:pass@word:secret@127.0.0.1/meltano",
}
COMMAND = str(PYTHON.with_name("ynab-pipeline"))


def pipeline(
    project: Project, *arguments: str, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """`ynab-pipeline` with something on its standard input."""
    return subprocess.run(
        [COMMAND, *arguments],
        env=project.variables(**environment),
        cwd=project.folder,
        input=stdin,
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=300,
    )


def refused(done: subprocess.CompletedProcess[str], code: int = 1) -> str:
    """The one line of a command that has refused."""
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("ynab-pipeline: ")
    return line.removeprefix("ynab-pipeline: ")


def env_file(project: Project, name: str) -> Path:
    return project.folder / "tenants" / f"{name}.env"


def values(project: Project, name: str) -> dict[str, str]:
    """What is in a tenant's file."""
    lines = env_file(project, name).read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if not line.startswith("#"))
    return {key: value.strip("'") for key, value in pairs}


def set_values(project: Project, name: str, **new: str) -> None:
    """Add to a tenant's file."""
    with env_file(project, name).open("a") as file:
        file.writelines(f"{key}='{value}'\n" for key, value in new.items())


@contextmanager
def local_project(folder: Path) -> Iterator[Project]:
    """A project whose own account is none, and whose server runs in the environment local."""
    with ExitStack() as stack:
        project = Project(folder)
        stack.callback(project.stop)
        Server(folder / ".data/postgres", "ynab").start()
        project.write_env(MELTANO_ENVIRONMENT="local")
        yield project


def tiny_account(name: str, token: str) -> Sandbox:
    """An account with one small budget."""
    account = Sandbox(
        seed=crc32(name.encode()), today=date(2026, 11, 21), transactions=0, rate_limit=None
    )
    for budget in account.budgets[:]:
        account.remove_budget(budget.id)
    account.add_budget(name)
    account.set_token(token)
    return account


@contextmanager
def served(account: Sandbox, project: Project, name: str) -> Iterator[Sandbox]:
    """Have a tenant's file lead to an account."""
    with serve(account, port=0) as url:
        set_values(project, name, TAP_YNAB_API_URL=url)
        yield account


def content(name: str, **other: str) -> str:
    """A tenant's file."""
    values = {
        "YNAB_PERSONAL_ACCESS_TOKEN": TOKEN,
        "MELTANO_ENVIRONMENT": "local",
        "MELTANO_RUN_STATE_ID_SUFFIX": name,
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": f"ynab_{name}",
        "YNAB_BUDGET_SCHEMA": f"budget_{name}",
        "TARGET_POSTGRES_USER": f"ynab_{name}",
        "TARGET_POSTGRES_PASSWORD": "secret",
        **other,
    }
    return "".join(f"{key}='{value}'\n" for key, value in values.items() if value)


def write(folder: Path, name: str, text: str, mode: int = 0o600) -> None:
    path = folder / "tenants" / f"{name}.env"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
