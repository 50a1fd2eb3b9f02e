"""A dlt pipeline over YNAB's API, as a user of dlt writes one from its documentation.

The `rest_api` source, six streams, merged by their keys into PostgreSQL. The source has nothing for
a counter that stands beside the rows, as YNAB's `server_knowledge` does, so each run reads all.
"""

from __future__ import annotations

import argparse
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source

#: Where in the answer the rows of a stream are, and what tells them apart.
STREAMS: dict[str, tuple[str, str | list[str]]] = {
    "accounts": ("data.accounts", "id"),
    "categories": ("data.category_groups[*].categories[*]", "id"),
    "payees": ("data.payees", "id"),
    "transactions": ("data.transactions", "id"),
    "scheduled_transactions": ("data.scheduled_transactions", "id"),
    "months": ("data.months", ["_plans_id", "month"]),
}


def main() -> None:
    """Runs the pipeline once."""
    asked = _arguments()
    pipeline = dlt.pipeline(
        "ynab", destination=dlt.destinations.postgres(asked.database), dataset_name="ynab"
    )
    # The documentation recommends CSV where PostgreSQL is to be fast: it is loaded with COPY.
    pipeline.run(_source(asked), loader_file_format="csv" if asked.csv else None)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("api", help="base address of the API")
    parser.add_argument("token")
    parser.add_argument("database", help="URL of the PostgreSQL database")
    parser.add_argument("--since-date", help="date of the oldest transactions; YNAB's own unless")
    parser.add_argument("--csv", action="store_true", help="load with COPY")
    parser.add_argument("--flat", action="store_true", help="keep nested lists in a JSON column")
    return parser.parse_args()


def _source(asked: argparse.Namespace) -> Any:
    config: Any = {
        "client": {
            "base_url": asked.api + "/",
            "auth": {"type": "bearer", "token": asked.token},
            "paginator": "single_page",
        },
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        "resources": [
            {"name": "plans", "endpoint": {"path": "plans", "data_selector": "data.plans"}},
            *(_resource(name, asked.since_date) for name in STREAMS),
        ],
    }
    return rest_api_source(config, name="ynab", max_table_nesting=0 if asked.flat else None)


def _resource(name: str, since_date: str | None) -> dict[str, Any]:
    selector, key = STREAMS[name]
    dated = {"since_date": since_date} if since_date and name == "transactions" else {}
    return {
        "name": name,
        "primary_key": key,
        "include_from_parent": ["id"],
        "endpoint": {
            "path": "plans/{resources.plans.id}/" + name,
            "params": dated,
            "data_selector": selector,
        },
    }


if __name__ == "__main__":
    main()
