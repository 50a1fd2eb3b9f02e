"""A PostgreSQL server from a wheel, kept in one folder.

Each module is one idea: `programs` finds and runs PostgreSQL's programs, `account` chooses the user
they run as, `shared_programs` puts them where that user can reach them, `cluster` creates the data
folder, `port` chooses where to listen, `lock` tells whether a server lives, `database` creates the
database, `readers` the roles that can only read it, and `server` puts them together. `cli` is the
command.
"""

from project_postgres.errors import ServerError
from project_postgres.server import Server

__all__ = ["Server", "ServerError"]
