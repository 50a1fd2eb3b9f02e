"""The command `ynab-sandbox`: starts and stops a sandbox, and carries out its operations."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from contextlib import nullcontext
from datetime import date
from functools import partial
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING

from ynab_sandbox.daemon import Daemon, ask, default_folder
from ynab_sandbox.errors import SandboxError
from ynab_sandbox.operations import OPERATIONS, Operation
from ynab_sandbox.server import serve
from ynab_sandbox.store import Options, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    try:
        arguments = _parser().parse_args(argv)
        arguments.run(arguments)
    except (SandboxError, OSError) as error:
        sys.exit(f"ynab-sandbox: {error}")


# Arguments


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="ynab-sandbox", description="A sandbox YNAB API on this computer."
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    usual = Daemon(default_folder())

    def command(name: str, run: Callable[..., None], help_: str) -> argparse.ArgumentParser:
        parser = commands.add_parser(name, help=help_, description=help_)
        parser.set_defaults(run=run)
        if name != "serve":
            text = "folder, default: .data/ynab-sandbox"
            parser.add_argument("--dir", type=_daemon, default=usual, help=text)
        return parser

    serving = command("serve", _serve, "Serve in the foreground; the first line is the URL.")
    serving.add_argument("--port", type=int, default=0, help="default: a free one")
    serving.add_argument("--state", type=Path, help="file that keeps the sandbox")
    for parser in (serving, command("start", _start, "Start in the background, unless it runs.")):
        parser.add_argument("--seed", type=int, help="makes the data differ, default: 1")
        parser.add_argument("--transactions", type=int, help="in the first budget, default: 3600")
        parser.add_argument("--today", type=_day, help="day at which its clock stands")
        parser.add_argument(
            "--rate-limit", type=int, help="requests an hour, default: 200, 0: none"
        )
    command("stop", _stop, "Stop; edits are kept.")
    command("reset", _reset, "Stop and discard all edits.")
    command("status", _status, "Show whether it runs, and what is in it.")
    command("url", lambda arguments: _print(_url(arguments)), "Print the URL of the API.")
    for operation in OPERATIONS.values():
        parser = command(operation.name, partial(_operate, operation), operation.help)
        _add_parameters(parser, operation)
    return top


def _add_parameters(parser: argparse.ArgumentParser, operation: Operation) -> None:
    for name, parameter in operation.parameters.items():
        # Text stays text, anything else is JSON.
        is_text = {"str", "Key"} & set(str(parameter.annotation).split(" | "))
        kind = str if is_text else _value
        if parameter.kind is Parameter.VAR_KEYWORD:
            text = "value: JSON or text"
            parser.add_argument(name, nargs="*", type=_pair, metavar="name=value", help=text)
        elif parameter.default is parameter.empty:
            parser.add_argument(name, type=kind)
        else:
            option = f"--{name.replace('_', '-')}"
            parser.add_argument(option, type=kind, default=argparse.SUPPRESS)
    if operation.is_of_budget:
        parser.add_argument("--budget", help="id or name, default: the first one")


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _pair(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SandboxError(f"{text} is not name=value")
    return name, _value(value)


def _day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _options(arguments: argparse.Namespace) -> Options:
    return Options(arguments.seed, arguments.transactions, arguments.today, arguments.rate_limit)


# Commands


def _serve(arguments: argparse.Namespace) -> None:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())

    store = Store(arguments.state) if arguments.state else None
    options = _options(arguments)
    with store.open(options) if store else nullcontext(options.make()) as sandbox:
        save: Callable[[], None] = partial(store.save, sandbox) if store else lambda: None
        save()
        with serve(sandbox, arguments.port, save) as url:
            _print(url)
            stopping.wait()
        save()


def _daemon(folder: str) -> Daemon:
    return Daemon(Path(folder))


def _url(arguments: argparse.Namespace) -> str:
    if (running := arguments.dir.running()) is None:
        raise SandboxError("it does not run: `ynab-sandbox start` starts it")
    return str(running.url)


def _start(arguments: argparse.Namespace) -> None:
    running, is_new = arguments.dir.start(_options(arguments))
    _print(f"{'started' if is_new else 'runs already'}: {running.url} (token: {running.token})")


def _stop(arguments: argparse.Namespace) -> None:
    _print("stopped" if arguments.dir.stop() else "did not run")


def _reset(arguments: argparse.Namespace) -> None:
    arguments.dir.reset()
    _print("discarded")


def _status(arguments: argparse.Namespace) -> None:
    _print(f"runs: {_url(arguments)}")
    _show(ask(_url(arguments), "state"))


def _operate(operation: Operation, arguments: argparse.Namespace) -> None:
    given = vars(arguments)
    names = [name for name in (*operation.parameters, "budget") if name in given]
    document = {n: dict(given[n]) if isinstance(given[n], list) else given[n] for n in names}
    _show(ask(_url(arguments), operation.name, document))


def _show(result: object) -> None:
    """Print the result of an operation, each item of a list on a line of its own."""
    if isinstance(result, list):
        for item in result:
            _print(item if isinstance(item, str) else json.dumps(item, ensure_ascii=False))
    elif result is not None:
        _print(json.dumps(result, indent=2, ensure_ascii=False))


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the output of a command
