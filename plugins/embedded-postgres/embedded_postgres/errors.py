"""What can go wrong, in words meant for a person."""

from __future__ import annotations


class ServerError(RuntimeError):
    """The server cannot do what was asked; the message says why and what to do."""
