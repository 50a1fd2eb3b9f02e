"""A disk that is full, by the device that Linux has for it, or by a limit."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")

_LIMITED = """\
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""


def limit_of_files(size: int) -> list[str]:
    """The beginning of a command line whose program can write files of so many bytes at most."""
    return [sys.executable, "-c", _LIMITED, str(size)]
