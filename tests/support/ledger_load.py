"""Load on a ledger while its server comes and goes: clients that repeat, dispatchers that hand over, and the reckoning."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from loa.domain.outcome import Accepted
from loa.errors import StorageError
from loa.ledger.postgres.ledger import PostgresLedger
from loa.observe.clock import SystemClock
from loa.ports.records import NewSubmission, Repeat, Stored
from tests.contract.ledger.values import NUMBER, claim, settlement, submission
from tests.support.shared_ledger import SharedLedger, until

CLOCK = SystemClock()
LONGEST_S = 5.0
"""No call takes longer, whatever the server does."""


async def timed(call: Awaitable[Any]) -> tuple[float, Any]:
    """How long a call took, and what it gave or how it failed."""
    begun = CLOCK.monotonic()
    try:
        result = await call
    except StorageError as error:
        result = error
    return CLOCK.monotonic() - begun, result


class Load:
    """Clients that repeat until they are answered, and dispatchers that hand over, while the server comes and goes."""

    def __init__(self, node: PostgresLedger) -> None:
        self.node = node
        self.acknowledged: list[NewSubmission] = []
        self.wanted = 0
        self.handed_over: list[tuple[int, int]] = []
        self.slowest = 0.0
        self.failed = 0
        self.stopping = False

    async def call(self, make: Callable[[], Awaitable[Any]]) -> Any:
        """Call until it succeeds."""
        while True:
            took, result = await timed(make())
            self.slowest = max(self.slowest, took)
            if not isinstance(result, StorageError):
                return result
            self.failed += 1
            await CLOCK.sleep(0.02)

    async def client(self, place: int) -> None:
        while not self.stopping:
            self.wanted += 1
            number = self.wanted
            one = submission(numbers=[NUMBER + number], request_id=f"r-{number}", fingerprint=b"f")
            result = await self.call(lambda: self.node.accept(one))  # noqa: B023 - called before it changes
            assert result == Stored() or (isinstance(result, Repeat) and result.referent_id == one.referent_id)
            self.acknowledged.append(one)

    async def dispatcher(self) -> None:
        while True:
            attempts = await self.call(lambda: claim(self.node, limit=20))
            self.handed_over += [(a.message_id, a.number) for a in attempts]
            made = [settlement(a, Accepted((f"R{a.message_id}",))) for a in attempts]
            await self.call(lambda: self.node.record(made))  # noqa: B023
            if self.stopping and not attempts:
                return

    async def accepted(self, count: int) -> None:
        """Wait until so many more were acknowledged."""
        wanted = len(self.acknowledged) + count

        async def there() -> bool:
            return len(self.acknowledged) >= wanted

        await until(there, 30)


async def under_load(node: PostgresLedger, fault: Callable[[], Awaitable[None]]) -> Load:
    """Have something done to the server under load; then let everything that was accepted be handed over."""
    load = Load(node)
    clients = [asyncio.ensure_future(load.client(place)) for place in range(6)]
    dispatchers = [asyncio.ensure_future(load.dispatcher()) for _ in range(2)]
    await load.accepted(60)
    await fault()
    await load.accepted(60)
    load.stopping = True
    async with asyncio.timeout(30):
        await asyncio.gather(*clients, *dispatchers)
    # What a claim took whose answer was lost was given back: dispatch to the end.
    while attempts := await claim(node):
        load.handed_over += [(a.message_id, a.number) for a in attempts]
        await node.record([settlement(a, Accepted((f"R{a.message_id}",))) for a in attempts])
    return load


async def check(load: Load, shared: SharedLedger) -> None:
    """Everything acknowledged is there once and was sent once; no call took long."""
    assert load.slowest <= LONGEST_S
    rows = await shared.rows("SELECT referent_id, message_count FROM submission")
    assert {row[0] for row in rows} == {one.referent_id for one in load.acknowledged}
    assert len(rows) == len(load.acknowledged) == load.wanted
    assert len({message for message, _ in load.handed_over}) == len(load.handed_over) == load.wanted
    assert await shared.rows("SELECT state, count(*)::integer FROM message GROUP BY state") == [(2, load.wanted)]
    assert await shared.value("SELECT count(*) FROM claim") == 0
    assert await load.node.depths() == []
