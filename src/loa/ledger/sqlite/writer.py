"""The writing thread: joins the calls that wait into one transaction, commits once, then answers them all.

What the thread guarantees: a call is answered only after its commit is synced; a call that fails leaves nothing; one
that fails for a reason of its own does not take the others of its transaction with it; after an error that leaves the
file in doubt nothing more is written and `failed` is set, so that the process stops and starts again.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import apsw

from loa.errors import CallerError, StorageFull, StorageUnavailable
from loa.ledger.calls import FAULTS
from loa.ledger.sqlite.errors import FATAL, translate
from loa.ledger.sqlite.reserve import Reserve
from loa.ledger.sqlite.unit import Handler, Unit
from loa.observe import metrics
from loa.observe.log import get_logger

CALLS_PER_COMMIT = 2_000
ACCEPT = "accept"
GATHER_S = 0.02
GATHER_CALLS = 500
CALL_FAILED = (apsw.Error, *FAULTS)

log = get_logger("loa.ledger")


@dataclass(slots=True, eq=False)
class _Call:
    kind: str
    payload: Any
    future: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Owns the writing connection and its thread."""

    def __init__(self, unit: Unit, handlers: Mapping[str, Handler], reserve: Reserve, pages: int) -> None:
        self._unit = unit
        self._handlers = handlers
        self._reserve = reserve
        self._queue: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._wal_pages = 0
        self._checkpoint_pages = pages
        self._checkpoint_at = pages
        self._closed = False
        self._in_hand: list[_Call] = []
        self.failure: StorageUnavailable | None = None
        self.failed = asyncio.Event()
        unit.connection.set_wal_hook(self._note_wal)
        self._thread = threading.Thread(target=self._run, name="loa-ledger-writer", daemon=True)
        self._thread.start()

    async def call(self, kind: str, payload: Any) -> Any:
        """Have the work of one call done and committed. Errors: StorageError; then nothing of it was written."""
        if self.failure is not None or self._closed:
            raise self.failure or StorageUnavailable("the ledger is closed")
        call = _Call(kind, payload, self._loop.create_future())
        self._queue.put(call)
        return await call.future

    async def close(self) -> None:
        """Finish the calls that wait, write the WAL back and end the thread."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _note_wal(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _run(self) -> None:
        try:
            self._work()
            self._checkpoint(apsw.SQLITE_CHECKPOINT_TRUNCATE, 0)
        except MemoryError as error:
            # Outside a transaction, where no single call can be blamed: nobody would be answered any more.
            self._fail(error, self._in_hand)
            self._loop.call_soon_threadsafe(_answer, self._in_hand)
        self._leave()

    def _work(self) -> None:
        ending = False
        rest: list[_Call] = []
        due = 0.0
        while not ending or rest:
            calls, asked = self._take(max(0.0, due - time.monotonic()) if rest else None)
            ending = ending or asked
            accepts = [call for call in calls if call.kind == ACCEPT]
            if len(accepts) < len(calls):
                due = due if rest else time.monotonic() + GATHER_S
                rest += [call for call in calls if call.kind != ACCEPT]
            # A caller waits for its accept, so accepts go first and alone; while they keep coming, the rest, which
            # waits for nobody, gathers for a moment into a larger commit.
            self._commit_and_answer(accepts)
            if not accepts or len(rest) >= GATHER_CALLS or time.monotonic() >= due:
                self._commit_and_answer(rest)
                rest = []

    def _leave(self) -> None:
        connection = self._unit.connection
        try:
            if self.failure is not None:
                # Nothing more is written: the log stays as it is, and the next start reads it back.
                connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            connection.close()
        except apsw.Error as error:
            log.exception("ledger_close_failed", error=error)

    def _take(self, patience_s: float | None) -> tuple[list[_Call], bool]:
        """Take what waits, or wait for it; nothing when the patience is over. Tells whether the end was asked for."""
        calls: list[_Call] = []
        try:
            call = self._queue.get(timeout=patience_s)
            while call is not None:
                calls.append(call)
                if len(calls) >= CALLS_PER_COMMIT:
                    return calls, False
                call = self._queue.get_nowait()
        except queue.Empty:
            return calls, False
        return calls, True

    def _commit_and_answer(self, calls: list[_Call]) -> None:
        if calls:
            self._in_hand = calls
            self._commit(calls)
            self._loop.call_soon_threadsafe(_answer, calls)
            self._checkpoint(apsw.SQLITE_CHECKPOINT_PASSIVE, self._checkpoint_at)

    def _commit(self, calls: list[_Call]) -> None:
        if self.failure is not None:
            for call in calls:
                call.error = self.failure
            return
        error = self._try(calls)
        if error is None:
            return
        if isinstance(error, FATAL):
            self._fail(error, calls)
        elif isinstance(error, apsw.FullError):
            self._commit_without_room(calls)
        else:
            # One of the calls is at fault: each alone finds out which, and spares the others.
            for call in calls:
                self._commit_alone(call)

    def _try(self, calls: list[_Call]) -> Exception | None:
        """Do all calls in one transaction; on any error roll everything back and give it."""
        connection = self._unit.connection
        kinds: dict[str, list[_Call]] = {}
        for call in calls:
            kinds.setdefault(call.kind, []).append(call)
        started = time.perf_counter()
        try:
            connection.execute("BEGIN IMMEDIATE")
            for kind, group in kinds.items():
                results = self._handlers[kind](self._unit, [call.payload for call in group])
                for call, result in zip(group, results, strict=True):
                    call.result = result
            syncing = time.perf_counter()
            connection.execute("COMMIT")
        except CALL_FAILED as error:
            self._unit.forget()
            self._roll_back()
            return error
        self._unit.commit_depths()
        done = time.perf_counter()
        metrics.ledger_commit_seconds.observe(done - started)
        metrics.fsync_seconds.observe(done - syncing)
        return None

    def _roll_back(self) -> None:
        if not self._unit.connection.in_transaction:
            return
        try:
            self._unit.connection.execute("ROLLBACK")
        except apsw.Error as error:
            log.exception("ledger_rollback_failed", error=type(error).__name__)

    def _commit_alone(self, call: _Call) -> None:
        if self.failure is not None:
            call.error = self.failure
            return
        error = self._try([call])
        if isinstance(error, FATAL):
            self._fail(error, [call])
        elif error is not None:
            call.error = translate(error) if isinstance(error, apsw.Error) else error
            if isinstance(error, MemoryError):
                call.error = StorageUnavailable(
                    "no memory is left for the ledger: raise the limit, or send less at once"
                )
            if not isinstance(error, CallerError):
                log.error("ledger_call_failed", kind=call.kind, error=type(error).__name__)

    def _commit_without_room(self, calls: list[_Call]) -> None:
        """Refuse what is new, and write what is owed with the room kept for it."""
        self._reserve.release()
        log.error("ledger_disk_full", hint="free space on the ledger's disk; new submissions are refused until then")
        for call in calls:
            if call.kind == ACCEPT:
                call.error = StorageFull("the ledger's disk is full")
            else:
                self._commit_alone(call)

    def _fail(self, error: BaseException, calls: list[_Call]) -> None:
        self.failure = StorageUnavailable(
            f"the ledger failed and must be started again: {type(error).__name__}: {error}"
        )
        log.error("ledger_failed", error=error, hint="see docs/how-to/recover-the-ledger.md")
        for call in calls:
            call.error = self.failure
        self._loop.call_soon_threadsafe(self.failed.set)

    def _checkpoint(self, mode: int, threshold: int) -> None:
        """Write the WAL back; where a reader holds it up, wait for as many pages again before the next try."""
        if self._wal_pages < threshold or self.failure is not None:
            return
        try:
            frames, written = self._unit.connection.wal_checkpoint(mode=mode)
            self._checkpoint_at = self._checkpoint_pages + (0 if frames == written else self._wal_pages)
            self._wal_pages = 0
        except apsw.FullError:
            self._reserve.release()
        except apsw.BusyError:
            log.info("ledger_checkpoint_waits")
        except apsw.Error as error:
            self._fail(error, [])


def _answer(calls: list[_Call]) -> None:
    for call in calls:
        if call.future.done():
            continue
        if call.error is not None:
            call.future.set_exception(call.error)
        else:
            call.future.set_result(call.result)
