"""The least that any extraction does: rows out of a saved answer, each written as JSON again."""

from __future__ import annotations

import sys
from pathlib import Path

import ijson
import orjson


def main() -> None:
    """Reads the file named first and writes its transactions to standard output."""
    write = sys.stdout.buffer.write
    with Path(sys.argv[1]).open("rb") as body:
        for row in ijson.items(body, "data.transactions.item", use_float=True):
            write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    main()
