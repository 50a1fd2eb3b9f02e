"""A sandbox YNAB API: a real HTTP server with invented budgets, edits, deletions and faults."""

from ynab_sandbox.budget import Budget
from ynab_sandbox.daemon import Daemon
from ynab_sandbox.errors import SandboxError
from ynab_sandbox.limits import RateLimit
from ynab_sandbox.sandbox import Request, Sandbox
from ynab_sandbox.server import serve
from ynab_sandbox.store import Options

__all__ = [
    "Budget",
    "Daemon",
    "Options",
    "RateLimit",
    "Request",
    "Sandbox",
    "SandboxError",
    "serve",
]
