"""Lines in the crontab of the user, between two comments."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

from ynab_pipeline.errors import PipelineError
from ynab_pipeline.timers import programs
from ynab_pipeline.timers.entries import LOG

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ynab_pipeline.timers.entries import Installation
    from ynab_pipeline.timers.times import Times

TITLE = "lines in your crontab"
#: In the place of a path.
_CRONTAB = "crontab"


def is_available() -> bool:
    """Tell if there is a crontab to write to."""
    return shutil.which("crontab") is not None


def present(installation: Installation) -> dict[str, str]:
    """Return the project's lines, if it has any."""
    if not is_available():
        return {}
    _, lines, _ = _split(installation, _read())
    return {_CRONTAB: lines} if lines else {}


def wanted(installation: Installation) -> dict[str, str]:
    """Return the lines that run the schedules."""
    folder = shlex.quote(str(installation.folder))
    begin, end = _marks(installation)
    lines = [f"{begin} ({installation.folder})"]
    for entry in installation.entries:
        command = shlex.join(entry.delayed_command)
        line = f"cd {folder} && {command} >>{LOG} 2>&1".replace("%", r"\%")
        lines += [f"{fields(times)} {line}" for times in entry.recurrence.times]
    lines.append(end)
    return {_CRONTAB: "".join(f"{line}\n" for line in lines)}


def change(
    installation: Installation, before: Mapping[str, str], after: Mapping[str, str]
) -> list[str]:
    """Put the project's lines into the crontab, in the place of those before, or take them out.

    Returns:
        Lines that tell what else to know.

    Raises:
        PipelineError: If the crontab cannot be changed.
    """
    if before != after:
        above, _, below = _split(installation, _read())
        text = above + after.get(_CRONTAB, "") + below
        if text:
            programs.call("crontab", "-", stdin=text)
        else:
            programs.call("crontab", "-r")
    return [f"Their log: {LOG}"] if after else []


def fields(times: Times) -> str:
    """Return times as the five fields of a crontab."""
    return " ".join(
        [
            _numbers(times.minutes),
            "*" if times.every_hour else _numbers(times.hours),
            "*" if times.every_day else _numbers(times.days),
            "*" if times.every_month else _numbers(times.months),
            "*" if times.every_weekday else _numbers(times.weekdays),
        ]
    )


def _numbers(numbers: Iterable[int]) -> str:
    return ",".join(map(str, sorted(numbers)))


def _marks(installation: Installation) -> tuple[str, str]:
    return f"# {installation.name} begins", f"# {installation.name} ends"


def _read() -> str:
    """Return the crontab, empty if there is none or cron keeps the user out.

    Raises:
        PipelineError: If it cannot be read. Lines would be lost if it were taken for empty.
    """
    done = programs.run("crontab", "-l")
    if done.returncode == 0:
        return done.stdout
    if not done.stdout and re.search("no crontab for|No such file|not allowed", done.stderr):
        return ""
    raise PipelineError(f"your crontab cannot be read: {programs.reason(done)}")


def _split(installation: Installation, text: str) -> tuple[str, str, str]:
    """Return what is above the project's lines, these lines, and what is below them.

    Raises:
        PipelineError: If only one of the two comments around the lines is there.
    """
    begin, end = _marks(installation)
    lines = text.splitlines(keepends=True)
    first = [number for number, line in enumerate(lines) if line.startswith(begin)]
    last = [number for number, line in enumerate(lines) if line.startswith(end)]
    if not first and not last:
        return text if not text or text.endswith("\n") else f"{text}\n", "", ""
    if not len(first) == len(last) == 1 or first > last:
        raise PipelineError(
            "your crontab must have each of these lines once, in this order: "
            f"{begin!r}, {end!r}. Remove them, and the lines that belong to them, with crontab -e"
        )
    start, stop = first[0], last[0] + 1
    return "".join(lines[:start]), "".join(lines[start:stop]), "".join(lines[stop:])
