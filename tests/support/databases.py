"""Databases for tests that share one load instead of each having its own."""

from __future__ import annotations

import uuid

import psycopg
from project_postgres import Server
from psycopg.conninfo import conninfo_to_dict

from tests.support.pipeline import Database


def new_database(server: Server) -> Database:
    """A database without anything in it."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    return Database(Server(server.folder, name).url)


def copy_of(database: Database, server: Server) -> Database:
    """A database with the same in it, to change."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        template = conninfo_to_dict(database.url)["dbname"]
        connection.execute(f"create database {name} template {template}".encode())
    return Database(Server(server.folder, name).url)
