"""The account that a run reads: the configured one, or the sandbox."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ynab_pipeline import project
from ynab_pipeline.errors import PipelineError
from ynab_pipeline.files import write_config

if TYPE_CHECKING:
    from pathlib import Path

SWITCH = "YNAB_SANDBOX"


def choose_account() -> list[str]:
    """Return what the account adds to the tap's command line.

    The tap itself names an account that is configured; the sandbox is named here.

    Raises:
        PipelineError: If the sandbox does not start.
    """
    folder = project.named_folder(SWITCH)
    return [] if folder is None else ["--config", str(_use_sandbox(folder))]


def _use_sandbox(folder: Path) -> Path:
    """Start the sandbox unless it runs, and return a config file that points the tap at it.

    Of several files the last one wins. Values from the environment would not do: for those the SDK
    also reads the project's .env, and its token does not belong into the sandbox.
    """
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
    sys.stderr.write(f"account: the YNAB sandbox at {running.url} (invented data)\n")
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
