"""Names of tenants, and what is named after them in the database."""

from __future__ import annotations

import re

from ynab_pipeline.errors import PipelineError

#: Fits into a path, an identifier of SQL that needs no quotes, and a state id.
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TABLES, _VIEWS = "ynab_", "budget_"
#: PostgreSQL cuts off what is longer.
_IDENTIFIER = 63
_LONGEST = _IDENTIFIER - max(len(_TABLES), len(_VIEWS))
_RESERVED = {"budget", "public", "ynab"}


def check_name(name: str) -> None:
    """See that a name can be a tenant's.

    Raises:
        PipelineError: If it can't.
    """
    if not _NAME.fullmatch(name):
        raise PipelineError(
            f"{name!a} cannot be the name of a tenant: it takes a to z, 0 to 9 and _, and "
            "begins with a letter"
        )
    if len(name) > _LONGEST:
        raise PipelineError(
            f"the name of a tenant has at most {_LONGEST} characters, and {name} has {len(name)}"
        )
    if name in _RESERVED or name.startswith("pg_"):
        raise PipelineError(f"{name} is reserved: choose another name for the tenant")


def tables_of(name: str) -> str:
    """Return the schema of a tenant's tables, which is the name of its role, too."""
    return f"{_TABLES}{name}"


def views_of(name: str) -> str:
    """Return the schema of a tenant's views."""
    return f"{_VIEWS}{name}"
