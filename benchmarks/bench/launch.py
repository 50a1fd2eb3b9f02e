"""Runs a command and writes down what it took: `launch.py RESULT COMMAND [ARGUMENT...]`.

A program of its own, started without site-packages, to be as small as can be: Linux counts the
memory that a process had before it became another program as the peak of that program too.
"""

from __future__ import annotations

import os
import sys
import time


def main() -> None:
    """Writes seconds, processor seconds, peak memory in kilobytes and exit code, each on a line."""
    result, *command = sys.argv[1:]
    began = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - began
    code = os.waitstatus_to_exitcode(status)
    # macOS counts in bytes.
    peak = usage.ru_maxrss // 1024 if sys.platform == "darwin" else usage.ru_maxrss
    with open(result, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib would take memory
        file.write(f"{seconds}\n{usage.ru_utime + usage.ru_stime}\n{peak}\n{code}\n")
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
