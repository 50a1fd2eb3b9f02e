"""The error of this package."""

from __future__ import annotations


class ReportError(RuntimeError):
    """A report that cannot be made; the message says why and what to do."""
