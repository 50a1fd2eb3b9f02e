"""Tests see none of the caller's settings."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.environment import SETTING
from tests.support.pipeline import PROJECT

HOSTILE = dict(
    line.split("=", 1)
    for line in (PROJECT / "tests/hostile.env").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)


def test_variables_of_the_caller_reach_no_test() -> None:
    assert all(map(SETTING.fullmatch, HOSTILE))
    chosen = [
        "tests/test_environment.py::test_no_setting_is_in_the_environment",
        "tests/tap/test_settings.py::test_settings_from_the_environment",
        "tests/sandbox/test_server.py",
    ]
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen],
        cwd=PROJECT,
        env={**os.environ, **HOSTILE},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert finished.returncode == 0, finished.stdout


def test_no_setting_is_in_the_environment() -> None:
    assert not list(filter(SETTING.fullmatch, os.environ))
