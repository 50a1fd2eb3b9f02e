"""`ynab-pipeline-tap` sees to the account and becomes the tap."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from ynab_sandbox import Daemon

if TYPE_CHECKING:
    from tests.pipeline.conftest import Installation

SANDBOX = {"YNAB_SANDBOX": ".data/ynab-sandbox"}


def test_the_sandbox_wins_over_the_configuration(installation: Installation) -> None:
    started = installation.started("tap", "--config", "of-meltano.json", **SANDBOX)
    folder = installation.folder / ".data/ynab-sandbox"
    override = folder / "tap-ynab.json"
    assert started.arguments == ["--config", "of-meltano.json", "--config", str(override)]
    assert override.stat().st_mode & 0o777 == 0o600
    running = Daemon(folder).running()
    assert running is not None
    assert json.loads(override.read_text()) == {
        "access_token": "sandbox-token",
        "api_url": running.url,
        "budget_ids": [],
        "requests_per_hour": 1_000_000,
        "since_date": "1970-01-01",
    }
    assert started.umask == 0o077
    assert started.stderr == f"account: the YNAB sandbox at {running.url} (invented data)\n"


@pytest.mark.parametrize("option", ["--discover", "--test=schema"])
def test_the_catalog_comes_from_the_sandbox_and_takes_no_turn(
    installation: Installation, option: str
) -> None:
    started = installation.started("tap", option, **SANDBOX)
    assert started.arguments[0] == option
    assert started.stderr.startswith("account: the YNAB sandbox at ")
    assert not (installation.folder / ".meltano").exists()


@pytest.mark.parametrize("option", ["--about", "--version", "--help"])
def test_a_question_needs_no_account(installation: Installation, option: str) -> None:
    started = installation.started("tap", option, **SANDBOX)
    assert (started.arguments, started.stderr) == ([option], "")
    assert not (installation.folder / ".data").exists()
    assert not (installation.folder / ".meltano").exists()


def test_an_account_of_ones_own_needs_no_other_package(bare_installation: Installation) -> None:
    started = bare_installation.started("tap", "--config", "of-meltano.json", YNAB_SANDBOX="")
    assert (started.arguments, started.stderr) == (["--config", "of-meltano.json"], "")
    assert started.umask == 0o077
    missing = bare_installation.run("tap", **SANDBOX)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.endswith(
        "is not installed here: unset it, or install plugins/ynab-sandbox\n"
    )


def test_the_token_of_the_project_reaches_the_tap_in_no_file_and_no_argument(
    installation: Installation,
) -> None:
    tap = installation.program("tap-ynab")
    tap.write_text('#!/bin/sh\n[ "$1" = --config ] && cat "$2" && echo " $3 $4"\n')
    finished = installation.run("tap", "--config=x", YNAB_PERSONAL_ACCESS_TOKEN="a-token")  # noqa: S106 none
    assert finished.stdout == '{"access_token": "a-token"} --config=x \n'


def test_a_tap_that_is_not_installed(installation: Installation) -> None:
    installation.program("tap-ynab").unlink()
    missing = installation.run("tap", "--about")
    assert missing.returncode == 1
    assert missing.stderr == (
        f"ynab-pipeline-tap: tap-ynab is not installed beside {installation.program('python')}\n"
    )


def test_a_folder_that_cannot_be_made_is_one_line(installation: Installation) -> None:
    (installation.folder / ".meltano").touch()
    finished = installation.run("tap")
    assert finished.returncode == 1
    folder = installation.folder / ".meltano/turns"
    assert finished.stderr == f"ynab-pipeline-tap: Not a directory: {folder}\n"
