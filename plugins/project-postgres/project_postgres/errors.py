"""The error of this package."""

from __future__ import annotations


class ServerError(RuntimeError):
    """A server that cannot do what it should; the message says why and what to do."""
