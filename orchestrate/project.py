"""Jobs, schedules and accounts, as meltano.yml and the env files of the project have them.

`assets` and `schedules` are made from them. An account is a partition of Dagster, named after its
env file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml  # type: ignore[import-untyped]
from dotenv import dotenv_values
from ynab_pipeline.account import TOKENS
from ynab_pipeline.cron import BY_HAND, NAMES

ROOT = Path(__file__).resolve().parents[1]
#: Partition of the account in `.env`.
OWN = ".env"
#: Partition of the invented account, if there is no other.
DEMO = "demo"

#: Variables of Dagster's environment that programs of the project get. All that has to do with an
#: account is in its env file, and nothing of another account may get in its way.
_INHERITED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|XDG_\w+"
    r"|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|\w+_(proxy|PROXY)"
)
#: Has dbt log what is wrong alone: it would log two lines for each of its tests.
_DBT = {"DBT_LOG_LEVEL": "warn", "DBT_USE_COLORS": "false"}


class Schedule(NamedTuple):
    """A schedule of meltano.yml."""

    name: str
    job: str
    interval: str


def _definition() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8")))


def jobs() -> list[str]:
    """Return the names of the jobs."""
    return [job["name"] for job in _definition().get("jobs") or ()]


def schedules() -> list[Schedule]:
    """Return the schedules that have a job and an interval, in the form of cron."""
    return [
        Schedule(each["name"], each["job"], NAMES.get(each["interval"], each["interval"]))
        for each in _definition().get("schedules") or ()
        if "job" in each and each["interval"] not in BY_HAND
    ]


def dagster_name(name: str) -> str:
    """Return a name of meltano.yml without the hyphens that Dagster does not take."""
    return re.sub(r"\W", "_", name)


def accounts() -> dict[str, list[str]]:
    """Return the accounts, each with the options by which programs of the project find it."""
    found = {
        path.name.removesuffix(".env"): [f"--env-file=tenants/{path.name}"]
        for path in sorted((ROOT / "tenants").glob("[!.]*.env"))
    }
    if _is_account(ROOT / ".env"):
        return {OWN: [], **found}
    return found or {DEMO: ["--environment=demo"]}


def _is_account(path: Path) -> bool:
    """Tell whether `.env` has a token; one with settings alone is for those who have tenants."""
    try:
        values = dotenv_values(path)
    except (OSError, UnicodeDecodeError):
        return True  # its runs fail, and tell what is wrong
    return any(values.get(name) for name in TOKENS)


def env_file(account: str) -> Path:
    """Return the path of an account's env file, which need not exist."""
    return ROOT / ".env" if account == OWN else ROOT / "tenants" / f"{account}.env"


def environment() -> dict[str, str]:
    """Return the environment of a program of the project."""
    inherited = {name: value for name, value in os.environ.items() if _INHERITED.fullmatch(name)}
    return {**inherited, **_DBT}
