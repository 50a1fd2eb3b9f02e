"""Tenants' names and env files that are not as they should be."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.beside_meltano import MAIN, Beside
from tests.support.meltano_project import PYTHON
from tests.support.receiver import receive
from tests.support.runs import execute
from tests.support.tenants import COMMAND, TOKEN, content, write
from tests.support.terminal import at_a_terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.pipeline import Finished

#: Of Meltano: answers as the loader's environment would.
ANSWERS = """
request = json.load(sys.stdin)
answer = {"environment": "local", "database": "ynab", "settings": {}, "done": []}
print(json.dumps({**answer, "is_sandbox": False}))
"""
#: Likewise, for a database that is down.
REFUSES = 'print(json.dumps({"error": "the database is down"}))'


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    return Beside(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../ada", "'../ada' cannot be the name of a tenant"),
        ("a/b", "'a/b' cannot be"),
        (".", "'.' cannot be"),
        ("", "'' cannot be"),
        ("o'hara", '"o\'hara" cannot be'),
        ('a"b', "'a\"b' cannot be"),
        ("ada lovelace", "'ada lovelace' cannot be"),
        ("ada\n", r"'ada\n' cannot be"),
        ("Ada", "'Ada' cannot be"),
        ("åda", r"'\xe5da' cannot be"),
        ("1ada", "begins with a letter"),
        ("a" * 57, "at most 56 characters"),
        ("ynab", "ynab is reserved"),
        ("public", "public is reserved"),
        ("budget", "budget is reserved"),
        ("pg_temp", "pg_temp is reserved"),
    ],
)
@pytest.mark.parametrize("action", ["add", "remove"])
def test_a_name_that_cannot_be(beside: Beside, action: str, name: str, words: str) -> None:
    done = beside.run("tenants", action, name)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("ynab-pipeline: ")
    assert words in line
    assert beside.started == []
    assert {path.name for path in beside.folder.iterdir()} == {"bin", "meltano.yml"}


def add(
    beside: Beside, does: str = ANSWERS, token: str = TOKEN, main: str = MAIN, **environment: str
) -> Finished:
    """Add the tenant ada."""
    return execute(
        *beside.command("tenants", "add", "ada", main=main),
        folder=beside.folder,
        stdin=token,
        **beside.environment(does),
        **environment,
    )


def files(beside: Beside) -> dict[str, str]:
    """What there is of tenants."""
    return {path.name: path.read_text() for path in (beside.folder / "tenants").iterdir()}


@pytest.mark.parametrize("token", ["", "\n", "two words\n", "tök\n", "a\x1b[1m\n"])
def test_no_token(beside: Beside, token: str) -> None:
    done = add(beside, token=token)
    assert done.code == 1
    assert done.log == "ynab-pipeline: that is no token: one line without spaces is expected\n"
    assert beside.started == []
    assert not (beside.folder / "tenants").exists()


def test_a_token_that_is_no_text(beside: Beside) -> None:
    done = subprocess.run(
        beside.command("tenants", "add", "ada"),
        env={**beside.environment(ANSWERS), "PYTHONIOENCODING": "utf-8"},
        cwd=beside.folder,
        input=b"t\xf6k\n",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == b"ynab-pipeline: that is no token: one line without spaces is expected\n"
    assert beside.started == []


@pytest.mark.parametrize(
    ("token", "urls", "variable"),
    [
        ("kt8$Zq", "", "YNAB_PERSONAL_ACCESS_TOKEN"),
        (TOKEN, "json://${HOME}", "YNAB_PIPELINE_NOTIFY"),
        (TOKEN, "json://\x1b[1m", "YNAB_PIPELINE_NOTIFY"),
    ],
)
def test_a_value_that_cannot_be_written(
    beside: Beside, token: str, urls: str, variable: str
) -> None:
    done = add(beside, token=token, YNAB_PIPELINE_NOTIFY=urls)
    words = f"{variable} has characters that an env file cannot hold"
    assert (done.code, done.log) == (1, f"ynab-pipeline: {words}\n")
    assert beside.started == []
    assert not (beside.folder / "tenants").exists()


def test_who_is_told_of_a_tenant(installed: Callable[[str], str], tmp_path: Path) -> None:
    """The same as of your own account, whatever signs are in the URLs."""
    installed(COMMAND)
    beside = Beside(tmp_path, python=PYTHON)
    with receive() as receiver:
        signs = receiver.notify(r"\'$HOME\'ü#")
        urls = f"{receiver.notify('ada')}\n{signs}"
        assert add(beside, YNAB_PIPELINE_NOTIFY=urls).code == 0
        assert beside.run("notify", YNAB_PIPELINE_NOTIFY=urls).returncode == 0
        assert beside.run("--env-file=tenants/ada.env", "notify").returncode == 0
        paths = [path for _, path, _ in receiver.requests]
        own, theirs = paths[:2], paths[2:]
    assert sorted(own) == sorted(theirs) == ["/%5C'$HOME%5C'%C3%BC", "/ada"]


def test_a_repeated_add_keeps_the_password(beside: Beside) -> None:
    """The role may have it already."""
    assert add(beside, REFUSES).code == 1
    assert files(beside) == {}

    assert add(beside, "os.kill(os.getpid(), signal.SIGKILL)").code == 1
    begun = files(beside)
    (password,) = re.findall("TARGET_POSTGRES_PASSWORD='.+'", begun["ada.draft"])
    assert add(beside, REFUSES).log.endswith("ynab-pipeline: the database is down\n")
    assert files(beside) == begun

    assert add(beside).code == 0
    (text,) = files(beside).values()
    assert password in text


@pytest.mark.parametrize("action", ["add", "remove"])
def test_a_file_that_a_killed_add_has_left(beside: Beside, action: str) -> None:
    left = beside.folder / "tenants/ada.draft.4711"
    left.parent.mkdir()
    left.write_text(content("ada"))
    listed = beside.run("tenants", "list")
    assert (listed.returncode, listed.stdout) == (1, "ada  is not finished: add it again\n")
    if action == "add":
        assert add(beside).code == 0
        assert list(files(beside)) == ["ada.env"]
    else:
        done = beside.run("tenants", "remove", "ada", "--drop-data", does=ANSWERS)
        assert done.returncode == 0, done.stderr
        assert files(beside) == {}


def test_a_full_disk(beside: Beside) -> None:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    done = add(beside, main=limited + MAIN)
    assert done.code == 1
    assert done.log.startswith("ynab-pipeline: File too large")
    assert files(beside) == {}


def test_no_tenants(beside: Beside) -> None:
    listed = beside.run("tenants", "list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "tenants add NAME" in listed.stdout
    for command in (["run", "sync", "--tenants"], ["status", "--tenants"]):
        done = beside.run(*command)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("ynab-pipeline: there are no tenants yet: ")


BROKEN = [
    (content("ada") + "export\n", 0o600, "tenants/ada.env, line 8: NAME=value is expected"),
    ("'\n" + content("ada"), 0o600, "tenants/ada.env, line 1: NAME=value is expected"),
    ("", 0o600, "tenants/ada.env has no YNAB_PERSONAL_ACCESS_TOKEN, MELTANO_ENVIRONMENT, "),
    (content("ada", YNAB_BUDGET_SCHEMA=""), 0o600, "tenants/ada.env has no YNAB_BUDGET_SCHEMA"),
    (content("bob"), 0o600, "MELTANO_RUN_STATE_ID_SUFFIX=bob: it has to be ada"),
    (content("ada"), 0o640, "others can read it: chmod 600 tenants/ada.env"),
    (content("ada"), 0o604, "others can read it: chmod 600 tenants/ada.env"),
]


@pytest.mark.parametrize(("text", "mode", "words"), BROKEN)
def test_a_file_that_is_not_as_it_should_be(
    beside: Beside, text: str, mode: int, words: str
) -> None:
    write(beside.folder, "ada", text, mode)
    listed = beside.run("tenants", "list")
    assert (listed.returncode, listed.stderr) == (1, "")
    assert listed.stdout.startswith("ada  ")
    assert words in listed.stdout
    assert TOKEN not in listed.stdout


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        ({"TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "ynab_ada"}, "schema ynab_ada"),
        ({"YNAB_BUDGET_SCHEMA": "budget_ada"}, "schema budget_ada"),
        ({"YNAB_BUDGET_SCHEMA": "ynab_ada"}, "schema ynab_ada"),
        ({"TARGET_POSTGRES_USER": "ynab_ada"}, "role ynab_ada"),
    ],
)
def test_two_tenants_with_the_same(beside: Beside, other: dict[str, str], shared: str) -> None:
    write(beside.folder, "ada", content("ada"))
    write(beside.folder, "bob", content("bob", **other))
    write(beside.folder, "eve", content("eve"))
    listed = beside.run("tenants", "list")
    assert listed.returncode == 1
    ada, bob, eve = listed.stdout.splitlines()
    assert ada == f"ada  ada and bob have the same {shared}: give each its own"
    assert bob == f"bob  ada and bob have the same {shared}: give each its own"
    assert eve == "eve  local, schemas ynab_eve and budget_eve, role ynab_eve"


@pytest.mark.parametrize("program", ["meltano", "ynab-pipeline"])
def test_nothing_runs_with_such_a_file(
    installed: Callable[[str], str], tmp_path: Path, program: str
) -> None:
    """Meltano itself would take a file that is not there for an empty one."""
    command = installed(COMMAND.replace("ynab-pipeline", program))
    (tmp_path / "meltano.yml").touch()
    write(tmp_path, "bob", content("bob", TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA="ynab_ada"))
    shared = "ada and bob have the same schema ynab_ada: give each its own"
    missing = "there is no tenant ada: no file tenants/ada.env"
    cases = [(None, 0, missing), *BROKEN, (content("ada"), 0o600, shared)]
    for text, mode, words in cases if program == "meltano" else cases[-1:]:
        if text is not None:
            write(tmp_path, "ada", text, mode)
        done = execute(
            command,
            "--env-file=tenants/ada.env",
            "run",
            "sync",
            folder=tmp_path,
            HOME=str(tmp_path),
            PYTHONWARNINGS="default",
        )
        assert (done.code, done.stdout) == (2, "")
        (line,) = done.log.splitlines()
        assert line.startswith("ynab-pipeline: ")
        assert words in line
    assert not (tmp_path / ".meltano").exists()


def test_it_is_not_for_a_tenant(beside: Beside) -> None:
    done = beside.run("tenants", "list", MELTANO_SYS_DIR_ROOT=os.devnull)
    assert done.returncode == 1
    assert "leave --env-file out" in done.stderr


@pytest.mark.parametrize(("text", "mode", "words"), BROKEN)
def test_such_a_tenant_is_not_removed(beside: Beside, text: str, mode: int, words: str) -> None:
    write(beside.folder, "ada", text, mode)
    done = beside.run("tenants", "remove", "ada", "--drop-data", does=ANSWERS)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert words in line
    assert beside.started == []


#: Of Meltano: closes a role any number of times, and drops it once.
DROPS_ONCE = """
request = json.load(sys.stdin)
print(json.dumps({"done": not os.path.exists("dropped")}))
if request["action"] == "drop":
    open("dropped", "w").close()
"""


@pytest.mark.parametrize("was_kept", [False, True])
@pytest.mark.parametrize("folder", ["logs/ada", "output/ada", ".meltano/tenants/ada"])
def test_a_file_that_cannot_be_dropped(beside: Beside, folder: str, *, was_kept: bool) -> None:
    """What is left is dropped by a second call, also if the tenant was removed before."""
    write(beside.folder, "ada", content("ada"))
    if was_kept:
        (beside.folder / "tenants/ada.env").unlink()
    path = beside.folder / folder
    for each in ("logs/ada", "output/ada", ".meltano/tenants/ada"):
        (beside.folder / each / "more").mkdir(parents=True)
    path.joinpath("more").rmdir()
    path.rmdir()
    path.touch()
    command = ("tenants", "remove", "ada", "--drop-data")
    done = beside.run(*command, does=DROPS_ONCE)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ynab-pipeline: {folder} cannot be dropped: Not a directory: ")

    path.unlink()
    path.joinpath("more").mkdir(parents=True)
    done = beside.run(*command, does=DROPS_ONCE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "ada is removed, and its data is dropped\n"
    assert not list(beside.folder.rglob("more"))
    done = beside.run(*command, does=DROPS_ONCE)
    assert done.returncode == 1
    assert "there is no tenant ada" in done.stderr


def answered(beside: Beside, question: str, answer: str, *arguments: str) -> tuple[int, str]:
    """Exit code, and what a person sees who gives this answer."""
    command = beside.command(*arguments)
    environment = beside.environment(ANSWERS)
    return at_a_terminal(
        command, [(question, answer)], folder=beside.folder, environment=environment
    )


def test_the_token_is_not_shown(beside: Beside) -> None:
    question = "YNAB token (from https://app.ynab.com/settings/developer): "
    code, seen = answered(beside, question, TOKEN, "tenants", "add", "ada")
    assert code == 0
    assert "ada is added: tenants/ada.env" in seen
    assert TOKEN not in seen
    assert TOKEN in (beside.folder / "tenants/ada.env").read_text()
    assert TOKEN not in str(beside.started)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("drop", "ada is removed, and its data is dropped"),
        ("keep", "ada is removed, and its data is kept"),
        ("", "ynab-pipeline: nothing was removed"),
    ],
)
def test_remove_asks(beside: Beside, answer: str, words: str) -> None:
    write(beside.folder, "ada", content("ada"))
    question = "Drop or keep them? [drop/keep, anything else to stop] "
    code, seen = answered(beside, question, answer, "tenants", "remove", "ada")
    assert (code == 0) == bool(answer)
    assert seen.splitlines()[-1] == words
    assert (beside.folder / "tenants/ada.env").exists() == (not answer)
    assert bool(beside.started) == bool(answer)


@pytest.mark.parametrize(
    ("question", "arguments"),
    [
        ("settings/developer): ", ("add", "bob")),
        ("anything else to stop] ", ("remove", "ada")),
    ],
)
def test_ctrl_d(beside: Beside, question: str, arguments: tuple[str, str]) -> None:
    write(beside.folder, "ada", content("ada"))
    code, seen = answered(beside, question, "\x04", "tenants", *arguments)
    assert code == 1
    assert "Traceback" not in seen
    assert "Nothing is done." in seen.splitlines()
    assert list(files(beside)) == ["ada.env"]
    assert beside.started == []
