"""Runs what is done with users on the server, one process at a time."""

from typing import Any, Final

from loa.ledger.postgres.statements import QUERIES
from loa.ledger.postgres.unit import Unit
from loa.ledger.users import Maker

_LOCK: Final = "SELECT pg_advisory_xact_lock(7603297, 5)"


async def change(unit: Unit, calls: list[Maker]) -> list[Any]:
    """Do what calls ask; readers of the directory need not read again for it."""
    await unit.connection.execute(_LOCK)
    return [await run(unit.connection, call) for call in calls]


async def run(connection: Any, make: Maker) -> Any:
    """Run a program to its end."""
    program = make()
    try:
        name, values = next(program)
        while True:
            name, values = program.send(await connection.fetch(QUERIES[name], *values))
    except StopIteration as end:
        return end.value
