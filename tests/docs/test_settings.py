"""docs/settings.md lists the tap's own settings."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.described import output
from tests.support.pages import code_of, page
from tests.support.pipeline import TAP

if TYPE_CHECKING:
    from tests.support.pages import Document

    Json = dict[str, Any]

SETTINGS = page("docs/settings.md")
COLUMNS = ("setting", "environment variable", "default", "description")


def shown_default(definition: Json) -> str:
    """A setting's default as the table shows it."""
    if (default := definition.get("default")) is None:
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def test_the_table_of_settings(about: Json, own_settings: dict[str, Json]) -> None:
    required = about["settings"]["required"]
    wanted = []
    for name, definition in own_settings.items():
        default = "required" if name in required else shown_default(definition)
        variable = f"`TAP_YNAB_{name.upper()}`"
        wanted.append((f"`{name}`", variable, default, definition["description"]))
    assert SETTINGS.table(*COLUMNS) == wanted


def test_environment_variables_are_those_that_the_tap_reads() -> None:
    printed = dict(
        re.findall(r"Name: (\w+)\n.*\n *Environment Variable: (\w+)", output(TAP, "--about"))
    )
    table = SETTINGS.table(*COLUMNS)
    assert table
    for setting, variable, *_ in table:
        assert printed[code_of(setting)] == code_of(variable)


@pytest.mark.parametrize("document", [page("tap-ynab/README.md")], ids=lambda d: d.name)
def test_settings_in_a_config_file(document: Document, own_settings: dict[str, Json]) -> None:
    configs = document.code("json")
    assert configs
    for config in configs:
        assert json.loads(config).keys() <= own_settings.keys()
