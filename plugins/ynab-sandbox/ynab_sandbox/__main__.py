"""The command line as `python -m ynab_sandbox`."""

from ynab_sandbox.cli import main

main()
