"""Turns: of two runs into the same tables, one waits for the other.

Taps take turns and loaders take turns. So what is read first is written first, and no row of one
run comes between the rows of another and the ACTIVATE_VERSION that would mark it as gone. Runs of
different environments or tenants do not wait for each other.
"""

from __future__ import annotations

import fcntl
import os

from ynab_pipeline import project
from ynab_pipeline.files import open_lock
from ynab_pipeline.log import say


def wait_for_turn(name: str, notice: str) -> int | None:
    """Wait until no other run of the tenant has the turn, then keep it for this process.

    The program that this process becomes keeps it, too, and loses it however it ends. Outside a
    Meltano project there are no turns.

    Args:
        name: The kind of turn: `tap` or `target`.
        notice: The line for a person, if there is something to wait for.

    Returns:
        The descriptor of the lock: the turn ends when no process has it open any more.
    """
    meltano = project.meltano_folder()
    if meltano is None:
        return None
    key = project.tenant_key(project.tenant())
    descriptor = open_lock(meltano / "turns" / f"{key}-{name}.lock")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(notice, "warning")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.set_inheritable(descriptor, True)  # noqa: FBT003 -- its only parameter
    return descriptor
