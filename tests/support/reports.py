"""The command `ynab-report` on a test's database, and what is in its file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tests.support.environment import CLOCK

if TYPE_CHECKING:
    from tests.support.pipeline import Database

    Json = dict[str, Any]

REPORT = Path(sys.executable).with_name("ynab-report")


@dataclass
class Built:
    """What the command left and said."""

    code: int
    path: Path
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def data(self) -> Json:
        """What the page shows."""
        return data_of(self.text)

    def budget(self, name: str) -> Json:
        return next(budget for budget in self.data["budgets"] if budget["name"] == name)


def data_of(page: str) -> Json:
    """Return the data in the page; as for a browser, it ends at the first `</script`."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script', page, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def connection(database: Database) -> dict[str, str]:
    """Return libpq's variables for a database."""
    url = urlsplit(database.url)
    return {
        "PGHOST": url.hostname or "",
        "PGPORT": str(url.port),
        "PGUSER": url.username or "",
        "PGPASSWORD": unquote(url.password or ""),
        "PGDATABASE": url.path.removeprefix("/"),
    }


def build(database: Database, folder: Path, *arguments: str, **environment: str) -> Built:
    """Run `ynab-report build` in a folder."""
    finished = subprocess.run(
        [REPORT, "build", *arguments],
        cwd=folder,
        env={"PATH": os.defpath, **CLOCK, **connection(database), **environment},
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=120,
    )
    path = folder / finished.stdout.removeprefix("report: ").strip()
    return Built(finished.returncode, path, finished.stdout, finished.stderr)
