"""Whatever a ledger has lived through: its copy reads the same, and a restart makes the same of both."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loa.app.ledger_copy import Ends, copy_ledger
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from loa.domain.traffic import OnUnknown, TrafficClass
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.observe.clock import SystemClock
from loa.ports.channel import Attempt
from loa.ports.ledger import Ledger
from loa.ports.records import MessageFilter
from tests.contract.ledger.values import ALL_LANES, NUMBER, receipt, settlement, submission, tried
from tests.support.fakes import EPOCH, FakeClock, QuietProbe
from tests.support.full_ledger import everything
from tests.support.postgres import Postgres
from tests.support.shared_ledger import APP, OWNER, as_user, prepare

WAIT = 30_000
OUTCOMES: dict[str, Outcome] = {
    "refused": Refused("no"),
    "lasting": Refused("never", lasting=True),
    "unknown": Unknown("silence"),
    "busy": Deferred("busy"),
}
STEPS = ("accept", "accept", "accept", "claim", "claim", "answer", "answer", "report", "post", "cancel", "time")
numbers = st.integers(0, 3)


def policy(_tenant: int, traffic_class: TrafficClass) -> tuple[int, OnUnknown]:
    return WAIT, OnUnknown.RESEND_ONCE if traffic_class is TrafficClass.TRANSACTIONAL else OnUnknown.NEVER


class Life:
    """Moves a ledger about as its draws say."""

    def __init__(self, ledger: Ledger, data: st.DataObject) -> None:
        self.ledger = ledger
        self.data = data
        self.now = EPOCH
        self.count = 0
        self.attempts: list[Attempt] = []

    def draw(self, what: st.SearchStrategy[Any]) -> Any:
        return self.data.draw(what)

    async def begin(self) -> None:
        for tenant, every_step in ((1, False), (2, True)):
            await self.ledger.add_tenant(f"t{tenant}", EPOCH)
            await self.ledger.add_endpoint(tenant, f"https://{tenant}.example/", "whsec_x", every_step=every_step)
            await self.ledger.add_channel(f"c{tenant}", "sandbox", {})
        for name in self.draw(st.lists(st.sampled_from(STEPS), min_size=6, max_size=24)):
            await getattr(self, name)()

    async def accept(self) -> None:
        tenant, more = self.draw(st.integers(1, 2)), self.draw(st.integers(1, 3))
        first, self.count = self.count, self.count + more
        known = f"r{self.draw(numbers)}" if self.draw(st.booleans()) else ""
        new = submission(
            at=self.now,
            tenant_id=tenant,
            traffic_class=self.draw(st.sampled_from(TrafficClass)),
            plan=self.draw(st.sampled_from([(1,), (2,), (1, 2)])),
            numbers=[NUMBER + first + each for each in range(more)],
            due_at=self.now + self.draw(st.sampled_from([0, 0, 50_000])),
            expires_at=self.now + self.draw(st.sampled_from([86_400_000, 60_000])),
            segment_count=self.draw(st.integers(1, 2)),
            request_id=known,
            fingerprint=bytes([self.draw(numbers)]) if known else b"",
            endpoint_id=self.draw(st.sampled_from([tenant, None])),
            text=self.draw(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8)),
        )
        await self.ledger.accept(new)

    async def claim(self) -> None:
        channel, limit = self.draw(st.integers(1, 2)), self.draw(st.integers(1, 4))
        self.attempts += await self.ledger.claim(channel, ALL_LANES, limit, self.now, self.now + 90_000)

    def some(self) -> list[Attempt]:
        back = self.draw(st.lists(numbers, max_size=3, unique=True))
        return [self.attempts[-1 - each] for each in back if each < len(self.attempts)]

    async def answer(self) -> None:
        settled = []
        for a in self.some():
            word = self.draw(st.sampled_from(["accepted", "accepted", *OUTCOMES]))
            refs = tuple(f"r{a.message_id}-{a.number}-{part}" for part in range(a.segment_count))
            retry = self.now + 5_000 if word == "busy" else 0
            given = {"retry_at": retry, "wait_until": self.now + WAIT, "after": policy(1, a.traffic_class)[1]}
            settled.append(settlement(a, OUTCOMES.get(word) or Accepted(refs), self.now, **given))
        await self.ledger.record(settled)

    async def report(self) -> None:
        for a in self.some():
            part = self.draw(st.integers(0, a.segment_count - 1))
            proves = self.draw(st.sampled_from([State.DELIVERED, State.DELIVERED, State.UNDELIVERED, None]))
            told = receipt(f"R{a.message_id}-{a.number}-{part}", state=proves, destination=a.destination)
            await self.ledger.store([told] * self.draw(st.integers(1, 2)))

    async def post(self) -> None:
        for c in await self.ledger.claim_due(3, 3, self.now, self.now + 60_000, []):
            became = self.draw(st.sampled_from(["taken", "put off", "given up", "cut off"]))
            over = self.now + 5_000 if became == "put off" else None
            if became != "cut off":
                one = tried(c.id, c.tries + 1, at=self.now, delivered=became == "taken", next_at=over)
                await self.ledger.record_tries([one])

    async def cancel(self) -> None:
        if self.count:
            await self.ledger.cancel_message(1, 1 + self.draw(st.integers(0, self.count - 1)), self.now)

    async def time(self) -> None:
        self.now += 1_000 * self.draw(st.sampled_from([1, 31, 95]))
        await self.ledger.settle_stale(self.now, policy)
        await age(self.ledger, self.now)


async def age(ledger: Ledger, now: int) -> None:
    """Let time do what it does."""
    await ledger.rematch(1_000, now)
    await ledger.settle_unknown(1_000, now)
    await ledger.expire(1_000, now)


async def restarted(ledger: Ledger, now: int) -> dict[str, Any]:
    """Start anew on a ledger and let an hour pass; give what became of everything, without what engines number."""
    await ledger.settle_stale(now, policy, former=True)
    now += 3_600_000
    await age(ledger, now)
    found: dict[str, Any] = {"depths": sorted((d["channel_id"], d["class"], d["count"]) for d in await ledger.depths())}
    for tenant in (1, 2):
        rows = await ledger.messages(tenant, MessageFilter(), None, 1_000)
        found[f"messages {tenant}"] = rows
        told = await ledger.events(tenant, 0, 10_000)
        found[f"told {tenant}"] = sorted((e["message_id"], e["sequence"], e["state"], e["at"]) for e in told)
    due = await ledger.claim_due(1_000, 1_000, now, now + 1, [])
    found["due"] = sorted((c.message_id, c.sequence, c.tries, c.url) for c in due)
    sent = [a for channel in (1, 2) for a in await ledger.claim(channel, ALL_LANES, 1_000, now, now + 1)]
    found["sent"] = sorted((a.message_id, a.number, a.text, a.possible_duplicate) for a in sent)
    return found


async def compare(data: st.DataObject, folder: Path, postgres: Postgres) -> None:
    file, restart = folder / "loa.db", folder / "restart.db"
    ledger = await SqliteLedger.open(file, probe=QuietProbe())
    try:
        life = Life(ledger, data)
        await life.begin()
        before = await everything(ledger)
    finally:
        await ledger.close()
    shutil.copy(file, restart)
    async with postgres.database(prepare) as url:
        ends = Ends(file, as_user(url, APP), as_user(url, OWNER))
        await copy_ledger(ends, SystemClock(), lambda *_: None, page_rows=data.draw(st.integers(1, 10)))
        there = await PostgresLedger.open(as_user(url, APP), folder=folder, probe=QuietProbe(), clock=FakeClock())
        here = await SqliteLedger.open(restart, probe=QuietProbe())
        try:
            assert await everything(there) == before
            assert await restarted(there, life.now) == await restarted(here, life.now)
        finally:
            await here.close()
            await there.close()


@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_copy_reads_the_same_and_goes_on_the_same(postgres: Postgres, data: st.DataObject) -> None:
    folder = Path(tempfile.mkdtemp(prefix="loa-copied-"))
    try:
        asyncio.run(compare(data, folder, postgres))
    finally:
        shutil.rmtree(folder)
