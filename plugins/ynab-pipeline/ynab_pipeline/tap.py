"""The command `ynab-pipeline-tap`, the executable of Meltano's extractor.

It sees to the account and becomes `tap-ynab`.
"""

from __future__ import annotations

import os
import sys

from ynab_pipeline.account import choose_account
from ynab_pipeline.bookmarks import choose_state
from ynab_pipeline.checking import STATE
from ynab_pipeline.errors import PipelineError, explain
from ynab_pipeline.log import say
from ynab_pipeline.programs import INFORMATION, become, end_with_parent, has_option
from ynab_pipeline.project import make_private
from ynab_pipeline.turns import wait_for_turn

#: Options with which the tap reads no rows.
_NO_SYNC = INFORMATION | {"--discover", "--test"}


def main() -> None:
    """Prepare the account and become the tap, with the command line of this process."""
    arguments = sys.argv[1:]
    try:
        make_private(arguments)
        is_sync = not has_option(arguments, _NO_SYNC)
        if is_sync:
            end_with_parent()
            wait_for_turn("tap", "account: another run reads it, waiting for that to end")
            if state := os.environ.get(STATE):
                arguments += ["--state", state]
        if not has_option(arguments, INFORMATION):
            arguments = choose_account(arguments)
        if is_sync:
            arguments = choose_state(arguments)
        become("tap-ynab", arguments)
    except (PipelineError, OSError) as error:
        say(f"ynab-pipeline-tap: {explain(error)}", "error")
        sys.exit(1)
