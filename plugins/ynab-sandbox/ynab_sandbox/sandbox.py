"""The sandbox: budgets, clock, tokens, rate limit and planned faults, behind one lock."""

from __future__ import annotations

import copyreg
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ynab_sandbox.body import Body, of_document
from ynab_sandbox.budget import DATE_FORMAT, Budget
from ynab_sandbox.clock import Clock
from ynab_sandbox.errors import ERRORS, ApiError
from ynab_sandbox.faults import Fault
from ynab_sandbox.home import Size
from ynab_sandbox.household import invent
from ynab_sandbox.limits import REQUESTS_AN_HOUR, Limiter, RateLimit
from ynab_sandbox.money import EURO
from ynab_sandbox.names import HOLIDAY_FLAT, HOUSEHOLD, Names
from ynab_sandbox.responses import respond
from ynab_sandbox.tables import Chance

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from ynab_sandbox.tables import Fields

#: Bodies above this size, in bytes, are kept for the next request.
LARGE = 1 << 20
KEPT_BODIES = 4
KEPT_REQUESTS = 10_000
# Locks are saved open.
copyreg.pickle(type(threading.RLock()), lambda _: (threading.RLock, ()))


@dataclass
class Request:
    """A request that was received."""

    method: str
    path: str  # with `/v1`, without the query
    query: dict[str, str]
    headers: dict[str, str]  # all but the token, names in lower case
    status: int = 0  # that of the response, 0 for none
    fault: str | None = None
    at: str = ""  # time on the sandbox's clock


@dataclass
class Answer:
    """A response before it is sent."""

    status: int
    body: Body
    headers: dict[str, str] = field(default_factory=dict)


class Sandbox:
    """A YNAB account with invented budgets, which records the requests received below `/v1`."""

    def __init__(  # noqa: PLR0913 - each has a default
        self,
        *,
        seed: int = 1,
        today: date | None = None,
        transactions: int | None = None,
        rate_limit: int | RateLimit | None = REQUESTS_AN_HOUR,
        token: str = "sandbox-token",  # noqa: S107 - opens nothing but invented data
        knowledge: int = 1000,
    ) -> None:
        """Invent two budgets; the same for the same seed and day.

        Without `today`, the clock runs. `transactions` are those of the first budget, by default
        3600. `rate_limit` is by hour and token, None for no limit. The counters of the budgets
        start with `knowledge`.
        """
        self.lock = threading.RLock()
        self.clock = Clock(today)
        self.requests: deque[Request] = deque(maxlen=KEPT_REQUESTS)
        self.user_id = Chance(f"{seed}/user").new_id()
        self._seed = seed
        self._limiter = Limiter(rate_limit)
        # The error id that each token is answered with; None for data.
        self._tokens: dict[str, str | None] = {token: None}
        self._faults: list[Fault] = []
        self._bodies: dict[object, Body] = {}
        self._added = 0
        size = Size(6, 3600 if transactions is None else transactions, knowledge)
        self.budgets = [
            self._invent(HOUSEHOLD, size, seed),
            self._invent(HOLIDAY_FLAT, Size(2, 240, knowledge), seed),
        ]

    def _invent(self, names: Names, size: Size, seed: object) -> Budget:
        return Budget(invent(names, size, seed, self.clock.today()), self.clock, self.lock)

    def __getstate__(self) -> Fields:
        """Return what is saved: all but requests, kept bodies and planned faults."""
        unsaved: Fields = {"requests": deque(maxlen=KEPT_REQUESTS), "_bodies": {}, "_faults": []}
        return {**self.__dict__, **unsaved}

    # Budgets

    def budget(self, budget: str | None = None) -> Budget:
        """Return a budget by its id or name; None for the first one."""
        for each in self.budgets:
            if budget in {None, each.id, each.name}:
                return each
        raise KeyError(f"there is no budget {budget}")

    def add_budget(
        self,
        name: str = "Another Budget",
        currency_format: Fields | None = EURO,
        date_format: Fields | None = DATE_FORMAT,
    ) -> Budget:
        """Add a budget of a small household; its formats may be None."""
        with self.lock:
            self._added += 1
            added = self._invent(HOLIDAY_FLAT, Size(1, 60), f"{self._seed}/{self._added}")
            added.name = name
            added.currency_format, added.date_format = currency_format, date_format
            self.budgets.append(added)
            return added

    def remove_budget(self, budget: str) -> None:
        """Remove a budget by its id or name: the API says 404.2 from now on."""
        with self.lock:
            self.budgets.remove(self.budget(budget))

    # The clock

    def advance(self, seconds: float) -> str:
        """Move the clock forward, and return its time."""
        with self.lock:
            self.clock.advance(seconds)
            self._roll_over()
            return self.clock.timestamp()

    def advance_month(self) -> str:
        """Move the clock to the first day of the next month, and return its time."""
        return self.advance(self.clock.seconds_to_next_month())

    def _roll_over(self) -> None:
        for budget in self.budgets:
            budget.roll_over()

    # Tokens, faults and requests

    @property
    def token(self) -> str:
        """The first access token."""
        return next(iter(self._tokens))

    def set_token(self, token: str, answer: str | None = None) -> None:
        """Accept a token, or have it refused with an error, such as 401 or 403.1."""
        if answer is not None and answer not in ERRORS:
            raise ValueError(f"{answer} is none of {', '.join(ERRORS)}")
        with self.lock:
            self._tokens[token] = answer

    def fail(
        self, fault: str | int, path: str | None = None, times: int = 1, **options: object
    ) -> None:
        """Have the next requests go wrong.

        The fault is one of `faults`, or an HTTP status. It is played for `times` requests in whose
        path and query `path`, a regular expression, is found.
        """
        try:
            pattern = re.compile(path or "")
        except re.error as error:
            raise ValueError(f"{path} is no regular expression: {error}") from None
        with self.lock:
            self._faults.append(Fault(str(fault), pattern, times, options))

    def clear_faults(self) -> None:
        """Drop the planned faults."""
        with self.lock:
            self._faults.clear()

    def clear_requests(self) -> None:
        """Drop the recorded requests."""
        with self.lock:
            self.requests.clear()

    def record(self, request: Request, target: str) -> Fault | None:
        """Record a request, and take the fault that is planned for its path and query."""
        with self.lock:
            self.requests.append(request)
            for fault in self._faults:
                if fault.path.search(target):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                    return fault
        return None

    # Responses

    def answer(self, path: str, query: Mapping[str, str], token: str | None) -> Answer:
        """Return the response to a GET of a path below `/v1`."""
        with self.lock:
            self._roll_over()
            try:
                self._admit(token or "")
                return Answer(200, self._body(path, query))
            except ApiError as error:
                return Answer(error.status, of_document(error.document()), error.headers)

    def _admit(self, token: str) -> None:
        if (refusal := self._tokens.get(token, "401")) is not None:
            raise ApiError(refusal)
        self._limiter.count(token, self.clock.now().timestamp())

    def _body(self, path: str, query: Mapping[str, str]) -> Body:
        if path == "/user":
            return of_document({"data": {"user": {"id": self.user_id}}})
        state = [(b.id, b.revision, b.name, b.currency_format, b.date_format) for b in self.budgets]
        key = (path, str(sorted(query.items())), str(state), self.clock.today())
        if (kept := self._bodies.get(key)) is not None:
            return kept
        body = of_document({"data": respond(self.budgets, self.clock, path, query)})
        if body.size > LARGE:
            if len(self._bodies) == KEPT_BODIES:
                del self._bodies[next(iter(self._bodies))]
            self._bodies[key] = body
        return body
