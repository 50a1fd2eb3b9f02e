"""Streams of money moved, which YNAB only tells whole, and which are only written where it moved.

Between `sync`, which knows budgets, and `streams`.
"""

from __future__ import annotations

import typing as t
from functools import cached_property
from hashlib import blake2b

from tap_ynab.errors import AccountError, NotFoundError, TransientError, YNABError
from tap_ynab.incremental import DeltaStream
from tap_ynab.response import Response
from tap_ynab.sync import BudgetStream

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_ynab.delta import Answer


class MoneyStream(BudgetStream):
    """A stream of money moved, as far as YNAB keeps it, which is told only whole.

    It is written where YNAB's answers, of which the counter is a part, are not the last run's.
    """

    is_quiet = False
    digest: str | None = None

    @cached_property
    def outcomes(self) -> dict[str, Response | YNABError | TransientError]:
        """What comes of asking for each budget, which is done at once."""
        outcomes: dict[str, Response | YNABError | TransientError] = {}
        for partition in self.partitions:
            try:
                outcomes[partition["budget_id"]] = answer = self.request(partition)
                self.ynab.open.callback(answer.close)
            except (YNABError, TransientError) as error:  # noqa: PERF203 a request takes longer
                outcomes[partition["budget_id"]] = error
                if isinstance(error, AccountError):
                    break
        return outcomes

    def read(self, context: Context) -> Iterable[Record]:
        """Rows of one budget, or none."""
        if "outcomes" not in vars(self):
            self.digest = self._digest()
            # Not where all else is written in full as well, as by `reconcile`.
            is_delta = any(stream.is_quiet for stream in self.ynab.selected(DeltaStream))
            is_last = self.digest is not None and self.digest == self.stream_state.get("digest")
            if self.ynab.progress.is_restricted or not (is_last and is_delta):
                self.stream_state.pop("digest", None)
            else:
                self.is_quiet = True
        if self.is_quiet:
            # An ACTIVATE_VERSION would mark the rows that are not sent.
            self._stream_version = None
            return ()
        return super().read(context)

    def _digest(self) -> str | None:
        """What distinguishes these answers, and what is made of them, from any others."""
        columns = sorted(
            name for name in self.schema["properties"] if self.mask["properties", name]
        )
        digest = blake2b(repr((self.is_whole, self.config.get("stream_maps"), columns)).encode())
        for budget_id, outcome in self.outcomes.items():
            digest.update(budget_id.encode())
            if isinstance(outcome, Response):
                for block in outcome.blocks(0, outcome.size):
                    digest.update(block)
            elif not isinstance(outcome, NotFoundError):
                return None
        return digest.hexdigest()

    def answers(self, context: Context) -> Sequence[Answer]:
        """What YNAB has said, or what it says now where that is read or has failed."""
        outcome = self.outcomes.pop(context["budget_id"], None) or self.request(context)
        if isinstance(outcome, Exception):
            raise outcome
        return [outcome]

    def finalize_state_progress_markers(self, state: dict[str, t.Any] | None = None) -> None:
        """What the SDK calls when all has been read."""
        is_all = not (self.failed or self.lacks_rows or self.ynab.progress.is_restricted)
        if self.digest and is_all:
            self.stream_state["digest"] = self.digest
        super().finalize_state_progress_markers(state)
