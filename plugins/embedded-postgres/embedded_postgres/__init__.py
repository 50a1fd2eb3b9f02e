"""A PostgreSQL server from a wheel, kept in one folder.

Each module is one idea: `programs` finds PostgreSQL's programs, `account` says as whom they run,
`cluster` makes the data folder, `port` chooses where to listen, `lock` tells whether a server
lives, and `server` puts them together. `cli` and `target` are the two commands; `destination` says
which database the loader works on.
"""

from embedded_postgres.errors import ServerError
from embedded_postgres.server import Server

__all__ = ["Server", "ServerError"]
