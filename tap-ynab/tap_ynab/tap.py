"""The tap: its settings, its streams, and one run of it."""

from __future__ import annotations

import os
import re
import typing as t
import weakref
from contextlib import ExitStack
from functools import cached_property
from urllib.parse import urlsplit

from singer_sdk import Tap
from singer_sdk import typing as th
from singer_sdk.exceptions import ConfigValidationError

from tap_ynab import streams
from tap_ynab.account import Account
from tap_ynab.cli import errors_in_one_line, read_object
from tap_ynab.client import YNABClient, is_loopback
from tap_ynab.export import Exports
from tap_ynab.incremental import ExportedStream
from tap_ynab.limit import HourlyLimit
from tap_ynab.names import Names
from tap_ynab.progress import Progress
from tap_ynab.shape import is_date
from tap_ynab.splits import SplittableStream
from tap_ynab.writer import Writer

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_ynab.delta import Answer, Shared
    from tap_ynab.sync import YNABStream

    Kind = t.TypeVar("Kind", bound=YNABStream)

TOKEN_ADDRESS = "https://app.ynab.com/settings/developer"  # noqa: S105 where to make one


NO_TOKEN = (
    "access_token is missing, empty or not a token. Make a personal access token at "
    f"{TOKEN_ADDRESS} and set access_token in the config file, or TAP_YNAB_ACCESS_TOKEN"
)


class TapYNAB(Tap):
    """Singer tap for YNAB: whole budgets first, then what changed."""

    name = "tap-ynab"
    message_writer_class = Writer
    message_writer: Writer

    config_jsonschema: t.ClassVar[dict[str, t.Any]] = th.PropertiesList(
        th.Property(
            "access_token",
            th.StringType,
            required=True,
            secret=True,
            title="Access token",
            description=f"Personal access token, from {TOKEN_ADDRESS}",
        ),
        th.Property(
            "budget_ids",
            th.ArrayType(th.StringType),
            title="Budgets",
            description="Ids of the budgets to sync; all that the token sees unless set",
        ),
        th.Property(
            "since_date",
            th.DateType,
            default=streams.EVERYTHING,
            title="Since",
            description="Date of the oldest transactions to sync, as YYYY-MM-DD. If it changes, "
            "all transactions are read again",
        ),
        th.Property(
            "api_url",
            th.StringType,
            default="https://api.ynab.com/v1",
            title="API address",
            description="Base address of the API. Plain http is accepted for this machine only",
        ),
        th.Property(
            "user_agent",
            th.StringType,
            title="User agent",
            description="What to call the tap in its requests; its name and version unless set",
        ),
        th.Property(
            "request_timeout",
            th.IntegerType(minimum=1),
            default=90,
            title="Request timeout",
            description="Seconds without a byte after which a request is tried again. YNAB itself "
            "works on one for up to 30 seconds",
        ),
        th.Property(
            "max_retry_time",
            th.IntegerType(minimum=0),
            default=300,
            title="Time for retries",
            description="Seconds for which a request that fails for a passing reason is tried "
            "again",
        ),
        th.Property(
            "requests_per_hour",
            th.IntegerType(minimum=1),
            default=200,
            title="Requests an hour",
            description="How many requests to send in any hour. YNAB allows 200 for each token; "
            "leave some if other programs use the same one",
        ),
        th.Property(
            "wait_for_limit",
            th.BooleanType,
            default=True,
            title="Wait for the limit",
            description="Whether to wait when the requests of an hour are used up. If not, the "
            "run ends with what it has, says when to come back, and the next one goes on there",
        ),
        th.Property(
            "use_export",
            th.BooleanType,
            default=True,
            title="Use the export",
            description="Whether to read a budget from YNAB's export of all of it, in one request, "
            "where that takes fewer than list by list",
        ),
    ).to_dict()

    def discover_streams(self) -> Sequence[YNABStream]:
        """All streams, in the order in which YNAB's own things build on each other."""
        return [
            streams.BudgetsStream(self),
            streams.AccountsStream(self),
            streams.CategoryGroupsStream(self),
            streams.CategoriesStream(self),
            streams.PayeesStream(self),
            streams.PayeeLocationsStream(self),
            streams.TransactionsStream(self),
            streams.ScheduledTransactionsStream(self),
            streams.MonthsStream(self),
            streams.MonthCategoriesStream(self),
            streams.MoneyMovementsStream(self),
            streams.MoneyMovementGroupsStream(self),
        ]

    def __init__(self, **kwargs: t.Any) -> None:
        """Check what a JSON schema can't, before anything is asked of YNAB."""
        self.progress = Progress()
        #: Closes what several streams read, after the last one has.
        self.open = ExitStack()
        weakref.finalize(self, self.open.close)
        #: Answers that two streams read, by their budget.
        self.categories_answers: dict[tuple[str, bool], Shared[Answer]] = {}
        given = kwargs.get("config")
        if isinstance(given, dict) and not isinstance(given.get("access_token", ""), str):
            # The SDK's own message would quote the value.
            raise _invalid(NO_TOKEN)
        try:
            super().__init__(**kwargs)
        except ConfigValidationError as error:
            raise error if self.config.get("access_token") else _invalid(NO_TOKEN) from error
        if kwargs.get("validate_config", True):
            self._check()

    def _check(self) -> None:
        if not re.fullmatch(r"[!-~]+", self.access_token):
            raise _invalid(NO_TOKEN)
        if not is_date(self.config["since_date"]):
            raise _invalid(
                f"since_date must be a date such as 2015-01-31, not {self.config['since_date']!r}"
            )
        url = urlsplit(self.config["api_url"])
        is_private = url.scheme == "https" or (url.scheme == "http" and is_loopback(url.geturl()))
        if not (url.hostname and is_private):
            raise _invalid(
                "api_url must start with https://, or the token could be read on its way. Plain "
                "http:// is for this machine only"
            )

    @property
    def access_token(self) -> str:
        """The token without the white space that comes along when it is copied."""
        return str(self.config["access_token"]).strip()

    @cached_property
    def client(self) -> YNABClient:
        """Connection to YNAB."""
        return YNABClient(
            api_url=self.config["api_url"],
            access_token=self.access_token,
            user_agent=self.config.get("user_agent"),
            request_timeout=float(self.config["request_timeout"]),
            max_retry_time=float(self.config["max_retry_time"]),
            limit=HourlyLimit(
                self.config["requests_per_hour"],
                waits=self.config["wait_for_limit"],
                sent=self._run_state.setdefault("requests", {}),
                before_wait=self._note_what_is_left,
            ),
        )

    @cached_property
    def account(self) -> Account:
        """What the token sees."""
        return Account(self.client, self.config.get("budget_ids") or ())

    @cached_property
    def exports(self) -> Exports:
        """The export of each budget."""
        return Exports(self)

    @cached_property
    def prefers_export(self) -> bool:
        """Whether the export takes fewer requests than the endpoints of the selected streams."""
        exported = [stream for stream in self.selected(ExportedStream) if not stream.has_twins]
        return self.config["use_export"] and len({stream.path for stream in exported}) > 1

    @cached_property
    def export_readers(self) -> list[ExportedStream]:
        """The selected streams that read the export."""
        return [stream for stream in self.selected(ExportedStream) if stream.reads_export]

    @cached_property
    def names(self) -> Names:
        """The names that rows of other streams have in them."""
        return Names(self._run_state.setdefault("names", {}), self._rename)

    def _rename(self, budget_id: str, identity: str) -> None:
        for stream in self.streams.values():
            if isinstance(stream, SplittableStream):
                stream.rename(budget_id, identity)

    def selected(self, kind: type[Kind]) -> list[Kind]:
        """The selected streams of a kind."""
        found = self.streams.values()
        return [stream for stream in found if isinstance(stream, kind) and stream.selected]

    @property
    def _run_state(self) -> dict[str, t.Any]:
        """What runs tell each other beyond bookmarks, in the state of the account's own stream."""
        return self.streams[streams.BudgetsStream.name].stream_state

    def run(self) -> None:
        """Sync, and say first with which account.

        Raises:
            YNABError: Some of it could not be read; the rest is out.
        """
        names = ", ".join(str(budget["name"]) for budget in self.account.budgets)
        self.logger.info("Account at %s, budgets: %s", self.config["api_url"], names or "none")
        self._forget_vanished()
        try:
            if left := self._run_state.get("left"):
                self.logger.info("First what the last run did not get to for YNAB's hourly limit.")
                self.progress.only(left)
                self.sync_all()
            if not self.progress.hit_the_limit:
                self.progress.only(None)
                self.sync_all()
            if self.progress.hit_the_limit:
                self._note_what_is_left()
            else:
                self._run_state.pop("left", None)
        except BaseException:
            # What is complete may be in a batch file that no loader has been told of.
            if not self.config.get("batch_config"):
                self.state_writer.write_state(self.state)
            raise
        self.state_writer.write_state(self.state)
        self.progress.conclude()

    def _note_what_is_left(self) -> None:
        """Have the next run begin with what this one may not get to."""
        if not self.account.is_known:  # the wait is for the very first request
            return
        names = [name for name, stream in self.streams.items() if stream.selected]
        self._run_state["left"] = self.progress.left(names, self.account.budget_ids)

    def _forget_vanished(self) -> None:
        """Report, once, budgets that were synced before and that the token sees no longer."""
        seen = {budget["id"] for budget in self.account.all_budgets}
        gone = set()
        for stream_state in self.state.get("bookmarks", {}).values():
            partitions = stream_state.get("partitions", [])
            for partition in list(partitions) if seen else ():
                if (budget_id := partition["context"].get("budget_id")) not in seen:
                    partitions.remove(partition)
                    gone.add(budget_id)
        for budget_id in sorted(gone):
            self.names.forget(budget_id)
            self.logger.warning(
                "Budget %s is no longer in this account. Its rows stay as they are until a full "
                "refresh marks them.",
                budget_id,
            )

    def _handle_termination(self, signum: int, frame: object) -> None:  # noqa: ARG002 as the SDK has it
        """End as what was terminated; `run` writes the state, where it may."""
        self.message_writer.interrupt(128 + signum)

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: t.Any = None,
        state: t.IO[str] | None = None,
        catalog: t.IO[str] | None = None,
    ) -> None:
        """Run from the command line, as the SDK does, but each error is one line."""
        super(Tap, cls).invoke(about=about, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        with errors_in_one_line():
            if config.parse_env:
                cls._check_environment()
            tap = cls(
                config=config.config,
                parse_env_config=config.parse_env,
                state=state and read_object(state),
                catalog=catalog and read_object(catalog, "streams"),
            )
            tap.run()

    @classmethod
    def _check_environment(cls) -> None:
        """Name a setting whose number the SDK would fail to read, but not name."""
        for name, definition in cls.config_jsonschema["properties"].items():
            value = os.environ.get(variable := f"TAP_YNAB_{name.upper()}", "0")
            if "integer" in definition.get("type", ()) and not value.lstrip("-").isdecimal():
                raise ValueError(f"{variable} must be a whole number, not {value!r}.")

    @classmethod
    def cb_config(cls, ctx: t.Any, param: t.Any, value: tuple[str, ...]) -> t.Any:
        """Read the config files, each once: it may be a pipe."""
        with errors_in_one_line():
            given = super().cb_config(ctx, param, tuple(path for path in value if path == "ENV"))
            for path in value:
                if path != "ENV":
                    with open(path, encoding="utf-8") as file:  # noqa: PTH123 named as it was given
                        given.config.update(read_object(file))
            return given

    @classmethod
    def cb_test(cls, *args: t.Any) -> None:
        """Test the connection."""
        with errors_in_one_line():
            super().cb_test(*args)


def _invalid(line: str) -> ConfigValidationError:
    return ConfigValidationError("Config validation failed", errors=[line], schema={})
