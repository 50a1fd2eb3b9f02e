"""The least that any extraction does: rows out of an answer, each written as JSON again."""

from __future__ import annotations

import gzip
import sys
from urllib.request import Request, urlopen

import ijson
import orjson


def main() -> None:
    """Writes out the transactions of the answer at a URL, with a token if it takes one."""
    url, *token = sys.argv[1:]
    headers = {"Authorization": f"Bearer {token[0]}", "Accept-Encoding": "gzip"} if token else {}
    write = sys.stdout.buffer.write
    with urlopen(Request(url, headers=headers)) as answer:  # noqa: S310 - this machine's own
        is_packed = answer.headers["Content-Encoding"] == "gzip"
        body = gzip.GzipFile(fileobj=answer) if is_packed else answer
        for row in ijson.items(body, "data.transactions.item", use_float=True):
            write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    main()
