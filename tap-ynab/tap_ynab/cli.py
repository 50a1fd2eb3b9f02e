"""What the command line needs beyond the SDK: each error in one line, without a traceback."""

from __future__ import annotations

import json
import logging
import os
import sys
import typing as t
from contextlib import contextmanager, suppress

from singer_sdk.exceptions import ConfigValidationError

from tap_ynab.errors import TransientError, YNABError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger("tap-ynab")


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """End the process with what went wrong and what to do about it."""
    try:
        yield
    except ConfigValidationError as error:
        _end(*(f"{line.rstrip('.')}." for line in error.errors))
    except BrokenPipeError:
        # What is still in the buffer can't be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _end("The loader has gone: see its own messages. Run again once it works.")
    except (YNABError, TransientError, OSError, ValueError) as error:
        _end(str(error))


def _end(*lines: str) -> t.NoReturn:
    for line in lines:
        logger.error(line)
    sys.exit(1)


def read_object(file: t.IO[str], *keys: str) -> dict[str, t.Any]:
    """The JSON object in a file.

    Raises:
        ValueError: There is none, or one without the keys.
    """
    with suppress(ValueError):
        content = json.load(file)
        if isinstance(content, dict) and content.keys() >= set(keys):
            return content
    wanted = " with ".join(("a JSON object", *keys))
    raise ValueError(f"{file.name} does not hold {wanted}. Check the file.")
