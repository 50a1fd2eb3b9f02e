"""The command `ynab-sandbox`: serves a sandbox, or does something to the one of a folder."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ynab_sandbox.daemon import Daemon, ask, default_folder
from ynab_sandbox.faults import FAULTS
from ynab_sandbox.server import serve
from ynab_sandbox.store import Options, Store, StoreError
from ynab_sandbox.tables import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ynab_sandbox.tables import Fields

    Command = Callable[[str, object, str], argparse.ArgumentParser]


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command.

    Args:
        argv: the arguments; by default the process's own.
    """
    arguments = parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except (StoreError, OSError) as error:
        sys.exit(f"ynab-sandbox: {error}")


def parser() -> argparse.ArgumentParser:
    """What the command understands."""
    top = argparse.ArgumentParser(
        prog="ynab-sandbox", description="A sandbox YNAB API on this computer."
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, run: object, words: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=words, description=words)
        made.set_defaults(run=run)
        return made

    serving = command("serve", run_serve, "Serve in the foreground; prints its URL first.")
    serving.add_argument("--port", type=int, default=0, help="default: a free one")
    serving.add_argument("--state", type=Path, help="file that keeps the sandbox")
    _add_options(serving)
    starting = command("start", run_start, "Start in the background, unless it runs.")
    _add_options(starting)
    _add_folder(starting)
    for name, run, words in (
        ("stop", run_stop, "Stop; edits are kept."),
        ("reset", run_reset, "Stop and discard all edits: the next start begins anew."),
        ("status", run_status, "Tell whether it runs and what is in it."),
        ("url", run_url, "Print the URL of the API."),
        ("requests", run_requests, "Print the requests it got."),
        ("live", run_live, "Let a day go by: a purchase, an edit of an old one, a deletion."),
        ("advance-month", run_advance_month, "Move its clock to the next month."),
    ):
        _add_folder(command(name, run, words))
    _add_changes(command)
    return top


def _add_changes(command: Command) -> None:
    advance = command("advance", run_advance, "Move its clock forward.")
    advance.add_argument("seconds", type=float)
    add = command("add", run_change, "Add an entity; prints its id.")
    edit = command("edit", run_change, "Edit an entity.")
    delete = command("delete", run_change, "Delete an entity; a tombstone stays.")
    fail = command("fail", run_fail, "Have the next requests go wrong.")
    fail.add_argument("fault", help=f"an HTTP status, or {', '.join(FAULTS)}")
    fail.add_argument("options", nargs="*", metavar="option=value", help="the fault's own")
    fail.add_argument("--path", help="only requests that match this regular expression")
    fail.add_argument("--times", type=int, default=1)
    for name, made in (("add", add), ("edit", edit), ("delete", delete)):
        made.set_defaults(operation=name)
        made.add_argument("kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
        if name != "add":
            made.add_argument("id")
        if name != "delete":
            made.add_argument(
                "fields", nargs="*", metavar="field=value", help="value: JSON or text"
            )
        made.add_argument("--budget", help="id or name; default: the first")
    for made in (advance, add, edit, delete, fail):
        _add_folder(made)


def _add_folder(made: argparse.ArgumentParser) -> None:
    made.add_argument("--dir", type=Path, help="its folder, default: .data/ynab-sandbox")


def _add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--seed", type=int, help="what makes the data differ, default: 1")
    made.add_argument("--transactions", type=int, help="in the first budget, default: 3600")
    made.add_argument("--today", type=_day, help="where its clock stands, default: it runs")
    made.add_argument("--rate-limit", type=int, help="requests an hour, default: 200, 0: none")


def _day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _options(arguments: argparse.Namespace) -> Options:
    return Options(arguments.seed, arguments.transactions, arguments.today, arguments.rate_limit)


def _daemon(arguments: argparse.Namespace) -> Daemon:
    return Daemon(arguments.dir.resolve() if arguments.dir else default_folder())


def _url(arguments: argparse.Namespace) -> str:
    running = _daemon(arguments).running()
    if running is None:
        message = "it does not run: `ynab-sandbox start` starts it"
        raise StoreError(message)
    return running.url


def run_serve(arguments: argparse.Namespace) -> None:
    """Serves until SIGTERM or SIGINT."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    options = _options(arguments)
    if arguments.state is None:
        with serve(options.make(), arguments.port) as url:
            say(url)
            stopping.wait()
        return
    store = Store(arguments.state)
    with store.held():
        sandbox = store.open(options)
        store.save(sandbox)
        with serve(sandbox, arguments.port, lambda: store.save(sandbox)) as url:
            say(url)
            stopping.wait()
        store.save(sandbox)


def run_start(arguments: argparse.Namespace) -> None:
    """Starts in the background."""
    running, now = _daemon(arguments).start(_options(arguments))
    say(f"{'started' if now else 'runs already'}: {running.url} (token: {running.token})")


def run_stop(arguments: argparse.Namespace) -> None:
    """Stops."""
    say("stopped" if _daemon(arguments).stop() else "did not run")


def run_reset(arguments: argparse.Namespace) -> None:
    """Stops and discards the state."""
    _daemon(arguments).reset()
    say("discarded")


def run_status(arguments: argparse.Namespace) -> None:
    """Tells what is in it."""
    url = _url(arguments)
    say(f"runs: {url}")
    _show(ask(url, "state"))


def run_url(arguments: argparse.Namespace) -> None:
    """Prints the URL."""
    say(_url(arguments))


def run_requests(arguments: argparse.Namespace) -> None:
    """Prints the requests."""
    for request in ask(_url(arguments), "requests"):
        say(request["at"], request["status"], request["method"], request["path"], request["query"])


def run_live(arguments: argparse.Namespace) -> None:
    """Lets a day go by."""
    for sentence in ask(_url(arguments), "live", {}):
        say(sentence)


def run_advance_month(arguments: argparse.Namespace) -> None:
    """Moves the clock to the next month."""
    _show(ask(_url(arguments), "advance-month", {}))


def run_advance(arguments: argparse.Namespace) -> None:
    """Moves the clock."""
    _show(ask(_url(arguments), "advance", {"seconds": arguments.seconds}))


def run_change(arguments: argparse.Namespace) -> None:
    """Adds, edits or deletes."""
    wanted = ("kind", "id", "budget")
    document = {name: vars(arguments)[name] for name in wanted if name in arguments}
    if "fields" in arguments:
        document["fields"] = _pairs(arguments.fields)
    _show(ask(_url(arguments), arguments.operation, document))


def run_fail(arguments: argparse.Namespace) -> None:
    """Plans a fault."""
    planned = {"fault": arguments.fault, "path": arguments.path, "times": arguments.times}
    _show(ask(_url(arguments), "fail", {**planned, **_pairs(arguments.options)}))


def _pairs(texts: Sequence[str]) -> Fields:
    """Fields as somebody types them: `name=value`, the value in JSON or else as it stands."""
    pairs: Fields = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            message = f"{text}: name=value is wanted"
            raise StoreError(message)
        try:
            pairs[name] = json.loads(value)
        except ValueError:
            pairs[name] = value
    return pairs


def say(*words: object) -> None:
    """Tells the person or program that called, at once.

    Args:
        words: what to tell, on one line.
    """
    print(*words, flush=True)  # noqa: T201 - this is what the command is for


def _show(result: object) -> None:
    if result is not None:
        say(json.dumps(result, indent=2, ensure_ascii=False))
