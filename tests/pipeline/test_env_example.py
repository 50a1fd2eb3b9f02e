"""What .env.example shows can be set, and is enough."""

from __future__ import annotations

import io
import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values
from tap_ynab.tap import TapYNAB

from tests.support.described import environments, read, settings_of

if TYPE_CHECKING:
    Json = dict[str, Any]

ENV_EXAMPLE = read(".env.example")
#: All variables, also those that are commented out.
VARIABLES = dotenv_values(stream=io.StringIO(re.sub(r"(?m)^#(?=[A-Z_]+=)", "", ENV_EXAMPLE)))


def test_the_example_sets_the_environment_and_asks_for_the_token(meltano: Json) -> None:
    assert dotenv_values(stream=io.StringIO(ENV_EXAMPLE)) == {
        "YNAB_PERSONAL_ACCESS_TOKEN": "",
        "MELTANO_ENVIRONMENT": "local",
    }
    assert "local" in environments(meltano)


def test_variables_of_the_example_are_settings(plugins: dict[str, Json]) -> None:
    known = {
        "YNAB_PERSONAL_ACCESS_TOKEN": "string",
        "MELTANO_ENVIRONMENT": "string",
        "YNAB_PIPELINE_FAST_LOADER": "boolean",
        "YNAB_PIPELINE_STALE_AFTER": "number",
        "YNAB_PIPELINE_NOTIFY": "string",
        "YNAB_PIPELINE_PING": "string",
        "YNAB_BUDGET_SCHEMA": "string",
    }
    for plugin, prefix in (("tap-ynab", "TAP_YNAB_"), ("target-postgres", "TARGET_POSTGRES_")):
        for name, setting in settings_of(plugins[plugin]).items():
            known[prefix + name.upper()] = setting["kind"]
    assert VARIABLES.keys() <= known.keys()
    for name, value in VARIABLES.items():
        assert value is not None, name
        if known[name] in ("array", "integer", "boolean"):
            json.loads(value)


def test_values_of_the_example_are_ones_that_the_tap_takes(own_settings: dict[str, Json]) -> None:
    values = {name: VARIABLES.get(f"TAP_YNAB_{name.upper()}") for name in own_settings}
    config = {name: value for name, value in values.items() if value is not None}
    assert config["budget_ids"]
    TapYNAB(config=config | {"access_token": "a-token"})


def test_the_example_holds_what_a_postgresql_of_ones_own_needs() -> None:
    for name in ("HOST", "PORT", "USER", "PASSWORD", "DATABASE", "SSL_ENABLE", "SSL_MODE"):
        assert f"TARGET_POSTGRES_{name}" in VARIABLES


def test_each_variable_of_the_example_has_a_comment() -> None:
    lines = ENV_EXAMPLE.splitlines()
    for above, line in pairwise(lines):
        if re.match(r"#?[A-Z_]+=", line):
            assert above.startswith("# "), line
