"""Lines that a command of this package writes to its log, which is standard error."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import suppress
from typing import Any

LOGGER = "ynab_pipeline"


def say(line: str, level: str = "info", **extra: Any) -> None:
    """Write a line as Meltano expects it from a program of the SDK, or as text without Meltano.

    Args:
        line: The line.
        level: Its level.
        extra: What `console` is to know of it.
    """
    if "SINGER_SDK_LOG_CONFIG" not in os.environ:
        _write(line)
        return
    entry = {
        "level": level,
        "pid": os.getpid(),
        "logger_name": LOGGER,
        "ts": time.time(),
        "thread_name": threading.current_thread().name,
        "app_name": "ynab-pipeline",
        "stream_name": None,
        "message": line,
        "extra": extra,
    }
    _write(json.dumps(entry))


def show(text: str) -> None:
    """Write lines to standard output, as `say` does to the log."""
    _write(text, 1)


def _write(text: str, descriptor: int = 2) -> None:
    """Write at once: what a full disk does not take must not fail the end of the process."""
    content = f"{text}\n".encode(errors="backslashreplace")
    with suppress(OSError), open(descriptor, "wb", buffering=0, closefd=False) as file:
        while content:
            content = content[file.write(content) :]
