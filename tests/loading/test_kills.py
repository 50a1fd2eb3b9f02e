"""Tap, loader or database gone in the middle of a run: the next run makes the tables equal."""

from __future__ import annotations

import json
import random
import signal
import subprocess
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.bookmarks import complete
from tests.support.environment import BARE
from tests.support.full import limit_of_files
from tests.support.pipeline import FAST_LOADER, STOCK_LOADER, Database, Pipeline, Tap
from tests.support.rows import assert_equal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from project_postgres import Server
    from ynab_sandbox import Sandbox

    from tests.support.pipeline import Loader, Row, State

    Process = subprocess.Popen[bytes]


class Broken:
    """`tap-ynab | target-postgres` with the test as the pipe between, which may break anything."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Break the runs of this one."""
        self.pipeline = pipeline

    def run(self, at_line: int, breaks: Callable[[Process, Process], None]) -> tuple[int, int]:
        """Run both; call `breaks` when so many lines went through; the exit codes of both."""
        tap, folder = self.pipeline.tap, self.pipeline.tap.folder
        with (
            (folder / "states").open("wb") as states,
            subprocess.Popen(
                tap.command(state=self.pipeline.state),
                env=BARE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as extractor,
            subprocess.Popen(
                self.pipeline.loader_command(),
                env=self.pipeline.loader_environment(),
                stdin=subprocess.PIPE,
                stdout=states,
                stderr=subprocess.DEVNULL,
            ) as loader,
        ):
            assert extractor.stdout
            assert loader.stdin
            with suppress(BrokenPipeError), loader.stdin:
                for number, line in enumerate(extractor.stdout):
                    if number == at_line:
                        breaks(extractor, loader)
                    loader.stdin.write(line)
            # A loader that has gone takes the tap's pipe along.
            extractor.stdout.close()
            codes = extractor.wait(timeout=60), end_of(loader)
        if lines := (folder / "states").read_bytes().splitlines():
            self.pipeline.state = json.loads(lines[-1])
        return codes


def end_of(loader: Process) -> int:
    """The exit code of a loader; one that waits for itself is killed, as a supervisor would."""
    try:
        return loader.wait(timeout=20)
    except subprocess.TimeoutExpired:
        loader.kill()
        return loader.wait(timeout=60)


def lines_of_a_first_load(tap: Tap) -> int:
    return len(tap.run().stdout.splitlines())


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize(
    ("victim", "loader"),
    [("tap", STOCK_LOADER), ("loader", STOCK_LOADER), ("loader", FAST_LOADER)],
    ids=["tap", "stock loader", "fast loader"],
)
def test_killed_at_any_moment(
    pipeline: Pipeline, sandbox: Sandbox, victim: str, loader: Loader, signal_number: int
) -> None:
    # Where the lines are cut is random, but the same each time.
    moments = random.Random(f"{victim} {loader.environment} {signal_number}")  # noqa: S311 no secrets
    pipeline.loader = loader
    lines = lines_of_a_first_load(pipeline.tap)
    broken = Broken(pipeline)

    def breaks(extractor: Process, loader: Process) -> None:
        (extractor if victim == "tap" else loader).send_signal(signal_number)

    for _ in range(3):
        # All that is left may be in the pipe later on, and the tap at its end. A run that goes on
        # after two others has at least half of the lines.
        codes = broken.run(moments.randrange(lines // 4), breaks)
        # The tap of a loader that has gone may have written all before. The stock loader, told to
        # end, loads what it has read and calls that a success.
        stock_told_to_end = (loader, signal_number) == (STOCK_LOADER, signal.SIGTERM)
        assert victim == "tap" or codes[1] or stock_told_to_end
        assert victim == "loader" or codes[0] in {-signal_number, 128 + signal_number}
        sandbox.budgets[0].add("transactions", amount=-1_000)
        sandbox.budgets[0].delete(
            "transactions",
            sandbox.budgets[0].entities("transactions")[moments.randrange(100)]["id"],
        )
    assert pipeline.sync().code == 0
    assert_equal(pipeline.database, sandbox, old_names=True)


@pytest.mark.parametrize("full", [False, True])
def test_the_fast_loader_told_to_end_in_the_middle_of_a_load(
    pipeline: Pipeline, sandbox: Sandbox, *, full: bool
) -> None:
    pipeline.loader = FAST_LOADER
    pipeline.sync()
    sandbox.budgets[0].add("payees", id="new")
    messages = pipeline.tap.folder / "messages.jsonl"
    messages.write_text(pipeline.tap.run(state={} if full else pipeline.state).stdout)
    with (
        messages.open("rb") as lines,
        subprocess.Popen(
            pipeline.loader_command(),
            env=pipeline.loader_environment(),
            stdin=lines,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as loader,
        psycopg.connect(pipeline.database.url) as blocker,
    ):
        blocker.execute("lock table ynab.payees in access exclusive mode")
        while not blocker.execute("select 1 from pg_locks where not granted").fetchall():
            assert loader.poll() is None
        loader.send_signal(signal.SIGTERM)
        assert loader.wait(timeout=30)
        assert loader.stdout
        assert loader.stdout.read() == b""
    assert pipeline.sync().code == 0
    assert_equal(pipeline.database, sandbox)


def test_sigterm_ends_with_the_state_of_what_is_complete(tap: Tap) -> None:
    whole = tap.run().messages
    for moment in (len(whole) // 4, len(whole) // 2, len(whole) * 3 // 4):
        with (
            (tap.folder / "log").open("wb") as file,
            subprocess.Popen(
                tap.command(), env=BARE, stdout=subprocess.PIPE, stderr=file
            ) as process,
        ):
            assert process.stdout
            received = [process.stdout.readline() for _ in range(moment)]
            process.send_signal(signal.SIGTERM)
            rest = process.stdout.read()
        log = (tap.folder / "log").read_bytes()
        messages = [json.loads(line) for line in received + rest.splitlines()]
        assert process.returncode == 128 + signal.SIGTERM
        assert b"Traceback" not in log
        assert messages[-1]["type"] == "STATE"
        assert messages[-1]["value"]["bookmarks"]["accounts"]
        for number, message in enumerate(messages):
            if message["type"] == "STATE":
                assert_bookmarks_follow_rows(message["value"], messages[:number], whole)


def assert_bookmarks_follow_rows(state: State, before: list[Row], whole: list[Row]) -> None:
    """Where a bookmark is, all rows of its (stream, budget) are out."""
    sent, wanted = counts(before), counts(whole)
    for part in complete(state):
        assert sent[part] == wanted[part], part


def counts(messages: list[Row]) -> Counter[tuple[str, str]]:
    return Counter(
        (m["stream"], str(m["record"].get("budget_id"))) for m in messages if m["type"] == "RECORD"
    )


@pytest.fixture
def own_server(postgresql: type[Server], tmp_path: Path) -> Iterator[Server]:
    """A PostgreSQL that a test may stop."""
    server = postgresql(tmp_path / "postgres")
    server.start()
    yield server
    server.stop()


def test_a_database_that_goes_away_in_the_middle(
    tap: Tap, sandbox: Sandbox, own_server: Server
) -> None:
    pipeline = Pipeline(tap, Database(own_server.url))
    broken = Broken(pipeline)
    codes = broken.run(2_000, lambda _tap, _loader: own_server.stop())
    assert codes[1]
    own_server.start()
    pipeline.database.url = own_server.url
    assert pipeline.sync().code == 0
    assert_equal(pipeline.database, sandbox)


def test_a_full_disk_of_the_database(pipeline: Pipeline, sandbox: Sandbox) -> None:
    # What a full disk does to the loader, without filling one: the table can't be extended.
    pipeline.sync()
    with psycopg.connect(pipeline.database.url, autocommit=True) as connection:
        connection.execute(
            "create function ynab.full() returns trigger language plpgsql as "
            "$$ begin raise disk_full using message = 'could not extend file'; end $$"
        )
        connection.execute(
            "create trigger on_disk before update on ynab.transactions execute function ynab.full()"
        )
        sandbox.budgets[0].add("transactions", amount=-1_000)
        sandbox.budgets[0].add("payees", name="New")
        codes = Broken(pipeline).run(10**9, lambda _tap, _loader: None)
        assert codes[1]
        connection.execute("drop trigger on_disk on ynab.transactions")
    assert pipeline.sync().code == 0
    assert_equal(pipeline.database, sandbox)


def test_a_full_disk_of_the_tap_is_told_plainly(tap: Tap) -> None:
    limited = [*limit_of_files(100_000), *tap.command()]
    process = subprocess.run(limited, env=BARE, capture_output=True, check=False, timeout=60)
    assert process.returncode == 1
    last = process.stderr.decode().splitlines()[-1]
    assert "TMPDIR" in last
    assert b"Traceback" not in process.stderr


def test_a_loader_that_has_gone_is_told_plainly(tap: Tap) -> None:
    with subprocess.Popen(
        tap.command(), env=BARE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr
        log = process.stderr.read().decode()
        assert process.wait(timeout=60) == 1
    assert "The loader has gone" in log.splitlines()[-1]
    assert "Traceback" not in log


def test_temporary_files_have_no_name_that_others_could_open(
    tap: Tap, sandbox: Sandbox, tmp_path: Path
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    sandbox.fail("stall", path="/money_movements")
    with subprocess.Popen(
        tap.command(),
        env={**BARE, "TMPDIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while not any(r.path.endswith("/money_movements") for r in sandbox.requests.copy()):
            assert process.poll() is None
        assert not list(folder.iterdir())
        process.kill()
    assert not list(folder.iterdir())
