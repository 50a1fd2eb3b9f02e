"""The errors of this package, and words for errors of the operating system."""

from __future__ import annotations

import os


class PipelineError(RuntimeError):
    """A run that cannot begin; the message says why and what to do."""


class UsageError(PipelineError):
    """A command or a setting that is wrong, told before anything is done."""


def explain(error: PipelineError | OSError) -> str:
    """Return an error in words for a person."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror + (f": {os.fsdecode(error.filename)}" if error.filename else "")
    return str(error)
