"""The tap: its settings, its streams, and one run of it."""

from __future__ import annotations

import json
import re
import sys
import typing as t
from collections import Counter
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from urllib.parse import urlsplit

from singer_sdk import Tap
from singer_sdk import typing as th
from singer_sdk.exceptions import ConfigValidationError

from tap_ynab import streams
from tap_ynab.client import YNABClient, is_loopback
from tap_ynab.errors import NotFoundError, TransientError, YNABError
from tap_ynab.schemas import is_date

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_ynab.client import Response
    from tap_ynab.sync import YNABStream

TOKEN_ADDRESS = "https://app.ynab.com/settings/developer"  # noqa: S105 where to make one


NO_TOKEN = (
    "access_token is missing, empty or not a token. Make a personal access token at "
    f"{TOKEN_ADDRESS} and set access_token in the config file, or TAP_YNAB_ACCESS_TOKEN"
)


class TapYNAB(Tap):
    """Singer tap for YNAB: whole budgets first, then what changed."""

    name = "tap-ynab"

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
        self.failures: list[str] = []
        #: Answers that two streams read, by their path.
        self.shared_answers: dict[str, Sequence[Response]] = {}
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
        )

    @cached_property
    def _account(self) -> list[dict[str, t.Any]]:
        """All that the token sees, as plans with their accounts: the first request of a run."""
        try:
            with closing(self.client.get("/plans", include_accounts="true")) as response:
                return list(response.rows("plans"))
        except NotFoundError:
            return []

    @cached_property
    def plans(self) -> list[dict[str, t.Any]]:
        """Budgets of this run, as YNAB lists them, with their accounts.

        Raises:
            YNABError: A budget of `budget_ids` is not among them.
        """
        wanted = [str(budget_id).strip().lower() for budget_id in self.config.get("budget_ids", [])]
        found = {plan["id"]: plan for plan in self._account}
        if unknown := [budget_id for budget_id in wanted if budget_id not in found]:
            seen = ", ".join(f"{plan['id']} ({plan['name']})" for plan in self._account)
            raise YNABError(
                f"budget_ids: the token sees no budget {', '.join(unknown)}. It sees: "
                f"{seen or 'none'}."
            )
        return [found[budget_id] for budget_id in wanted] or self._account

    @property
    def sees_all(self) -> bool:
        """Whether this run is for all budgets of the account, and it has any."""
        return not self.config.get("budget_ids") and bool(self.plans)

    @cached_property
    def account_types(self) -> dict[str, str]:
        """Type of each account by its id."""
        return {
            account["id"]: account["type"]
            for plan in self.plans
            for account in plan.get("accounts") or ()
        }

    def require(self, budget_id: str) -> None:
        """Make sure that a budget is there, where one of its lists is not.

        Raises:
            NotFoundError: It is gone.
        """
        self.client.get(f"/plans/{budget_id}/settings").close()

    def report(self, budget_id: str, error: Exception) -> None:
        """Say now, and at the end of the run, that something of a budget could not be read."""
        self.logger.error("Budget %s: %s", budget_id, error)
        self.failures.append(budget_id)

    def run(self) -> None:
        """Sync, and say first with which account.

        Raises:
            YNABError: Some of it could not be read; the rest is out.
        """
        names = ", ".join(str(plan["name"]) for plan in self.plans)
        self.logger.info("Account at %s, budgets: %s", self.config["api_url"], names or "none")
        self.sync_all()
        if self.failures:
            counts = ", ".join(f"{key} ({n} errors)" for key, n in Counter(self.failures).items())
            raise YNABError(f"Not all was read of: {counts}. See above; run again to retry.")

    def _handle_termination(self, signum: int, frame: object) -> None:  # noqa: ARG002 as the SDK has it
        """End with the state of what is complete, and as what was terminated."""
        self.state_writer.write_state(self.state)
        sys.exit(128 + signum)

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
            tap = cls(
                config=config.config,
                parse_env_config=config.parse_env,
                state=state and _object(state),
                catalog=catalog and _object(catalog, "streams"),
            )
            tap.run()

    @classmethod
    def cb_config(cls, ctx: t.Any, param: t.Any, value: tuple[str, ...]) -> t.Any:
        """Read the config files."""
        with errors_in_one_line():
            for path in value:
                if path != "ENV":
                    with open(path, encoding="utf-8") as file:  # noqa: PTH123 named as it was given
                        _object(file)
            return super().cb_config(ctx, param, value)

    @classmethod
    def cb_test(cls, *args: t.Any) -> None:
        """Test the connection."""
        with errors_in_one_line():
            super().cb_test(*args)


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """End with what went wrong and what to do about it, not with a traceback."""
    logger = TapYNAB.logger
    try:
        yield
    except ConfigValidationError as error:
        for line in error.errors:
            logger.error("%s.", line)  # noqa: TRY400
    except (YNABError, TransientError, OSError, ValueError) as error:
        logger.error("%s", error)  # noqa: TRY400
    else:
        return
    sys.exit(1)


def _invalid(line: str) -> ConfigValidationError:
    return ConfigValidationError("Config validation failed", errors=[line], schema={})


def _object(file: t.IO[str], *keys: str) -> dict[str, t.Any]:
    """The JSON object in a file.

    Raises:
        ValueError: There is none, or one without the keys.
    """
    with suppress(ValueError):
        content = json.load(file)
        if isinstance(content, dict) and content.keys() >= set(keys):
            return content
    wanted = " with ".join(("a JSON object", *keys))
    raise ValueError(f"{file.name} does not hold {wanted}. Check the file.")
