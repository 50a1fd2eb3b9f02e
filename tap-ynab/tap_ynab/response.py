"""One answer of the API, on disk as it came, and its rows as they are asked for.

Between `client`, which fetches it, and `sync`, which reads it.
"""

from __future__ import annotations

import os
import re
import tempfile
import typing as t
from functools import cached_property

import ijson

from tap_ynab.errors import AccountError, TransientError, YNABError

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

BLOCK = 1 << 18
#: Bytes of a body that are kept in memory rather than in a file.
IN_MEMORY = 1 << 20
#: A body may not grow beyond this when unpacked; 500,000 transactions are a third of it.
MAX_BODY = 1 << 30
#: The end of nearly every answer. A quote inside a string would be escaped, so where this
#: matches, the document is whole.
_KNOWLEDGE_LAST = re.compile(rb'(?<!\\)"server_knowledge"\s*:\s*(\d+)\s*}\s*}\s*\Z')
#: Escapes in JSON text: of a backslash, of U+0000, of a character in two halves, of one half.
_ESCAPE = re.compile(
    rb"\\\\|\\u0000"
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}(?:\\u[dD][c-fC-F][0-9a-fA-F]{2})?"
    rb"|\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
LONGEST_ESCAPE = len(r"\ud83d\ude00")
#: As much of a text as ends with a byte that belongs to no escape.
_COMPLETE = re.compile(rb".*[^\\u0-9a-fA-F]", re.DOTALL)


class Response:
    """An answer of the API whose whole body has arrived, and where it was checked, is JSON.

    Rows are parsed as they are asked for, from a file that has no name, so that no answer is
    too large for memory and nothing is left behind whatever ends the process.
    """

    def __init__(self, chunks: Iterable[bytes], date: datetime) -> None:
        """Take the whole body, and the server's own time (UTC).

        Raises:
            AccountError: There is no room for it.
            YNABError: It is larger than any budget.
        """
        self.date = date
        self._body = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 see close
        try:
            self._take(chunks)
        except BaseException:
            self.close()
            raise

    def _take(self, chunks: Iterable[bytes]) -> None:
        begun = b""
        for chunk in chunks:
            text, begun = begun + chunk, b""
            if b"\\" in text[-LONGEST_ESCAPE:]:
                complete = _COMPLETE.match(text)
                end = complete.end() if complete else 0
                text, begun = text[:end], text[end:]
            self._write(text)
        self._write(begun)

    def _write(self, text: bytes) -> None:
        """Write down what PostgreSQL can store, without U+0000 and without halves of characters."""
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
        """Beginning of a body that is no answer, to tell of an error."""
        self._body.seek(0)
        return self._body.read(IN_MEMORY).decode("utf-8", "replace")

    def close(self) -> None:
        """Give the body's space back; its rows can't be read again."""
        self._body.close()

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return self._body.seek(0, os.SEEK_END)

    def blocks(self, start: int, end: int) -> Iterator[bytes]:
        """Part of the body's text, as it came."""
        while start < end:
            self._body.seek(start)
            block = self._body.read(min(BLOCK, end - start))
            start += len(block)
            yield block

    @property
    def month(self) -> str:
        """First day of the month that YNAB's amounts are of, in UTC."""
        return f"{self.date:%Y-%m}-01"

    def rows(self, path: str) -> Iterator[dict[str, t.Any]]:
        """Objects of the list at `path` below `data`, for example `accounts`.

        Numbers that are not integers arrive as `Decimal`.
        """
        rows = self._objects(f"data.{path}.item")
        for row in rows:
            yield row
            yield from rows
            return
        if not self._holds_list(path):
            raise YNABError(f"YNAB's answer holds no list of {path}. Check api_url.")

    def object(self, path: str) -> dict[str, t.Any]:
        """The object at `path` below `data`, for example `month`."""
        return next(self._objects(f"data.{path}"))

    def _objects(self, prefix: str) -> Iterator[dict[str, t.Any]]:
        self._body.seek(0)
        try:
            yield from ijson.items(self._body, prefix)
        # A number with thousands of digits is a ValueError.
        except (ijson.JSONError, ValueError) as error:
            raise YNABError("YNAB's answer is not JSON throughout. Run again to retry.") from error

    def _holds_list(self, path: str) -> bool:
        """Whether a list without rows is an empty list, not an answer of another kind."""
        self._body.seek(0)
        return any(
            prefix == f"data.{path}" and event == "start_array"
            for prefix, event, _ in ijson.parse(self._body)
        )

    @cached_property
    def server_knowledge(self) -> int | None:
        """YNAB's counter at the time of the answer; None where it has none.

        Raises:
            TransientError: The body is not a whole JSON document.
        """
        self._body.seek(0, 2)
        self._body.seek(max(0, self._body.tell() - 256))
        if tail := _KNOWLEDGE_LAST.search(self._body.read()):
            return int(tail[1])
        self._body.seek(0)
        try:
            # To the end, whatever was found: only that proves the document whole.
            found = [
                value
                for prefix, _, value in ijson.parse(self._body)
                if prefix == "data.server_knowledge"
            ]
        except ijson.JSONError as error:
            raise TransientError("YNAB's answer was not JSON, or broke off") from error
        return found[0] if found else None


def _mend(escape: re.Match[bytes]) -> bytes:
    """A backslash and a character in two halves as they are, a half as the sign for it."""
    found = escape[0]
    if found == b"\\u0000":
        return b""
    return found if found[1:2] != b"u" or len(found) == len(b"\\ud83d\\ude00") else b"\\ufffd"
