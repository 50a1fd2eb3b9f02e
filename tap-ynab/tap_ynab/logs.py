"""Lines of the log: one each, whatever text from outside is in it."""

from __future__ import annotations

import logging


class OneLine(logging.LogRecord):
    """A record whose message can neither begin a line of its own nor control a terminal.

    Made here rather than by a handler or formatter, which `SINGER_SDK_LOG_CONFIG` replaces.
    """

    def getMessage(self) -> str:  # noqa: N802 as logging has it
        """Return the message with control characters escaped."""
        return printable(super().getMessage())


def printable(text: str) -> str:
    """Return text with control characters, such as newlines and escape sequences, escaped."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
