"""What Dagster and `run --tenants` read in the lines of `ynab-pipeline run`."""

from __future__ import annotations

from ynab_pipeline.outcome import counts, failure

SYNCED = "tap-ynab Synced 2 budgets: 1,234 rows, 20 requests, 0.5 s"


def test_why_it_failed() -> None:
    """Between what Meltano says and what is said of messages."""
    lines = [
        "Run failed: see below",
        "sync failed: YNAB does not accept the token",
        "URL 1 of YNAB_PIPELINE_NOTIFY (json://) got no notification: the service did not take it",
    ]
    assert failure(lines) == "YNAB does not accept the token"
    assert failure(lines[2:]) == failure([]) == ""


def test_what_was_synced() -> None:
    assert counts([SYNCED, "another line"]) == {"budgets": 2, "rows": 1234, "requests": 20}
    assert counts(["Synced 1 budget: 1 row, 1 request, 0.5 s"])["rows"] == 1
    assert counts([]) == {}
