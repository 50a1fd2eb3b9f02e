"""Runs `sqlite-export-for-ynab` against another address: it has no setting for that.

All else is the program's own, its command line included.
"""

from __future__ import annotations

import os
import sys
from functools import partial

from asyncio_for_ynab import Configuration
from sqlite_export_for_ynab import _main as program


def main() -> None:
    """Runs it with the address of the environment variable `API`."""
    program.Configuration = partial(Configuration, host=os.environ["API"])
    sys.exit(program.main())


if __name__ == "__main__":
    main()
