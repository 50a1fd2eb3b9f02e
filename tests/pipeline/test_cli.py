"""The command `ynab-pipeline`: its help, its arguments and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

#: In the place of Meltano: prints its command line, and ends with the exit code that is told.
MELTANO = """\
#!{python}
import json, os, sys
print(json.dumps(sys.argv[1:]))
sys.exit(int(os.environ.get("CODE", "0")))
"""
#: `ynab-pipeline`, with one more command, which is one of the loader's.
MAIN = """\
import sys
from ynab_pipeline import cli

def options(parser):
    parser.add_argument("--loud", action="store_true")
    parser.add_argument("what", nargs="?")

cli.COMMANDS["check"] = cli.Command("check it", cli.in_loader("check"), options)
sys.exit(cli.main())
"""


def run(
    folder: Path, *arguments: str, meltano: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The command beside a stand-in for Meltano."""
    programs = folder / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    if meltano:
        (programs / "meltano").write_text(MELTANO.format(python=sys.executable))
        (programs / "meltano").chmod(0o700)
    return subprocess.run(
        [programs / "python", "-c", MAIN, *arguments],
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        cwd=folder,
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=60,
    )


def test_a_command_that_does_not_exist(tmp_path: Path) -> None:
    refused = run(tmp_path, "sing")
    assert refused.returncode == 2
    assert "invalid choice: 'sing'" in refused.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["check"], ["invoke", "target-postgres:check"]),
        (["check", "--loud", "it"], ["invoke", "target-postgres:check", "--loud", "it"]),
        (
            ["--environment", "prod", "check", "it"],
            ["--environment=prod", "invoke", "target-postgres:check", "it"],
        ),
        (
            ["--env-file=ada.env", "check"],
            ["--env-file=ada.env", "invoke", "target-postgres:check"],
        ),
        (
            ["check", "it", "--environment=prod"],
            ["--environment=prod", "invoke", "target-postgres:check", "it"],
        ),
    ],
)
@pytest.mark.parametrize("code", [0, 3])
def test_a_command_of_the_loader_is_run_by_meltano(
    tmp_path: Path, arguments: list[str], line: list[str], code: int
) -> None:
    done = run(tmp_path, *arguments, CODE=str(code))
    assert (done.returncode, done.stderr) == (code, "")
    assert json.loads(done.stdout) == line


def test_without_meltano(tmp_path: Path) -> None:
    refused = run(tmp_path, "check", meltano=False)
    assert refused.returncode == 1
    [line] = refused.stderr.splitlines()
    assert line.startswith("ynab-pipeline: Meltano is not installed beside ")
    assert line.endswith("make install")
