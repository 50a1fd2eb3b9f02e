"""Messages to people through Apprise, which knows a hundred services.

Apprise works in a process of its own: it takes a second to import, may wait for a server for longer
than a run should, and writes URLs, which hold secrets, to its log. Nothing of that gets out.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

from ynab_pipeline import workspace
from ynab_pipeline.errors import UsageError
from ynab_pipeline.log import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

#: The variable with the URLs, separated by spaces.
NOTIFY = "YNAB_PIPELINE_NOTIFY"

#: Seconds that the services have to take a message.
_LIMIT = 10.0
#: Seconds after which the process is killed: also Apprise takes some, to start.
_PROCESS_LIMIT = 30.0
_FAILED = 1
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)

_TAKEN = "taken"
_UNKNOWN = "Apprise knows no such URL"
_REFUSED = "the service did not take it"
_LATE = f"no answer within {_LIMIT:g} seconds"


def send(urls: Sequence[str], title: str, body: str) -> bool:
    """Send a message, and say in a line of the log which URLs did not take it.

    Args:
        urls: URLs of Apprise.
        title: The title, one line.
        body: The text.

    Returns:
        Whether one of the services took it.
    """
    if not urls:
        return False
    message = json.dumps({"urls": list(urls), "title": title, "body": body})
    try:
        sent = subprocess.run(
            [sys.executable, "-m", "ynab_pipeline.notify"],
            input=message,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            timeout=_PROCESS_LIMIT,
            check=False,
        )
        results: list[str] = json.loads(sent.stdout)
    except subprocess.TimeoutExpired:
        results = [_LATE] * len(urls)
    except (OSError, ValueError):
        results = ["Apprise could not start; run make install"] * len(urls)
    for position, (url, result) in enumerate(zip(urls, results, strict=True), 1):
        if result != _TAKEN:
            say(f"{_named(url, position)} got no notification: {result}", "warning")
    return _TAKEN in results


def urls_in(variables: Mapping[str, str]) -> list[str]:
    """Return the URLs that are set in the variables of a project."""
    return variables.get(NOTIFY, "").split()


def run(options: argparse.Namespace) -> int:
    """Send a message to try the URLs, and return the exit code."""
    project = workspace.find(options.environment)
    urls = urls_in(project.variables)
    if not urls:
        raise UsageError(f"{NOTIFY} is not set: put URLs of Apprise into .env")
    title = f"tap-ynab, {project.place}: this is how you are told"
    if not send(urls, title, "You hear when a sync begins to fail, works again or is stale."):
        return _FAILED
    say("sent; a line above names each URL that did not take it, if any")
    return 0


def _named(url: str, position: int) -> str:
    """Return a name for a URL without what is secret in it."""
    scheme = _SCHEME.match(url)
    return f"URL {position} of {NOTIFY} ({scheme[0] if scheme else 'no URL'})"


def main() -> None:
    """Send the message on standard input, and print how each URL has taken it."""
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415 -- takes a second to import

    message = json.load(sys.stdin)
    urls: list[str] = message["urls"]
    results = [_LATE] * len(urls)

    def notify(position: int, service: Apprise) -> None:
        # Otherwise services that send HTML or Markdown would read a name such as A & <B> as that.
        taken = service.notify(title=message["title"], body=message["body"], body_format="text")
        results[position] = _TAKEN if taken else _REFUSED

    asset = AppriseAsset(app_id="tap-ynab", app_desc="tap-ynab", app_url="")
    threads = []
    for position, url in enumerate(urls):
        service = Apprise(asset=asset)
        if service.add(url):
            threads.append(Thread(target=notify, args=[position, service], daemon=True))
        else:
            results[position] = _UNKNOWN
    deadline = monotonic() + _LIMIT
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, deadline - monotonic()))
    print(json.dumps(results), flush=True)  # noqa: T201 -- for the process that has started this
    os._exit(0)  # a service that still has not answered would hold it


if __name__ == "__main__":
    main()
