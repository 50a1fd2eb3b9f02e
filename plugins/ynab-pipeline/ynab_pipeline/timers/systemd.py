"""Timers of systemd's user manager: a service and a timer for each schedule."""

from __future__ import annotations

import getpass
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ynab_pipeline.timers import programs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ynab_pipeline.timers.entries import Installation
    from ynab_pipeline.timers.times import Times

TITLE = "systemd user timers"
_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
# Through a shell, because systemd starts no program that has a quotation mark in its path itself.
# A run may start the project's PostgreSQL server, which outlives it: only the run itself is ended.
_SERVICE = """\
[Unit]
Description=tap-ynab in {folder}: {schedule}

[Service]
Type=oneshot
WorkingDirectory={folder}
ExecStart=:/bin/sh -c 'exec "$0" "$@"' {command}
KillMode=process
"""
_TIMER = """\
[Unit]
Description=tap-ynab in {folder}: {schedule}, around {interval}

[Timer]
{times}
RandomizedDelaySec={delay}min
Persistent=true

[Install]
WantedBy=timers.target
"""


def is_available() -> bool:
    """Tell if a user manager answers."""
    return programs.succeeds("systemctl", "--user", "show", "--property=Version")


def present(installation: Installation) -> dict[str, str]:
    """Return the project's units that are installed, by their paths."""
    return {
        str(path): path.read_text(encoding="utf-8")
        for kind in ("service", "timer")
        for path in sorted(_folder().glob(f"{installation.name}-*.{kind}"))
    }


def wanted(installation: Installation) -> dict[str, str]:
    """Return the units that run the schedules, by their paths."""
    files = {}
    for entry in installation.entries:
        path = _folder() / f"{installation.name}-{entry.schedule}"
        values = {"folder": _unexpanded(str(installation.folder)), "schedule": entry.schedule}
        files[f"{path}.service"] = _SERVICE.format(**values, command=_command(entry.command))
        files[f"{path}.timer"] = _TIMER.format(
            **values,
            interval=entry.interval,
            times="\n".join(f"OnCalendar={calendar(one)}" for one in entry.recurrence.times),
            delay=2 * entry.recurrence.spread,
        )
    return files


def change(
    installation: Installation, before: Mapping[str, str], after: Mapping[str, str]
) -> list[str]:
    """Write and remove units, and start and stop the timers.

    Args:
        installation: The project.
        before: The units that are present.
        after: The units that shall be.

    Returns:
        Lines that tell what else to know.

    Raises:
        PipelineError: If systemd refuses it.
    """
    gone = [path for path in before if path not in after]
    if timers := _timers(gone):
        _systemctl("disable", "--now", *timers)
        _systemctl("clean", "--what=state", *timers)  # when they last ran
    for path in gone:
        Path(path).unlink()
    changed = [path for path in after if before.get(path) != after[path]]
    for path in changed:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(after[path], encoding="utf-8")
    _systemctl("daemon-reload")
    if not after:
        return []
    # Also those that are present, for an earlier installation may have been killed before.
    _systemctl("enable", "--now", *_timers(after))
    if timers := _timers(path for path in changed if path in before):
        _systemctl("restart", *timers)
    notes = [f"Their log: journalctl --user --unit='{installation.name}-*'"]
    if not Path("/var/lib/systemd/linger", getpass.getuser()).exists():
        notes.append("They run while you are logged in. To run always: loginctl enable-linger")
    return notes


def calendar(times: Times) -> str:
    """Return times as systemd has them in OnCalendar."""
    weekdays = "" if times.every_weekday else ",".join(_WEEKDAYS[d] for d in sorted(times.weekdays))
    months = "*" if times.every_month else _numbers(times.months)
    days = "*" if times.every_day else _numbers(times.days)
    hours = "*" if times.every_hour else _numbers(times.hours)
    return f"{weekdays} *-{months}-{days} {hours}:{_numbers(times.minutes)}:00".lstrip()


def _numbers(numbers: Iterable[int]) -> str:
    return ",".join(f"{number:02}" for number in sorted(numbers))


def _command(words: Iterable[str]) -> str:
    """Return words quoted; the colon of the command line keeps variables from being expanded."""
    return _unexpanded(" ".join(map(_quoted, words)))


def _quoted(word: str) -> str:
    if re.fullmatch(r"[\w./=-]+", word, re.ASCII):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _unexpanded(text: str) -> str:
    return text.replace("%", "%%")


def _folder() -> Path:
    configuration = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(configuration, "systemd/user")


def _timers(paths: Iterable[str]) -> list[str]:
    return [Path(path).name for path in paths if path.endswith(".timer")]


def _systemctl(*arguments: str) -> None:
    programs.call("systemctl", "--user", "--quiet", *arguments)
