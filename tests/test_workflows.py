"""What runs before a change goes in: actions at a commit, with no more rights than they need."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.support.described import read
from tests.support.pipeline import PROJECT

WORKFLOWS = [path.relative_to(PROJECT) for path in PROJECT.glob(".github/workflows/*")]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_to_commits(workflow: str) -> None:
    used = re.findall(r"(?m)\buses:(.*)$", read(workflow))
    assert used
    for action in used:
        assert re.fullmatch(r" [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_jobs_read_the_repository_and_keep_no_credentials(workflow: str) -> None:
    content: dict[str, Any] = yaml.safe_load(read(workflow))
    assert content["permissions"] == {}
    for job in content["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        for step in job["steps"]:
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


def test_a_commit_is_checked_as_make_does_it() -> None:
    [repository] = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert [hook["entry"] for hook in repository["hooks"]] == ["make check"]


def test_dependencies_of_all_kinds_are_updated() -> None:
    updates = yaml.safe_load(read(".github/dependabot.yml"))["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"github-actions", "pip"}
