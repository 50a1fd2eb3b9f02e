"""Meltano's states of one tenant: the bookmarks that belong to the tables of its schema.

In Meltano's own environment. The states are named without environment and suffix here, as in
`tap-ynab-to-target-postgres`, so that those of one environment fit into another.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

# Types are checked where Meltano is not installed: it has an environment of its own.
from meltano.core.db import project_engine  # type: ignore[import-not-found]
from meltano.core.state_service import StateService  # type: ignore[import-not-found]

from ynab_pipeline import meltano

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    #: By the name of extractor and loader, as Meltano has them.
    States = dict[str, dict[str, Any]]

_LOADER = "-to-target-postgres"


class StateStore:
    """The states of an environment and a suffix."""

    def __init__(self, environment: str, suffix: str) -> None:
        """Find the project, from the current folder upwards."""
        self._environment = environment
        self._suffix = suffix
        self._project = meltano.project(environment)

    def read(self) -> States:
        """Return those that are not empty."""
        with self._service() as service:
            return {
                name: state for name in self._names(service) if (state := self._get(service, name))
            }

    def take(self) -> States:
        """Return them, and leave none: the next run loads everything."""
        with self._service() as service:
            names = self._names(service)
            found = {name: state for name in names if (state := self._get(service, name))}
            for name in names:
                service.clear_state(self._id(name))
            return found

    def put(self, states: Mapping[str, Any]) -> None:
        """Set them."""
        with self._service() as service:
            for name, state in states.items():
                service.set_state(self._id(name), json.dumps(state))

    @contextmanager
    def _service(self) -> Iterator[StateService]:
        _, new_session = project_engine(self._project)
        with new_session() as session, StateService(self._project, session) as service:
            yield service

    def _get(self, service: StateService, name: str) -> dict[str, Any]:
        return dict(service.get_state(self._id(name)))

    def _names(self, service: StateService) -> list[str]:
        found = []
        for state_id in service.state_store_manager.get_state_ids(f"{self._environment}:*"):
            name, _, suffix = state_id.partition(":")[2].partition(":")
            if suffix == self._suffix and name.endswith(_LOADER):
                found.append(name)
        return found

    def _id(self, name: str) -> str:
        return ":".join(filter(None, (self._environment, name, self._suffix)))
