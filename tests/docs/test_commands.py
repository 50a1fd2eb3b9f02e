"""Commands in the documents exist, with the options and arguments shown."""

from __future__ import annotations

import re
import sys
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ynab_pipeline import cli

from tests.support.described import environments, output, read
from tests.support.meltano_project import MELTANO
from tests.support.pages import all_pages, page
from tests.support.pipeline import PROJECT, TAP

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.pages import Document

    Json = dict[str, Any]

README = page("README.md")
TAP_README = page("tap-ynab/README.md")
LOADERS = page("docs/loaders.md")
MAKEFILE_TARGETS = set(re.findall(r"(?m)^([\w./-]+):", read("Makefile")))
MELTANO_CALLS = [
    (document.name, call)
    for document in all_pages()
    for call in document.commands("meltano")
    if call != ["--help"]
]
OWN_PACKAGES = {
    name
    for path in (PROJECT / "tap-ynab", *(PROJECT / "plugins").iterdir())
    if (path / "pyproject.toml").is_file()
    for name in re.findall(r'(?m)^name = "(.*)"$', (path / "pyproject.toml").read_text())
}

each_page = pytest.mark.parametrize("document", all_pages(), ids=lambda document: document.name)


def words_of(call: list[str]) -> list[str]:
    return [word for word in call if not word.startswith("-")]


def test_the_documents_show_commands() -> None:
    """Otherwise the tests below would show nothing."""
    assert len(README.commands("make")) >= 4
    assert len(MELTANO_CALLS) >= 8
    assert len(TAP_README.commands("tap-ynab")) >= 3


# make


@each_page
def test_targets_of_make(document: Document) -> None:
    for call in document.commands("make"):
        targets = {word for word in call if "=" not in word}
        assert targets <= MAKEFILE_TARGETS
        assert {word.partition("=")[0] for word in call if "=" in word} <= {"PORT", "PYTHON"}


def test_targets_that_no_file_stands_for_are_phony() -> None:
    phony = re.search(r"(?m)^\.PHONY: (.*)$", read("Makefile"))
    assert phony
    assert {"demo", "test", "check", "stop", "clean"} <= set(phony[1].split())


@each_page
def test_commands_of_ynab_pipeline(document: Document) -> None:
    for call in document.commands("ynab-pipeline"):
        assert set(words_of(call)[:1]) <= cli.COMMANDS.keys()


# Meltano


@pytest.mark.parametrize(("document", "call"), MELTANO_CALLS)
def test_commands_of_meltano(
    document: str, call: list[str], meltano: Json, plugins: dict[str, Json]
) -> None:
    assert document
    jobs = {job["name"] for job in meltano["jobs"]}
    states = {
        f"{environment}:{task.replace(' ', '-to-')}"
        for environment in environments(meltano)
        for job in meltano["jobs"]
        for task in job["tasks"]
    }
    match words_of(call):
        case ["run", *blocks]:
            assert blocks
            for name, _, command in (block.partition(":") for block in blocks):
                assert name in jobs | plugins.keys()
                assert not command or command in plugins[name]["commands"]
        case ["invoke", plugin, *arguments]:
            name, _, command = plugin.partition(":")
            assert name in plugins
            if command:
                check_invocation(plugins[name]["commands"][command], arguments)
        case ["schedule", "run", name]:
            assert name in {schedule["name"] for schedule in meltano["schedules"]}
        case ["state", "list"]:
            pass
        case ["state", "get", state]:
            assert state in states
        case other:
            pytest.fail(f"This test does not know the command {other}.")


def check_invocation(command: Json, arguments: list[str]) -> None:
    """Check that a plugin's command and its first argument exist."""
    if "executable" not in command:  # that of a plugin which is not installed beside the tests
        assert not arguments
        return
    executable = Path(sys.executable).with_name(command["executable"])
    assert output(executable, *command["args"].split(), *arguments[:1], "--help")


@pytest.mark.parametrize(
    "subcommand", sorted({" ".join(words_of(call)[:1]) for _, call in MELTANO_CALLS})
)
def test_options_of_meltano(
    subcommand: str, meltano: Json, installed: Callable[[str], str]
) -> None:
    options = {
        word.partition("=")[0]
        for _, call in MELTANO_CALLS
        if words_of(call)[0] == subcommand
        for word in before_command_of_a_plugin(call)
        if word.startswith("--")
    }
    chosen = {
        word.partition("=")[2]
        for _, call in MELTANO_CALLS
        for word in call
        if word.startswith("--environment")
    }
    assert chosen <= environments(meltano).keys()
    if options:
        program = installed(MELTANO)
        text = output(program, "--help") + output(program, subcommand, "--help")
        assert options <= set(re.findall(r"--[\w-]+", text))


def before_command_of_a_plugin(call: list[str]) -> list[str]:
    """Words for Meltano itself; the rest is for the program that it starts."""
    return list(takewhile(lambda word: ":" not in word, call))


# The project's PostgreSQL


@pytest.mark.parametrize(
    "call",
    [call for document in all_pages() for call in document.commands("project-postgres")],
    ids=" ".join,
)
def test_commands_of_project_postgres(call: list[str]) -> None:
    program = Path(sys.executable).with_name("project-postgres")
    known = set(re.findall(r"--[\w-]+", output(program, *words_of(call)[:1], "--help")))
    assert {word for word in call if word.startswith("--")} <= known


@each_page
def test_no_command_has_a_password_among_its_arguments(document: Document) -> None:
    """Every user of the machine can read those."""
    blocks = (*document.code("console"), *document.code("bash"), *document.code(""))
    commands = [line for block in blocks for line in block.splitlines()] + document.spans()
    for command in commands:
        assert not re.search(r"\$\([^)]*(url|reader)\b", command)
        assert not re.search(r"\w .*://[^ /]*:[^ /]*@", command)


# The tap


def test_options_of_the_tap() -> None:
    known = set(re.findall(r"--[\w-]+", output(TAP, "--help")))
    options = {
        word.partition("=")[0]
        for document in all_pages()
        for call in document.commands("tap-ynab")
        for word in call
        if word.startswith("-")
    }
    assert {"--config", "--state", "--discover"} <= options <= known
    for document in (TAP_README, LOADERS):
        assert {span.split()[0] for span in document.spans() if span.startswith("--")} <= known


# pip


@each_page
def test_our_packages_are_installed_from_their_folders(document: Document) -> None:
    """Nothing is published: on PyPI these names are nobody's, or somebody else's."""
    assert "tap-ynab" in OWN_PACKAGES
    for call in document.commands("pip"):
        for word in words_of(call)[1:]:
            requirement = word.strip("'\"").partition("[")[0]
            assert requirement not in OWN_PACKAGES
            if requirement.startswith("."):
                assert (PROJECT / requirement / "pyproject.toml").is_file()


def test_folders_of_packages_are_shown() -> None:
    assert ["install", "./tap-ynab"] in TAP_README.commands("pip")
