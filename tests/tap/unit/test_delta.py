"""What changed since a bookmark comes with what was deleted, in as few requests as possible."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tap_ynab.delta import SharedDelta, fetch_delta
from tap_ynab.errors import BadRequestError, TransientError, YNABError

from tests.tap.unit.responses import is_closed, of_data

if TYPE_CHECKING:
    from tap_ynab.response import Response


@dataclass
class Address:
    """Responds with the counter of the budget, unless an error is set for the request."""

    counter: int | None = 10
    errors: dict[int | None, Exception] = field(default_factory=dict)
    requested: list[int | None] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)

    def request(self, since: int | None) -> Response:
        self.requested.append(since)
        if since in self.errors:
            raise self.errors[since]
        self.responses.append(of_data(server_knowledge=self.counter))
        return self.responses[-1]

    def changes(self, since: int | None) -> list[Response]:
        return fetch_delta(self.request, since)


@pytest.mark.parametrize(
    ("since", "requested", "returned"),
    [
        (None, [None], 1),
        (7, [7], 1),
        (10, [10], 1),
        # Never asked before: deletions, and all rows.
        (0, [0, None], 2),
        # The counter has gone back.
        (11, [11, 0, None], 2),
    ],
)
def test_requests_for_what_changed(
    since: int | None, requested: list[int | None], returned: int
) -> None:
    address = Address(counter=10)
    responses = address.changes(since)
    assert address.requested == requested
    assert responses == address.responses[-returned:]
    assert [is_closed(response) for response in responses] == [False] * returned
    assert all(is_closed(response) for response in address.responses[:-returned])


def test_all_rows_are_read_if_ynab_refuses_the_delta() -> None:
    address = Address(errors={7: BadRequestError("400")})
    assert address.changes(7) == address.responses
    assert address.requested == [7, 0, None]


@pytest.mark.parametrize("since", [0, None])
def test_a_refusal_of_all_rows_is_an_error(since: int | None) -> None:
    with pytest.raises(BadRequestError):
        Address(errors={since: BadRequestError("400")}).changes(since)


@pytest.mark.parametrize("since", [7, 0, None])
def test_a_response_without_a_counter_is_an_error(since: int | None) -> None:
    address = Address(counter=None)
    with pytest.raises(YNABError, match="no server_knowledge"):
        address.changes(since)
    assert all(map(is_closed, address.responses))


def test_the_first_response_is_closed_if_the_second_fails() -> None:
    address = Address(errors={None: TransientError("503")})
    with pytest.raises(TransientError):
        address.changes(0)
    assert [is_closed(response) for response in address.responses] == [True]


# Streams that share an address


@pytest.mark.parametrize(
    ("bookmarks", "requested"),
    [
        ([7, 9], [7]),
        ([9, 7], [7]),
        ([7, 7], [7]),
        ([None, None], [None]),
        # A list in full does not show what was deleted, and a delta not all rows.
        ([7, None, 9], [7, None]),
        ([9, 0], [0, None]),
        ([None, 0], [None, 0, None]),
    ],
)
def test_streams_share_the_delta_since_the_oldest_bookmark(
    bookmarks: list[int | None], requested: list[int | None]
) -> None:
    address = Address()
    shared = SharedDelta(address.changes, bookmarks)
    for bookmark in (*bookmarks, *bookmarks):
        shared.since(bookmark)
    assert address.requested == requested


def test_streams_read_the_same_responses() -> None:
    shared = SharedDelta(Address().changes, [7, 9])
    assert shared.oldest == 7
    assert shared.since(7) is shared.since(9)
    assert SharedDelta(Address().changes, [None]).oldest is None


def test_a_counter_behind_one_of_the_bookmarks_has_that_stream_read_all_rows() -> None:
    address = Address(counter=8)
    shared = SharedDelta(address.changes, [7, 9])
    assert len(shared.since(7)) == 1
    assert len(shared.since(9)) == 2
    assert len(shared.since(7)) == 1
    assert address.requested == [7, 0, None]


def test_a_failure_is_not_kept() -> None:
    address = Address(errors={7: TransientError("503")})
    shared = SharedDelta(address.changes, [7])
    with pytest.raises(TransientError):
        shared.since(7)
    address.errors.clear()
    assert len(shared.since(7)) == 1


def test_all_responses_are_closed_in_the_end() -> None:
    address = Address()
    shared = SharedDelta(address.changes, [0, None])
    shared.since(0)
    shared.since(None)
    shared.close()
    assert [is_closed(response) for response in address.responses] == [True, True, True]
