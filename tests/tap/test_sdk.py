"""The Singer SDK's own tests of a tap, on the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from singer_sdk.testing import get_tap_test_class
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


TestTapYNAB = get_tap_test_class(TapYNAB, config=CONFIG, parse_env_config=False)
