"""Catalogs as a person edits them: discovered, then selected from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.pipeline import Row, Tap

#: What `--discover` said. Once for all tests: it is the same for every account.
_discovered: list[str] = []


class Catalog:
    """A catalog that the tap has discovered."""

    def __init__(self, tap: Tap) -> None:
        """Discover it."""
        if not _discovered:
            finished = tap.run("--discover")
            assert finished.code == 0, finished.log
            _discovered.append(finished.stdout)
        self.content: Row = json.loads(_discovered[0])
        self._tap = tap

    @property
    def streams(self) -> dict[str, Row]:
        """Its entries, by the stream's name."""
        return {entry["stream"]: entry for entry in self.content["streams"]}

    def metadata(self, stream: str, *breadcrumb: str) -> Row:
        """Metadata of a stream, or with `properties` and a name, of one of its columns."""
        entries = self.streams[stream]["metadata"]
        found: Row = next(e["metadata"] for e in entries if e["breadcrumb"] == list(breadcrumb))
        return found

    def only(self, *streams: str) -> Catalog:
        """Select these streams and no other."""
        for name in self.streams:
            self.metadata(name)["selected"] = name in streams
        return self

    def in_full(self, *streams: str) -> Catalog:
        """Have these streams read in full each time, said as Meltano says it."""
        for name in streams:
            self.streams[name]["replication_method"] = "FULL_TABLE"
            self.metadata(name)["replication-method"] = "FULL_TABLE"
        return self

    def column(self, stream: str, name: str, *, selected: bool) -> Catalog:
        """Select a column, or not."""
        self.metadata(stream, "properties", name)["selected"] = selected
        return self

    def arguments(self) -> tuple[str, str]:
        """What to run the tap with."""
        return "--catalog", self._tap.write("catalog.json", self.content)
