"""Assets of an account: tables, views and report, each made by a program of the project."""

# Dagster reads the annotation of `context`, which may not be a string: no `annotations` from the
# future here.

import dagster as dg
from ynab_pipeline import outcome

from orchestrate import child, project

#: The accounts. `schedules` keeps them up to date.
ACCOUNTS = dg.DynamicPartitionsDefinition(name="accounts")
#: Tag of a run, with its account.
PARTITION = "dagster/partition"
#: Tag of a run, with the job or schedule of meltano.yml that it is for.
JOB = "meltano/job"
#: Metadata of a failure of which `ynab-pipeline run` tells people, once.
TOLD = "told by ynab-pipeline run"

_PIPELINE = ".venv/bin/ynab-pipeline"
_MELTANO = ".venv/bin/meltano"
#: Begins the line in which dbt names a view or test that has failed.
_DBT_FAILED = "Failure in "


@dg.asset(group_name="ynab", partitions_def=ACCOUNTS, kinds={"meltano", "postgres"})
def tables(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Tables in the schema `ynab`, by a job of meltano.yml, `sync` unless the run names another."""
    job = context.run.tags.get(JOB, "sync")
    lines = _run(context, _PIPELINE, "run", job)
    return dg.MaterializeResult(metadata=outcome.counts(lines))


@dg.asset(group_name="ynab", partitions_def=ACCOUNTS, deps=[tables], kinds={"dbt", "postgres"})
def views(context: dg.AssetExecutionContext) -> None:
    """Views in the schema `budget`, made by dbt, which then tests the figures."""
    _run(context, _MELTANO, "invoke", "dbt:build")


@dg.asset(group_name="ynab", partitions_def=ACCOUNTS, deps=[tables], kinds={"html"})
def report(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """The report, a file in `output`; it makes the views if they are missing."""
    *_, line = _run(context, _MELTANO, "invoke", "report:build")
    return dg.MaterializeResult(metadata={"file": line.removeprefix("report: ")})


ALL = [tables, views, report]


def _run(context: dg.AssetExecutionContext, program: str, *arguments: str) -> list[str]:
    """Run a program for the account of a run, and return its lines.

    Raises:
        Failure: If there is no such account, or if the program fails.
    """
    account = context.partition_key
    options = project.accounts().get(account)
    if options is None:
        path = project.env_file(account)
        raise dg.Failure(f"There is no account {account}: {path} is missing, or has no token")
    code, lines = child.run([program, *options, *arguments], context.log)
    if code:
        failure = outcome.failure(lines) if program == _PIPELINE else ""
        raise dg.Failure(
            failure or _reason(lines) or f"{program} ended with {code}",
            metadata={"exit code": code, TOLD: bool(failure)},
        )
    return lines


def _reason(lines: list[str]) -> str:
    """Return why a program has failed; what follows in dbt's log may hold figures."""
    return next((line for line in lines if line.startswith(_DBT_FAILED)), "".join(lines[-1:]))
