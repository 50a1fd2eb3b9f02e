"""The tap: its settings, its streams, and a run from beginning to end."""

from __future__ import annotations

import logging
import typing as t
import weakref
from functools import cached_property

from singer_sdk import typing as th
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.singerlib.encoding.simple import StateMessage

from tap_ynab.budget_api import BEGINNING
from tap_ynab.command_line import CommandLineTap
from tap_ynab.errors import TransientError, YNABError
from tap_ynab.settings import TOKEN_ADDRESS, mistakes_of_kind, mistakes_of_value
from tap_ynab.state import intact
from tap_ynab.streams import STREAMS, SyncsStream
from tap_ynab.sync_run import SyncRun
from tap_ynab.writer import Writer

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_ynab.base import YNABStream

#: Seconds of the longest times that can be set.
DAY = 86_400


logger = logging.getLogger("tap_ynab")


class TapYNAB(CommandLineTap):
    """Singer tap for YNAB: whole budgets first, then what changed."""

    name = "tap-ynab"
    message_writer_class = Writer

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
            th.CustomType({"type": ["array", "string", "null"], "items": {"type": "string"}}),
            title="Budgets",
            description="Ids of the budgets to sync, as a list or separated by commas; all that "
            "the token sees unless set",
        ),
        th.Property(
            "since_date",
            th.DateType,
            default=BEGINNING,
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
            description="Name of the program in requests; name and version of the tap unless set",
        ),
        th.Property(
            "request_timeout",
            th.IntegerType(minimum=1, maximum=DAY),
            default=90,
            title="Request timeout",
            description="Seconds without a byte after which a request is tried again. YNAB itself "
            "works on one for up to 30 seconds",
        ),
        th.Property(
            "max_retry_time",
            th.IntegerType(minimum=0, maximum=DAY),
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
            description="Requests to send in any hour at most. YNAB allows 200 for each token; "
            "leave some if other programs use the same one",
        ),
        th.Property(
            "wait_for_limit",
            th.BooleanType,
            default=True,
            title="Wait for the limit",
            description="Whether to wait if the requests of an hour are used up. If not, the run "
            "ends with an error that says when to run again, and the next run continues there",
        ),
        th.Property(
            "use_export",
            th.BooleanType,
            default=True,
            title="Use the export",
            description="Whether to read a budget from YNAB's export of it, in one request, if "
            "that takes fewer requests than reading list by list",
        ),
    ).to_dict()

    def __init__(self, **kwargs: t.Any) -> None:
        """Check the settings before anything is requested.

        Raises:
            ConfigValidationError: They are wrong. No line of it repeats a value.
        """
        if isinstance(given := kwargs.get("config"), dict):
            # What is null has its default, like what is missing.
            kwargs["config"] = {name: each for name, each in given.items() if each is not None}
        try:
            super().__init__(**kwargs)
        except ConfigValidationError as error:
            found = mistakes_of_kind(self.config_jsonschema, self.config)
            raise _invalid(found or error.errors or [str(error)]) from error
        if kwargs.get("validate_config", True) and (found := [*mistakes_of_value(self.config)]):
            raise _invalid(found)
        if not self.logger.isEnabledFor(logging.DEBUG):
            self.metrics_logger.setLevel(logging.WARNING)

    @cached_property
    def sync_run(self) -> SyncRun:
        """The run that the streams share."""
        run = SyncRun(
            self.config,
            t.cast("dict[str, t.Any]", self.state),
            lambda: [each.selected_stream for each in self._ynab_streams if each.selected],
        )
        weakref.finalize(self, run.close)
        return run

    @property
    def _ynab_streams(self) -> list[YNABStream]:
        return t.cast("list[YNABStream]", list(self.streams.values()))

    def discover_streams(self) -> Sequence[YNABStream]:
        """Return the streams; they are the same for every account."""
        return [stream(self, self.sync_run) for stream in STREAMS]

    def load_state(self, state: dict[str, t.Any]) -> None:
        """Take the state of the last run, of whatever version, without what is damaged."""
        super().load_state(intact(state))

    def run(self) -> None:
        """Sync the account, after a line that names it, and write the run's history.

        Raises:
            YNABError: Something could not be read; everything else is written.
        """
        run = self.sync_run
        try:
            self.reach()
        except (YNABError, TransientError) as error:
            self._write_history(run.history(error))
            raise
        self._sync(run)
        self._write_history(run.history())
        # Again, even if it is as before: a loader takes a state for the rows before it.
        self.message_writer.write_message(StateMessage(value=self.state))
        run.log_summary()
        run.conclude()

    def reach(self) -> None:
        """Log which budgets the token sees, in one line.

        Raises:
            YNABError: The account can't be reached.
        """
        account = self.sync_run.account
        budgets = ", ".join(map(account.label, account.budget_ids)) or "none"
        url = self.config["api_url"]
        logger.info("Account at %s, budgets: %s", url, budgets, extra={"account": True})

    def _write_history(self, rows: list[dict[str, t.Any]]) -> None:
        stream = t.cast("SyncsStream", self.streams[SyncsStream.name])
        stream.history = rows
        if stream.selected:
            stream.sync()

    def _sync(self, run: SyncRun) -> None:
        if run.account.has_unreadable_budgets:
            run.left_out("budgets", None)
        run.forget_vanished_budgets()
        try:
            if run.state.left:
                logger.info("Reading first what the last run left because of the hourly limit.")
                run.restrict(run.state.left)
                self.sync_all()
            if not run.hit_the_limit:
                run.restrict(None)
                self.sync_all()
            if run.hit_the_limit:
                run.note_left_partitions()
            else:
                run.state.left = {}
        except BaseException:
            # Rows before a bookmark may be in a batch file that no loader has been told of.
            if not self.config.get("batch_config"):
                self.state_writer.write_state(self.state)
            raise


def _invalid(lines: list[str]) -> ConfigValidationError:
    return ConfigValidationError("Config validation failed", errors=lines, schema={})
