"""What the sandbox's README says is what the code does."""

from __future__ import annotations

import inspect
import re

import pytest
from ynab_sandbox.cli import main
from ynab_sandbox.faults import FAULTS
from ynab_sandbox.operations import OPERATIONS
from ynab_sandbox.tables import KINDS

from tests.support.pages import Document, code_of
from tests.support.pipeline import PROJECT

README = Document(PROJECT / "plugins/ynab-sandbox/README.md")
CALLS = README.commands("ynab-sandbox")


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([\w-]+)`", cell)


def test_the_table_of_operations() -> None:
    shown = {
        code_of(name): names_in(parameters)
        for name, parameters, _ in README.table("operation", "parameters", "")
    }

    assert shown == {name: list(each.parameters) for name, each in OPERATIONS.items()}


def test_operations_of_a_budget() -> None:
    found = re.search(r"The operations from `(.*?)` to `(.*?)` take a `budget`", README.text)
    assert found
    names = list(OPERATIONS)
    between = names[names.index(found[1]) : names.index(found[2]) + 1]
    assert between == [name for name, each in OPERATIONS.items() if each.is_of_budget]


def test_the_table_of_faults() -> None:
    shown = {
        name: names_in(options)
        for names, options, _ in README.table("fault", "options", "")
        for name in names_in(names)
    }
    statuses = {name for name in shown if name.isdigit()}
    wanted = {name: options_of(name) for name in FAULTS if name != "status"}
    wanted |= {
        name: [each for each in options_of("status") if each != "status"] for name in statuses
    }

    assert statuses
    assert {name: set(options) for name, options in shown.items()} == {
        name: set(options) for name, options in wanted.items()
    }


def options_of(fault: str) -> list[str]:
    _, *options = inspect.signature(FAULTS[fault]).parameters
    return options


def test_kinds() -> None:
    found = re.search(r"The kinds are (.*?)\.", README.text, re.DOTALL)
    assert found
    assert tuple(names_in(found[1])) == KINDS


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_commands(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    if not call:
        return
    with pytest.raises(SystemExit) as end:
        main([call[0], "--help"])

    text = capsys.readouterr().out
    assert end.value.code == 0
    assert {word for word in call if word.startswith("--")} <= set(re.findall(r"--[\w-]+", text))


def test_the_example_in_python_runs() -> None:
    (code,) = README.code("python")
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102 - our own example
