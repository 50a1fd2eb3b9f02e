"""The sandbox: plans, clock, tokens, rate limit and faults, behind one lock."""

from __future__ import annotations

import random
import re
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ynab_sandbox import names, routes
from ynab_sandbox.body import Body, of_document
from ynab_sandbox.budget import Budget
from ynab_sandbox.clock import Clock
from ynab_sandbox.errors import ERRORS, ApiError
from ynab_sandbox.faults import Fault
from ynab_sandbox.household import Size, invent
from ynab_sandbox.limits import REQUESTS_AN_HOUR, Limiter, RateLimit
from ynab_sandbox.lock import Lock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from ynab_sandbox.tables import Fields

TRANSACTIONS = 3600
YEARS = 6
#: Answers above this size, in bytes, are kept for the next time.
LARGE = 1 << 20
KEPT_ANSWERS = 4
KEPT_REQUESTS = 10_000


@dataclass
class Request:
    """A request that was received.

    Attributes:
        method: the HTTP method.
        path: the path with `/v1`, without the query.
        query: the query parameters.
        headers: the headers, names in lower case, without the token.
        status: the status answered; 0 when none was.
        fault: the fault that was played, if any.
        at: when, by the sandbox's clock, ISO 8601.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    status: int = 0
    fault: str | None = None
    at: str = ""


@dataclass
class Answer:
    """An answer before it is sent.

    Attributes:
        status: the HTTP status.
        body: the body.
        headers: further headers.
    """

    status: int
    body: Body
    headers: dict[str, str] = field(default_factory=dict)


class Sandbox:
    """A YNAB account with invented budgets.

    Attributes:
        clock: what time it is for the sandbox.
        plans: the plans, in order.
        requests: the requests received on `/v1`, oldest first.
    """

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
        """Invents two budgets; the same seed and day give the same ones.

        Args:
            seed: what makes the data differ.
            today: the day at which the sandbox's clock stands, UTC; by default it runs, from now.
            transactions: how many the first budget has, 3600 by default.
            rate_limit: requests per token and hour, or the limit in detail; None for no limit.
            token: the access token that is accepted.
            knowledge: the `server_knowledge` that the budgets start with.
        """
        self.lock = Lock()
        self.clock = Clock(today)
        self.seed = seed
        self._limiter = Limiter(rate_limit)
        self.requests: deque[Request] = deque(maxlen=KEPT_REQUESTS)
        # Per token what it is answered: None for data, or the id of an error.
        self._tokens: dict[str, str | None] = {token: None}
        self._faults: list[Fault] = []
        self._answers: dict[object, Body] = {}
        self._added = 0
        source = random.Random(f"{seed}/user")  # noqa: S311 - has to be repeatable
        self.user_id = str(uuid.UUID(int=source.getrandbits(128), version=4))
        size = Size(YEARS, TRANSACTIONS if transactions is None else transactions, knowledge)
        self.budgets = [
            self._invent(names.HOUSEHOLD, size, seed),
            self._invent(names.HOLIDAY_FLAT, Size(2, 240, knowledge), seed),
        ]

    def _invent(self, who: names.Names, size: Size, seed: object) -> Budget:
        return Budget(invent(who, size, seed, self.clock.today()), self.clock, self.lock)

    def __getstate__(self) -> Fields:
        """What is saved: all but requests, kept answers, and faults not played yet."""
        with self.lock:
            return {
                **self.__dict__,
                "requests": deque(maxlen=KEPT_REQUESTS),
                "_answers": {},
                "_faults": [],
            }

    def find_budget(self, budget_id: str) -> Budget:
        """A plan by id; `last-used` is the one changed last.

        Args:
            budget_id: an id or `last-used`.

        Raises:
            ApiError: there is no such plan.
        """
        if budget_id == "last-used" and self.budgets:
            return max(self.budgets, key=lambda budget: budget.last_modified_on)
        for budget in self.budgets:
            if budget.id == budget_id.lower():
                return budget
        raise ApiError("404.2")

    def add_budget(self, name: str = "Another Budget", **formats: Fields | None) -> Budget:
        """Adds a plan with a small household in it.

        Args:
            name: its name.
            formats: `currency_format` and `date_format`, which may be None.
        """
        with self.lock:
            self._added += 1
            seed = f"{self.seed}/{self._added}"
            budget = self._invent(names.HOLIDAY_FLAT, Size(1, 60), seed)
            budget.name = name
            budget.currency_format = formats.get("currency_format", budget.currency_format)
            budget.date_format = formats.get("date_format", budget.date_format)
            self.budgets.append(budget)
            return budget

    def remove_budget(self, budget_id: str) -> None:
        """Removes a plan: it answers 404.2 from now on.

        Args:
            budget_id: its id.

        Raises:
            ApiError: there is no such plan.
        """
        with self.lock:
            self.budgets.remove(self.find_budget(budget_id))

    def advance(self, seconds: float) -> None:
        """Moves the sandbox's clock forward.

        Args:
            seconds: how far.
        """
        with self.lock:
            self.clock.advance(seconds)
            self._roll_over()

    def advance_month(self) -> None:
        """Moves the sandbox's clock to the first day of the next month."""
        with self.lock:
            self.clock.advance_month()
            self._roll_over()

    def _roll_over(self) -> None:
        for budget in self.budgets:
            budget.roll_over()

    def set_token(self, token: str, answer: str | None = None) -> None:
        """Accepts a token, or has it refused.

        Args:
            token: the token.
            answer: None for data, or the id of the error: 401, 403.1 to 403.4.

        Raises:
            ValueError: there is no such error.
        """
        if answer is not None and answer not in ERRORS:
            message = f"{answer} is none of {', '.join(ERRORS)}"
            raise ValueError(message)
        with self.lock:
            self._tokens[token] = answer

    @property
    def token(self) -> str:
        """The first token that was accepted."""
        return next(iter(self._tokens))

    def fail(
        self, fault: str | int, path: str | None = None, times: int = 1, **options: object
    ) -> None:
        """Has the next matching requests go wrong.

        Args:
            fault: a fault's name or an HTTP status, see `faults`.
            path: a regular expression to be found in path and query; None for any request.
            times: how many requests.
            options: the fault's own.

        Raises:
            ValueError: there is no such fault or option.
        """
        planned = Fault(str(fault), re.compile(path or ""), times, options)
        with self.lock:
            self._faults.append(planned)

    def clear_faults(self) -> None:
        """Forgets the faults that are planned."""
        with self.lock:
            self._faults.clear()

    def clear_requests(self) -> None:
        """Forgets the recorded requests."""
        with self.lock:
            self.requests.clear()

    def next_fault(self, target: str) -> Fault | None:
        """The fault to be played for a request, which is thereby used up once.

        Args:
            target: the request's path and query.
        """
        with self.lock:
            for fault in self._faults:
                if fault.path.search(target):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                    return fault
        return None

    def answer(self, path: str, query: Mapping[str, str], token: str | None) -> Answer:
        """The answer to a GET.

        Args:
            path: the path below `/v1`.
            query: the query parameters.
            token: the access token, if one was sent.
        """
        with self.lock:
            self._roll_over()
            try:
                self._admit(token)
                return Answer(200, self._body(path, query))
            except ApiError as error:
                answer = Answer(error.status, of_document(error.body()))
                if (wait := error.retry_after) is not None:
                    answer.headers["Retry-After"] = str(wait)
                return answer

    def _admit(self, token: str | None) -> None:
        if token not in self._tokens:
            raise ApiError("401")
        if (refusal := self._tokens[token]) is not None:
            raise ApiError(refusal)
        self._limiter.count(str(token), self.clock.now().timestamp())

    def _body(self, path: str, query: Mapping[str, str]) -> Body:
        budgets = tuple(
            (
                budget.id,
                budget.revision,
                budget.name,
                str(budget.currency_format),
                str(budget.date_format),
            )
            for budget in self.budgets
        )
        key = (path, tuple(sorted(query.items())), budgets, self.clock.today())
        if (kept := self._answers.get(key)) is not None:
            return kept
        body = of_document(routes.answer(self, path, query))
        if body.size > LARGE:
            while len(self._answers) >= KEPT_ANSWERS:
                del self._answers[next(iter(self._answers))]
            self._answers[key] = body
        return body
