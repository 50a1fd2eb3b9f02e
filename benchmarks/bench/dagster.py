"""Starts Dagster on a project, as `make dagster` does, and syncs accounts through its API."""

from __future__ import annotations

import json
import shutil
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from bench.measure import PATIENCE, FailedError, Running
from bench.programs import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

#: Seconds between two questions.
_LOOK = 1
_ACCOUNTS = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  assetNodes { partitionKeys } } } } }"""
_LAUNCH = """mutation($wanted: [ExecutionParams!]!) {
  launchMultipleRuns(executionParamsList: $wanted) {
  ... on LaunchMultipleRunsResult {
  launchMultipleRunsResult { ... on LaunchRunSuccess { run { runId } } } } } }"""
_ENDED = """query($runs: [String]) { runsOrError(
  filter: { runIds: $runs, statuses: [SUCCESS, FAILURE, CANCELED] }) {
  ... on Runs { results { status } } } }"""
#: The job, with the tables alone: neither report nor views.
_SELECTOR = {
    "repositoryName": "__repository__",
    "repositoryLocationName": "tap-ynab",
    "jobName": "sync",
    "assetSelection": [{"path": ["tables"]}],
}


class Dagster:
    """Dagster while it runs.

    Attributes:
        running: its processes.
    """

    def __init__(self, url: str, running: Running) -> None:
        """Take the address of its page, and its processes."""
        self.running, self._url = running, url

    def await_accounts(self, accounts: Collection[str]) -> None:
        """Wait until it has started and has seen these accounts."""
        self._await(lambda: self._accounts().issuperset(accounts))

    def sync(self, accounts: Collection[str]) -> float:
        """Sync accounts, and return the seconds until all have ended, at most one too many.

        Raises:
            FailedError: a sync failed, or Dagster ended.
        """
        began = time.monotonic()
        launched = self._ask(_LAUNCH, wanted=[_run(account) for account in accounts])
        results = launched["launchMultipleRuns"]["launchMultipleRunsResult"]
        runs = [result["run"]["runId"] for result in results]
        self._await(lambda: len(self._ended(runs)) == len(runs))
        seconds = time.monotonic() - began
        if failed := sum(status != "SUCCESS" for status in self._ended(runs)):
            raise FailedError(f"{failed} runs of Dagster failed")
        return seconds

    def _ended(self, runs: Collection[str]) -> list[str]:
        """Return the status of each of these runs that has ended."""
        found = self._ask(_ENDED, runs=runs)["runsOrError"]["results"]
        return [run["status"] for run in found]

    def _accounts(self) -> set[str]:
        try:
            (repository,) = self._ask(_ACCOUNTS)["repositoriesOrError"]["nodes"]
        except (OSError, ValueError):  # it is still starting, or has loaded no repository
            return set()
        return {key for asset in repository["assetNodes"] for key in asset["partitionKeys"]}

    def _await(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if self.running.process.poll() is not None or time.monotonic() > deadline:
                raise FailedError(f"Dagster: {self.running.log()[-2000:]}")
            time.sleep(_LOOK)

    def _ask(self, query: str, **variables: Any) -> Any:
        document = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self._url}/graphql", document, headers)  # noqa: S310 - this machine's
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - likewise
            return json.load(answer)["data"]


def _run(account: str) -> dict[str, Any]:
    tags = [{"key": "dagster/partition", "value": account}]
    return {"selector": _SELECTOR, "mode": "default", "executionMetadata": {"tags": tags}}


@contextmanager
def running(folder: Path) -> Iterator[Dagster]:
    """Run Dagster on a project.

    Args:
        folder: the folder of the project.
    """
    home, own = folder / ".data/dagster", folder / "orchestrate"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copytree(PROJECT / "orchestrate", own, dirs_exist_ok=True)
    shutil.copy(own / "instance.yaml", home / "dagster.yaml")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = str(PROJECT / ".venv-dagster/bin/dagster")
    started = Running(
        [program, "dev", "--host=127.0.0.1", f"--port={port}", "--log-level=warning"],
        folder=own,
        environment={"DAGSTER_HOME": str(home), "PYTHONWARNINGS": "ignore:Function"},
    )
    try:
        yield Dagster(f"http://127.0.0.1:{port}", started)
    finally:
        started.stop()
