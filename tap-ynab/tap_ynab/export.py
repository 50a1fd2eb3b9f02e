"""The plan export: a whole budget, or all that changed in it, in one response for many streams.

Between `response`, of which it is one, and `budget`, which reads it stream by stream.
"""

from __future__ import annotations

import re
import typing as t
from collections import deque
from contextlib import ExitStack
from itertools import islice

from tap_ynab.errors import YNABError
from tap_ynab.json_text import BLOCK
from tap_ynab.response import Response

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Lists with the same rows as the endpoints, except for formatted amounts. All must be there: they
#: are the boundaries at which the others are cut out.
LISTS = {"accounts", "payees", "payee_locations", "category_groups", "categories", "months"}
#: Lists without names, and with subtransactions apart. They only tell that something changed.
FLAT = {"transactions", "subtransactions", "scheduled_transactions", "scheduled_subtransactions"}

#: Levels down to a list: `{"data": {"plan": {"payees": [`.
LIST_LEVEL = 4
#: Lists of these names that an export may have: those of categories of its months, most of all.
MOST_LISTS = 10_000
#: Bytes that hold the key of a list, and the white space between the two.
NEAR = 1 << 10
_DATE = re.compile(rb'"date"\s*:\s*"(\d{4}-\d{2}-\d{2})"')


class Export(Response):
    """A plan export without its transactions, which can be hundreds of megabytes.

    They are cut out without parsing them, so that other lists are read fast.

    Attributes:
        changed: Names of the flat lists that are not empty.
        oldest: Date of the oldest transaction; None without transactions.
        is_full: Whether it holds the whole budget, not just what changed.
    """

    def __init__(self, response: Response, *, is_full: bool) -> None:
        """Copy the lists of a response, which may be closed afterwards.

        Raises:
            YNABError: It is not JSON, or a list is missing.
        """
        self.is_full = is_full
        self.changed = set(FLAT)
        self.oldest: str | None = None
        lists = list(islice(_lists(response), MOST_LISTS))
        if len(lists) == MOST_LISTS:
            raise YNABError("The plan export has too many lists")
        if missing := LISTS - {name for name, _, _ in lists}:
            raise YNABError(f"The plan export has no {' and no '.join(sorted(missing))}")
        text = self._without_flat_lists(response, lists)
        super().__init__(text, response.date, list_level=LIST_LEVEL)
        self.server_knowledge = response.server_knowledge
        with ExitStack() as stack:
            stack.callback(self.close)
            # Parse all of it: if a list was cut at the wrong place, the rest is no JSON.
            deque(self._objects("data.nothing"), maxlen=0)
            stack.pop_all()

    def _without_flat_lists(
        self, response: Response, lists: list[tuple[str, int, int]]
    ) -> Iterator[bytes]:
        """Yield the text, with the flat lists emptied."""
        done = 0
        ends = [key for _, key, _ in lists[1:]] + [response.size]
        for (name, _, start), limit in zip(lists, ends, strict=True):
            if name in FLAT:
                yield from response.blocks(done, start)
                done = _end(response, start, limit)
                self._note(name, response.blocks(start, done))
        yield from response.blocks(done, response.size)

    def _note(self, name: str, blocks: Iterable[bytes]) -> None:
        """Note if a flat list is empty, and the oldest date of transactions."""
        is_empty, before = True, b""
        for block in blocks:
            is_empty = is_empty and not block.strip()
            if name == "transactions":
                dates = [found.decode() for found in _DATE.findall(before + block)]
                self.oldest = min([*dates, *filter(None, [self.oldest])], default=None)
                before = block[-NEAR:]
        if is_empty:
            self.changed.discard(name)


def _lists(response: Response) -> Iterator[tuple[str, int, int]]:
    """Yield each list's name, the offset of its key, and the offset of its first element."""
    before, offset = b"", 0
    for block in response.blocks(0, response.size):
        text = before + block
        at = text.find(b"[", len(before))
        while at >= 0:
            if key := _key_before(text, at):
                yield key[0], offset + key[1], offset + at + 1
            at = text.find(b"[", at + 1)
        before = text[-NEAR:]
        offset += len(text) - len(before)


def _key_before(text: bytes, at: int) -> tuple[str, int] | None:
    """Return the name and the offset of the key before a list, if it is one of those above."""
    near = max(0, at - NEAR)
    end = text.rfind(b'"', near, at)
    start = text.rfind(b'"', near, max(near, end))
    name = text[start + 1 : end].decode("ascii", "replace")
    # Inside a string, the quotes of a key would have backslashes.
    is_key = text[end + 1 : at].strip() == b":" and text[start - 1 : start] != b"\\"
    return (name, start) if start >= 0 and name in LISTS | FLAT and is_key else None


def _end(response: Response, start: int, limit: int) -> int:
    """Return the offset of the end of a list that begins at `start`, before `limit`."""
    begin = max(start, limit - BLOCK)
    at = b"".join(response.blocks(begin, limit)).rfind(b"]")
    if at < 0:
        raise YNABError("The plan export has a list that does not end")
    return begin + at
