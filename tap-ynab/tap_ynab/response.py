"""One response of the API: its body in a file, its rows parsed as they are needed.

Between `client`, which downloads it, and `budget`, which reads it.
"""

from __future__ import annotations

import os
import re
import tempfile
import typing as t

import ijson

from tap_ynab.errors import AccountError, TransientError, YNABError
from tap_ynab.json_text import BLOCK, JSONText

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

#: Bytes of a body that are kept in memory rather than in a file.
IN_MEMORY = 1 << 20
#: A body may not grow beyond this when unpacked; 500,000 transactions are a third of it.
MAX_BODY = 1 << 30
#: The end of nearly every response. A quote inside a string would be escaped, so if this matches,
#: the document is whole.
_KNOWLEDGE_LAST = re.compile(rb'(?<!\\)"server_knowledge"\s*:\s*(\d+)\s*}\s*}\s*\Z')
#: Escapes in JSON text: of a backslash, of U+0000, of a pair of surrogates, of a single one.
_ESCAPE = re.compile(
    rb"\\\\|\\u0000"
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}(?:\\u[dD][c-fC-F][0-9a-fA-F]{2})?"
    rb"|\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
#: Errors of a parser; of `ArithmeticError` there is one for 1e9999999999999999999.
_NOT_JSON = (ijson.JSONError, ValueError, ArithmeticError)


class Response:
    """A response of the API, with its whole body.

    Rows are parsed as they are asked for, from a file that has no name: no response is too large
    for memory, and nothing is left behind, however the process ends.

    Attributes:
        date: Time by the server's clock (UTC).
        server_knowledge: YNAB's counter at that time, known after `check`; None without one.
    """

    def __init__(self, chunks: Iterable[bytes], date: datetime, *, list_level: int = 3) -> None:
        """Take the whole body.

        Args:
            chunks: The body as it arrives.
            date: Time by the server's clock (UTC).
            list_level: Levels down to the list with the rows: 3 in `{"data": {"payees": [`.

        Raises:
            AccountError: There is no room for it.
            YNABError: It is nothing that YNAB would send.
        """
        self.date = date
        self.server_knowledge: int | None = None
        self._body = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 see close
        try:
            for text in JSONText(list_level).blocks(chunks):
                self._write(text)
        except BaseException:
            self.close()
            raise

    def _write(self, text: bytes) -> None:
        """Write text without what PostgreSQL refuses: U+0000, and single surrogates."""
        # One byte is found twenty times as fast as two, and most blocks have none.
        if b"\\" in text and b"\\u" in text:
            text = _ESCAPE.sub(_mend, text)
        try:
            self._body.write(text)
        except OSError as error:
            raise AccountError(
                f"{tempfile.gettempdir()}: {error.strerror}. Make room there, or set TMPDIR."
            ) from error
        if self._body.tell() > MAX_BODY:
            raise YNABError(f"An answer of more than {MAX_BODY >> 20} MiB is no budget.")

    def text(self) -> str:
        """Return the beginning of the body, for an error message."""
        self._body.seek(0)
        return self._body.read(IN_MEMORY).decode("utf-8", "replace")

    def close(self) -> None:
        """Free the space of the body; no rows can be read any more."""
        self._body.close()

    @property
    def size(self) -> int:
        """Size of the body in bytes."""
        return self._body.seek(0, os.SEEK_END)

    def blocks(self, start: int, end: int) -> Iterator[bytes]:
        """Yield part of the body's text."""
        while start < end:
            self._body.seek(start)
            block = self._body.read(min(BLOCK, end - start))
            start += len(block)
            yield block

    @property
    def month(self) -> str:
        """First day of the server's current month (UTC), to which amounts of categories belong."""
        return f"{self.date:%Y-%m}-01"

    def rows(self, path: str) -> Iterator[dict[str, t.Any]]:
        """Yield the objects of the list at `path` below `data`, for example `accounts`.

        In `category_groups.item.categories`, `item` stands for each element of the outer list.
        Numbers that are not integers are `Decimal`.

        Raises:
            YNABError: There is no such list, it holds anything else, or the body is not JSON.
        """
        found = False
        for row in self._objects(f"data.{path}.item"):
            if type(row) is not dict:
                raise YNABError(
                    f"YNAB's answer holds no object for a row of {path}. Check api_url."
                )
            found = True
            yield row
        outer = path.partition(".item")[0]
        if not found and not self._holds_list(outer):
            raise YNABError(f"YNAB's answer holds no list of {outer}. Check api_url.")

    def _objects(self, prefix: str) -> Iterator[t.Any]:
        self._body.seek(0)
        try:
            yield from ijson.items(self._body, prefix)
        except _NOT_JSON as error:
            raise YNABError("YNAB's answer is not JSON throughout. Run again to retry.") from error

    def _holds_list(self, path: str) -> bool:
        """Tell an empty list from a response of another kind."""
        self._body.seek(0)
        return any(
            prefix == f"data.{path}" and event == "start_array"
            for prefix, event, _ in ijson.parse(self._body)
        )

    def check(self) -> None:
        """Make sure that the body is a whole JSON document, and note its `server_knowledge`.

        Raises:
            TransientError: It is not.
        """
        self._body.seek(max(0, self.size - 256))
        if tail := _KNOWLEDGE_LAST.search(self._body.read()):
            self.server_knowledge = _counter(int(tail[1]))
            return
        self._body.seek(0)
        try:
            # To the end, whatever was found: only that proves the document whole.
            for prefix, _, value in ijson.parse(self._body):
                if prefix == "data.server_knowledge":
                    self.server_knowledge = _counter(value)
        except _NOT_JSON as error:
            raise TransientError("YNAB's answer was not JSON, or broke off") from error


def _counter(value: object) -> int | None:
    """Return a counter that a bigint holds; None for anything else."""
    return value if type(value) is int and 0 <= value < 1 << 63 else None


def _mend(escape: re.Match[bytes]) -> bytes:
    """Keep an escaped backslash and a pair of surrogates; replace a single one by U+FFFD."""
    found = escape[0]
    if found == b"\\u0000":
        return b""
    return found if found[1:2] != b"u" or len(found) == len(b"\\ud83d\\ude00") else b"\\ufffd"
