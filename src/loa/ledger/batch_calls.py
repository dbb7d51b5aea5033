"""What a caller asks of a ledger about batches, the same for both engines."""

from collections.abc import Mapping, Sequence
from typing import Any

from loa.ledger import batches
from loa.ledger.user_calls import UserCalls
from loa.ledger.users import Maker, done
from loa.ports.batches import Batch, BatchNote, BatchPart, BatchRows, BatchState, NewBatch


class BatchCalls(UserCalls):
    """The role Batches, but for what an engine reads of messages. Programs are run as those of users are."""

    async def _work(self, make: Maker) -> Any:
        return await self._call("batches", make)

    async def add_batch(self, new: NewBatch) -> Batch:
        """See ports.batches.Batches."""
        return batches.read_batch(await self._work(lambda: batches.add(new)))

    async def add_batch_rows(self, batch: Batch, first: int, rows: Sequence[tuple[str, ...]]) -> bool:
        """See ports.batches.Batches."""
        return await self._work(lambda: batches.add_rows(batch.tenant_id, batch.id, first, rows))  # type: ignore[no-any-return]

    async def end_loading(self, batch_id: int, row_count: int) -> None:
        """See ports.batches.Batches."""
        await self._work(lambda: done("end_loading", batch_id, row_count))

    async def batches(self, tenant_id: int, before: int | None, limit: int) -> list[Batch]:
        """See ports.batches.BatchReading."""
        rows = await self._look_up(lambda: batches.listed(tenant_id, before, limit), tenant_id)
        return [batches.read_batch(row) for row in rows]

    async def batch(self, tenant_id: int, batch_id: int) -> Batch | None:
        """See ports.batches.BatchReading."""
        rows = await self._look_up(lambda: _rows("read_batch", tenant_id, batch_id), tenant_id)
        return batches.read_batch(rows[0]) if rows else None

    async def batch_rows(self, batch: Batch, row: int) -> BatchRows | None:
        """See ports.batches.BatchReading."""
        rows = await self._look_up(lambda: _rows("read_chunk", batch.tenant_id, batch.id, row), batch.tenant_id)
        found = batches.read_rows(rows[0]) if rows else None
        return found if found is not None and row < found.first + len(found.rows) else None

    async def batch_parts(self, batch: Batch, after: int, limit: int) -> list[BatchPart]:
        """See ports.batches.BatchReading."""
        rows = await self._look_up(
            lambda: _rows("read_parts", batch.tenant_id, batch.id, after, limit), batch.tenant_id
        )
        return [batches.read_part(row) for row in rows]

    async def set_batch_plan(self, batch_id: int, plan: Mapping[str, Any]) -> bool:
        """See ports.batches.Batches."""
        return await self._work(lambda: batches.set_plan(batch_id, plan))  # type: ignore[no-any-return]

    async def move_batch(self, batch_id: int, origin: Sequence[BatchState], state: BatchState, now: int) -> bool:
        """See ports.batches.Batches."""
        return await self._work(lambda: batches.move(batch_id, origin, state, now))  # type: ignore[no-any-return]

    async def start_batch(self, batch_id: int, rate: int, start_at: int, now: int) -> bool:
        """See ports.batches.Batches."""
        return await self._work(lambda: done("start_batch", batch_id, rate, start_at, now))  # type: ignore[no-any-return]

    async def remove_batch(self, batch_id: int) -> bool:
        """See ports.batches.Batches."""
        return await self._work(lambda: batches.remove(batch_id))  # type: ignore[no-any-return]

    async def open_batches(self, now: int) -> list[Batch]:
        """See ports.batches.Batches."""
        rows = await self._look_up(lambda: _rows("open_batches", now))
        return [batches.read_batch(row) for row in rows]

    async def claim_batch(self, batch_id: int, owner: str, now: int, until: int) -> Batch | None:
        """See ports.batches.Batches."""
        row = await self._work(lambda: batches.claim(batch_id, owner, now, until))
        return None if row is None else batches.read_batch(row)

    async def restart_check(self, batch_id: int, owner: str) -> None:
        """See ports.batches.Batches."""
        await self._work(lambda: batches.restart_check(batch_id, owner))

    async def note_checked(self, batch_id: int, owner: str, note: BatchNote) -> bool:
        """See ports.batches.Batches."""
        return await self._work(lambda: batches.note_checked(batch_id, owner, note))  # type: ignore[no-any-return]

    async def begin_slice(self, batch_id: int, owner: str, end: int, now: int, until: int) -> Batch | None:
        """See ports.batches.Batches."""
        row = await self._work(lambda: batches.begin_slice(batch_id, owner, end, now, until))
        return None if row is None else batches.read_batch(row)

    async def record_slice(self, batch_id: int, part: BatchPart) -> bool:
        """See ports.batches.Batches."""
        return await self._work(lambda: batches.record_slice(batch_id, part))  # type: ignore[no-any-return]


def _rows(name: str, *values: Any) -> Any:
    return (yield name, values)
