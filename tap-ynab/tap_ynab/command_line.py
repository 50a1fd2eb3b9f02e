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
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigValidationError, SingerSDKError
from singer_sdk.helpers._classproperty import classproperty

import tap_ynab.about  # noqa: F401 -- registers the text of --about
from tap_ynab.catalog import check_catalog
from tap_ynab.errors import IncompleteError
from tap_ynab.logs import OneLine
from tap_ynab.settings import mistakes_in_environment

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    import click

    from tap_ynab.writer import Writer

logger = logging.getLogger("tap_ynab")

#: What a shell adds to the number of the signal that ended a process.
TERMINATED = 128


class CommandLineTap(Tap):
    """A tap whose errors on the command line are one line each."""

    def _handle_termination(self, signum: int, frame: object) -> None:  # noqa: ARG002 as the SDK has it
        """End with the exit code of a terminated process; `run` writes the state, if it may."""
        t.cast("Writer", self.message_writer).interrupt(TERMINATED + signum)

    def run(self) -> None:
        """Sync everything."""
        self.sync_all()

    def reach(self) -> None:
        """Make sure that the account can be reached."""

    def setup_mapper(self) -> None:
        """Prepare the stream maps.

        Raises:
            ValueError: They can't be used.
        """
        try:
            super().setup_mapper()
        except ConfigValidationError:
            raise
        except Exception as error:  # the mapper takes what the JSON schema lets through
            raise ValueError(f"stream_maps can't be used: {error!r}") from error

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
        cls.print_version(print_fn=cls.logger.debug)
        with errors_in_one_line():
            tap = cls(
                config=config.config,
                parse_env_config=config.parse_env,
                state=read_object(state) if state else None,
                catalog=check_catalog(read_object(catalog)) if catalog else None,
            )
            tap.run()

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, t.Any]) -> None:
        """Add the settings of the SDK."""
        super().append_builtin_config(config_jsonschema)
        settings = config_jsonschema["properties"]
        settings["stream_maps"] = _without_words(settings["stream_maps"])

    @classproperty
    def _env_var_config(cls) -> dict[str, t.Any]:  # noqa: N805 as the SDK has it
        """Settings from the environment of the process.

        The SDK would first read a `.env` in any folder above its installation, and let it win.
        """
        cls.append_builtin_config(schema := cls.config_jsonschema)
        # Of a list that may be text the SDK warns.
        texts = {
            name: {"type": ["string"]}
            for name, definition in schema["properties"].items()
            if {"array", "string"} <= set(definition.get("type", ()))
        }
        schema = {**schema, "properties": schema["properties"] | texts}
        return parse_environment_config(schema, cls._env_var_prefix, dotenv_path=os.devnull)

    @classmethod
    def _check_environment(cls) -> None:
        cls.append_builtin_config(schema := cls.config_jsonschema)
        if found := mistakes_in_environment(schema, cls._env_var_prefix, os.environ):
            raise ConfigValidationError("Config validation failed", errors=found)

    @classmethod
    def cb_config(cls, ctx: t.Any, param: t.Any, value: tuple[str, ...]) -> t.Any:
        """Read the config files, each once, as it may be a pipe, and check the environment."""
        with errors_in_one_line():
            if "ENV" in value:
                cls._check_environment()
            given = super().cb_config(ctx, param, tuple(path for path in value if path == "ENV"))
            for path in value:
                if path != "ENV":
                    with open(path, encoding="utf-8") as file:  # noqa: PTH123 named as it was given
                        given.config.update(read_object(file))
            return given

    @classmethod
    def cb_discover(cls, *args: t.Any) -> None:
        """Print the catalog."""
        with errors_in_one_line():
            super().cb_discover(*args)

    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Test the connection: a line says what was reached. The SDK would begin to read rows."""
        with errors_in_one_line():
            if value in {"disabled", "schema"}:
                super().cb_test(ctx, param, value)
                return
            config = ctx.params["config"]
            cls(config=config.config, parse_env_config=config.parse_env).reach()
            ctx.exit()


def _without_words(schema: t.Any) -> t.Any:
    """Return a JSON schema without the alternative "null", at which validators fail."""
    if isinstance(schema, list):
        return [_without_words(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _without_words(each) for name, each in schema.items()}
    if "anyOf" in plain:
        plain["anyOf"] = [each for each in plain["anyOf"] if each != "null"]
    return plain


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
    except SystemExit as end:
        if isinstance(end.code, int) and end.code > TERMINATED:
            logger.warning("Stopped by a signal. Run again: it continues where this run ended.")
        raise
    except IncompleteError as error:
        _end(*error.lines)
    except RecursionError:
        _end("A config file or the catalog is nested too deeply. Check the files.")
    except (SingerSDKError, OSError, ValueError) as error:
        _end(str(error))


def _end(*lines: str) -> t.NoReturn:
    for line in lines:
        logger.error("%s", line)
    sys.exit(1)


def read_object(file: t.IO[str]) -> dict[str, t.Any]:
    """Return the JSON object in a file.

    Raises:
        ValueError: There is none.
    """
    with suppress(ValueError, RecursionError):
        content = json.load(file)
        if isinstance(content, dict):
            return content
    raise ValueError(f"{file.name} does not hold a JSON object. Check the file.")
