"""The Singer SDK's own tests of a tap, on the sandbox, and the members of the SDK that it needs."""

from __future__ import annotations

from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_ynab.base import YNABStream
from tap_ynab.command_line import CommandLineTap
from tap_ynab.tap import TapYNAB
from ynab_sandbox import serve

from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Some columns are null throughout, `additional_properties` first of all.
pytestmark = pytest.mark.filterwarnings("ignore:No records were available to test")

SANDBOX = small_sandbox()
#: The SDK makes its tests from the catalog when this module is read, and asks for rows only when
#: they run: until then there is no server, and nothing that would have to be stopped.
CONFIG = {"access_token": SANDBOX.token, "api_url": "http://127.0.0.1:1/v1"}


@pytest.fixture(scope="module", autouse=True)
def served() -> Iterator[None]:
    """Serve the sandbox while the SDK's tests run."""
    with serve(SANDBOX) as url:
        CONFIG["api_url"] = url
        yield


TestTapYNAB = get_tap_test_class(
    TapYNAB,
    config=CONFIG,
    parse_env_config=False,
    # A run writes it at its end; these tests have none.
    suite_config=SuiteConfig(ignore_no_records_for_streams=["syncs"]),
)


# SDK members that are not documented for overriding

#: The class of ours that overrides each class of the SDK.
OURS: dict[type, type] = {Stream: YNABStream, Tap: CommandLineTap}
#: Methods that ours override or call, with their parameters.
METHODS: list[tuple[type, str, str]] = [
    (Stream, "_write_record_message", "(self, record)"),
    (Stream, "_process_record", "(self, record, child_context=None, partition_context=None)"),
    (Stream, "_increment_stream_state", "(self, latest_record, *, context=None)"),
    (Stream, "finalize_state_progress_markers", "(self, state=None)"),
    (Stream, "_write_activate_version_message", "(self, full_table_version)"),
    (Tap, "get_singer_command", "()"),
    (Tap, "setup_mapper", "(self)"),
    (Tap, "_handle_termination", "(self, signum, frame)"),
    (
        Tap,
        "invoke",
        "(*, about=False, about_format=None, config=None, state=None, catalog=None)",
    ),
    (Tap, "cb_config", "(ctx, param, value)"),
    (Tap, "cb_discover", "(ctx, param, value)"),
    (Tap, "cb_test", "(ctx, param, value)"),
]
PROPERTIES = ["emit_activate_version_messages", "metadata"]
ATTRIBUTES = ["_initialized_at", "_stream_version"]
#: Members that the SDK's documentation has taps override.
DOCUMENTED = {
    *("TYPE_CONFORMANCE_LEVEL", "append_builtin_config", "get_records", "partitions"),
    "primary_keys",
}


def member(owner: type, name: str) -> Any:
    found = getattr(owner, name, None)
    assert found is not None, f"The SDK has no {owner.__name__}.{name} any more"
    return found


def without_types(found: Signature) -> Signature:
    plain = [each.replace(annotation=Parameter.empty) for each in found.parameters.values()]
    return Signature(plain)


def used_by_the_sdk() -> dict[str, set[str]]:
    """Names that each function of the SDK's classes uses, by its own name."""
    used: dict[str, set[str]] = {}
    for base in (*Stream.__mro__, *Tap.__mro__):
        for name, found in vars(base).items():
            function = getattr(found, "fget", getattr(found, "__func__", found))
            function = getattr(function, "method", function)  # of `cli`
            code = getattr(function, "__code__", None)
            used.setdefault(name, set()).update(getattr(code, "co_names", ()))
    return used


@pytest.mark.parametrize(
    ("owner", "name", "parameters"), METHODS, ids=[name for _, name, _ in METHODS]
)
def test_the_sdk_still_has_the_methods_that_the_tap_overrides_or_calls(
    owner: type, name: str, parameters: str
) -> None:
    found = without_types(signature(member(owner, name)))
    assert str(found) == parameters, f"{owner.__name__}.{name} of the SDK is called in another way"
    callers = {caller for caller, names in used_by_the_sdk().items() if name in names} - {name}
    assert callers, f"The SDK does not call {owner.__name__}.{name} any more"
    # Required arguments come by position, all others by name.
    required = [p.name for p in found.parameters.values() if p.default is Parameter.empty]
    optional = {name: None for name in found.parameters if name not in required}
    signature(getattr(OURS[owner], name)).bind(*required, **optional)


@pytest.mark.parametrize("name", PROPERTIES)
def test_the_sdk_still_has_the_properties_that_the_tap_overrides(name: str) -> None:
    assert isinstance(member(Stream, name), property), f"Stream.{name} is no property any more"
    assert any(name in names for names in used_by_the_sdk().values()), f"Stream.{name} is not read"


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_the_sdk_still_sets_the_attributes_that_the_tap_reads_or_changes(name: str) -> None:
    stream = TapYNAB(config=CONFIG).streams["payees"]
    assert name in vars(stream), f"The SDK does not set Stream.{name} any more"
    users = {user for user, names in used_by_the_sdk().items() if name in names}
    assert users - {"__init__"}, f"The SDK does not read Stream.{name} any more"


def test_the_sdk_still_reads_the_environment_where_the_tap_overrides_it() -> None:
    """A class property, which `hasattr` would compute."""
    assert any("_env_var_config" in vars(base) for base in Tap.__mro__)
    assert "_env_var_config" in used_by_the_sdk()["__init__"]


@pytest.mark.parametrize("owner", [Stream, Tap])
def test_every_override_is_documented_by_the_sdk_or_listed_here(owner: type) -> None:
    listed = {name for _, name, _ in METHODS} | set(PROPERTIES) | DOCUMENTED
    ours = {name for name in vars(OURS[owner]) if not name.startswith(("__", "_abc_"))}
    assert {name for name in ours if hasattr(owner, name)} <= listed
