"""Data of the page, arranged from the rows of the views.

`database` -> this -> `document`; `redact` changes it on the way, if asked to.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ynab_report.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ynab_report.database import Row, Rows

    Json = dict[str, Any]


def arrange(rows: Rows, *, made_at: int, stale_after: float) -> Json:
    """Return the data of the page.

    Args:
        rows: The rows of each query.
        made_at: When the page is made, in seconds since 1970.
        stale_after: Hours without a sync after which the page warns.
    """
    last_run = rows["runs"][0] if rows["runs"] else None
    by_budget: defaultdict[str, Rows] = defaultdict(lambda: defaultdict(list))
    for name, of_query in rows.items():
        for row in of_query if name != "runs" else ():
            by_budget[row["budget_id"]][name].append(row)
    return {
        "madeAt": made_at,
        "staleAfter": stale_after,
        "redacted": False,
        "lastRun": last_run
        and {
            "status": last_run["status"],
            "errors": last_run["errors"],
            "startedAt": last_run["started_at"],
        },
        "budgets": [Budget(each).arrange() for each in _busiest_first(by_budget, rows["budgets"])],
    }


def _busiest_first(by_budget: Mapping[str, Rows], budgets: list[Row]) -> list[Rows]:
    """Return the rows of each budget; the page first shows the one with the most spending."""
    ordered = [by_budget[row["budget_id"]] for row in budgets]
    return sorted(ordered, key=lambda rows: len(rows["spending"]), reverse=True)
