"""The command `ynab-pipeline-report`, the executable of Meltano's utility `report`.

It finds the database of the active environment, sees that the views are there, and becomes
`ynab-report`, which writes the report to `output/`.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from urllib.parse import quote

from ynab_pipeline import project, views
from ynab_pipeline.account import TOKEN
from ynab_pipeline.errors import PipelineError, explain
from ynab_pipeline.log import say
from ynab_pipeline.programs import INFORMATION, become, has_option, values_of

_OUTPUT = "--output"


def main() -> None:
    """Prepare the views and become ynab-report, with the command line of this process."""
    arguments = sys.argv[1:]
    try:
        project.make_private(arguments)
        os.environ.pop(TOKEN, None)  # of no use to the report
        if not has_option(arguments, INFORMATION):
            views.prepare(views.make)
            if not values_of(_OUTPUT, arguments):
                arguments += [_OUTPUT, str(_output(is_redacted="--redact" in arguments))]
        become("ynab-report", arguments)
    except (PipelineError, OSError) as error:
        say(f"ynab-pipeline-report: {explain(error)}", "error")
        sys.exit(1)


def _output(*, is_redacted: bool) -> Path:
    """Return the path of the report, in a folder of its own for a tenant.

    A redacted one does not replace the other, so that nobody shows that by mistake.
    """
    folder = project.root() or Path()
    # A suffix such as "../ada" stays one name of a folder in output/.
    _, suffix = project.tenant()
    name = re.sub(r"^\.", "%2E", quote(suffix, safe=""))
    return folder / "output" / name / ("redacted.html" if is_redacted else "budget.html")
