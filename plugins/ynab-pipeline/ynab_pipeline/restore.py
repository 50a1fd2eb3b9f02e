"""The command `ynab-pipeline restore`: tables, views and bookmarks as a backup has them.

PostgreSQL and Meltano share no transaction. So the bookmarks are taken away first, and come back
last: in between, and if this is killed, there are none, and the next run loads everything.
"""

# ruff: noqa: T201 -- a command prints

from __future__ import annotations

import json
import subprocess
import time
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from threading import Thread
from typing import IO, TYPE_CHECKING, Any, cast

from ynab_pipeline import meltano
from ynab_pipeline.archive import Backup
from ynab_pipeline.backup import Database, failure, find, turn
from ynab_pipeline.errors import PipelineError
from ynab_pipeline.freshness import RUNNING

if TYPE_CHECKING:
    import argparse

    from ynab_pipeline.states import States, StateStore

_CHUNK = 1 << 20
_PAUSE = 1.0  # second; Meltano's sign of life comes as often
#: Exit code of psql after an error of a statement, so that nothing was committed.
_STATEMENT_FAILED = 3
#: A setting of pg_restore's script that servers before version 17 do not have.
_NEW_SETTING, _NEW_SINCE = b"SET transaction_timeout = 0;\n", 17

# Not the schemas themselves: their rights, and those that readers get by default, stay.
_BEGIN = r"""
SET client_min_messages = warning;
BEGIN;
SET LOCAL lock_timeout = '1min';
SET LOCAL search_path = '';
SELECT pg_catalog.format('CREATE SCHEMA %I', name)
FROM pg_catalog.json_array_elements_text(:'restored') AS name
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = name) \gexec
SELECT pg_catalog.format('DROP %s IF EXISTS %I.%I%s CASCADE', kind, nspname, name, arguments)
FROM (
    SELECT CASE relkind
               WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
               WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
           relname, relnamespace, ''
    FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
    UNION ALL
    SELECT 'ROUTINE', proname, pronamespace,
           pg_catalog.format('(%s)', pg_catalog.pg_get_function_identity_arguments(oid))
    FROM pg_catalog.pg_proc
    UNION ALL
    SELECT 'TYPE', typname, typnamespace, '' FROM pg_catalog.pg_type
    WHERE typtype IN ('d', 'e', 'r')
) AS there (kind, name, namespace, arguments)
JOIN pg_catalog.pg_namespace ON pg_namespace.oid = namespace
WHERE nspname IN (SELECT pg_catalog.json_array_elements_text(:'dropped')) \gexec
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `restore`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a file that `backup` has written")
    parser.add_argument(
        "--replace",
        action="store_true",
        help="drop what is in the schemas, which otherwise must be empty",
    )


def run(options: argparse.Namespace) -> int:
    """Restore a backup, and return the exit code."""
    backup = Backup(options.file)
    database = find(options.environment)
    _check(backup.content, database, replace=options.replace)
    from ynab_pipeline.states import StateStore  # noqa: PLC0415 -- slow: it imports Meltano

    store = StateStore(database.environment, database.suffix)
    with ExitStack() as stack:
        taken = _begin(stack, database, store)
        try:
            _load(backup, database)
        except NotRestoredError:
            store.put(taken)  # they fit the tables, which are as before
            raise
        store.put(backup.content["states"])
    _report(backup.content, database)
    return 0


def _report(content: dict[str, Any], database: Database) -> None:
    command = f".venv/bin/meltano{meltano.chosen(database.environment)}"
    made = datetime.fromisoformat(content["made"])
    print(
        f"Restored as of {made:%Y-%m-%d %H:%M} UTC: database {database.place}, schemas "
        f"{' and '.join(content['schemas'])}, with their bookmarks"
    )
    if lost := set(database.own_schemas) - set(content["schemas"]):
        print(f"The backup has no views ({', '.join(lost)}). To make them: {command} run dbt:build")
    print(f"To load what has changed since: {command} run sync")


class NotRestoredError(PipelineError):
    """A restore that has certainly changed nothing in the database."""


def _check(content: dict[str, Any], database: Database, *, replace: bool) -> None:
    """See that the backup belongs into a database, and that nothing is there that would be lost."""
    if content["account"] != database.account:
        raise PipelineError(
            f"the backup has rows of {_words(content['account'])}, and this environment "
            f"({database.environment}) loads {_words(database.account)}: choose the environment "
            "or env file that it belongs to"
        )
    for key, variable in (
        ("tables", "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"),
        ("views", "YNAB_BUDGET_SCHEMA"),
    ):
        here = getattr(database, key)
        if content[key] != here:
            raise PipelineError(
                f"the backup has its {key} in the schema {content[key]}, and here that is {here}: "
                f"set {variable}={content[key] or ''} for the restore"
            )
    if database.dependants:
        raise PipelineError(
            f"{', '.join(database.dependants)} would be dropped along with the tables that it "
            "uses: save its definition and drop it, then run this again"
        )
    full = [name for name in database.own_schemas if database.schemas[name]]
    if full and not replace:
        raise PipelineError(
            f"there are tables already: database {database.place}, schemas {' and '.join(full)}. "
            "To drop them and have those of the backup instead, add --replace"
        )


def _words(account: dict[str, Any]) -> str:
    name = "the YNAB sandbox" if account["sandbox"] else "an account"
    return f"{name} with the suffix {account['suffix']}" if account["suffix"] else name


def _begin(stack: ExitStack, database: Database, store: StateStore) -> States:
    """Take the turn and the bookmarks once no run is under way, and return the bookmarks.

    A run reads its bookmarks before it waits for its turn, and Meltano writes some after the turn:
    with the turn alone, they could come back.
    """
    from ynab_pipeline.history import History  # noqa: PLC0415 -- slow: it imports Meltano

    def running() -> bool:
        runs = History().runs(database.environment, database.suffix)
        return any(found.state == RUNNING for found in runs)

    is_waiting = False
    while True:
        with ExitStack() as turns:
            turns.enter_context(turn(database))
            taken = store.take()
            # A run that begins from here on has no bookmarks, and loads everything.
            if not running():
                stack.push(turns.pop_all())
                return taken
            store.put(taken)
        if not is_waiting:
            print("A sync is running, waiting for it to end ...", flush=True)
            is_waiting = True
        while running():
            time.sleep(_PAUSE)


def _load(backup: Backup, database: Database) -> None:
    """Replace what is in the schemas by what is in the dump, in one transaction.

    Raises:
        NotRestoredError: If it has failed, and everything is as before.
    """
    with ExitStack() as stack:
        errors = stack.enter_context(TemporaryFile())
        environment = database.program_environment()
        restored = backup.content["schemas"]

        def start(*command: str, **files: Any) -> subprocess.Popen[bytes]:
            # Ctrl-C is for this process, which then never commits.
            return stack.enter_context(
                subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,
                    **files,
                )
            )

        psql = start(
            database.psql,
            *("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse"),
            f"--set=dropped={json.dumps(database.own_schemas)}",
            f"--set=restored={json.dumps(restored)}",
            stdout=subprocess.DEVNULL,
        )
        schemas = [f"--schema={name}" for name in restored]
        options = ("--no-owner", "--no-privileges", "--file=-", *schemas)
        pg_restore = start(database.pg_restore, *options, stdout=subprocess.PIPE)
        dump, script = cast("IO[bytes]", pg_restore.stdin), cast("IO[bytes]", pg_restore.stdout)
        Thread(target=_copy, args=[stack.enter_context(backup.read()), dump], daemon=True).start()
        may_be_done = False
        with suppress(BrokenPipeError), cast("IO[bytes]", psql.stdin) as statements:
            statements.write(_BEGIN.encode())
            if database.version < _NEW_SINCE:
                for line in script:
                    if line == _NEW_SETTING:
                        break
                    statements.write(line)
            copyfileobj(script, statements, _CHUNK)
            # Without this line, as after a kill, PostgreSQL takes everything back.
            if pg_restore.wait() == 0:
                may_be_done = True
                statements.write(b"COMMIT;\n")
        code = psql.wait()
        if code == 0 and may_be_done:
            return
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    if may_be_done and code != _STATEMENT_FAILED:
        what = "the restore was cut off, so the next sync loads everything; run the restore again"
        raise failure(text, what)
    raise NotRestoredError(str(failure(text, "nothing was restored, and all is as before")))


def _copy(source: IO[bytes], into: IO[bytes]) -> None:
    # If pg_restore has failed, its messages say why.
    with suppress(BrokenPipeError, ValueError), into:
        copyfileobj(source, into, _CHUNK)
