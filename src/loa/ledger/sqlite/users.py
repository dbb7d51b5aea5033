"""Runs what is done with users on the file; the writing thread does one call after the other."""

from typing import Any

import apsw

from loa.ledger.sqlite.unit import QUERIES, Unit
from loa.ledger.users import Maker


def change(unit: Unit, calls: list[Maker]) -> list[Any]:
    """Do what calls ask; readers of the directory need not read again for it."""
    return [run(unit.connection, call) for call in calls]


def run(connection: apsw.Connection, make: Maker) -> Any:
    """Run a program to its end."""
    program = make()
    try:
        name, values = next(program)
        while True:
            name, values = program.send(connection.execute(QUERIES[name], values).fetchall())
    except StopIteration as end:
        return end.value
