"""The tap in this process, and tables as a loader keeps them: for thousands of runs."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout, suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tap_ynab.errors import TransientError, YNABError
from tap_ynab.tap import TapYNAB

from tests.support.rows import moment

if TYPE_CHECKING:
    from tests.support.pipeline import Row, State


class Tables:
    """What target-postgres makes of Singer messages: upserts, and marks where told."""

    def __init__(self) -> None:
        """Nothing is loaded."""
        self._rows: dict[str, dict[str, Row]] = {}

    def apply(self, message: Row) -> None:
        """Take one message."""
        rows = self._rows.setdefault(message.get("stream", ""), {})
        if message["type"] == "RECORD":
            row = {**message["record"], "_version": message.get("version"), "_gone": False}
            rows[row["id"]] = row
        elif message["type"] == "ACTIVATE_VERSION":
            for row in rows.values():
                row["_gone"] |= (row["_version"] or 0) < message["version"]

    def alive(self, stream: str) -> dict[str, Row]:
        """Rows that count, by id."""
        return {
            identity: {name: moment(name, value) for name, value in row.items()}
            for identity, row in self._rows.get(stream, {}).items()
            if not row["deleted"] and not row["_gone"]
        }


class QuickPipeline:
    """Tap and tables with the state between two runs; either may be killed at any line."""

    def __init__(self, config: dict[str, Any]) -> None:
        """Nothing is loaded."""
        self.config = config
        self.database = Tables()
        self.state: State = {}

    def sync(
        self, *, full: bool = False, killed_at: float | None = None, confirmed: bool = True
    ) -> bool:
        """Run once.

        Args:
            full: Without state.
            killed_at: After which share of its messages the run is killed.
            confirmed: Whether the loader had stored all until then, or nothing was confirmed.

        Returns:
            Whether the run was not killed and everything was read.
        """
        # The tap changes the state that it is given.
        tap = TapYNAB(config=self.config, state={} if full else deepcopy(self.state))
        for stream in tap.streams.values():
            # Else so few rows would bring no STATE in the middle of a stream.
            stream.STATE_MSG_FREQUENCY = 3
        stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        succeeded = False
        with redirect_stdout(stdout), suppress(YNABError, TransientError):
            tap.run()
            succeeded = True
        lines = stdout.buffer.getvalue().splitlines()
        end = len(lines) if killed_at is None else int(len(lines) * killed_at)
        for line in lines[:end]:
            message = json.loads(line)
            self.database.apply(message)
            if message["type"] == "STATE" and confirmed:
                self.state = message["value"]
        return succeeded and killed_at is None
