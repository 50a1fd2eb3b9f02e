"""`target-postgres` as it comes, but for how it reads messages and how it is stopped."""

from __future__ import annotations

import gc
import signal
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecReader

# Types are checked where the loader is not installed: it has an environment of its own.
from target_postgres.target import TargetPostgres  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


class Loader(TargetPostgres):  # type: ignore[misc]
    """The loader with the SDK's other reader of messages, which parses them with msgspec."""

    message_reader_class = MsgSpecReader

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Ends at once, without a state: what is not committed comes again in the next run.

        The loader itself would load what else it has read, and end with 0 as if that were all. In
        the middle of a load it has been seen to wait for itself instead, for ever.
        """
        signal.default_int_handler(signum, frame)


def load(arguments: Sequence[str]) -> None:
    """Runs the loader to its end.

    Args:
        arguments: Its command line.
    """
    # A batch is 10,000 rows that are no garbage. By default Python would look through them for
    # some again each time 700 objects were made.
    gc.set_threshold(100_000)
    Loader.cli(arguments)
