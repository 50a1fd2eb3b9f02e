"""Writing an answer out: JSON piece by piece, kept compressed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ynab_sandbox.tables import Fields

#: zlib's number for a gzip header and checksum around the data.
GZIP = 31
#: How many entities are written in one go.
BATCH = 500
#: How much of a large answer is unpacked in one go, in bytes.
PIECE = 1 << 20


class Body:
    """The body of an answer.

    Attributes:
        packed: the body, compressed with gzip.
        size: the length of the plain body, in bytes.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        """Takes the body.

        Args:
            pieces: the plain body, in order.
        """
        packer = zlib.compressobj(level=1, wbits=GZIP)
        self.size = 0
        packed = bytearray()
        for piece in pieces:
            self.size += len(piece)
            packed += packer.compress(piece)
        self.packed = bytes(packed + packer.flush())

    def plain(self) -> Iterator[bytes]:
        """The plain body, in pieces."""
        unpacker = zlib.decompressobj(wbits=GZIP)
        rest = self.packed
        while rest:
            yield unpacker.decompress(rest, PIECE)
            rest = unpacker.unconsumed_tail
        yield unpacker.flush()


def of_document(document: Fields) -> Body:
    """The body for a document.

    Args:
        document: what is answered; lists in it may be generators.
    """
    return Body(encode(document))


def encode(value: object) -> Iterator[bytes]:
    """A value as JSON, in pieces.

    Args:
        value: what `json` takes, or a generator of that.
    """
    if isinstance(value, dict):
        yield b"{"
        for number, (name, inner) in enumerate(value.items()):
            yield (b"," if number else b"") + dump(name) + b":"
            yield from encode(inner)
        yield b"}"
    elif isinstance(value, Iterator):
        yield b"["
        separator = b""
        while batch := list(islice(value, BATCH)):
            yield separator + dump(batch)[1:-1]
            separator = b","
        yield b"]"
    else:
        yield dump(value)


def dump(value: object) -> bytes:
    """A value as JSON.

    Args:
        value: what `json` takes.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which only an escape can carry
        return json.dumps(value, separators=(",", ":")).encode()
