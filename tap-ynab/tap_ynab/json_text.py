"""JSON text as it arrives: cut where no string is cut, and refused if a parser could not bear it.

Between `client`, which downloads it, and `response`, which keeps it. With ijson 3.6.0, time and
memory grow with the square of the nesting, a key is copied for each key below it, a row is built in
memory, and an integer of more than 4,300 digits ends the process. No budget has any of that.
"""

from __future__ import annotations

import re
import typing as t

from tap_ynab.errors import YNABError

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK = 1 << 18
#: Levels of nesting, those of the response itself included.
DEEPEST = 100
#: Bytes of a string, or of a row, of which two are in memory at a time.
LONGEST = 1 << 21
#: Bytes that each value of a row counts for besides: an object takes 200, however short it is.
VALUE = 10
LONGEST_KEY = 1 << 11
#: Digits of a number.
LONGEST_NUMBER = 4300
#: A step at which nothing that is too long can be missed.
_STEP = LONGEST_KEY // 2

_DIGITS = re.compile(rb"\d+")
_STRING = re.compile(rb'"[^"]*(?:"|\Z)')
_MARKS = bytes.maketrans(b"{}", b"[]")
_NO_MARKS = bytes(set(range(256)) - set(b'"[]{}'))
#: Levels of nesting in a block that are counted fast; no budget has more.
_USUAL = 8
_OPENING = ord("[")


class JSONText:
    """The text of one document, checked block by block."""

    def __init__(self, list_level: int) -> None:
        """Begin with nothing.

        Args:
            list_level: Levels down to the list with the rows: 3 in `{"data": {"payees": [`.
        """
        self._list_level = list_level
        #: Brackets that are open at the end of the last block, and bytes of the row that is.
        self._level = self._row = 0

    def blocks(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the text in blocks that hold whole strings.

        Raises:
            YNABError: It is nothing that YNAB would send.
        """
        text = b""
        for chunk in _joined(chunks):
            text += chunk
            plain = _without_escapes(text)
            marks = _marks(plain)
            end = _last_string(plain, marks.count(b'"'))
            block, text = text[:end], text[end:]
            self._check(_without_escapes(block), marks[: len(marks) - len(_marks(plain[end:]))])
            yield block
            if len(text) > LONGEST:
                raise _refusal(f"a text of more than {LONGEST >> 20} MiB")
        plain = _without_escapes(text)
        self._check(plain, _marks(plain))
        yield text

    def _check(self, plain: bytes, marks: bytes) -> None:
        # Nearly every block passes: there is a quote at least every few bytes.
        for at in range(0, len(plain), _STEP):
            if plain.find(b'"', at, at + _STEP) < 0:
                _check_lengths(plain)
                break
        marks = marks.replace(b'""', b"")
        if b'"' in marks:
            marks = _STRING.sub(b"", marks)
        lowest, highest, self._level = _levels(marks, self._level)
        if highest > DEEPEST:
            raise _refusal(f"more than {DEEPEST} levels of nesting")
        # Below the level of rows, one is open from the beginning of the block to its end.
        if lowest > self._list_level:
            self._row += len(plain) + VALUE * plain.count(b",")
        else:
            self._row = 0
        if self._row > LONGEST:
            raise _refusal(f"a row of more than {LONGEST >> 20} MiB")


def _levels(brackets: bytes, level: int) -> tuple[int, int, int]:
    """Return the lowest level of nesting, the highest if that is too high, and the last one."""
    left = brackets
    for _ in range(_USUAL):
        left = left.replace(b"[]", b"")
    if b"[]" not in left:
        # What is left closes what was open before the block, and opens what stays open after it.
        opened = len(left.lstrip(b"]"))
        lowest = level - len(left) + opened
        if max(level, lowest + opened) + _USUAL <= DEEPEST:
            return lowest, level, lowest + opened
    lowest = highest = level
    for bracket in brackets:
        if bracket == _OPENING:
            level += 1
            if level > highest:
                highest = level
                if highest > DEEPEST:
                    break
        else:
            level -= 1
            if level < lowest:  # noqa: PLR1730 a call takes longer than all the rest
                lowest = level
    return lowest, highest, level


def _joined(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield chunks together, so that each is as long as a block."""
    some: list[bytes] = []
    size = 0
    for chunk in chunks:
        some.append(chunk)
        size += len(chunk)
        if size >= BLOCK:
            yield b"".join(some)
            some, size = [], 0
    yield b"".join(some)


def _without_escapes(text: bytes) -> bytes:
    """Return text of the same length in which each quote begins or ends a string."""
    if b"\\" not in text:
        return text
    return text.replace(b"\\\\", b"__").replace(b'\\"', b"__")


def _marks(plain: bytes) -> bytes:
    """Return quotes and brackets alone; objects count as lists."""
    return plain.translate(_MARKS, _NO_MARKS)


def _last_string(plain: bytes, quotes: int) -> int:
    """Return the offset of the last string, or of the part of it that is there."""
    last = plain.rfind(b'"')
    if quotes % 2 == 0:
        last = plain.rfind(b'"', 0, max(0, last))
    return max(0, last)


def _check_lengths(plain: bytes) -> None:
    parts = plain.split(b'"')
    for number, part in enumerate(parts):
        if len(part) <= LONGEST_KEY:
            continue
        is_string = number % 2
        if not is_string and max(map(len, _DIGITS.findall(part)), default=0) > LONGEST_NUMBER:
            raise _refusal(f"a number of more than {LONGEST_NUMBER} digits")
        if is_string and b"".join(parts[number + 1 : number + 2]).lstrip().startswith(b":"):
            raise _refusal(f"a key of more than {LONGEST_KEY} bytes")


def _refusal(found: str) -> YNABError:
    return YNABError(f"An answer with {found} is none of YNAB's. Check api_url.")
