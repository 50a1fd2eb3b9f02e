"""A sandbox YNAB API: a real HTTP server with invented budgets, edits, deletions and faults."""

from ynab_sandbox.budget import Budget
from ynab_sandbox.limits import RateLimit
from ynab_sandbox.sandbox import Request, Sandbox
from ynab_sandbox.server import serve

__all__ = ["Budget", "RateLimit", "Request", "Sandbox", "serve"]
