"""The account that a run reads: the configured one, or the sandbox."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ynab_pipeline import project
from ynab_pipeline.errors import PipelineError
from ynab_pipeline.files import pipe_of, write_config
from ynab_pipeline.log import say

if TYPE_CHECKING:
    from pathlib import Path

SWITCH = "YNAB_SANDBOX"
TOKEN = "YNAB_PERSONAL_ACCESS_TOKEN"  # noqa: S105 its name
#: The variables that may have the token: this project's, and Meltano's for the tap's setting.
TOKENS = (TOKEN, "TAP_YNAB_ACCESS_TOKEN")


def choose_account(arguments: list[str]) -> list[str]:
    """Return the tap's command line with the account.

    The tap itself names an account that is configured; the sandbox is named here.

    Args:
        arguments: The command line without it. Of several config files the last one wins.

    Raises:
        PipelineError: If the sandbox does not start.
    """
    folder = project.named_folder(SWITCH)
    if folder is not None:
        return [*arguments, "--config", str(_use_sandbox(folder))]
    if token := os.environ.get(TOKEN):
        return ["--config", pipe_of({"access_token": token}), *arguments]
    return arguments


def _use_sandbox(folder: Path) -> Path:
    """Start the sandbox unless it runs, and return a config file that points the tap at it."""
    try:
        from ynab_sandbox import Daemon, Options, SandboxError  # noqa: PLC0415 -- optional
    except ModuleNotFoundError as error:
        raise PipelineError(
            f"{SWITCH} is set, but {error.name} is not installed here: unset it, or install "
            "plugins/ynab-sandbox"
        ) from error
    try:
        # Without the limit of 200 requests an hour, which is no help to a person who tries things.
        running, _ = Daemon(folder).start(Options(rate_limit=0))
    except SandboxError as error:
        raise PipelineError(str(error)) from error
    say(f"account: the YNAB sandbox at {running.url} (invented data)", account=True)
    override = folder / "tap-ynab.json"
    # All that .env may say about a real account is set, so that none of it holds here.
    config = {
        "access_token": running.token,
        "api_url": running.url,
        "budget_ids": [],
        "requests_per_hour": 1_000_000,
        "since_date": "1970-01-01",
    }
    write_config(override, config)
    return override
