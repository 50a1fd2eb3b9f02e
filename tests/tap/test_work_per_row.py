"""How much is done for a row: calls of functions, which are the same on every machine."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from tap_ynab.tap import TapYNAB
from ynab_sandbox import serve

from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from types import FrameType

#: Calls of Python functions, generators that go on included, for each transaction more: 27, and 34
#: if the SDK stopped asking for one of the three methods of ours that are not public.
MOST = 31


def calls(transactions: int) -> tuple[int, int]:
    """Calls that a first run takes, and the records that come of it."""
    sandbox = small_sandbox(transactions)
    counted = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal counted
        counted += event == "call"

    stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with serve(sandbox) as url, redirect_stdout(stdout):
        tap = TapYNAB(config={"access_token": sandbox.token, "api_url": url})
        for name, stream in tap.streams.items():
            stream.selected = name == "transactions"
        sys.setprofile(count)
        try:
            tap.run()
        finally:
            sys.setprofile(None)
    return counted, stdout.buffer.getvalue().count(b'"RECORD"')


def test_a_row_takes_few_calls() -> None:
    few_calls, few = calls(200)
    many_calls, many = calls(1_200)
    assert many - few == 1_000
    assert (many_calls - few_calls) / 1_000 < MOST
