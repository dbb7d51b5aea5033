"""The writing tasks: join the calls that wait into one transaction, commit once, then answer them all.

Each kind of call belongs to a desk with its own queue and lines, so that outcomes never wait behind accepts. What
holds: a call is answered with success only after its commit; one that fails for a reason of its own does not take the
others of its transaction with it; nobody waits longer than the time-out, and past a bound nobody waits at all.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from loa.errors import CallerError, LoaError, StorageUnavailable
from loa.ledger.calls import FAULTS
from loa.ledger.postgres.accept import QuickerElsewhere
from loa.ledger.postgres.connection import Line
from loa.ledger.postgres.errors import SERVER_ERRORS, breaks_connection, in_the_call, may_try_again, translate
from loa.ledger.postgres.statements import QUERIES
from loa.ledger.postgres.unit import Handler, Shared, Unit
from loa.observe import metrics
from loa.observe.log import get_logger

TRIES: Final = 5
STALE_SHARE: Final = 0.5
"""A call that waited for this part of its time is not begun any more: its caller could not hear of it."""

_CALL_FAILED = (*SERVER_ERRORS, *FAULTS, QuickerElsewhere)

log = get_logger("loa.ledger")


@dataclass(slots=True, eq=False)
class _Call:
    kind: str
    payload: Any
    future: "asyncio.Future[Any]"
    at: float = field(default_factory=time.monotonic)
    result: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class DeskPlan:
    """Which kinds of calls a desk does, over how many lines, and how much shares a commit at most.

    `weigh`: how many rows a call is worth; a call that is heavier than all that may share a commit goes alone.
    """

    kinds: tuple[str, ...]
    lines: int
    calls_per_commit: int = 1_000
    one_statement: bool = False
    """Each call writes at most one statement, which is a transaction by itself."""
    weigh: Callable[[Any], int] = lambda _payload: 1
    weight_per_commit: int = 1_000


class Desk:
    """One queue of calls and the tasks that work it off."""

    def __init__(
        self, plan: DeskPlan, lines: list[Line], handlers: Mapping[str, Handler], shared: Shared, waiting_max: int
    ) -> None:
        self._plan = plan
        self._lines = lines
        self._handlers = handlers
        self._shared = shared
        self._waiting_max = waiting_max
        self._timeout_s = lines[0].timeout_s
        self._queue: deque[_Call] = deque()
        self._ready = asyncio.Semaphore(0)
        self._closing = False
        self._tasks = [asyncio.create_task(self._run(line), name=line.name) for line in lines]

    async def call(self, kind: str, payload: Any) -> Any:
        """Have the work of one call done and committed. Errors: StorageError."""
        if self._closing:
            raise StorageUnavailable("the ledger is closed")
        if len(self._queue) >= self._waiting_max:
            raise StorageUnavailable("too many calls wait for the ledger")
        call = _Call(kind, payload, asyncio.get_running_loop().create_future())
        self._queue.append(call)
        self._ready.release()
        taken = False
        try:
            async with asyncio.timeout(self._timeout_s):
                result = await call.future
                taken = True
                return result
        except TimeoutError:
            raise StorageUnavailable("PostgreSQL did not answer in time") from None
        finally:
            if not taken:
                self._give_up(call)

    async def close(self) -> None:
        """Finish the calls that wait, then end."""
        self._closing = True
        for _ in self._tasks:
            self._ready.release()
        await asyncio.gather(*self._tasks)
        await asyncio.gather(*(line.close() for line in self._lines))

    async def _run(self, line: Line) -> None:
        while True:
            await self._ready.acquire()
            calls = self._take()
            if calls:
                await self._commit(line, calls)
                for call in calls:
                    self._answer(call)
            elif self._closing and not self._queue:
                return

    def _take(self) -> list[_Call]:
        calls: list[_Call] = []
        oldest = time.monotonic() - STALE_SHARE * self._timeout_s
        room = self._plan.weight_per_commit
        while self._queue and len(calls) < self._plan.calls_per_commit:
            weight = self._plan.weigh(self._queue[0].payload)
            if calls and weight > room:
                break
            room -= weight
            call = self._queue.popleft()
            if call.future.done():
                continue
            if call.at < oldest:
                call.future.set_exception(StorageUnavailable("PostgreSQL is too slow for what is asked of it"))
                continue
            calls.append(call)
        return calls

    def _give_up(self, call: _Call) -> None:
        """See to an answer that came just as its caller went: nothing of what was claimed is handed over."""
        answered = call.future.done() and not call.future.cancelled() and call.future.exception() is None
        if answered and call.kind == "claim":
            self._shared.abandon(call.result)

    def _answer(self, call: _Call) -> None:
        if call.future.done():
            if call.kind == "claim" and call.error is None:
                # Nobody took what was claimed, so nothing of it is handed over.
                self._shared.abandon(call.result)
        elif call.error is not None:
            call.future.set_exception(call.error)
        else:
            call.future.set_result(call.result)

    async def _commit(self, line: Line, calls: list[_Call]) -> None:
        error = await self._try(line, calls)
        if error is None:
            return
        if len(calls) > 1 and in_the_call(error):
            # One of the calls is at fault: each alone finds out which, and spares the others.
            for call in calls:
                self._fail([call], await self._try(line, [call]))
        else:
            self._fail(calls, error)

    def _fail(self, calls: Sequence[_Call], error: BaseException | None) -> None:
        if error is None:
            return
        for call in calls:
            call.error = error if isinstance(error, LoaError) else translate(error)
        if not isinstance(error, CallerError):
            kinds = ", ".join(sorted({call.kind for call in calls}))
            log.warning("ledger_call_failed", kind=kinds, error=type(error).__name__, count=len(calls))

    async def _try(self, line: Line, calls: list[_Call]) -> BaseException | None:
        """Do all calls in one transaction, again where another one was in the way; give what it failed with."""
        for left in range(TRIES - 1, -1, -1):
            error = await self._once(line, calls)
            if error is None or not left:
                return error
            if isinstance(error, asyncpg.UndefinedTableError):
                # Another process dropped a day that was known here.
                self._shared.days.forget()
            elif not (isinstance(error, QuickerElsewhere) or may_try_again(error)):
                return error
        return None

    async def _once(self, line: Line, calls: list[_Call]) -> BaseException | None:
        kinds: dict[str, list[_Call]] = {}
        for call in calls:
            kinds.setdefault(call.kind, []).append(call)
        started = time.perf_counter()
        committing: list[int] = []
        try:
            async with line.use() as connection:
                unit = Unit(connection, self._shared)
                await self._transact(unit, kinds, committing)
                metrics.ledger_commit_seconds.observe(time.perf_counter() - started)
                await _follow(unit, line)
        except _CALL_FAILED as error:
            if committing and await self._was_committed(line, committing[0], error):
                return None
            return error
        self._shared.node.up = True
        if unit.wakes:
            self._shared.told()
        return None

    async def _handle(self, unit: Unit, kinds: Mapping[str, list[_Call]]) -> None:
        for kind, group in kinds.items():
            results = await self._handlers[kind](unit, [call.payload for call in group])
            for call, result in zip(group, results, strict=True):
                call.result = result

    async def _transact(self, unit: Unit, kinds: Mapping[str, list[_Call]], committing: list[int]) -> None:
        if self._plan.one_statement:
            await self._handle(unit, kinds)
            return
        transaction = unit.connection.transaction()
        await transaction.start()
        try:
            await self._handle(unit, kinds)
            await unit.finish()
            if unit.xid:
                committing.append(unit.xid)
        except BaseException as error:
            if not unit.connection.is_closed() and not breaks_connection(error) and not _is_cancelled(error):
                await transaction.rollback()
            raise
        syncing = time.perf_counter()
        await transaction.commit()
        committing.clear()
        metrics.fsync_seconds.observe(time.perf_counter() - syncing)

    async def _was_committed(self, line: Line, xid: int, error: BaseException) -> bool:
        """Find out what became of a commit whose answer was lost.

        The server's own word alone would not do where a standby must have it too, so a commit of ours follows first:
        once that one is through, everything before it is.
        """
        if not breaks_connection(error):
            return False
        try:
            async with line.use() as connection:
                await connection.execute(QUERIES["ping"])
                fate = await connection.fetchval(QUERIES["fate"], str(xid))
        except SERVER_ERRORS:
            return False
        return bool(fate == "committed")


async def _follow(unit: Unit, line: Line) -> None:
    """Do what follows a commit; where the server is in the way, upkeep finds what was left."""
    for follow in unit.after:
        try:
            await follow()
        except SERVER_ERRORS as error:
            log.info("ledger_follow_up_failed", error=type(error).__name__)
            if breaks_connection(error):
                line.drop()


def _is_cancelled(error: BaseException) -> bool:
    return isinstance(error, asyncio.CancelledError)
