"""The Makefile where nothing is installed yet: what it says, and what it begins with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.pipeline import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

MAKE, TRUE = (str(shutil.which(name)) for name in ("make", "true"))

#: Passes for a Python of another version.
OTHER_VERSION = """#!/bin/sh
exec {python} -c "import sys; sys.version_info = {version}; exec(sys.argv[1])" "$2"
"""
#: Makes virtual environments whose own Python does nothing, so that nothing is installed.
WITHOUT_PIP = """#!/bin/sh
test "$1" = -c && exec {python} "$@"
for folder; do :; done
{python} "$@" --without-pip && ln -sf {true} "$folder/bin/python"
"""
TARGETS = [".venv/installed", ".venv-test/installed", ".venv-loaders/installed"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what the Makefile reads."""
    folder = tmp_path / "clone"
    (folder / "tests/loaders").mkdir(parents=True)
    (folder / "plugins/ynab-pipeline").mkdir(parents=True)
    for name in (
        "Makefile",
        "constraints.txt",
        "meltano.pth",
        "plugins/ynab-pipeline/pyproject.toml",
        "pyproject.toml",
        "tests/loaders/target-jsonl.txt",
    ):
        shutil.copy(PROJECT / name, folder / name)
    return folder


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [MAKE, *arguments],
        cwd=clone,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )


def python(clone: Path, script: str, **values: object) -> str:
    """Setting of make for a program in the place of Python."""
    path = clone.parent / "python"
    path.write_text(script.format(python=sys.executable, true=TRUE, **values))
    path.chmod(0o700)
    return f"PYTHON={path}"


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("version", [(2, 7, 18), (3, 9, 18), (3, 14, 0)])
def test_another_python_is_refused_in_one_line(
    clone: Path, target: str, version: tuple[int, ...]
) -> None:
    before = set(clone.iterdir())
    refused = make(clone, python(clone, OTHER_VERSION, version=version), target)
    assert refused.returncode == 2
    [line] = refused.stderr.splitlines()
    assert f"(Python {version[0]}.{version[1]}): Python 3.10 to 3.13 is needed" in line
    assert f"make PYTHON=python3.13 {target}" in line
    assert set(clone.iterdir()) == before

    good = make(clone, python(clone, WITHOUT_PIP), target)
    assert (good.returncode, good.stderr) == (0, "")
    assert (clone / target).exists()


def test_no_python_at_all(clone: Path) -> None:
    refused = make(clone, "PYTHON=python-of-nobody", "test-fast")
    assert refused.returncode == 2
    [line] = refused.stderr.splitlines()
    assert "python-of-nobody will not do" in line
    assert "make PYTHON=python3.13 test-fast" in line


@pytest.mark.parametrize("target", TARGETS)
def test_an_environment_that_is_half_finished_is_made_anew(clone: Path, target: str) -> None:
    folder = (clone / target).parent
    if target == ".venv-loaders/installed":
        folder /= "target-jsonl"
    left = [folder / "lib/python3.9/left", folder / "bin/python"]
    for path in left:
        path.parent.mkdir(parents=True)
        path.write_text("half")
    done = make(clone, python(clone, WITHOUT_PIP), target)
    assert (done.returncode, done.stderr) == (0, "")
    assert not left[0].exists()
    assert (folder / "bin/python").samefile(TRUE)


@pytest.mark.parametrize("target", ["stop", "clean"])
def test_nothing_is_installed_to_stop_or_remove(clone: Path, target: str) -> None:
    for left in (None, ".meltano", ".venv/bin"):
        if left:
            (clone / left).mkdir(parents=True)
        done = make(clone, target)
        assert (done.returncode, done.stderr) == (0, "")
        assert target == "clean" or done.stdout == ""
    assert (clone / ".venv").exists() == (target == "stop")


@pytest.mark.parametrize("target", ["psql", "status", "report"])
def test_what_needs_an_installation_says_so(clone: Path, target: str) -> None:
    done = make(clone, target)
    assert done.returncode == 2
    assert done.stdout == "Nothing is installed yet: run make install\n"


@pytest.mark.parametrize("exists", [False, True])
def test_meltano_installs_into_a_folder_for_its_owner_alone(clone: Path, *, exists: bool) -> None:
    """A run writes the token into a folder below."""
    shutil.copy(PROJECT / "meltano.yml", clone)
    if exists:
        (clone / ".meltano").mkdir(mode=0o755)
    meltano = clone.parent / "meltano"
    meltano.write_text("#!/bin/sh\nls -ld .meltano >mode\n")
    meltano.chmod(0o700)
    done = make(clone, python(clone, WITHOUT_PIP), f"MELTANO={meltano}", ".meltano/installed")
    assert (done.returncode, done.stderr) == (0, "")
    assert (clone / "mode").read_text().startswith("drwx------")
