"""A disk that is full, which Linux has as a device."""

from __future__ import annotations

from pathlib import Path

import pytest

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
