"""Batches over a real intake: a tenant, a stage, and what came of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from loa.app.admin_batches import BatchDesk
from loa.app.console_keys import ConsoleKeys
from loa.domain.batch_plan import BatchPlan, Source, as_json
from loa.ports.batches import Batch, BatchState
from loa.ports.probe import Probe
from loa.ports.records import MessageFilter
from loa.stages.batches import BatchStage
from tests.support.fakes import QuietProbe
from tests.support.intake_desk import Desk

COLUMNS = ("phone", "name")
DAY = 86_400_000


def plan(**given: Any) -> BatchPlan:
    values: dict[str, Any] = {
        "destination": 0,
        "text": Source(value="Chao {name}"),
        "sender": Source(value="LOA"),
        "traffic_class": Source(value="transactional"),
        "use_unicode": 0,
        **given,
    }
    return BatchPlan(**values)


ONE_TEXT = plan(text=Source(value="Chao ban"))


def rows(count: int, first: int = 0) -> list[tuple[str, ...]]:
    return [(f"09{n + 10_000_000:08}", f"Lan {n}") for n in range(first, first + count)]


@dataclass
class BatchRoom:
    """Everything a test of batches works with."""

    desk: Desk
    stage: BatchStage = field(init=False)
    admin: BatchDesk = field(init=False)

    def __post_init__(self) -> None:
        self.stage = self.another()
        self.admin = BatchDesk(self.desk.ledger, self.desk.clock)

    def another(self, *, probe: Probe | None = None) -> BatchStage:
        """Make a stage as another process has it."""
        desk = self.desk
        keys = ConsoleKeys(desk.registry, desk.ledger, desk.clock)
        return BatchStage(
            desk.ledger,
            desk.intake,
            desk.planner,
            keys.of_batches,
            clock=desk.clock,
            probe=probe or QuietProbe(),
            remembered_ms=DAY // 2,
        )

    async def loaded(self, table: Sequence[tuple[str, ...]], columns: tuple[str, ...] = COLUMNS) -> Batch:
        tenant = self.desk.tenant.name
        made = await self.admin.add(tenant=tenant, name="Tết", who="lan", columns=columns, rows=iter(table))
        return await self.again(made["batch"])

    async def checked(
        self, table: Sequence[tuple[str, ...]], wanted: BatchPlan | None = None, columns: tuple[str, ...] = COLUMNS
    ) -> Batch:
        batch = await self.loaded(table, columns)
        await self.admin.check(tenant=self.desk.tenant.name, batch=batch.id, plan=as_json(wanted or plan()))
        while (batch := await self.again(batch.id)).state is BatchState.CHECKING:
            await self.stage.tick()
        return batch

    async def running(self, table: Sequence[tuple[str, ...]], wanted: BatchPlan | None = None, **given: Any) -> Batch:
        batch = await self.checked(table, wanted)
        await self.admin.start(tenant=self.desk.tenant.name, batch=batch.id, **given)
        return await self.again(batch.id)

    async def finished(self, batch: Batch, stage: BatchStage | None = None) -> Batch:
        """Work until nothing is left to be done."""
        while await (stage or self.stage).tick():
            pass
        return await self.again(batch.id)

    async def again(self, batch_id: int) -> Batch:
        found = await self.desk.ledger.batch(self.desk.tenant.id, batch_id)
        assert found is not None
        return found

    async def numbers(self) -> list[int]:
        """Give the destinations of all messages there are, in order."""
        found: list[int] = []
        before: int | None = None
        while page := await self.desk.ledger.messages(self.desk.tenant.id, MessageFilter(), before, 1_000):
            found += [row["destination"] for row in page]
            before = page[-1]["id"]
        return sorted(found)

    async def why(self, batch: Batch) -> dict[int, str]:
        """Give the codes of what stands against rows, as they were checked."""
        found: dict[int, str] = {}
        row = 0
        while (chunk := await self.desk.ledger.batch_rows(batch, row)) is not None:
            found |= {number: each.code for number, each in chunk.bad.items()}
            row = chunk.first + len(chunk.rows)
        return found
