"""Writes Singer messages to stdout, fast and always in whole lines."""

from __future__ import annotations

import sys
import typing as t

from singer_sdk.contrib.msgspec import MsgSpecWriter, serialize_jsonl
from singer_sdk.singerlib.encoding.simple import SchemaMessage, StateMessage

if t.TYPE_CHECKING:
    from datetime import datetime

    from singer_sdk.singerlib.encoding.simple import Message


class Writer(MsgSpecWriter):
    """Writes messages to stdout through a buffer, which a STATE message flushes.

    A SCHEMA waits for the first message of its stream, because a loader looks up the table of
    every SCHEMA that it gets: in an idle run that would take most of the time.
    """

    def __init__(self) -> None:
        """Write nothing yet."""
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
            self.write_schema(message.stream)  # type: ignore[attr-defined] # all others have one
        self._write(message.to_dict(), flushes=isinstance(message, StateMessage))

    def write_schema(self, stream: str) -> None:
        """Write the SCHEMA of a stream, unless it is written."""
        if message := self._waiting.pop(stream, None):
            self._write(message.to_dict())

    def write_record(
        self, stream: str, record: dict[str, t.Any], version: int | None, time_extracted: datetime
    ) -> None:
        """Write a RECORD; there are too many to make an object of each."""
        if stream in self._waiting:
            self.write_schema(stream)
        message: dict[str, t.Any] = {"type": "RECORD", "stream": stream, "record": record}
        if version is not None:
            message["version"] = version
        message["time_extracted"] = time_extracted
        self._write(message)

    def _write(self, message: dict[str, t.Any], *, flushes: bool = False) -> None:
        """Write a line, and then obey a signal that came meanwhile."""
        self._is_writing = True
        sys.stdout.buffer.write(serialize_jsonl(message))
        if flushes:
            sys.stdout.buffer.flush()
        self._is_writing = False
        if self._exit_code is not None:
            sys.exit(self._exit_code)

    def interrupt(self, exit_code: int) -> None:
        """End the process after the line that is being written, or at once if called again."""
        if self._is_writing and self._exit_code is None:
            self._exit_code = exit_code
        else:
            sys.exit(exit_code)
