"""What tests find in their environment: the machine's, and none of the caller's settings."""

from __future__ import annotations

import os
import re

#: Names of variables that set something in the tap, the loader, the project or the way to a server.
SETTING = re.compile(
    r"(TAP_YNAB|TARGET_POSTGRES|MELTANO|YNAB|SINGER_SDK|EMBEDDED_POSTGRES|PROJECT_POSTGRES)(_.*)?"
    r"|PG[A-Z]+|LOGLEVEL|NETRC|.*_CA_BUNDLE|.*_(proxy|PROXY)"
)
#: Variables that move the clock (libfaketime): for all processes or for none.
CLOCK = {
    name: value
    for name, value in os.environ.items()
    if re.fullmatch(r"LD_PRELOAD|FAKETIME.*|TZ", name)
}
#: The environment of a user who has set nothing.
BARE = {
    "PATH": os.defpath,
    # A Python that is old by the day of the run: the SDK warns of it.
    "PYTHONWARNINGS": "error,ignore:Python 3.:FutureWarning",
    **CLOCK,
}


def forget_settings() -> None:
    """Keep the caller's settings from this process and from those it starts."""
    for name in filter(SETTING.fullmatch, list(os.environ)):
        del os.environ[name]
