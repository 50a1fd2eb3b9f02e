"""Bodies of responses: JSON written in pieces, kept compressed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ynab_sandbox.tables import Fields

#: The value of zlib's `wbits` for a gzip header and checksum around the data.
GZIP = 31
#: How many entities are written at once.
BATCH = 500
#: How much of a body is unpacked at once, in bytes.
PIECE = 1 << 20


class Body:
    """The body of a response.

    Attributes:
        packed: the body, compressed with gzip.
        size: the length of the plain body, in bytes.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        """Compress the pieces of a plain body."""
        packer = zlib.compressobj(level=1, wbits=GZIP)
        self.size = 0
        packed = bytearray()
        for piece in pieces:
            self.size += len(piece)
            packed += packer.compress(piece)
        self.packed = bytes(packed + packer.flush())

    def plain(self) -> Iterator[bytes]:
        """Yield the plain body in pieces."""
        unpacker = zlib.decompressobj(wbits=GZIP)
        rest = self.packed
        while rest:
            yield unpacker.decompress(rest, PIECE)
            rest = unpacker.unconsumed_tail
        yield unpacker.flush()


def of_document(document: Fields) -> Body:
    """Return the body for a document; lists in it may be generators."""
    return Body(encode(document))


def encode(value: object) -> Iterator[bytes]:
    """Yield a value as JSON; generators become lists, written while they are made."""
    if isinstance(value, dict):
        yield b"{"
        for number, (name, inner) in enumerate(value.items()):
            yield (b"," if number else b"") + _dump(name) + b":"
            yield from encode(inner)
        yield b"}"
    elif isinstance(value, Iterator):
        yield b"["
        separator = b""
        while batch := list(islice(value, BATCH)):
            yield separator + _dump(batch)[1:-1]
            separator = b","
        yield b"]"
    else:
        yield _dump(value)


def _dump(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair can only be sent as an escape
        return json.dumps(value, separators=(",", ":")).encode()
