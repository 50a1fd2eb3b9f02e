"""The plan export: all of a budget, or all that changed in it, in one answer for many streams.

Between `client`, which fetches it, and `sync`, which reads it stream by stream.
"""

from __future__ import annotations

import logging
import re
import typing as t
from collections import deque
from contextlib import ExitStack, closing
from functools import partial

from tap_ynab.delta import Shared, changes
from tap_ynab.errors import AccountError, TransientError, YNABError
from tap_ynab.fallback import TRIES
from tap_ynab.names import NAMED
from tap_ynab.response import BLOCK, Response

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context

    from tap_ynab.tap import TapYNAB

logger = logging.getLogger("tap-ynab.export")

#: Lists whose rows are those of the endpoints, but for the twins of amounts.
LISTS = {"accounts", "payees", "payee_locations", "category_groups", "categories", "months"}
#: Lists without names, and with splits in two parts: it only matters whether they hold anything.
FLAT = {"transactions", "subtransactions", "scheduled_transactions", "scheduled_subtransactions"}

#: Bytes in which a key and what may stand between it and its list have room.
NEAR = 1 << 10
#: The key of a list that begins where the search ends. Inside a string the quotes had backslashes.
_KEY = re.compile(rb'(?<!\\)"(\w+)"\s*:\s*\Z')
_DATE = re.compile(rb'"date"\s*:\s*"(\d{4}-\d{2}-\d{2})"')


class Export(Response):
    """A plan export without its transactions, which can be hundreds of megabytes.

    They are cut out unparsed, so that reading any other list takes no longer than the rest is.

    Attributes:
        changed: Those of the flat lists that hold anything.
        oldest: Date of the oldest transaction; None without transactions.
        is_whole: Whether it holds all there is, rather than what changed.
    """

    def __init__(self, whole: Response, *, is_whole: bool) -> None:
        """Take what is needed of an answer, which may be closed then.

        Raises:
            YNABError: It is not JSON, or lacks a list.
        """
        self.is_whole = is_whole
        self.changed = set(FLAT)
        self.oldest: str | None = None
        lists = list(_lists(whole))
        if missing := LISTS - {name for name, _, _ in lists}:
            raise YNABError(f"The plan export has no {' and no '.join(sorted(missing))}")
        super().__init__(self._rest(whole, lists), whole.date)
        with ExitStack() as stack:
            stack.callback(self.close)
            # What was cut at the wrong place, because YNAB's lists are nested now, is no JSON.
            deque(self._objects("data.nothing"), maxlen=0)
            _ = self.server_knowledge  # now, for it moves in the body that `rows` reads from
            stack.pop_all()

    def _rest(self, whole: Response, lists: list[tuple[str, int, int]]) -> Iterator[bytes]:
        """The text with empty lists in the place of the flat ones."""
        done = 0
        ends = [key for _, key, _ in lists[1:]] + [whole.size]
        for (name, _, start), limit in zip(lists, ends, strict=True):
            if name in FLAT:
                yield from whole.blocks(done, start)
                done = _end(whole, start, limit)
                self._look(name, whole.blocks(start, done))
        yield from whole.blocks(done, whole.size)

    def _look(self, name: str, blocks: Iterable[bytes]) -> None:
        """Note of a list what matters of it."""
        is_empty, before = True, b""
        for block in blocks:
            is_empty = is_empty and not block.strip()
            if name == "transactions":
                dates = [found.decode() for found in _DATE.findall(before + block)]
                self.oldest = min([*dates, self.oldest or "9999"])
                before = block[-NEAR:]
        if is_empty:
            self.changed.discard(name)


def _lists(whole: Response) -> Iterator[tuple[str, int, int]]:
    """Name of each list of the export, where its key begins, and where it does itself."""
    before, offset = b"", 0
    for block in whole.blocks(0, whole.size):
        text = before + block
        at = text.find(b"[", len(before))
        while at >= 0:
            found = _KEY.search(text, max(0, at - NEAR), at)
            if found and (name := found[1].decode()) in LISTS | FLAT:
                yield name, offset + found.start(), offset + at + 1
            at = text.find(b"[", at + 1)
        before = text[-NEAR:]
        offset += len(text) - len(before)


def _end(whole: Response, start: int, limit: int) -> int:
    """Where a list ends that begins at `start`, with the key of another one at `limit`."""
    begin = max(start, limit - BLOCK)
    at = b"".join(whole.blocks(begin, limit)).rfind(b"]")
    if at < 0:
        raise YNABError("The plan export has a list that does not end")
    return begin + at


class Exports:
    """The exports of one run, of each budget one for all streams, or none."""

    def __init__(self, ynab: TapYNAB) -> None:
        """Ask for nothing yet."""
        self._ynab = ynab
        self._shared: dict[str, Shared[Export] | None] = {}

    def since(self, context: Context, known: int | None) -> Sequence[Export]:
        """What a stream reads that knows this; nothing where its endpoint has to do."""
        budget_id = context["budget_id"]
        if budget_id not in self._shared:
            readers = [stream.known(context) for stream in self._ynab.export_readers]
            shared = Shared(partial(self._ask, budget_id), readers)
            self._shared[budget_id] = self._ynab.open.enter_context(closing(shared))
        if (found := self._shared[budget_id]) is None:
            return ()
        try:
            return found.since(known)
        except AccountError:
            raise
        except (YNABError, TransientError) as error:
            why = str(error).rstrip(".")
            logger.warning("%s. Asking for each list, which takes more requests.", why)
            self._shared[budget_id] = None
            return ()

    def _ask(self, budget_id: str, known: int | None) -> list[Export]:
        tries = 1 if self._ynab.progress.has_failed(budget_id) else TRIES

        def ask(known: int | None) -> Response:
            path = f"/plans/{budget_id}"
            return self._ynab.client.get(path, tries, last_knowledge_of_server=known)

        exports: list[Export] = []
        with ExitStack() as answers, ExitStack() as failed:
            for answer in [answers.enter_context(closing(a)) for a in changes(ask, known)]:
                # Of two, the second one is all there is.
                export = Export(answer, is_whole=known is None or bool(exports))
                exports.append(failed.enter_context(closing(export)))
                for kind in NAMED:
                    for row in export.rows(f"plan.{kind}"):
                        self._ynab.names.note(budget_id, row)
            failed.pop_all()
        return exports
