"""The command line: that of the SDK, but each error is one line that says what to do.

Overrides SDK members that are not documented for it, as `base` does; tests/tap/test_sdk.py notices
if the SDK drops one.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import typing as t
from contextlib import contextmanager, suppress

from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError

from tap_ynab.errors import IncompleteError, TransientError, YNABError
from tap_ynab.logs import OneLine

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    import click

    from tap_ynab.writer import Writer

logger = logging.getLogger("tap-ynab")


class CommandLineTap(Tap):
    """A tap whose errors on the command line are one line each."""

    def _handle_termination(self, signum: int, frame: object) -> None:  # noqa: ARG002 as the SDK has it
        """End with the exit code of a terminated process; `run` writes the state, if it may."""
        t.cast("Writer", self.message_writer).interrupt(128 + signum)

    def run(self) -> None:
        """Sync everything."""
        self.sync_all()

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Return the command."""
        logging.setLogRecordFactory(OneLine)
        return super().get_singer_command()

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: t.Any = None,
        state: t.IO[str] | None = None,
        catalog: t.IO[str] | None = None,
    ) -> None:
        """Run from the command line."""
        super(Tap, cls).invoke(about=about, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        with errors_in_one_line():
            if config.parse_env:
                cls._check_environment()
            tap = cls(
                config=config.config,
                parse_env_config=config.parse_env,
                state=read_object(state) if state else None,
                catalog=read_object(catalog, "streams") if catalog else None,
            )
            tap.run()

    @classmethod
    def _check_environment(cls) -> None:
        """Refuse a variable that is not a number: the SDK would not name it in its error."""
        for name, definition in cls.config_jsonschema["properties"].items():
            value = os.environ.get(variable := f"TAP_YNAB_{name.upper()}", "0")
            if "integer" in definition.get("type", ()) and not value.lstrip("-").isdecimal():
                raise ValueError(f"{variable} must be a whole number, not {value!r}.")

    @classmethod
    def cb_config(cls, ctx: t.Any, param: t.Any, value: tuple[str, ...]) -> t.Any:
        """Read the config files, each once, as it may be a pipe."""
        with errors_in_one_line():
            given = super().cb_config(ctx, param, tuple(path for path in value if path == "ENV"))
            for path in value:
                if path != "ENV":
                    with open(path, encoding="utf-8") as file:  # noqa: PTH123 named as it was given
                        given.config.update(read_object(file))
            return given

    @classmethod
    def cb_test(cls, *args: t.Any) -> None:
        """Test the connection."""
        with errors_in_one_line():
            super().cb_test(*args)


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """End the process with a line for what went wrong, instead of a traceback."""
    try:
        yield
    except ConfigValidationError as error:
        _end(*(f"{line.rstrip('.')}." for line in error.errors))
    except BrokenPipeError:
        # What is still in the buffer can't be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _end("The loader has gone: see its own messages. Run again once it works.")
    except IncompleteError as error:
        _end(*error.lines)
    except (YNABError, TransientError, OSError, ValueError) as error:
        _end(str(error))


def _end(*lines: str) -> t.NoReturn:
    for line in lines:
        logger.error("%s", line)
    sys.exit(1)


def read_object(file: t.IO[str], *keys: str) -> dict[str, t.Any]:
    """Return the JSON object in a file.

    Raises:
        ValueError: There is none, or one without the keys.
    """
    with suppress(ValueError):
        content = json.load(file)
        if isinstance(content, dict) and content.keys() >= set(keys):
            return content
    wanted = " with ".join(("a JSON object", *keys))
    raise ValueError(f"{file.name} does not hold {wanted}. Check the file.")
