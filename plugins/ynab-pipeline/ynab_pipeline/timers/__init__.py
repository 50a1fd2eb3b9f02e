"""Timers of the machine that run the schedules of meltano.yml: `ynab-pipeline timers`.

`command` plans and asks. `times` translates an interval of cron, and `entries` is the list of what
to run. One module for each scheduler writes it down: `systemd`, `crontab` and `launchd`.
"""
