"""The command `ynab-pipeline-target`, the executable of Meltano's loader.

It sees to the database and becomes `target-postgres`.
"""

from __future__ import annotations

import json
import os
import select
import sys
from typing import TYPE_CHECKING, Any

from ynab_pipeline import handover
from ynab_pipeline.account import TOKEN
from ynab_pipeline.database import active_settings, choose_database
from ynab_pipeline.destination import is_true
from ynab_pipeline.errors import PipelineError, explain
from ynab_pipeline.log import say
from ynab_pipeline.programs import INFORMATION, become, has_option
from ynab_pipeline.project import make_private
from ynab_pipeline.relay import relay_stderr
from ynab_pipeline.turns import wait_for_turn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Load = Callable[[Sequence[str]], None]

FAST = "YNAB_PIPELINE_FAST_LOADER"


def main() -> None:
    """Prepare the database and become the loader, with the command line of this process."""
    arguments = sys.argv[1:]
    try:
        make_private(arguments)
        os.environ.pop(TOKEN, None)  # of no use to the loader
        relay_stderr()
        load = _fast_loader() if _fast() else None
        if not has_option(arguments, INFORMATION):
            found = active_settings(arguments)
            arguments += choose_database(found)
            handover.put("tables", _check(found))
            _wait_for_turn()
            _pass_on_state()
        # Date-times come in UTC, and the loader stores them in the time zone of its session.
        os.environ["PGTZ"] = "UTC"
        if load is None:
            become("target-postgres", arguments)
    except (PipelineError, OSError) as error:
        say(f"ynab-pipeline-target: {explain(error)}", "error")
        sys.exit(1)
    load(arguments)


def _check(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Check the database, and return what is found; nothing if only the loader can reach it."""
    if is_true(found.get("ssh_tunnel_enable")):
        return {}
    try:
        from ynab_pipeline.check import check  # noqa: PLC0415 -- beside the loader only
    except ModuleNotFoundError as error:
        raise PipelineError(f"{error.name} is not installed here: run make install") from error
    return check(found) or {}


def _pass_on_state() -> None:
    """Have Meltano keep the state that the tap begins with, if bookmarks were taken out of it.

    With the old one, a run after this one is killed would go on as if it had loaded everything.
    """
    if state := handover.take("state"):
        sys.stdout.write(f"{json.dumps(state)}\n")
        sys.stdout.flush()


def _wait_for_turn() -> None:
    """Wait for the first line to load, then for the turn.

    A loader whose tap still waits for its own turn must not have the one that the tap waits for.
    """
    select.select([sys.stdin], [], [])
    wait_for_turn("target", "database: another run writes to it, waiting for that to end")


def _fast() -> bool:
    value = os.environ.get(FAST, "")
    if value.lower() not in {"", "0", "1", "false", "true"}:
        raise PipelineError(f"{FAST} is {value!r}: true or false is expected")
    return value.lower() in {"1", "true"}


def _fast_loader() -> Load:
    # In this process, and imported before the wait for the first line, while the tap starts.
    try:
        from ynab_pipeline.fast_loader import load  # noqa: PLC0415 -- optional
    except ModuleNotFoundError as error:
        raise PipelineError(
            f"{FAST} is set, but {error.name} is not installed here: unset it, or install "
            "plugins/ynab-pipeline[fast-loader]"
        ) from error
    return load
