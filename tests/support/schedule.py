"""Two pieces of work on a database, statement by statement in an order that the test says.

A line's connection is wrapped: before each statement, and before each begin and commit, the work waits for its turn. A
turn that waits for a lock of the other one gives the turn back, so that every order can be asked for.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

from loa.ledger.postgres.connection import Line

BLOCKED_S = 0.05
"""After so long a statement is taken to wait for a lock; wrongly so on a slow day, which only makes another order."""


class Turns:
    """Whose turn it is, for one piece of work."""

    def __init__(self) -> None:
        self._wanted = asyncio.Semaphore(0)
        self._free = False
        self._arrived = asyncio.Event()
        self.steps = 0

    async def wait(self) -> None:
        """Wait before a statement."""
        self._arrived.set()
        if not self._free:
            await self._wanted.acquire()
        self._arrived.clear()
        self.steps += 1

    async def step(self, work: "asyncio.Task[Any]") -> bool:
        """Let one statement go, where one waits; come back when it is done, or waits for a lock. False: it has ended."""
        if await self._comes(work):
            self._arrived.clear()
            self._wanted.release()
            await self._comes(work)
        return not work.done()

    async def _comes(self, work: "asyncio.Task[Any]") -> bool:
        arrived = asyncio.ensure_future(self._arrived.wait())
        await asyncio.wait([arrived, work], timeout=BLOCKED_S, return_when=asyncio.FIRST_COMPLETED)
        arrived.cancel()
        return self._arrived.is_set() and not work.done()

    def release(self) -> None:
        """Let everything go from here on."""
        self._free = True
        self._wanted.release()


class _Transaction:
    def __init__(self, transaction: Any, turns: Turns) -> None:
        self._transaction = transaction
        self._turns = turns

    async def start(self) -> None:
        await self._turns.wait()
        await self._transaction.start()

    async def commit(self) -> None:
        await self._turns.wait()
        await self._transaction.commit()

    async def rollback(self) -> None:
        await self._transaction.rollback()

    async def __aenter__(self) -> None:
        await self.start()

    async def __aexit__(self, kind: Any, _error: Any, _trace: Any) -> None:
        await (self.commit() if kind is None else self.rollback())


class Stepped:
    """A connection whose statements wait for their turn."""

    def __init__(self, connection: Any, turns: Turns) -> None:
        self._connection = connection
        self._turns = turns

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def fetch(self, *args: Any) -> Any:
        await self._turns.wait()
        return await self._connection.fetch(*args)

    async def fetchval(self, *args: Any) -> Any:
        await self._turns.wait()
        return await self._connection.fetchval(*args)

    async def execute(self, *args: Any) -> Any:
        await self._turns.wait()
        return await self._connection.execute(*args)

    def transaction(self) -> _Transaction:
        return _Transaction(self._connection.transaction(), self._turns)


async def _follow(order: Iterable[int], turns: tuple[Turns, Turns], works: "list[asyncio.Task[Any]]") -> None:
    stuck: int | None = None
    for which in order:
        # One that waits for the other's lock is not asked again before the other has moved.
        if which != stuck:
            before = turns[which].steps
            goes_on = await turns[which].step(works[which])
            stuck = which if goes_on and turns[which].steps == before else None


async def take_turns(
    first: tuple[Line, Awaitable[Any]], second: tuple[Line, Awaitable[Any]], order: Iterable[int]
) -> tuple[int, int]:
    """Do two works, each over a line of its own, in an order of 0 and 1; then let both go on to their ends.

    Gives how many statements each had.
    """
    turns = (Turns(), Turns())
    connections = []
    for (line, _), each in zip((first, second), turns, strict=True):
        connections.append(await line.connect())
        line._connection = Stepped(connections[-1], each)
    works = [asyncio.ensure_future(first[1]), asyncio.ensure_future(second[1])]
    try:
        await _follow(order, turns, works)
    finally:
        for each in turns:
            each.release()
        await asyncio.gather(*works)
        for (line, _), connection in zip((first, second), connections, strict=True):
            line._connection = connection
    return turns[0].steps, turns[1].steps
