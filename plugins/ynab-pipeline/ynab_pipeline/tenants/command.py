"""The command `ynab-pipeline tenants`: add, list and remove.

What it does in the database, `role` does for the user of the active environment.
"""

# ruff: noqa: T201 -- a command prints

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import sys
from contextlib import contextmanager
from getpass import getpass
from typing import TYPE_CHECKING, Any

from ynab_pipeline import meltano, notify, workspace
from ynab_pipeline.account import TOKEN
from ynab_pipeline.errors import PipelineError, explain
from ynab_pipeline.files import open_lock
from ynab_pipeline.notify import NOTIFY
from ynab_pipeline.project import SUFFIX, SYSTEM, tenant_folder
from ynab_pipeline.tenants import env_file, start
from ynab_pipeline.tenants.names import tables_of, views_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ynab_pipeline.tenants.env_file import Tenant

_DROP, _KEEP = "drop", "keep"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in (
        ("add", "add a tenant; asks for its token, or reads it from standard input"),
        ("list", "list the tenants"),
        ("remove", "remove a tenant, and drop its data or keep it"),
    ):
        action = actions.add_parser(name, help=text, description=text, allow_abbrev=False)
        if name != "list":
            action.add_argument("name", metavar="NAME", help="the tenant")
        if name == "remove":
            either = action.add_mutually_exclusive_group()
            for data, effect in (
                (_DROP, "drop its tables, bookmarks and logs"),
                (_KEEP, "keep them; nobody can log in as its role any more"),
            ):
                either.add_argument(
                    f"--{data}-data", dest="data", action="store_const", const=data, help=effect
                )


def run(options: argparse.Namespace) -> int:
    """Do what the action says, and return the exit code."""
    root = workspace.find_root().resolve()
    if SYSTEM in os.environ:
        raise PipelineError("this is for you, not for a tenant: leave --env-file out")
    if options.action == "list":
        return _list(root)
    path = env_file.path_of(root, options.name)
    if options.action == "add":
        _add(path, options.name, options.environment)
    else:
        _remove(root, path, options)
    return 0


def _add(path: Path, name: str, environment: str | None) -> None:
    _refuse_existing(path, name)
    token = _token()
    with _alone(path.parents[1], name):
        _refuse_existing(path, name)
        drafted = env_file.password_of_draft(path)
        values = {
            TOKEN: token,
            SUFFIX: name,
            env_file.SCHEMA: tables_of(name),
            env_file.VIEWS: views_of(name),
            env_file.ROLE: tables_of(name),
            env_file.PASSWORD: drafted or secrets.token_hex(16),
            **_notified(environment),
        }
        # The role gets this password: an `add` that is killed from here on can be repeated.
        env_file.write_draft(path, values)
        process = meltano.start_command("tenant", environment)
        try:
            answer = meltano.answer(process, json.dumps(_request("make", name, values)))
        except PipelineError:
            # If this command or an `add` before it was cut off, the role may have the password.
            if process.returncode == 0 and not drafted:
                env_file.drop_draft(path)
            raise
        values |= {env_file.ENVIRONMENT: answer["environment"], **answer["settings"]}
        env_file.write_draft(path, values)
        env_file.finish(path)
    notes = answer["done"]
    if answer["is_sandbox"]:
        notes += [f"reads the sandbox, as all do in the environment {answer['environment']}"]
    for note in notes:
        print(f"{name} {note}", file=sys.stderr)
    print(f"{name} is added: {_shown(path)}, and in {answer['database']} the role and the schemas")
    print(f"Sync it: .venv/bin/ynab-pipeline --env-file={_shown(path)} run sync")


def _notified(environment: str | None) -> dict[str, str]:
    """Return who is told of your own account, to be told of the tenant, too."""
    urls = notify.urls_in(workspace.find(environment).variables)
    return {NOTIFY: " ".join(urls)} if urls else {}


def _refuse_existing(path: Path, name: str) -> None:
    if path.exists():
        raise PipelineError(f"there is a tenant {name} already, in {_shown(path)}")


def _request(action: str, name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Return what `role` is to do.

    Args:
        action: Its name there.
        name: The tenant.
        values: Of the tenant's file, as far as there are any.
    """
    return {
        "action": action,
        "name": name,
        "role": values.get(env_file.ROLE, tables_of(name)),
        "schemas": (
            values.get(env_file.SCHEMA, tables_of(name)),
            values.get(env_file.VIEWS, views_of(name)),
        ),
        "password": values.get(env_file.PASSWORD, ""),
        "database": {key: values[key] for key in env_file.DATABASE if key in values},
    }


def _token() -> str:
    """Ask for the token without showing it, or read it from standard input."""
    try:
        if sys.stdin.isatty():
            token = getpass("YNAB token (from https://app.ynab.com/settings/developer): ")
        else:
            token = sys.stdin.readline()
    except UnicodeDecodeError:
        token = ""
    token = token.strip()
    if not token.isascii() or not token.isprintable() or not token or " " in token:
        raise PipelineError("that is no token: one line without spaces is expected")
    return token


def _list(root: Path) -> int:
    found = env_file.read_all(root)
    drafts = env_file.drafts(root)
    if not found and not drafts:
        print("There are no tenants yet: .venv/bin/ynab-pipeline tenants add NAME")
    width = max(map(len, [*found, *drafts]), default=0)
    for name, tenant in found.items():
        if isinstance(tenant, PipelineError):
            print(f"{ascii(name)[1:-1]:{width}}  {tenant}")
        else:
            schemas = " and ".join(tenant.schemas)
            print(f"{name:{width}}  {tenant.environment}, schemas {schemas}, role {tenant.role}")
    for name in drafts:
        print(f"{name:{width}}  is not finished: add it again")
    return int(bool(drafts) or any(isinstance(each, PipelineError) for each in found.values()))


def _remove(root: Path, path: Path, options: argparse.Namespace) -> None:
    name = options.name
    data = options.data or _choose(name)
    with _alone(root, name):
        tenant = env_file.read(path) if path.exists() else None
        has_role = _change_role("close", name, tenant, options.environment)
        if not (tenant or has_role or name in env_file.drafts(root)):
            raise PipelineError(f"there is no tenant {name}: no file {_shown(path)}")
        if data == _DROP:
            _drop_folders(root, name)
            # Last, for by the role alone a repeated `remove` may find what is left.
            _change_role("drop", name, tenant, options.environment)
        path.unlink(missing_ok=True)
        env_file.drop_draft(path)
    print(f"{name} is removed, and its data is {'dropped' if data == _DROP else 'kept'}")


def _change_role(action: str, name: str, tenant: Tenant | None, environment: str | None) -> bool:
    """Close or drop the role of a tenant, and return whether it was there.

    Args:
        action: Its name in `role`.
        name: The tenant.
        tenant: What its file says, None if there is none.
        environment: The environment of Meltano for a tenant without a file.
    """
    process = meltano.start_command("tenant", tenant.environment if tenant else environment)
    request = _request(action, name, tenant.values if tenant else {})
    return bool(meltano.answer(process, json.dumps(request))["done"])


def _drop_folders(root: Path, name: str) -> None:
    """Remove a tenant's state, logs and reports.

    Raises:
        PipelineError: If one cannot be removed.
    """
    for folder in (tenant_folder(root, name), root / "logs" / name, root / "output" / name):
        if not os.path.lexists(folder):
            continue
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise PipelineError(
                f"{folder.relative_to(root)} cannot be dropped: {explain(error)}. Remove it "
                "yourself, then call this again"
            ) from error


def _choose(name: str) -> str:
    """Ask whether the data of a tenant are dropped or kept."""
    if not sys.stdin.isatty():
        raise PipelineError("add --drop-data or --keep-data")
    print(f"The data of {name} are its tables and views, bookmarks, logs and reports.")
    answer = input("Drop or keep them? [drop/keep, anything else to stop] ").strip().lower()
    if answer not in {_DROP, _KEEP}:
        raise PipelineError("nothing was removed")
    return answer


@contextmanager
def _alone(root: Path, name: str) -> Iterator[None]:
    """Keep commands from running for a tenant, after waiting for those that do."""
    descriptor = open_lock(start.lock_of(tenant_folder(root, name)))
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"a command runs for {name}, waiting for that to end", file=sys.stderr)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _shown(path: Path) -> str:
    return f"{env_file.FOLDER}/{path.name}"
