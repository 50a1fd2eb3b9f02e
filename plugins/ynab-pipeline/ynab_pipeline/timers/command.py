"""The command `ynab-pipeline timers`: installs the schedules of meltano.yml on this machine."""

# ruff: noqa: T201 -- a command prints

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ynab_pipeline import meltano, notify, workspace
from ynab_pipeline.errors import PipelineError, UsageError
from ynab_pipeline.tenants import env_file
from ynab_pipeline.timers import crontab, entries, launchd, systemd

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from ynab_pipeline.timers.entries import Installation
    from ynab_pipeline.workspace import Workspace

_DONE = 0
_DECLINED = 1
_NO_TERMINAL = 2

_TENANTS_LINE = "The timers are for all tenants, not for your own account"


class SystemScheduler(Protocol):
    """What the modules systemd, crontab and launchd have in common; a dict has texts by file."""

    TITLE: str

    def is_available(self) -> bool:
        """Tell if this machine has the scheduler."""

    def present(self, installation: Installation) -> dict[str, str]:
        """Return the files that are installed for a project."""

    def wanted(self, installation: Installation) -> dict[str, str]:
        """Return the files that a project needs."""

    def change(
        self, installation: Installation, before: Mapping[str, str], after: Mapping[str, str]
    ) -> list[str]:
        """Replace the installed files, and return notes for the user."""


#: The first that is available is used.
_SCHEDULERS: tuple[SystemScheduler, ...] = (launchd, systemd, crontab)


class Step(NamedTuple):
    """Change of one scheduler."""

    scheduler: SystemScheduler
    before: dict[str, str]
    after: dict[str, str]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "action", choices=("show", "install", "remove"), help="show what install would do, or do it"
    )
    parser.add_argument("--tenants", action="store_true", help="run the schedules for each tenant")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(options: argparse.Namespace) -> int:
    """Show, install or remove the timers, and return the exit code."""
    is_removal = options.action == "remove"
    project = _project(options)
    installation = _installation(options, project, is_removal=is_removal)
    steps = list(_steps(installation, is_removal=is_removal))
    lines = [line for step in steps for line in _described(step)]
    if not is_removal:
        print(_TENANTS_LINE if options.tenants else _account_line(project))
    for entry in installation.entries:
        print(f"{entry.schedule}: {entry.interval}, up to {entry.recurrence.spread} minutes off")
    print("\n".join([*lines, *_replaced(steps)] or _unchanged(steps)))
    if options.action == "show":
        return _DONE
    if lines and not options.yes:
        if not sys.stdin.isatty():
            print("Nothing is done: without a terminal it needs --yes.", file=sys.stderr)
            return _NO_TERMINAL
        if input("Do this? [y/N] ").strip().lower() not in {"y", "yes"}:
            print("Nothing is done.")
            return _DECLINED
    for step in steps:
        for note in step.scheduler.change(installation, step.before, step.after):
            print(note)
    return _DONE


def _project(options: argparse.Namespace) -> Workspace:
    """Return the project with the variables of the env file alone: timers have none of this shell.

    Its environment is that of the option, of this shell, or the default.
    """
    from dotenv import dotenv_values  # noqa: PLC0415 -- beside Meltano; slow to import

    found = workspace.find(options.environment)
    values = dotenv_values(found.root / (meltano.env_file or ".env"))
    variables = {name: value for name, value in values.items() if value is not None}
    project = replace(found, variables=variables)
    named = options.environment or os.environ.get(env_file.ENVIRONMENT)
    return replace(project, environment=named or _default_environment(project))


def _default_environment(project: Workspace) -> str:
    """Return the environment of a run without the option, as the env file chooses it."""
    values = project.variables
    if workspace.has_token_alone(values):
        return "local"  # as `meltano_start` has it
    chosen = values.get(env_file.ENVIRONMENT)
    return chosen or project.definition.get("default_environment") or ""


def _installation(
    options: argparse.Namespace, project: Workspace, *, is_removal: bool
) -> Installation:
    options_before = []
    if options.tenants:
        env_file.for_all(project.root, options.environment)  # refuses wrong usage
    elif options.environment or project.environment != _default_environment(project):
        # The default is not named: timers read it at each run, and so follow its changes.
        options_before.append(f"--environment={project.environment}")
    if meltano.env_file:
        options_before.append(f"--env-file={project.root / meltano.env_file}")
    # A removal needs no schedules, which may be wrong by now.
    intervals = {} if is_removal else _intervals(project)
    options_of_run = ["--tenants"] if options.tenants else []
    return entries.installation(project.root, intervals, options_before, options_of_run)


def _intervals(project: Workspace) -> dict[str, str]:
    """Return the intervals of the schedules by name.

    Raises:
        UsageError: If a schedule has no name.
    """
    schedules = project.definition.get("schedules") or []
    if not all(isinstance(schedule, dict) and schedule.get("name") for schedule in schedules):
        raise UsageError("a schedule of meltano.yml has no name: add one, as in `- name: daily`")
    return {str(each["name"]): str(each.get("interval") or "") for each in schedules}


def _account_line(project: Workspace) -> str:
    """Return a line with the environment, and whether anybody is told if a run fails."""
    if urls := notify.urls_in(project.variables):
        told = f"messages go to {len(urls)} address{'es' if urls[1:] else ''}"
    else:
        file = meltano.env_file or ".env"
        told = f"nobody is told: set {notify.NOTIFY} in {file}, as docs/notifications.md says"
    return f"Environment {project.place}; if a sync fails, {told}"


def _steps(installation: Installation, *, is_removal: bool) -> Iterator[Step]:
    """Yield the steps: one scheduler gets all timers, and the others lose theirs.

    Raises:
        PipelineError: If no scheduler is available.
    """
    chosen = next((one for one in _SCHEDULERS if one.is_available()), None)
    if chosen is None and not is_removal:
        raise PipelineError(
            "no scheduler answers, neither systemd's user manager nor cron: "
            "install cron, or keep `ynab-pipeline schedule` running"
        )
    for scheduler in _SCHEDULERS:
        before = scheduler.present(installation)
        after = scheduler.wanted(installation) if scheduler is chosen and not is_removal else {}
        if before or after:
            yield Step(scheduler, before, after)


def _described(step: Step) -> Iterator[str]:
    """Yield the lines that show a change, none if there is none."""
    for name in sorted(step.before.keys() | step.after.keys()):
        old, new = step.before.get(name), step.after.get(name)
        if old == new:
            continue
        what = "remove" if new is None else "add" if old is None else "change"
        yield f"{what} {step.scheduler.TITLE}: {name}"
        yield from (f"    {line}".rstrip() for line in (new or "").splitlines())


def _replaced(steps: list[Step]) -> Iterator[str]:
    """Yield a line if the present timers are for others than those to come."""
    before = [text for step in steps for text in step.before.values()]
    after = [text for step in steps for text in step.after.values()]
    if before and after and (whom := _whom(before)) != _whom(after):
        yield f"The new timers replace those for {whom}, which will no longer be synced"


def _whom(timers: list[str]) -> str:
    """Return for whom timers are, by the options in them."""
    text = "\n".join(timers)
    if "--tenants" in text:
        return "all tenants"
    return "the account of an env file" if "--env-file=" in text else "your own account"


def _unchanged(steps: list[Step]) -> list[str]:
    if not steps:
        return ["No timers are installed."]
    return [f"Installed already: {step.scheduler.TITLE}" for step in steps]
