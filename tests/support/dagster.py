"""Starts Dagster as `make dagster` does, and does by its API what a person does on its page."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
import urllib.request
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]

from tests.support.pipeline import PROJECT
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.meltano_project import Project

DAGSTER = str(PROJECT / ".venv-dagster/bin/dagster")
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
_MAKE = str(shutil.which("make"))
#: Seconds to wait for anything, many more than it takes on an idle machine.
_LIMIT = 240
_LOCATION = {"repositoryName": "__repository__", "repositoryLocationName": "tap-ynab"}
_ACCOUNTS = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  assetNodes { partitionKeys } } } } }"""
_SCHEDULES = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  schedules { name cronSchedule scheduleState { status } } } } } }"""
_RUNS = """query($filter: RunsFilter) { runsOrError(filter: $filter) {
  ... on Runs { results { runId } } } }"""
_LAUNCH = """mutation($wanted: ExecutionParams!) {
  launchPipelineExecution(executionParams: $wanted) {
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
_AGAIN = """mutation($wanted: ReexecutionParams!) {
  launchPipelineReexecution(reexecutionParams: $wanted) {
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
_CANCEL = "mutation($run: String!) { terminateRun(runId: $run) { __typename } }"
_RUN = """query($run: ID!) { runOrError(runId: $run) { ... on Run {
  status stepStats { stepKey status }
  assetMaterializations { metadataEntries { label ... on IntMetadataEntry { intValue } } } } } }"""
_LOG = """query($run: ID!) { logsForRun(runId: $run) { ... on EventConnection { events {
  __typename ... on MessageEvent { message level stepKey }
  ... on ExecutionStepFailureEvent { error { message } } } } } }"""
_START_SCHEDULE = """mutation($schedule: ScheduleSelector!) {
  startSchedule(scheduleSelector: $schedule) {
  ... on ScheduleStateResult { scheduleState { id } } } }"""
_STOP_SCHEDULE = "mutation($id: String!) { stopRunningSchedule(id: $id) { __typename } }"
_DRY_RUN = """mutation($schedule: ScheduleSelector!, $at: Float) {
  scheduleDryRun(selectorData: $schedule, timestamp: $at) { ... on DryRunInstigationTick {
  evaluationResult { error { message } runRequests { tags { key value } } } } } }"""
_ALERTS = {**_LOCATION, "sensorName": "alerts"}
_SENSOR = """query($sensor: SensorSelector!) { sensorOrError(sensorSelector: $sensor) {
  ... on Sensor { sensorState { id ticks(limit: 20) { status } } } } }"""
_STOP_SENSOR = "mutation($id: String!) { stopSensor(id: $id) { __typename } }"
_START_SENSOR = """mutation($sensor: SensorSelector!) {
  startSensor(sensorSelector: $sensor) { __typename } }"""


@dataclass
class Dagster:
    """Dagster while it runs, by its API."""

    url: str

    def accounts(self) -> set[str]:
        """The partitions, as the page offers them; none before it has loaded anything."""
        (repository,) = self._ask(_ACCOUNTS)["repositoriesOrError"]["nodes"] or [{"assetNodes": []}]
        return {key for asset in repository["assetNodes"] for key in asset["partitionKeys"]}

    def runs(self, **tags: str) -> list[str]:
        """The ids of the runs with these tags of Dagster's, the latest first."""
        wanted = {"tags": [{"key": f"dagster/{key}", "value": tags[key]} for key in tags]}
        return [run["runId"] for run in self._ask(_RUNS, filter=wanted)["runsOrError"]["results"]]

    def launch(self, job: str, account: str, *steps: str) -> str:
        """Launch a run, of some steps or all, and return its id."""
        tags = [{"key": "dagster/partition", "value": account}]
        selector = {**_LOCATION, "jobName": job, "assetSelection": [{"path": [x]} for x in steps]}
        wanted = {"selector": selector, "mode": "default", "executionMetadata": {"tags": tags}}
        return str(self._ask(_LAUNCH, wanted=wanted)["launchPipelineExecution"]["run"]["runId"])

    def again(self, run: str) -> str:
        """Run it again from the failed step, and return the id of the new run."""
        wanted = {"parentRunId": run, "strategy": "FROM_FAILURE"}
        return str(self._ask(_AGAIN, wanted=wanted)["launchPipelineReexecution"]["run"]["runId"])

    def cancel(self, run: str) -> None:
        self._ask(_CANCEL, run=run)

    def status(self, run: str) -> str:
        return str(self._ask(_RUN, run=run)["runOrError"]["status"])

    def steps(self, run: str) -> dict[str, str]:
        """The steps that have run, each with its status."""
        steps = self._ask(_RUN, run=run)["runOrError"]["stepStats"]
        return {step["stepKey"]: step["status"] for step in steps}

    def numbers(self, run: str) -> dict[str, int]:
        """The numbers that its steps tell."""
        made = self._ask(_RUN, run=run)["runOrError"]["assetMaterializations"]
        entries = [entry for each in made for entry in each["metadataEntries"]]
        return {entry["label"]: entry["intValue"] for entry in entries if "intValue" in entry}

    def log(self, run: str) -> list[str]:
        """The lines that its programs have written."""
        events = self._ask(_LOG, run=run)["logsForRun"]["events"]
        return [event["message"] for event in events if event["__typename"] == "LogMessageEvent"]

    def await_line(self, run: str, words: str) -> None:
        """Wait until a program of a run writes a line with these words."""
        await_(lambda: any(words in line for line in self.log(run)))

    def failure(self, run: str) -> str:
        """The failure of the step that has failed, as the page shows it."""
        events = self._ask(_LOG, run=run)["logsForRun"]["events"]
        (message,) = [event["error"]["message"] for event in events if "error" in event]
        return str(message)

    def alert(self, run: str) -> str:
        """Wait until the sensor for messages has seen that a run failed; return what came of it."""
        name = "alerts: "

        def outcomes() -> list[str]:
            events = self._ask(_LOG, run=run)["logsForRun"]["events"]
            messages = [event.get("message", "") for event in events]
            return [each.removeprefix(name) for each in messages if each.startswith(name)]

        await_(outcomes)
        return outcomes()[0]

    def alerts_began(self) -> bool:
        """Whether the sensor for messages has looked for the first time."""
        return bool(self._alerts()["ticks"])

    def alerts_failed(self) -> bool:
        """Wait until the sensor for messages is idle; whether one of its last 20 looks failed."""

        def statuses() -> set[str]:
            return {tick["status"] for tick in self._alerts()["ticks"]}

        await_(lambda: "STARTED" not in statuses())
        return "FAILURE" in statuses()

    @contextmanager
    def alerts_held(self) -> Iterator[None]:
        """Have the sensor for messages look at nothing, and later at all of it together."""
        self._ask(_STOP_SENSOR, id=self._alerts()["id"])
        try:
            yield
        finally:
            self._ask(_START_SENSOR, sensor=_ALERTS)

    def _alerts(self) -> Any:
        return self._ask(_SENSOR, sensor=_ALERTS)["sensorOrError"]["sensorState"]

    def schedules(self) -> dict[str, tuple[str, str]]:
        """The schedules, each with its times and whether it is on."""
        (repository,) = self._ask(_SCHEDULES)["repositoriesOrError"]["nodes"]
        return {
            each["name"]: (each["cronSchedule"], each["scheduleState"]["status"])
            for each in repository["schedules"]
        }

    @contextmanager
    def scheduled(self, schedule: str) -> Iterator[None]:
        """Have a schedule turned on."""
        selector = {**_LOCATION, "scheduleName": schedule}
        started = self._ask(_START_SCHEDULE, schedule=selector)["startSchedule"]
        try:
            yield
        finally:
            self._ask(_STOP_SCHEDULE, id=started["scheduleState"]["id"])

    def due(self, schedule: str, at: float) -> list[str]:
        """The accounts that a schedule would sync at that time, in seconds since 1970."""
        selector = {**_LOCATION, "scheduleName": schedule}
        result = self._ask(_DRY_RUN, schedule=selector, at=at)["scheduleDryRun"]["evaluationResult"]
        assert result["error"] is None, result["error"]
        tags = [tag for request in result["runRequests"] or () for tag in request["tags"]]
        return [tag["value"] for tag in tags if tag["key"] == "dagster/partition"]

    def ended(self, run: str) -> str:
        """Wait for the end of a run, and return its status."""
        await_(lambda: self.status(run) in ENDED)
        return self.status(run)

    def _ask(self, query: str, **variables: Any) -> Any:
        document = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json"}
        # S310: an address of this machine
        request = urllib.request.Request(f"{self.url}/graphql", document, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=_LIMIT) as response:  # noqa: S310
            answer = json.load(response)
        assert "errors" not in answer, answer
        return answer["data"]


def await_(condition: Callable[[], object]) -> None:
    """Ask until something is so, since Dagster tells nothing by itself."""
    deadline = time.monotonic() + _LIMIT
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.1)


def prepare(project: Project) -> None:
    """Put what `make dagster` needs into a project."""
    for name in (".venv", ".venv-dagster", "Makefile"):
        (project.folder / name).symlink_to(PROJECT / name)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "orchestrate", project.folder / "orchestrate", ignore=ignored)


@contextmanager
def running(project: Project, **environment: str) -> Iterator[Dagster]:
    """Run `make dagster` in a project, and end it by Ctrl-C.

    Args:
        project: The project, prepared for it.
        environment: Variables of the shell that it is called from.
    """
    port = free_port()
    installed = (".venv-dagster/installed", ".meltano/installed", ".meltano/dbt-installed")
    with (project.folder / "dagster.log").open("w") as log:
        make = subprocess.Popen(
            [_MAKE, *(f"--old-file={each}" for each in installed), "dagster", f"PORT={port}"],
            env=project.variables(**environment),
            cwd=project.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    dagster = Dagster(f"http://127.0.0.1:{port}")
    try:
        await_(lambda: _answers(dagster, make, project))
        await_(dagster.alerts_began)  # it ignores what failed before its first look
        yield dagster
    finally:
        # It may have been killed; a Mac calls that a lack of permission.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(make.pid, signal.SIGINT)
        make.wait(_LIMIT)
        await_(lambda: not processes(project))  # its code server ends a moment later


def kill(project: Project) -> None:
    """Kill Dagster and what it has started, so that nothing of that can note its end."""

    def none_is_left() -> bool:
        found = processes(project)
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        return not found

    await_(none_is_left)


def let_hours_pass(project: Project, run: str) -> None:
    """Have Dagster believe that a run began seven hours earlier."""
    database = project.folder / ".data/dagster/history/runs.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        sql = "update runs set start_time = start_time - 25200 where run_id = ?"
        connection.execute(sql, [run])


def _answers(dagster: Dagster, make: subprocess.Popen[bytes], project: Project) -> bool:
    log = (project.folder / "dagster.log").read_text(encoding="utf-8")
    assert make.poll() is None, log
    assert "Error" not in log, log
    try:
        return bool(dagster.accounts())
    except OSError:
        return False


def processes(project: Project) -> dict[psutil.Process, str]:
    """Processes of a project and their command lines, without PostgreSQL and the sandbox."""
    found = {}
    for process in psutil.process_iter():
        try:
            command, folder = process.cmdline(), process.cwd()
        except psutil.Error:
            continue
        is_server = "postgres" in "".join(command[:1]) or "ynab_sandbox" in command
        if Path(folder).is_relative_to(project.folder) and not is_server:
            found[process] = " ".join(command)
    return found
