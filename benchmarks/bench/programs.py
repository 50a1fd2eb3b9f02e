"""Installing what is measured: each program into an environment of its own, once."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1]
PROJECT = BENCHMARKS.parent
ENVIRONMENTS = BENCHMARKS / ".venvs"
#: Those that are installed as the project installs them, with what they need.
OURS = {"tap", "loader", "meltano"}
#: Whose own files make them another program; all that is listed here is installed anew then.
SOURCES = {
    "tap": ("tap-ynab", "plugins/ynab-sandbox"),
    "loader": ("plugins/project-postgres", "plugins/ynab-pipeline"),
}


class Program:
    """A folder of `programs`, installed."""

    def __init__(self, name: str) -> None:
        """Installs it, unless it is.

        Args:
            name: of its folder, which has its requirements.txt.
        """
        self.folder = BENCHMARKS / "programs" / name
        self._name = name
        self._environment = ENVIRONMENTS / name
        stamp = self._environment / "installed"
        wanted = self._fingerprint()
        if not stamp.exists() or stamp.read_text(encoding="ascii") != wanted:
            self._install()
            stamp.write_text(wanted, encoding="ascii")

    def command(self, name: str) -> str:
        """The path of one of its commands.

        Args:
            name: such as `python`.
        """
        return str(self._environment / "bin" / name)

    def version(self, package: str) -> str:
        """The version of a package that is installed in it.

        Args:
            package: its name.
        """
        code = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
        return _output([self.command("python"), "-c", code, package])

    def _fingerprint(self) -> str:
        digest = hashlib.sha256(sys.version.encode())
        files = [self.folder / "requirements.txt"]
        if self._name in OURS:
            files.append(PROJECT / "constraints.txt")
        for source in SOURCES.get(self._name, ()):
            # `build` and `*.egg-info`, which an installation may leave, hold copies only.
            files += sorted((PROJECT / source).glob("*/*.py"))
            files.append(PROJECT / source / "pyproject.toml")
        for file in files:
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def _install(self) -> None:
        print(f"Installing {self._name} ...", file=sys.stderr, flush=True)
        venv.create(self._environment, with_pip=True, clear=True, symlinks=os.name != "nt")
        pip = [self.command("python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        how = ["-c", "constraints.txt"] if self._name in OURS else ["--no-deps"]
        requirements = str(self.folder / "requirements.txt")
        subprocess.run([*pip, *how, "-r", requirements], cwd=PROJECT, check=True)


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
