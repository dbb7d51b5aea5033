"""What an admin does with batches: takes a table in, says what becomes of its columns, lets it run, holds it, ends it.

What is asked of a batch is written into the ledger; whoever works on it finds that there within a second.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Final

from loa.app.admin_people import Name, Shown, tenant_named
from loa.domain.batch_plan import from_json, names_in
from loa.errors import CallerError, NotFound
from loa.ports.batches import OVER, Batch, BatchState, NewBatch
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger

CHUNK: Final = 500
CHUNK_SIZE: Final = 1_000_000
"""Units: characters."""
NAME_MAX: Final = 80
RATE_MAX: Final = 10_000
LOADING_MAX_MS: Final = 3_600_000
"""Who has loaded a batch for longer has died over it."""


class BatchDesk:
    """Batches of tenants, by tenant and number."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def add(
        self, *, tenant: Name, name: str, who: str, columns: tuple[str, ...], rows: Any, live: bool = True
    ) -> Shown:
        """Take a table in, an iterator of rows, as a draft; nothing is left of one that cannot be read to its end.

        Errors: NotFound, CallerError; what `rows` raises.
        """
        owner = await tenant_named(self._ledger, tenant)
        new = NewBatch(owner.id, name[:NAME_MAX], who, columns, live, self._clock.now())
        batch = await self._ledger.add_batch(new)
        try:
            count = await self._fill(batch, iter(rows))
        except BaseException:
            await self._let_go(batch)
            raise
        await self._ledger.end_loading(batch.id, count)
        return {"batch": batch.id, "rows": count}

    async def _fill(self, batch: Batch, rows: Iterator[tuple[str, ...]]) -> int:
        count = 0
        # Reading a table takes its time: others have their turn meanwhile.
        while chunk := await asyncio.to_thread(_next_rows, rows):
            await self._add_rows(batch, count, chunk)
            count += len(chunk)
        if not count:
            raise CallerError("table_empty", "the file holds no rows beside the names of its columns")
        return count

    async def _add_rows(self, batch: Batch, first: int, rows: list[tuple[str, ...]]) -> None:
        if not await self._ledger.add_batch_rows(batch, first, rows):
            raise _not_now(batch)

    async def _let_go(self, batch: Batch) -> None:
        """Remove a batch that is loading: from now on nothing is added to it."""
        await self._ledger.move_batch(batch.id, (BatchState.LOADING,), BatchState.STOPPED, self._clock.now())
        await self._ledger.remove_batch(batch.id)

    async def check(self, *, tenant: Name, batch: int, plan: Mapping[str, Any]) -> Shown:
        """Say what becomes of the columns, and have every row checked by that. Errors: NotFound, CallerError."""
        found = await self._found(tenant, batch)
        try:
            read = from_json(plan)
        except (KeyError, TypeError):
            raise CallerError("batch_plan", "the plan of a batch says what each of its values comes from") from None
        places = (read.destination, read.request_id, read.text.column, read.sender.column, read.traffic_class.column)
        if any(place is not None and not 0 <= place < len(found.columns) for place in (*places, read.schedule.column)):
            raise CallerError("batch_column", "there is no such column")
        if read.text.column is None:
            unknown = [name for name in names_in(read.text.value) if name not in found.columns]
            if unknown:
                raise CallerError("batch_names", f"there is no column {unknown[0]!r}", name=unknown[0])
        if not await self._ledger.set_batch_plan(found.id, plan):
            raise _not_now(found)
        return {"batch": found.id}

    async def start(self, *, tenant: Name, batch: int, rate: int = 0, start_at: int = 0) -> Shown:
        """Let a checked batch run. `rate`: messages a second, 0 for no limit. Errors: NotFound, CallerError."""
        found = await self._found(tenant, batch)
        if not 0 <= rate <= RATE_MAX:
            raise CallerError("batch_rate", f"0 to {RATE_MAX} messages a second", limit=RATE_MAX)
        if not found.counts.get("good"):
            raise CallerError("batch_nothing_good", "no row of it can be sent")
        now = self._clock.now()
        if not await self._ledger.start_batch(found.id, rate, start_at, now):
            raise _not_now(found)
        return {"batch": found.id}

    async def show(self, *, tenant: Name, batch: int) -> Shown:
        """Tell how a batch stands. Errors: NotFound."""
        found = await self._found(tenant, batch)
        worked_off = {"rows": found.row_count, "checked": found.checked, "position": found.position}
        return {"batch": found.id, "state": found.state.value, **worked_off, "counts": dict(found.counts)}

    async def pause(self, *, tenant: Name, batch: int) -> Shown:
        """Let nothing more of it begin. Errors: NotFound, CallerError."""
        return await self._move(tenant, batch, (BatchState.RUNNING,), BatchState.PAUSED)

    async def resume(self, *, tenant: Name, batch: int) -> Shown:
        """Let it go on. Errors: NotFound, CallerError."""
        return await self._move(tenant, batch, (BatchState.PAUSED,), BatchState.RUNNING)

    async def stop(self, *, tenant: Name, batch: int) -> Shown:
        """End it for good; what was sent stays sent. Errors: NotFound, CallerError."""
        return await self._move(tenant, batch, (BatchState.RUNNING, BatchState.PAUSED), BatchState.STOPPED)

    async def remove(self, *, tenant: Name, batch: int) -> Shown:
        """Delete a batch that was never started, or is over, with its rows. Errors: NotFound, CallerError."""
        found = await self._found(tenant, batch)
        if found.state is BatchState.CHECKING:
            await self._ledger.move_batch(found.id, (BatchState.CHECKING,), BatchState.DRAFT, self._clock.now())
        if found.state is BatchState.LOADING and self._clock.now() - found.created_at > LOADING_MAX_MS:
            await self._let_go(found)
        elif found.state is BatchState.PAUSED or not await self._ledger.remove_batch(found.id):
            raise _not_now(found)
        return {"batch": found.id, "removed": True}

    async def _move(self, tenant: str, batch: int, origin: tuple[BatchState, ...], state: BatchState) -> Shown:
        found = await self._found(tenant, batch)
        if not await self._ledger.move_batch(found.id, origin, state, self._clock.now()):
            raise _not_now(found)
        return {"batch": found.id}

    async def _found(self, tenant: str, batch: int) -> Batch:
        owner = await tenant_named(self._ledger, tenant)
        found = await self._ledger.batch(owner.id, batch)
        if found is None:
            raise NotFound(f"tenant {owner.name} has no batch {batch}")
        return found


def _next_rows(rows: Iterator[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Read the next chunk, a short one where rows are long."""
    chunk: list[tuple[str, ...]] = []
    size = 0
    while len(chunk) < CHUNK and size < CHUNK_SIZE and (row := next(rows, None)) is not None:
        chunk.append(row)
        size += sum(map(len, row))
    return chunk


def _not_now(batch: Batch) -> CallerError:
    over = "it is over" if batch.state in OVER else f"it is {batch.state}"
    return CallerError("batch_state", f"this cannot be done now: {over}", state=batch.state.value)
