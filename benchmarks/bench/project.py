"""The Meltano project of this repository, installed a second time for what is measured in it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from bench.measure import run
from bench.programs import ENVIRONMENTS, PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from bench.measure import Taken
    from bench.programs import Program

#: A tap that has nothing to say, for what Meltano and the loader take by themselves.
NOTHING = """\
  - name: tap-nothing
    namespace: tap_nothing
    executable: ./tap-nothing
    capabilities: []
"""
LINKED = ("constraints.txt", "plugins", "tap-ynab")


class Project:
    """A copy of meltano.yml, with a tap more, in a folder of its own."""

    def __init__(self, meltano: Program) -> None:
        """Lays it out and installs what meltano.yml names, unless that is done.

        Args:
            meltano: where Meltano is installed.
        """
        self._meltano = meltano.command("meltano")
        self.folder = ENVIRONMENTS / "project"
        self.folder.mkdir(parents=True, exist_ok=True)
        definition = self._definition()
        stamp = self.folder / "installed"
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != definition:
            self._lay_out(definition)
            self.call("install")
            stamp.write_text(definition, encoding="utf-8")

    def run(self, tap: str) -> Taken:
        """Measures `meltano run`.

        Args:
            tap: the name of the extractor.
        """
        called = [self._meltano, "--environment=demo", "run", tap, "target-postgres"]
        return run(called, folder=self.folder, environment=self._environment)

    def call(self, *arguments: str) -> str:
        """Return what another command of Meltano prints.

        Args:
            arguments: such as `install`.
        """
        return subprocess.run(
            [self._meltano, "--environment=demo", "--log-level=warning", *arguments],
            cwd=self.folder,
            env={**os.environ, **self._environment},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def stop(self) -> None:
        """Stops what runs have started."""
        self.call("invoke", "target-postgres:database", "stop")
        self.call("invoke", "tap-ynab:sandbox", "stop")

    @property
    def _environment(self) -> dict[str, str]:
        return {"MELTANO_PROJECT_ROOT": str(self.folder)}

    @staticmethod
    def _definition() -> str:
        extractors = "  extractors:\n"
        found = (PROJECT / "meltano.yml").read_text(encoding="utf-8")
        if extractors not in found:
            raise ValueError("meltano.yml has no place for another extractor")
        return found.replace(extractors, extractors + NOTHING, 1)

    def _lay_out(self, definition: str) -> None:
        (self.folder / "meltano.yml").write_text(definition, encoding="utf-8")
        for name in LINKED:
            link = self.folder / name
            if not link.is_symlink():
                link.symlink_to(PROJECT / name)
        self._script("tap-nothing", "#!/bin/sh\nexit 0\n")

    def _script(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="ascii")
        path.chmod(0o755)
        return path
