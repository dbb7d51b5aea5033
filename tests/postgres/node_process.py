"""A process that is told line by line what to do with a ledger, and says as JSON what came of it. For tests that kill it.

`python -m tests.postgres.node_process URL OWNER_URL FOLDER DEAD_AFTER_S`; the first line it says is its boot number.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from loa.domain.outcome import Accepted, Deferred, Outcome
from loa.domain.traffic import TrafficClass
from loa.errors import StorageError
from loa.ledger.postgres.ledger import PostgresLedger, PostgresOptions
from loa.observe.clock import SystemClock
from loa.ports.channel import Attempt
from loa.ports.records import Settlement, SlotUse
from loa.seal.keyfile import NAME, KeyFile
from loa.seal.sealer import Sealer
from tests.support.fakes import EPOCH, QuietProbe

LANES = [(each, 1_000) for each in TrafficClass]


class Hands:
    """What it can be told."""

    def __init__(self, ledger: PostgresLedger) -> None:
        self.ledger = ledger
        self.attempts: list[Attempt] = []

    async def claim(self, limit: int) -> Any:
        self.attempts = await self.ledger.claim(1, LANES, limit, EPOCH, EPOCH + 3_600_000)
        return [[attempt.message_id, attempt.number] for attempt in self.attempts]

    async def claim_all(self, limit: int) -> Any:
        """Claim and record, batch by batch, saying each before it is recorded; give how many there were."""
        count = 0
        while attempts := await self.claim(limit):
            say(attempts)
            count += len(attempts)
            await self.record("accepted")
        return count

    async def record(self, word: str) -> Any:
        outcome: Outcome = Deferred("busy")
        made = []
        for attempt in self.attempts:
            if word == "accepted":
                outcome = Accepted((f"r{attempt.message_id}-{attempt.number}",))
            made.append(Settlement(attempt.message_id, attempt.number, 1, outcome, EPOCH, tenant_id=attempt.tenant_id))
        return await self.ledger.record(made)

    async def claim_due(self, limit: int) -> Any:
        due = await self.ledger.claim_due(limit, limit, EPOCH + 5, EPOCH + 3_600_000, [])
        return [callback.id for callback in due]

    async def share(self, total: int) -> Any:
        return dict(await self.ledger.share({1: SlotUse(total, 0)}))

    async def boot(self) -> Any:
        return self.ledger._node.boot if self.ledger._node.holds() else 0


def say(what: object) -> None:
    """What is logged goes elsewhere, see below."""
    print(json.dumps(what), flush=True, file=sys.__stdout__)


async def main(url: str, owner: str, folder: str, dead_after_s: str) -> None:
    options = PostgresOptions(owner=owner, dead_after_s=float(dead_after_s))
    sealer = Sealer(KeyFile(Path(folder).with_name(NAME)))
    ledger = await PostgresLedger.open(
        url, folder=Path(folder), probe=QuietProbe(), clock=SystemClock(), options=options, sealer=sealer
    )
    hands = Hands(ledger)
    say(await hands.boot())
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        name, *args = json.loads(line)
        try:
            say(await getattr(hands, name)(*args))
        except StorageError as error:
            say({"error": type(error).__name__})
    transport.close()
    await ledger.close()


if __name__ == "__main__":
    sys.stdout = sys.stderr
    asyncio.run(main(*sys.argv[1:]))
