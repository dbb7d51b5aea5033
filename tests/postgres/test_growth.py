"""What a claim and an accept cost does not grow with history, nor behind a snapshot that somebody holds open.

Counted in pages, which are the same on every machine.
"""

from statistics import median

import pytest

from loa.domain.outcome import Accepted
from loa.ledger.postgres.days import day_of, first_id
from loa.ledger.postgres.ledger import PostgresLedger
from tests.contract.ledger.values import EPOCH, NUMBER, claim, settlement, submission
from tests.support.page_counts import PageCounts
from tests.support.shared_ledger import SharedLedger

pytestmark = pytest.mark.timeout(120)

HISTORY = """
INSERT INTO submission_d{day} (tenant_id, id, referent_id, token, request_id, key_id, sender, text, encoding, segment_count,
  class, accepted_at, due_at, expires_at, scheduled, first_message_id, message_count, every_step, ext, answer)
  SELECT 1, {first} + n * 131072, 'sub_' || n, n, '', 1, 'LOA', '', 'gsm7', 1, 1, {at}, {at}, {at} + 86400000, false,
    {first} + n * 131072, 20, false, '{{}}', '{{}}'
  FROM generate_series({low}::bigint / 20, {high} / 20 - 1) AS n;
INSERT INTO message_d{day} (tenant_id, id, submission_id, destination, updated_at, channel_id, attempts, class, state,
  every_step, plan)
  SELECT 1, {first} + (n / 20) * 131072 + n % 20, {first} + (n / 20) * 131072, 84000000000 + n, {at}, 1, 1, 1, 4, false, '1'
  FROM generate_series({low}::bigint, {high} - 1) AS n;
INSERT INTO attempt_d{day} (tenant_id, message_id, number, channel_id, claimed_at, done_at, outcome, reason, refs)
  SELECT 1, {first} + (n / 20) * 131072 + n % 20, 1, 1, {at}, {at}, 'accepted', '', '' FROM generate_series({low}::bigint, {high} - 1) AS n;
"""
STARTS_AT = 1_000_000_000
"""Finished submissions have numbers below the ones to come: as they were given."""


async def finished(shared: SharedLedger, low: int, high: int) -> None:
    """Have finished messages in the very partitions that new ones go into."""
    day = day_of(EPOCH)
    filled = HISTORY.format(day=day, first=first_id(day), at=EPOCH, low=low, high=high)
    async with shared.sql() as connection:
        await connection.execute(filled)
        for table in ("submission", "message", "attempt"):
            await connection.execute(f"VACUUM ANALYZE {table}_d{day}")


class Costs:
    """Pages that one claim of 500, its record, and one accept of 100 touch."""

    def __init__(self, node: PostgresLedger) -> None:
        self.node = node
        self.counts = PageCounts()

    async def listen(self) -> None:
        kinds = ("accept", "claim", "record")
        await self.counts.listen([line for kind in kinds for line in self.node._desks[kind]._lines])

    async def measure(self) -> dict[str, float]:
        rounds: dict[str, list[int]] = {"accept": [], "claim": [], "record": []}
        for turn in range(5):
            base = NUMBER + 10_000 * turn
            await self.node.accept(submission(numbers=[base + i for i in range(400)]))
            self.counts.take()
            await self.node.accept(submission(numbers=[base + 400 + i for i in range(100)]))
            rounds["accept"].append(self.counts.take())
            attempts = await claim(self.node, limit=500)
            assert len(attempts) == 500
            rounds["claim"].append(self.counts.take())
            await self.node.record([settlement(a, Accepted((f"R{a.message_id}",))) for a in attempts])
            rounds["record"].append(self.counts.take())
        return {kind: median(pages) for kind, pages in rounds.items()}


async def test_ten_times_the_history_costs_an_accept_a_claim_and_a_record_hardly_more(shared: SharedLedger) -> None:
    await PageCounts.explain(shared)
    await shared.rows("SELECT setval('submission_number', $1)", STARTS_AT)
    await finished(shared, 0, 100_000)
    costs = Costs(await shared.open(dead_after_s=600))
    await costs.listen()
    await costs.measure()
    small = await costs.measure()
    await finished(shared, 100_000, 1_000_000)
    large = await costs.measure()
    assert all(pages > 100 for pages in small.values()), small
    assert {kind: large[kind] / small[kind] <= 1.3 for kind in small} == dict.fromkeys(small, True), (small, large)


async def test_a_snapshot_held_open_while_two_hundred_thousand_rows_go_through_costs_claims_at_most_twice(
    shared: SharedLedger,
) -> None:
    await PageCounts.explain(shared)
    node = await shared.open(dead_after_s=600)
    counts = PageCounts()
    await counts.listen(node._desks["claim"]._lines)
    now = EPOCH

    async def through(batches: int) -> list[int]:
        """Have batches come in and be claimed, two claims each; give what the claims cost."""
        nonlocal now
        pages = []
        for _ in range(batches):
            now += 3_000
            await node.accept(submission(at=now, numbers=range(NUMBER, NUMBER + 1_000)))
            counts.take()
            for _ in range(2):
                assert len(await claim(node, now, limit=500)) == 500
                pages.append(counts.take())
        return pages

    before = median((await through(8))[4:])
    async with shared.sql() as holder, holder.transaction(isolation="repeatable_read"):
        await holder.fetchval("SELECT count(*) FROM meta")
        held = await through(200)
        assert await holder.fetchval("SELECT count(*) FROM queue") == 0
    assert median(held[-40:]) <= 2 * before, (before, held[-40:])
    # Now and then a claim looks the whole lane through, for what came in behind the mark: seldom enough.
    assert sum(pages > 4 * before for pages in held) <= len(held) / 10
