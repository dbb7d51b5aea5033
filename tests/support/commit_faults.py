"""Something that happens at the very moment when a line sends its COMMIT."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from loa.ledger.postgres.connection import Line

Fault = Callable[[], Awaitable[object]]


class _Transaction:
    def __init__(self, transaction: Any, before: Fault) -> None:
        self._transaction = transaction
        self._before = before

    async def start(self) -> None:
        await self._transaction.start()

    async def commit(self) -> None:
        await self._before()
        await self._transaction.commit()

    async def rollback(self) -> None:
        await self._transaction.rollback()


class _Connection:
    def __init__(self, connection: Any, before: Fault) -> None:
        self._connection = connection
        self._before = before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def transaction(self) -> _Transaction:
        return _Transaction(self._connection.transaction(), self._before)


async def at_next_commit(lines: Sequence[Line], fault: Fault) -> None:
    """Have something done just before the next COMMIT of any of the lines leaves; those after that are as ever."""
    connections = [await line.connect() for line in lines]

    async def once() -> None:
        for line, connection in zip(lines, connections, strict=True):
            line._connection = connection
        await fault()

    for line, connection in zip(lines, connections, strict=True):
        line._connection = _Connection(connection, once)
