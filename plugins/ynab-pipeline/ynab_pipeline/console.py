"""Console of a run: the lines that matter to a person.

Runs in Meltano's own process, as its logging configuration (`cli.log_config`, meltano_log.yaml).
All lines go to a file in the project; with `--log-level=debug`, to the console too.
"""

from __future__ import annotations

import logging
import re
import sys
from logging.handlers import RotatingFileHandler
from time import monotonic
from typing import TYPE_CHECKING, Any

# Types are checked where Meltano is not installed: it has an environment of its own.
from meltano.core.logging import formatters  # type: ignore[import-not-found]
from meltano.core.project import Project  # type: ignore[import-not-found]

from ynab_pipeline.log import say
from ynab_pipeline.project import tenant_of

if TYPE_CHECKING:
    from typing import TextIO

    Stream = logging.StreamHandler[TextIO]
else:
    Stream = logging.StreamHandler  # generic since Python 3.11

#: Loggers whose lines are for a person at any level.
_OURS = ("tap_ynab", "ynab_pipeline")
#: Warnings of Meltano that are no news: runs are forced, see `meltano_start`, and a first load says
#: itself what it loads.
_EXPECTED = {
    "Force option is enabled, ignoring stale job check.",
    "No state was found, complete import.",
}
#: Lines of Meltano that say once more that a plugin has failed.
_ECHOES = {
    "Extractor failed",
    "Loader failed",
    "Extractor and loader failed",
    "Block run completed",
}
_SECONDS = re.compile(r"[\d.]+ s$")
_PROGRESS_SECONDS = 10
_MEGABYTE = 1 << 20


class Console(Stream):
    """Shows warnings, errors and the lines of this project; the summary of a run comes last."""

    def __init__(self) -> None:
        """Write to standard error."""
        super().__init__(sys.stderr)
        self._began = monotonic()
        self._summaries: list[Any] = []
        self._has_failed = False
        self._has_account = False
        self._progress_at = monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Show a line, or keep it for the end of the run."""
        line: dict[str, Any] = (
            record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()}
        )
        event = line.get("event")
        if event == "Run completed":
            for summary in () if self._has_failed else self._summaries:
                summary.msg["timestamp"] = line.get("timestamp")
                super().emit(summary)
            self._summaries.clear()
        elif line.get("summary") and line.get("cmd_type") == "elb":
            # What the tap has read is synced when the loader has loaded it.
            line["event"] = _SECONDS.sub(f"{monotonic() - self._began:.1f} s", str(event))
            self._summaries.append(record)
        elif line.get("progress"):
            self._show_progress(record)
        elif line.get("account") and self._has_account:
            pass  # the same, named by the tap
        elif self._is_news(record, line):
            self._has_account |= bool(line.get("account"))
            self._has_failed |= record.levelno >= logging.ERROR
            super().emit(record)

    def _show_progress(self, record: logging.LogRecord) -> None:
        """Show how far a run is: in place on a terminal, else every ten seconds."""
        if self.stream.isatty():
            self.terminator = "\x1b[K\r"
            super().emit(record)
            self.terminator = "\n"
        elif monotonic() > self._progress_at + _PROGRESS_SECONDS:
            self._progress_at = monotonic()
            super().emit(record)

    def _is_news(self, record: logging.LogRecord, line: dict[str, Any]) -> bool:
        source, event = str(line.get("plugin_logger")), line.get("event")
        if record.levelno >= logging.WARNING:
            is_echo = self._has_failed and event in _ECHOES
            # Of a program's own code, for those who develop it.
            return not (is_echo or event in _EXPECTED or source == "py.warnings")
        # What a command of a plugin writes to standard error is for the person who has called it.
        is_of_command = line.get("cmd_type") == "command" and "plugin_logger" not in line
        return is_of_command or source.startswith(_OURS)


class LogFile(RotatingFileHandler):
    """The log in a file; if it takes no more, as on a full disk, that is said once."""

    _is_full = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's name
        """Say why a line could not be written. The run goes on."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._is_full:
            self._is_full = True
            reason = error.strerror or str(error)
            say(f"ynab-pipeline: {self.baseFilename} takes no more lines: {reason}")


def console() -> logging.Handler:
    """Return the handler that Meltano's settings ask for."""
    settings = Project.find().settings
    level = str(settings.get("cli.log_level")).upper()
    number = logging.getLevelName(level)
    logging.getLogger().setLevel(number if isinstance(number, int) else logging.INFO)
    handler = logging.StreamHandler() if number == logging.DEBUG else Console()
    if isinstance(number, int):
        handler.setLevel(number)
    elif level == "DISABLED":
        handler.setLevel(logging.CRITICAL + 1)
    if str(settings.get("cli.log_format")) == "json":
        handler.setFormatter(formatters.json_formatter())
    else:
        handler.setFormatter(formatters.console_log_formatter(colors=sys.stderr.isatty()))
    return handler


def log_file() -> logging.Handler:
    """Return the handler that writes all lines to the project's log."""
    project = Project.find()
    folder = project.root / "logs"
    if tenant := tenant_of(project.root, project.sys_dir_root):
        folder /= tenant
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = LogFile(
        folder / "meltano.log", maxBytes=5 * _MEGABYTE, backupCount=3, encoding="utf-8", delay=True
    )
    handler.setFormatter(formatters.console_log_formatter())
    return handler
