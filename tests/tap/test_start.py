"""What a start costs, as far as a count can tell it on any machine."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.environment import BARE
from tests.support.meltano_project import PYTHON

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Prints how often Python has looked for garbage.
COUNT = """\
import gc
looked = []
gc.callbacks.append(lambda phase, _: looked.append(phase))
import {}
print(looked.count("start"))
"""


def searches(python: str | Path, module: str) -> int:
    """How often Python looks for garbage while it imports a module."""
    done = subprocess.run(
        [python, "-c", COUNT.format(module)],
        env=BARE,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return int(done.stdout)


def test_the_tap_starts_without_a_search_for_garbage() -> None:
    assert searches(sys.executable, "tap_ynab.tap") < 20


def test_meltano_starts_without_a_search_for_garbage(installed: Callable[[str], str]) -> None:
    assert searches(installed(str(PYTHON)), "meltano.cli") == 0
