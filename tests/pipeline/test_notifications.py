"""Notifications and pings of `ynab-pipeline run`, as a server of this machine receives them."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.beside_meltano import MAIN, STAYS, Beside, wait_for
from tests.support.mail import receive_mail
from tests.support.meltano_project import MELTANO, PYTHON, project_of
from tests.support.receiver import receive
from tests.support.small import small_sandbox
from tests.support.tenants import COMMAND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.receiver import Receiver

TOKEN = "kt8Zq-Jb4nQx1VwR6yLm0KcP3sFhD9uGaEi2oTzXr7B"  # noqa: S105 opens nothing
#: In the URLs of the services.
SECRET = "ahW4phei"  # noqa: S105 opens nothing
#: Of a stand-in for Meltano: a run that fails for a reason, and a database that does not answer.
FAILS = """
if sys.argv[1] == "run":
    with open(os.environ["YNAB_PIPELINE_REASON"], "w") as file:
        file.write("ynab-pipeline-target: the database is down: start it")
sys.exit(1)
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receive() as receiver:
        yield receiver


@pytest.fixture
def beside(installed: Callable[[str], str], tmp_path: Path, receiver: Receiver) -> Beside:
    """A project that notifies the receiver; with Meltano's own packages, and nobody's database."""
    installed(MELTANO)
    beside = Beside(tmp_path, python=PYTHON)
    write_env(beside.folder, receiver.notify(SECRET))
    return beside


def write_env(folder: Path, *urls: str, **variables: str) -> None:
    (folder / ".env").write_text(
        f"YNAB_PIPELINE_NOTIFY='{' '.join(urls)}'\n"
        + "".join(f"{name}='{value}'\n" for name, value in variables.items())
    )


def notice_file(folder: Path) -> Path:
    (path,) = (folder / ".meltano/notices").glob("*.json")
    return path


def titles(receiver: Receiver) -> list[str]:
    return [message.splitlines()[0] for message in receiver.messages]


@pytest.mark.slow
def test_real_runs_notify_once_for_each_change(
    installed: Callable[[str], str], tmp_path: Path, receiver: Receiver
) -> None:
    """The first run fails, as do some later ones, and the success gets too old."""
    installed(MELTANO)
    account = small_sandbox()
    account.set_token(TOKEN, "401")
    with project_of(account, tmp_path, TOKEN) as project:
        with (tmp_path / ".env").open("a") as file:
            file.write(f"YNAB_PIPELINE_NOTIFY='{receiver.notify(SECRET)}'\n")
            file.write(f"YNAB_PIPELINE_PING='{receiver.url('ping')}'\n")

        def run(code: int, **environment: str) -> str:
            done = project.execute(COMMAND, "run", "sync", **environment)
            assert done.returncode == code, done.stderr[-3000:]
            assert SECRET not in done.stdout + done.stderr
            return done.stderr

        last = run(1).splitlines()[-1]
        assert titles(receiver) == ["tap-ynab, local: sync failed"]
        assert last.startswith("sync failed: YNAB does not accept the token. Make a new one at ")
        assert last.removeprefix("sync failed: ") in receiver.messages[0]
        assert notice_file(tmp_path).stat().st_mode & 0o777 == 0o600

        account.set_token(TOKEN)
        assert "Synced 2 budgets: " in run(0).splitlines()[-1]
        assert titles(receiver)[1:] == ["tap-ynab, local: works again"]

        account.set_token(TOKEN, "401")
        run(1)
        run(1, YNAB_PIPELINE_STALE_AFTER="0.0001")
        assert titles(receiver)[2:] == [
            "tap-ynab, local: sync failed",
            "tap-ynab, local: the tables are stale",
        ]
        account.set_token(TOKEN)
        run(0)
        assert titles(receiver)[4:] == ["tap-ynab, local: works again"]
        assert receiver.pings == [
            "/ping/fail",
            "/ping",
            "/ping/fail",
            "/ping/fail",
            "/ping",
        ]
        assert TOKEN not in json.dumps(receiver.requests)
        assert not list((tmp_path / ".meltano").glob("reason-*"))
        logs = [path for path in (tmp_path / "logs").rglob("*") if path.is_file()]
        assert logs
        for path in logs:
            assert SECRET not in path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_message_has_no_amount_and_no_memo(
    installed: Callable[[str], str], tmp_path: Path, receiver: Receiver
) -> None:
    """PostgreSQL refuses a row, and its error shows all of it."""
    installed(MELTANO)
    account = small_sandbox()
    with project_of(account, tmp_path, account.token) as project:
        assert project.execute(COMMAND, "run", "sync").returncode == 0
        project.database(".data/postgres").execute(
            "alter table ynab.transactions add constraint modest check (amount > -9e8)"
        )
        account.budgets[0].add("transactions", amount=-987_654_320, memo="Silence")
        done = project.execute(COMMAND, "run", "sync", YNAB_PIPELINE_NOTIFY=receiver.notify(SECRET))
    assert done.returncode == 1
    (message,) = receiver.messages
    assert 'violates check constraint "modest"' in message
    for value in ("987654320", "987654.32", "987,654", "Silence"):
        assert value not in message
        assert value not in done.stdout + done.stderr


def test_a_failure_and_its_end(beside: Beside, receiver: Receiver) -> None:
    done = beside.run("run", "sync", does=FAILS)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "sync failed: the database is down: start it"
    assert beside.run("run", "sync", does=FAILS).returncode == 1
    assert len(receiver.messages) == 1
    assert beside.run("run", "sync").returncode == 0
    assert titles(receiver) == ["tap-ynab, demo: sync failed", "tap-ynab, demo: works again"]
    assert "the database is down: start it" in receiver.messages[0]
    starts = len(beside.started)
    assert beside.run("run", "sync").returncode == 0
    assert len(receiver.messages) == 2
    assert len(beside.started) == starts + 1, "an idle run has asked the database"


def test_stale_while_the_database_is_down(beside: Beside, receiver: Receiver) -> None:
    beside.run("run", "sync", does=FAILS)
    beside.run("run", "sync", does=FAILS, YNAB_PIPELINE_STALE_AFTER="0.00001")
    assert titles(receiver)[1:] == ["tap-ynab, demo: the tables are stale"]


def test_a_database_that_does_not_answer_holds_no_message_up(
    beside: Beside, receiver: Receiver
) -> None:
    hangs = f"if sys.argv[1] != 'run': signal.alarm(100); signal.pause()\n{FAILS}"
    short = "from ynab_pipeline import notices; notices._LIMIT = 0.1\n"
    with beside.begin("run", "sync", does=hangs, main=short + MAIN) as process:
        process.communicate(timeout=60)
    assert process.returncode == 1
    assert titles(receiver) == ["tap-ynab, demo: sync failed"]


def test_stale_while_a_run_goes_on(beside: Beside, receiver: Receiver) -> None:
    beside.run("run", "sync", does=FAILS)
    beside.variables["YNAB_PIPELINE_STALE_AFTER"] = "0.00001"
    stays = f"if sys.argv[1] != 'run': sys.exit(1)\n{STAYS}"
    with beside.begin("run", "reconcile", does=stays) as process:
        wait_for(process, "runs")
        while len(receiver.messages) < 2:
            assert receiver.received.wait(timeout=60)
            receiver.received.clear()
        process.terminate()
        process.communicate(timeout=60)
    assert titles(receiver)[1:] == ["tap-ynab, demo: the tables are stale"]


def test_a_signal_does_not_wait_for_the_database(beside: Beside) -> None:
    """It is asked while a run goes on."""
    os.mkfifo(beside.folder / "asked")
    beside.variables["YNAB_PIPELINE_STALE_AFTER"] = "0.00001"
    hangs = "open('asked', 'w').write(str(os.getpid())); signal.alarm(100); signal.pause()"
    patient = "from ynab_pipeline import notices; notices._LIMIT = 100\n"
    does = f"if sys.argv[1] != 'run': {hangs}\n{STAYS}"
    with beside.begin("run", "sync", does=does, main=patient + MAIN) as process:
        asked = int((beside.folder / "asked").read_text())
        process.terminate()
        process.communicate(timeout=60)
        os.kill(asked, signal.SIGKILL)
    assert process.returncode == 143


def test_a_wrong_age(beside: Beside, receiver: Receiver) -> None:
    """It is said once, and the usual one counts."""
    done = beside.run("run", "sync", does=FAILS, YNAB_PIPELINE_STALE_AFTER="often")
    assert done.returncode == 1
    assert done.stderr.count("YNAB_PIPELINE_STALE_AFTER is 'often'") == 1
    assert len(receiver.messages) == 1


def test_tenants_are_told_apart(beside: Beside, receiver: Receiver) -> None:
    (beside.folder / "ada.env").write_text(
        (beside.folder / ".env").read_text() + "MELTANO_RUN_STATE_ID_SUFFIX=ada\n"
    )
    for arguments in ([], ["--env-file=ada.env"], ["--environment=prod"]):
        beside.run(*arguments, "run", "sync", does=FAILS)
    assert titles(receiver) == [
        "tap-ynab, demo: sync failed",
        "tap-ynab, demo (ada): sync failed",
        "tap-ynab, prod: sync failed",
    ]
    assert [message.splitlines()[-1].partition("`")[2] for message in receiver.messages] == [
        f".venv/bin/ynab-pipeline{options} status` and logs/meltano.log tell more."
        for options in ("", " --env-file=ada.env", " --environment=prod")
    ]


def test_the_process_environment_wins(beside: Beside, receiver: Receiver) -> None:
    beside.run("run", "sync", does=FAILS, YNAB_PIPELINE_NOTIFY=receiver.notify("other"))
    assert [path for _, path, _ in receiver.requests] == ["/other"]


def test_a_message_that_nobody_takes_comes_with_the_next_run(
    beside: Beside, receiver: Receiver
) -> None:
    receiver.status = 500
    done = beside.run("run", "sync", does=FAILS)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "URL 1 of YNAB_PIPELINE_NOTIFY (json://) got no notification: the service did not take it"
    )
    receiver.status = 200
    assert "notification" not in beside.run("run", "sync", does=FAILS).stderr
    beside.run("run", "sync", does=FAILS)
    assert titles(receiver) == ["tap-ynab, demo: sync failed"] * 2


def test_a_crash_after_sending_has_people_hear_it_twice_not_never(
    beside: Beside, receiver: Receiver
) -> None:
    receiver.may_answer.clear()
    with beside.begin("run", "sync", does=FAILS) as process:
        assert receiver.received.wait(timeout=60)
        process.kill()
    receiver.may_answer.set()
    assert beside.run("run", "sync", does=FAILS).returncode == 1
    assert titles(receiver) == ["tap-ynab, demo: sync failed"] * 2


def test_two_jobs_that_fail_together_are_told_once(beside: Beside, receiver: Receiver) -> None:
    receiver.may_answer.clear()
    # Apprise waits for 4 seconds by itself.
    write_env(beside.folder, receiver.notify(f"{SECRET}?rto=60"))
    with (
        beside.begin("run", "sync", does=FAILS) as first,
        beside.begin("run", "reconcile", does=FAILS) as second,
    ):
        for process in (first, second):
            wait_for(process, " failed: the database is down")
        assert receiver.received.wait(timeout=60)
        receiver.may_answer.set()
        for process in (first, second):
            process.communicate(timeout=60)
    assert len(receiver.messages) == 1


def test_reasons_of_killed_runs_are_removed(beside: Beside) -> None:
    def reasons() -> list[Path]:
        return list((beside.folder / ".meltano").glob("reason-*"))

    beside.run("run", "sync", does="os.kill(os.getppid(), signal.SIGKILL)")
    (left,) = reasons()
    with beside.begin("run", "sync", does=STAYS) as process:
        wait_for(process, "runs")
        (own,) = reasons()
        assert own != left
        assert beside.run("run", "reconcile").returncode == 0
        assert reasons() == [own]
        process.terminate()
        process.communicate(timeout=60)
    assert reasons() == []


def test_an_email_has_the_text_as_it_is(beside: Beside) -> None:
    """The name of a budget may look like HTML, which other messages by e-mail are."""
    fails = FAILS.replace("the database is down", "payees of A & <B> could not be read")
    with receive_mail() as mail:
        write_env(beside.folder, mail.url)
        beside.run("run", "sync", does=fails)
    (message,) = mail.messages
    assert message["Subject"] == "tap-ynab, demo: sync failed"
    assert message.get_content_type() == "text/plain"
    assert message.get_content().splitlines()[:2] == [
        "payees of A & <B> could not be read: start it",
        "The next run tries again by itself.",
    ]


def test_without_apprise(beside: Beside) -> None:
    """Nobody hears of the failure, which counts."""
    fails = f"os.unlink('bin/python')\n{FAILS}"
    done = beside.run("run", "sync", does=fails)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "URL 1 of YNAB_PIPELINE_NOTIFY (json://) got no notification: "
        "Apprise could not start; run make install"
    )


def test_wrong_urls(beside: Beside, receiver: Receiver) -> None:
    """Each is said without its secrets, and the others get the message."""
    write_env(
        beside.folder,
        f"nonsense-{SECRET}",
        f"unheard-of://{SECRET}",
        f"json://{SECRET}@127.0.0.1:1/{SECRET}",
        receiver.notify(SECRET),
    )
    done = beside.run("run", "sync", does=FAILS)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-3:] == [
        f"URL {each} of YNAB_PIPELINE_NOTIFY ({scheme}) got no notification: {why}"
        for each, scheme, why in (
            (1, "no URL", "Apprise knows no such URL"),
            (2, "unheard-of://", "Apprise knows no such URL"),
            (3, "json://", "the service did not take it"),
        )
    ]
    assert SECRET not in done.stderr
    assert len(receiver.messages) == 1


def test_urls_can_be_tried(beside: Beside, receiver: Receiver) -> None:
    assert beside.run("notify").returncode == 0
    assert titles(receiver) == ["tap-ynab, demo: this is how you are told"]
    receiver.status = 500
    done = beside.run("notify")
    assert done.returncode == 1
    assert "the service did not take it" in done.stderr
    write_env(beside.folder)
    done = beside.run("notify")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "YNAB_PIPELINE_NOTIFY is not set" in line


@pytest.mark.parametrize(
    "content", ["{", '{"failing": {"sync": ["the reason", "then"]}, "stale": false}']
)
def test_a_damaged_file_counts_as_none(beside: Beside, receiver: Receiver, content: str) -> None:
    beside.run("run", "sync", does=FAILS)
    path = notice_file(beside.folder)
    path.write_text(content)
    done = beside.run("run", "sync", does=FAILS)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"{path} is damaged and is removed: a notification may come twice"
    )
    assert "damaged" not in beside.run("run", "sync", does=FAILS).stderr
    assert titles(receiver) == ["tap-ynab, demo: sync failed"] * 2


def test_a_file_that_cannot_be_written(beside: Beside, receiver: Receiver) -> None:
    """Something else is in the place of the folder."""
    (beside.folder / ".meltano").mkdir()
    (beside.folder / ".meltano/notices").touch()
    done = beside.run("run", "sync", does=FAILS)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("nobody is notified: ")
    assert not receiver.messages


def test_a_full_disk(beside: Beside, receiver: Receiver) -> None:
    """No file takes a byte: the run fails, people hear of it, and nothing half written is left."""
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    with beside.begin("run", "sync", main=limited + MAIN) as process:
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "a notification may come twice: File too large" in stderr.splitlines()[-1]
    assert "Traceback" not in stderr.partition("sync failed")[2]
    assert titles(receiver) == ["tap-ynab, demo: sync failed"]
    assert not list((beside.folder / ".meltano").rglob("*.json*"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"http://example.invalid/{SECRET}", "is no https URL"),
        (f"ftp://127.0.0.1/{SECRET}", "is no https URL"),
        (SECRET, "is no https URL"),
        (f"http://[{SECRET}/", "is no https URL"),
        (f"http://127.0.0.1:1/{SECRET}", "Connection refused"),
        (f"https://127.0.0.1:1/{SECRET}", "Connection refused"),
    ],
)
def test_a_ping_that_does_not_work(beside: Beside, url: str, words: str) -> None:
    write_env(beside.folder, YNAB_PIPELINE_PING=url)
    done = beside.run("run", "sync")
    assert done.returncode == 0
    line = done.stderr.splitlines()[-1]
    assert line.startswith("YNAB_PIPELINE_PING ")
    assert words in line
    assert SECRET not in done.stderr


def test_pings(beside: Beside, receiver: Receiver) -> None:
    write_env(beside.folder, YNAB_PIPELINE_PING=receiver.url("ping/?rid=1"))
    assert beside.run("run", "sync").returncode == 0
    assert beside.run("run", "sync", does=FAILS).returncode == 1
    assert receiver.pings == ["/ping/?rid=1", "/ping/fail?rid=1"]
    # The second one is no HTTP.
    for status, words in ((404, "404 Not Found"), (1000, "BadStatusLine")):
        receiver.status = status
        assert beside.run("run", "sync").stderr.splitlines() == [
            "a line of Meltano",
            f"YNAB_PIPELINE_PING got no ping: {words}",
        ]


@pytest.mark.slow
def test_services_that_do_not_answer(beside: Beside, receiver: Receiver) -> None:
    write_env(
        beside.folder, receiver.notify(f"{SECRET}?rto=60"), YNAB_PIPELINE_PING=receiver.url("ping")
    )
    receiver.may_answer.clear()
    done = beside.run("run", "sync", does=FAILS)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2:] == [
        "URL 1 of YNAB_PIPELINE_NOTIFY (json://) got no notification: no answer within 10 seconds",
        "YNAB_PIPELINE_PING got no ping: no answer within 10 seconds",
    ]
