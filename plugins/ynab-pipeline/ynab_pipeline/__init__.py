"""Preparation of a run of tap-ynab and target-postgres under Meltano.

`tap` and `target` are the commands that Meltano runs. Each prepares and then becomes the stock
program: `turns` has runs into the same tables wait for each other, `account` and `database` start
what the environment names, `project` says which environment that is, and `programs` starts the
stock program. `relay` takes rows out of what the loader logs. `fast_loader` is the loader with a
faster start, for those who choose it.

`dbt` and `budget_report` are the commands of Meltano's utilities. They name the database in libpq's
variables, see to the `views`, and become dbt and ynab-report.

`meltano_start`, `console` and `reason` work in Meltano's own process: the first keeps its files
private, the second decides what a run shows, the third hands its first error to `run`.

`run` and `schedule` are for schedulers. The first runs a job of Meltano and, with `changes` and
`notices`, decides who is to be told of what, which `notify` and `ping` send. The second starts the
first by the clock, with `scheduler` and `cron`. `workspace` reads the project's files for both.

The package `timers` has systemd, cron or launchd call `run`.

`tenants` keeps several accounts apart, and runs a job for all of them. `backup` writes tables and
bookmarks into an `archive`, and `restore` takes them from there; `states` are Meltano's bookmarks,
and `libpq` is the way to the database.

`cli` is the command `ynab-pipeline`. Its `verify` and `preview` are in `checking`, which pipes the
tap into `compare`.

Neither ynab-sandbox nor project-postgres is needed unless the environment names one.
"""
