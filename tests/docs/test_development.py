"""CONTRIBUTING, CHANGELOG, the jobs in docs/schedules.md and CI say the same as the code."""

from __future__ import annotations

import os
import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]

from tests.support.described import read
from tests.support.pages import code_of, page
from tests.support.pipeline import PROJECT

if TYPE_CHECKING:
    Json = dict[str, Any]


def test_the_table_of_jobs(meltano: Json) -> None:
    rows = page("docs/schedules.md").table("job", "does", "schedule")
    assert [(code_of(job), code_of(schedule)) for job, _, schedule in rows] == [
        (schedule["job"], schedule["name"]) for schedule in meltano["schedules"]
    ]
    assert {code_of(job) for job, *_ in rows} == {job["name"] for job in meltano["jobs"]}


def test_the_table_of_folders() -> None:
    rows = page("CONTRIBUTING.md").table("folder", "holds")
    shown = {code_of(folder).removesuffix("/") for folder, _ in rows}
    ignored = read(".gitignore").splitlines()
    folders = {
        path.name
        for path in PROJECT.iterdir()
        if path.is_dir()
        and not path.name.startswith((".", "__"))
        and f"/{path.name}/" not in ignored
    }
    assert shown == folders


def test_the_changelog_has_this_version() -> None:
    headings = re.findall(
        r"(?m)^## \[([^\]]+)\] - (?:Unreleased|\d{4}-\d\d-\d\d)$", read("CHANGELOG.md")
    )
    assert headings[0] == version("tap-ynab")


def test_ci_runs_the_same_on_all_pythons_of_the_tap(about: Json) -> None:
    workflow = yaml.safe_load(read(".github/workflows/ci.yml"))
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == about["supported_python_versions"]
    assert {one["os"] for one in matrix["include"]} == {"macos-latest"}
    (command,) = [step["run"] for step in workflow["jobs"]["test"]["steps"] if "run" in step]
    assert {"test", "check"} <= set(command.split())
    script = PROJECT / ".ci/run"
    assert os.access(script, os.X_OK)
    for target in ("make check", "make test"):
        assert target in script.read_text(encoding="utf-8")
