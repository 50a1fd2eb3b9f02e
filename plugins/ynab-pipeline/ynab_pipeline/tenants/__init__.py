"""Several accounts in one project, each apart from the others: its tenants.

A tenant is an env file, `env_file`, named by `names`. `start` makes Meltano's process one of that
tenant, with files and settings of its own, and `role` makes what it has in the database,
apart from the rights of everybody, which are in `public`. `command`
is `ynab-pipeline tenants`, `runs` and `overview` are `run` and `status` with `--tenants`.
"""
