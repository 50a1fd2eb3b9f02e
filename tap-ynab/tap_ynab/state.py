"""The state between two runs. Meltano keeps it; this module alone reads and writes its keys.

    bookmarks:
      budgets:                 notes for the next run, see `RunState`
        requests, left, names
      <stream>:
        partitions:            one `Bookmark` for each budget
        - context: {budget_id}
          replication_key, replication_key_value, knowledge, ...

ARCHITECTURE.md describes every key.
"""

from __future__ import annotations

import logging
import re
import time
import typing as t
from base64 import b64decode

import msgspec

from tap_ynab.renames import ID, NAME, upgrade_names

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_ynab.feeds import Batch, Feed

logger = logging.getLogger("tap_ynab")

#: Streams whose rows have the names of payees, categories and accounts.
WITH_NAMES = ("transactions", "scheduled_transactions")

Entry = dict[str, t.Any]
#: Ids of budgets by the name of a stream.
Partitions = dict[str, list[str]]
_MINUTE = re.compile(r"[0-9]{1,11}")


class Bookmark:
    """Bookmark of one stream of one budget."""

    def __init__(
        self,
        entry: Entry,
        feed: Feed,
        *,
        label: str,
        since_date: str,
        is_full_refresh: bool = False,
    ) -> None:
        """Read an entry of the state.

        Args:
            entry: The entry, changed in place.
            feed: How the stream is read.
            label: Stream and budget, for the log.
            since_date: Date of the oldest rows that are wanted, of a dated feed.
            is_full_refresh: Whether the catalog asks for all rows, so that the bookmark is ignored.
        """
        self._entry = entry
        self._feed = feed
        self._label = label
        self._since_date = since_date
        self._is_full_refresh = is_full_refresh

    @property
    def value(self) -> int | None:
        """The replication key's value; None if the stream has not been read."""
        return self._entry.get("replication_key_value")

    def since(self, source: str) -> int | None:
        """Return the counter to ask a source with; None for all rows.

        0 means that all rows were read from the other source: this one has yet to send deletions.
        """
        if self._feed.is_dated and self._entry.get("since_date") != self._since_date:
            return None
        return self.since_with_other_date(source)

    def since_with_other_date(self, source: str) -> int | None:
        """Return the counter even if the rows were read with another `since_date`."""
        if self._is_full_refresh or (self._feed.is_delta and self.value is None):
            return None
        counter: int | None = self._entry.get("knowledge", {}).get(source)
        return counter or 0 if self._feed.is_delta else counter

    @property
    def month(self) -> str | None:
        """First day of the month (UTC) to which the amounts of the rows belong."""
        return self._entry.get("month")

    @property
    def renamed(self) -> list[str]:
        """Ids of payees, categories and accounts whose new names the rows still lack."""
        return list(self._entry.get("renamed", ()))

    @property
    def fingerprint(self) -> list[str] | None:
        """Fingerprint of a list that the export lacks, made by `unexported`; None at first."""
        return self._entry.get("fingerprint")

    @fingerprint.setter
    def fingerprint(self, value: list[str]) -> None:
        self._entry["fingerprint"] = value

    @property
    def export_is_partial(self) -> bool:
        """True if the export lacks old transactions, so that it can't tell if any changed."""
        return bool(self._entry.get("export_is_partial"))

    @export_is_partial.setter
    def export_is_partial(self, value: bool) -> None:
        self._entry["export_is_partial"] = value

    def commit(self, batches: Sequence[Batch], rows: int) -> None:
        """Move past batches whose rows are all written, and log it."""
        counters: dict[str, int] = {}
        for batch in batches:
            if batch.moves_bookmark and batch.server_knowledge is not None:
                # The lowest of several: what happened between two responses comes next time.
                lowest = counters.get(batch.source, batch.server_knowledge)
                counters[batch.source] = min(lowest, batch.server_knowledge)
        before = self.value
        if batches and not self._is_full_refresh:
            self._entry["knowledge"] = self._entry.get("knowledge", {}) | counters
            self._entry.pop("renamed", None)
            if self._feed.is_delta:
                self._entry["replication_key"] = "server_knowledge"
                self._entry["replication_key_value"] = min(counters.values(), default=0)
            if self._feed.is_dated:
                self._entry["since_date"] = self._since_date
            if self._feed.is_monthly:
                self._entry["month"] = batches[0].month
        moved = ""
        if self._feed.is_delta and not self._is_full_refresh:
            moved = f", server_knowledge {_or_none(before)} -> {_or_none(self.value)}"
        level = logging.INFO if rows else logging.DEBUG
        logger.log(level, "%s: %s%s", self._label, count(rows), moved)

    def log_failure(self, rows: int, error: Exception) -> None:
        """Log why the bookmark does not move."""
        stays = f", server_knowledge stays {_or_none(self.value)}" if self._feed.is_delta else ""
        logger.info("%s: incomplete, %s%s: %s", self._label, count(rows), stays, error)

    def reset(self) -> None:
        """Have the next run read all rows, of all budgets."""
        self._entry.pop("knowledge", None)
        # Matches no list, so that it seems to have lost rows.
        self._entry["fingerprint"] = ["", ""]


class RunState:
    """Bookmarks, and notes for the next run."""

    def __init__(self, state: Entry) -> None:
        """Read the tap's state, which is changed in place."""
        self._state = state

    @property
    def _run(self) -> Entry:
        """Notes for the next run, kept with the stream `budgets`, which has no bookmarks."""
        entry: Entry = self._state.setdefault("bookmarks", {}).setdefault("budgets", {})
        return entry

    @property
    def requests(self) -> dict[str, int]:
        """Requests sent in the last hour, by minute (seconds since 1970)."""
        found: dict[str, int] = self._run.setdefault("requests", {})
        return found

    @property
    def left(self) -> Partitions:
        """Partitions that the last run did not read because of the hourly limit."""
        return self._run.get("left") or {}

    @left.setter
    def left(self, partitions: Partitions) -> None:
        if partitions:
            self._run["left"] = partitions
        else:
            self._run.pop("left", None)

    @property
    def names(self) -> dict[str, str]:
        """Fingerprints of names by budget, see `renames`."""
        found: dict[str, str] = self._run.setdefault("names", {})
        return found

    def entry(self, stream: str, budget_id: str) -> Entry:
        """Return the entry of a bookmark, a new one if there is none."""
        context = {"budget_id": budget_id}
        partitions = self._partitions(stream)
        for entry in partitions:
            if entry["context"] == context:
                return entry
        partitions.append({"context": context})
        return partitions[-1]

    def _partitions(self, stream: str) -> list[Entry]:
        entry: Entry = self._state.setdefault("bookmarks", {}).setdefault(stream, {})
        found: list[Entry] = entry.setdefault("partitions", [])
        return found

    def rename(self, budget_id: str, identity: str) -> None:
        """Note that transactions that were read before need the new name of something."""
        for stream in WITH_NAMES:
            for entry in self._partitions(stream):
                is_read = "replication_key_value" in entry
                if is_read and entry["context"] == {"budget_id": budget_id}:
                    entry.setdefault("renamed", []).append(identity)

    def forget_other_budgets(self, budget_ids: Iterable[str]) -> list[str]:
        """Remove all but these budgets, and return the ids of those that were there."""
        kept, gone = set(budget_ids), set()
        for stream in self._state.get("bookmarks", {}).values():
            partitions = stream.get("partitions", [])
            for partition in list(partitions):
                if (budget_id := partition["context"].get("budget_id")) not in kept:
                    partitions.remove(partition)
                    gone.add(budget_id)
        for budget_id in gone:
            self.names.pop(budget_id, None)
        return sorted(gone)


def count(rows: int) -> str:
    """Return a number of rows in words."""
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _or_none(value: int | None) -> str:
    return "none" if value is None else str(value)


# What is kept of a state that is loaded


class _Context(t.TypedDict):
    budget_id: str


class _Located(t.TypedDict):
    context: _Context


_Counter = t.Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


class _Partition(_Located, total=False):
    replication_key: str
    replication_key_value: _Counter
    knowledge: dict[t.Literal["export", "endpoint"], _Counter]
    month: str
    since_date: str
    export_is_partial: bool
    renamed: list[str]
    fingerprint: t.Annotated[list[str], msgspec.Meta(min_length=2, max_length=2)]


def intact(state: Entry) -> Entry:
    """Return a state, of whatever version, without what is damaged.

    A bookmark with a damaged key is as no bookmark: its rows are read in full, which is safe. So
    are transactions of a budget whose names are damaged, because new names would go unnoticed.
    Keys that this version does not have are left out.
    """
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, dict):
        bookmarks = {"all streams": None}
    notes = bookmarks.get("budgets", {})
    names = notes.get("names", {}) if isinstance(notes, dict) else None
    kept: Entry = {"budgets": _intact_notes(notes)}
    damaged = []
    for stream, entry in bookmarks.items():
        if stream == "budgets":
            continue
        partitions = entry.get("partitions", []) if isinstance(entry, dict) else None
        found = _intact_partitions(partitions)
        if stream in WITH_NAMES:
            found = [
                p for p in found if _packed_names(names, p["context"]["budget_id"]) is not None
            ]
        if not isinstance(partitions, list) or len(found) < len(partitions):
            damaged.append(stream)
        if _as(str, stream):
            kept[stream] = {"partitions": found}
    if damaged:
        # Nothing comes first now: a run in full tells what was deleted.
        kept["budgets"].pop("left", None)
        logger.warning("The state is damaged. Reading in full: %s.", ", ".join(damaged))
    return {"bookmarks": kept}


def _intact_notes(notes: object) -> Entry:
    if not isinstance(notes, dict):
        return {}
    kept: Entry = {}
    if isinstance(requests := notes.get("requests"), dict):
        # A minute still to come, by a clock that was wrong, would make the run wait until then.
        now = time.time()
        kept["requests"] = {
            minute: sent
            for minute, sent in requests.items()
            if _MINUTE.fullmatch(minute) and int(minute) <= now and _as(_Counter, sent) is not None
        }
    if left := _as(Partitions, notes.get("left")):
        kept["left"] = left
    if isinstance(names := notes.get("names"), dict):
        packed = {one: _packed_names(names, one) for one in names if _as(str, one)}
        kept["names"] = {one: found for one, found in packed.items() if found is not None}
    return kept


def _intact_partitions(partitions: object) -> list[Entry]:
    found: dict[str, Entry | None] = {}
    for each in partitions if isinstance(partitions, list) else ():
        if partition := _as(_Partition, each):
            budget_id = partition["context"]["budget_id"]
            # Of two for one budget, neither is to be trusted.
            found[budget_id] = None if budget_id in found else partition
    return [each for each in found.values() if each]


def _packed_names(names: object, budget_id: str) -> str | None:
    """Return the names of a budget as `renames` packs them; "" if none are known yet.

    None if they are damaged.
    """
    if not isinstance(names, dict):
        return None
    found = names.get(budget_id)
    try:
        packed: t.Any = upgrade_names(found) if isinstance(found, dict) else found
        size = len(b64decode(packed, validate=True))
    except (TypeError, ValueError):
        return None if budget_id in names else ""
    return packed if size and size % (ID + NAME) == 0 else None


def _as(kind: t.Any, value: object) -> t.Any:
    """Return a value if it is of a kind, and can be written again; else None."""
    try:
        return msgspec.json.decode(msgspec.json.encode(value), type=kind)
    except (ValueError, OverflowError, RecursionError):
        return None
