"""Record of a run, by budget: rows, bookmarks and requests.

Filled by `sync_run` while the run lasts. The stream `syncs` has a row of it for each budget.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timezone

from tap_ynab.state import count

if t.TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, t.Any]


@dataclass
class BudgetReport:
    """Record of a run on one budget, or on the account if that is all it got to.

    Attributes:
        streams: By stream, the number of rows, and the bookmark before (`from`) and after (`to`).
        is_full: Whether all rows of a stream with deltas were read.
        requests: Number of requests, retries included.
    """

    streams: dict[str, Row] = field(default_factory=dict)
    is_full: bool = False
    requests: int = 0

    @property
    def rows(self) -> int:
        """Number of rows that are written."""
        return sum(stream["rows"] for stream in self.streams.values())

    def add_rows(self, stream: str, rows: int, before: int | None, after: int | None) -> None:
        """Note rows that are written, and the stream's bookmark before and after."""
        noted = self.streams.setdefault(stream, {"rows": 0, "from": before})
        noted["rows"] += rows
        noted["to"] = after


class Report:
    """Record of a run."""

    def __init__(self) -> None:
        """Begin now."""
        self.started_at = datetime.now(timezone.utc)
        self._budgets: dict[str | None, BudgetReport] = {}

    def of(self, budget_id: str | None) -> BudgetReport:
        """Return the report of a budget; None for what belongs to none."""
        return self._budgets.setdefault(budget_id, BudgetReport())

    def row(self, budget_id: str | None, name: str | None, status: str, error: str | None) -> Row:
        """Return the row of a budget in the stream `syncs`.

        Args:
            budget_id: Its id; None if the budgets could not be listed.
            name: Its name.
            status: `succeeded`, `incomplete` if the hourly limit has left some of it for the next
                run, or `failed`.
            error: What went wrong.
        """
        report = self.of(budget_id)
        started_at = self.started_at.isoformat()
        return {
            "id": f"{started_at}|{budget_id or ''}",
            "budget_id": budget_id,
            "budget_name": name,
            "started_at": started_at,
            "finished_at": datetime.now(timezone.utc).isoformat(),
            "mode": "full" if report.is_full else "delta",
            "status": status,
            "error": error,
            "requests": report.requests,
            "rows": report.rows,
            "streams": report.streams,
        }

    def summary(self, succeeded: int, budgets: Iterable[str], requests: int) -> str:
        """Return the run in a line, such as `Synced 2 budgets: 3,841 rows, 10 requests, 4.8 s`."""
        ids = list(budgets)
        number = "1 budget" if len(ids) == 1 else f"{len(ids)} budgets"
        if succeeded < len(ids):
            number = f"{succeeded} of {number}"
        rows = count(sum(self.of(one).rows for one in ids))
        seconds = (datetime.now(timezone.utc) - self.started_at).total_seconds()
        requested = "1 request" if requests == 1 else f"{requests:,} requests"
        return f"Synced {number}: {rows}, {requested}, {seconds:.1f} s"
