"""A sandbox that makes the worse of two guesses wherever YNAB's documentation leaves one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ynab_sandbox import Sandbox
from ynab_sandbox.body import of_document
from ynab_sandbox.clock import year_before
from ynab_sandbox.sandbox import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

#: By how much the counter of each address is ahead: a little, so that nobody notices.
AHEAD = {"transactions": 0, "months": 1, "accounts": 2, "payees": 4, "categories": 5}
EXPORT_AHEAD = 3


class OwnCounters(Sandbox):
    """Each address counts for itself: with another one's knowledge, changes would be skipped."""

    def answer(self, path: str, query: Mapping[str, str], token: str | None) -> Answer:
        own = AHEAD.get(path.rsplit("/", 1)[-1], EXPORT_AHEAD)
        known = int(query.get("last_knowledge_of_server", 0))
        if known:
            query = {**query, "last_knowledge_of_server": str(max(0, known - own))}
        given = super().answer(path, query, token)
        if given.status != 200:
            return given
        document = json.loads(b"".join(given.body.plain()))
        if "server_knowledge" in document["data"]:
            document["data"]["server_knowledge"] += own
        return Answer(200, of_document(document), given.headers)


class ShortExport(Sandbox):
    """The export leaves out transactions older than a year, as their endpoint does by default."""

    def answer(self, path: str, query: Mapping[str, str], token: str | None) -> Answer:
        given = super().answer(path, query, token)
        if given.status != 200 or len(path.split("/")) != 3:
            return given
        document = json.loads(b"".join(given.body.plain()))
        first = year_before(self.clock.today())
        budget = document["data"]["plan"]
        budget["transactions"] = [row for row in budget["transactions"] if row["date"] >= first]
        return Answer(200, of_document(document), given.headers)
