"""Brings a ledger file to the schema this program serves, or refuses it with the reason."""

import re
from importlib import resources

import apsw

from loa.errors import SchemaMismatch

APPLICATION_ID = 0x4C6F6121  # "Loa!"
_NAME = re.compile(r"^(\d{4})_\w+\.sql$")


def migrations() -> list[tuple[int, str]]:
    """Give every migration in order: its number and its statements."""
    found = []
    for entry in resources.files("loa.ledger.sqlite").joinpath("migrations").iterdir():
        match = _NAME.match(entry.name)
        if match:
            found.append((int(match[1]), entry.read_text(encoding="utf-8")))
    return sorted(found)


def newest() -> int:
    """Give the schema number this program serves."""
    return migrations()[-1][0]


def version(connection: apsw.Connection) -> int:
    """Give the schema number of a file. Errors: SchemaMismatch when it is another program's file."""
    number = int(connection.pragma("user_version"))
    application = int(connection.pragma("application_id"))
    empty = number == 0 and not connection.execute("SELECT count(*) FROM sqlite_schema").get
    if not empty and application != APPLICATION_ID:
        raise SchemaMismatch("the file is a SQLite database of another program; choose another folder with --data")
    return number


def migrate(connection: apsw.Connection) -> list[int]:
    """Apply what is missing, each migration in one transaction; give the numbers applied.

    Errors: SchemaMismatch when the file is newer than this program.
    """
    have = version(connection)
    if have > newest():
        message = (
            f"the ledger has schema {have}, this program serves up to {newest()}: "
            "it was written by a newer Loa; run that version, or restore a backup made before the upgrade"
        )
        raise SchemaMismatch(message, have=have, serves=newest())
    applied = []
    for number, statements in migrations():
        if number <= have:
            continue
        with connection:
            connection.execute(statements)
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", number)
        applied.append(number)
    return applied
