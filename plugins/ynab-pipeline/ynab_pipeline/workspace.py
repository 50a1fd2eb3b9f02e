"""The project as meltano.yml and .env describe it, read without Meltano.

For commands that run beside Meltano and start it: importing it would cost them half a second.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ynab_pipeline import meltano
from ynab_pipeline.account import TOKENS
from ynab_pipeline.errors import UsageError
from ynab_pipeline.project import SUFFIX, meltano_in

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = "meltano.yml"
_ENVIRONMENT = "MELTANO_ENVIRONMENT"


@dataclass(frozen=True)
class Task:
    """The run of Meltano that the name of a job or schedule stands for."""

    #: The job, or the schedule if that has no job.
    name: str
    #: The command of Meltano.
    arguments: tuple[str, ...]
    #: Variables that the schedule sets.
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Workspace:
    """A project and the environment of it that a command works on."""

    root: Path
    environment: str
    #: Variables of .env, or of the file in its place, and of this process, which win.
    variables: Mapping[str, str]
    definition: Mapping[str, Any]

    @property
    def meltano(self) -> Path:
        """Meltano's folder, which is another one for each tenant."""
        return meltano_in(self.root)

    @property
    def tenant(self) -> tuple[str, str]:
        """The environment and the suffix of the state id, as in `project.tenant`."""
        return self.environment, self.variables.get(SUFFIX, "")

    @property
    def place(self) -> str:
        """The tenant in words."""
        environment, suffix = self.tenant
        return f"{environment} ({suffix})" if suffix else environment

    def task(self, name: str) -> Task:
        """Return the task of a job or a schedule.

        Raises:
            UsageError: If there is none of that name.
        """
        jobs, schedules = self._named("jobs"), self._named("schedules")
        if name in jobs:
            return Task(name, ("run", name), {})
        if name not in schedules:
            raise UsageError(
                f"there is no job or schedule {name!r} in {_FILE}, but these: "
                + ", ".join([*jobs, *schedules])
            )
        # `meltano schedule run` would start a second Meltano for the job.
        job = schedules[name].get("job")
        variables = {key: str(value) for key, value in (schedules[name].get("env") or {}).items()}
        return (
            Task(job, ("run", job), variables)
            if job
            else Task(name, ("schedule", "run", name), variables)
        )

    def _named(self, section: str) -> dict[str, Mapping[str, Any]]:
        """Return the entries of a list in meltano.yml by name; Meltano says what else is wrong."""
        entries = self.definition.get(section) or ()
        named = (each for each in entries if isinstance(each, dict) and "name" in each)
        return {str(each["name"]): each for each in named}


def find(environment: str | None) -> Workspace:
    """Return the project of the current folder, as Meltano would find it.

    Args:
        environment: The environment of Meltano; if None, the one that Meltano chooses.

    Raises:
        UsageError: If there is no project, or its files cannot be read.
    """
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 -- beside Meltano; slow to import
    from dotenv import dotenv_values  # noqa: PLC0415 -- likewise

    root = find_root()
    env_file = root / (meltano.env_file or ".env")
    try:
        definition = yaml.safe_load((root / _FILE).read_text(encoding="utf-8"))
        if meltano.env_file and not env_file.is_file():
            raise UsageError(f"there is no file {env_file}")
        values = dotenv_values(env_file)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{root} cannot be read: {str(error).splitlines()[0]}") from error
    if not isinstance(definition, dict):
        raise UsageError(f"{root / _FILE} is no meltano.yml")
    variables = {key: value for key, value in values.items() if value is not None} | os.environ
    if environment is None:
        environment = variables.get(_ENVIRONMENT)
    return Workspace(
        root,
        environment or definition.get("default_environment") or "",
        variables,
        definition,
    )


def has_token_alone(values: Mapping[str, str | None]) -> bool:
    """Tell if an env file has a token and chooses no environment.

    It is for `local` then: the default, `demo`, is not for those who have a token.

    Args:
        values: The variables of the file.
    """
    return any(map(values.get, TOKENS)) and _ENVIRONMENT not in values


def find_root() -> Path:
    """Return the folder of the project, as Meltano would find it.

    Raises:
        UsageError: If there is no project.
    """
    named = os.environ.get("MELTANO_PROJECT_ROOT")
    here = Path(named) if named else Path.cwd()
    for folder in (here,) if named else (here, *here.parents):
        if (folder / _FILE).is_file():
            return folder
    raise UsageError(f"there is no {_FILE} in {here} or above: run this in the project's folder")
