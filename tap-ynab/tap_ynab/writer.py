"""Singer messages on their way out: fast, and whole lines whatever happens.

Where data leaves.
"""

from __future__ import annotations

import sys
import typing as t

from singer_sdk.contrib.msgspec import MsgSpecWriter, serialize_jsonl
from singer_sdk.singerlib.encoding.simple import SchemaMessage, StateMessage

if t.TYPE_CHECKING:
    from datetime import datetime

    from singer_sdk.singerlib.encoding.simple import Message


class Writer(MsgSpecWriter):
    """Writes to stdout, through its buffer: a message at once only where it is a STATE.

    A SCHEMA waits for the first message of its stream, because a loader looks up the table of each
    that it gets: without rows in it, most of what an idle run takes.
    """

    def __init__(self) -> None:
        """Nothing is written yet."""
        super().__init__()
        self._waiting: dict[str, SchemaMessage] = {}
        self._is_writing = False
        self._exit_code: int | None = None

    def write_message(self, message: Message) -> None:
        """Write a message."""
        if isinstance(message, SchemaMessage):
            self._waiting[message.stream] = message
            return
        if not isinstance(message, StateMessage):
            self.announce(message.stream)  # type: ignore[attr-defined] # all others have one
        self._write(message.to_dict(), flushes=isinstance(message, StateMessage))

    def announce(self, stream: str) -> None:
        """Write the SCHEMA of a stream, if it is still waiting."""
        if message := self._waiting.pop(stream, None):
            self._write(message.to_dict())

    def write_record(
        self, stream: str, record: dict[str, t.Any], version: int | None, time_extracted: datetime
    ) -> None:
        """Write a RECORD, of which there are too many to make a message object of each."""
        if stream in self._waiting:
            self.announce(stream)
        message: dict[str, t.Any] = {"type": "RECORD", "stream": stream, "record": record}
        if version is not None:
            message["version"] = version
        message["time_extracted"] = time_extracted
        self._write(message)

    def _write(self, message: dict[str, t.Any], *, flushes: bool = False) -> None:
        """Write a line, and only then give in to a signal that came meanwhile."""
        self._is_writing = True
        sys.stdout.buffer.write(serialize_jsonl(message))
        if flushes:
            sys.stdout.buffer.flush()
        self._is_writing = False
        if self._exit_code is not None:
            sys.exit(self._exit_code)

    def interrupt(self, exit_code: int) -> None:
        """End the process, but not in the middle of a line unless asked twice."""
        if self._is_writing and self._exit_code is None:
            self._exit_code = exit_code
        else:
            sys.exit(exit_code)
