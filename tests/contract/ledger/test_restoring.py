"""What was restored from a backup: all that waits can be ended as unknown, page by page, and nothing of it is sent."""

from collections import Counter

from loa.domain.outcome import Accepted, Unknown
from loa.domain.traffic import OnUnknown, TrafficClass
from loa.ports.ledger import Ledger
from loa.ports.records import MessageFilter
from tests.contract.ledger.conftest import Opener
from tests.contract.ledger.values import (
    ADVERTISING,
    EPOCH,
    MINUTE,
    NUMBER,
    OTP,
    TRANSACTIONAL,
    claim,
    no_resend,
    receipt,
    resend,
    sent,
    settlement,
    state_of,
    submission,
    told,
)

NOW = EPOCH + MINUTE
LATER = EPOCH + 10 * MINUTE
REASON = "restored from a backup"


async def hold_all(ledger: Ledger, limit: int = 1_000) -> tuple[Counter[TrafficClass], int]:
    """End all that waits; give how many of each class, and in how many pages."""
    ended: Counter[TrafficClass] = Counter()
    pages = 0
    while page := await ledger.hold(limit, NOW):
        ended.update(page)
        pages += 1
    return ended, pages


async def test_a_ledger_that_was_never_copied_is_no_backup(ledger: Ledger, open_ledger: Opener) -> None:
    assert await ledger.backup_at() is None
    await ledger.close()
    again = await open_ledger()
    assert await again.backup_at() is None
    await again.close()


async def test_what_is_queued_ends_as_unknown_with_the_reason_and_is_never_claimed(ledger: Ledger) -> None:
    endpoint = await ledger.add_endpoint(1, "https://x.example/", "whsec_x")
    await ledger.accept(submission(endpoint_id=endpoint.id))
    await ledger.accept(submission(traffic_class=OTP, numbers=[NUMBER + 1], plan=(2, 1)))
    await ledger.accept(submission(traffic_class=ADVERTISING, numbers=[NUMBER + 2], due_at=EPOCH + 5 * MINUTE))
    assert (await hold_all(ledger))[0] == {OTP: 1, TRANSACTIONAL: 1, ADVERTISING: 1}
    rows = await ledger.messages(1, MessageFilter(), None, 10)
    assert [(row["state"], row["error"], row["due_at"]) for row in rows] == [("unknown", REASON, None)] * 3
    assert all(row["final_unknown"] for row in rows)
    assert await told(ledger) == ["unknown"] * 3
    (callback,) = await ledger.claim_due(10, 10, NOW, NOW + 1, [])
    assert (callback.state.label, callback.error) == ("unknown", REASON)
    assert await claim(ledger, LATER) == await claim(ledger, LATER, channel=2) == []
    assert await ledger.settle_unknown(10, LATER) == (0, 0)
    assert await ledger.depths() == []


async def test_what_was_on_its_way_ends_too_and_no_policy_sends_it_again(ledger: Ledger, open_ledger: Opener) -> None:
    await ledger.accept(submission(numbers=[NUMBER, NUMBER + 1]))
    attempts = await claim(ledger)
    await ledger.close()
    again = await open_ledger()
    assert (await hold_all(again))[0] == {TRANSACTIONAL: 2}
    assert await again.settle_stale(LATER, resend, former=True) == 0
    assert await again.settle_unknown(10, LATER) == (0, 0)
    assert await claim(again, LATER) == []
    for attempt in attempts:
        row = await again.timeline(1, attempt.message_id)
        assert row is not None
        assert [(a["number"], a["outcome"], a["reason"]) for a in row["attempts"]] == [(1, "unknown", REASON)]
    await again.close()


async def test_a_re_send_that_waits_is_called_off(ledger: Ledger) -> None:
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    outcome = settlement(attempt, Unknown("no answer"), wait_until=NOW, after=OnUnknown.RESEND_ONCE)
    assert await ledger.record([outcome]) == 1
    assert (await hold_all(ledger))[0] == {TRANSACTIONAL: 1}
    assert await ledger.settle_unknown(10, LATER) == (0, 0)
    assert await claim(ledger, LATER) == []
    assert (await state_of(ledger, attempt.message_id), await told(ledger)) == ("unknown", ["unknown"])


async def test_what_came_to_an_end_stays_as_it_is(ledger: Ledger) -> None:
    done = await sent(ledger, "A1")
    await ledger.store([receipt("A1")])
    waiting = await sent(ledger, "A2", numbers=[NUMBER + 1])
    cancelled = submission(numbers=[NUMBER + 2])
    await ledger.accept(cancelled)
    await ledger.cancel(1, cancelled.referent_id, EPOCH)
    assert (await hold_all(ledger)) == ({}, 0)
    states = [await state_of(ledger, each.message_id) for each in (done, waiting)]
    assert states == ["delivered", "sent"]


async def test_it_goes_page_by_page_and_goes_on_where_it_was_broken_off(ledger: Ledger, open_ledger: Opener) -> None:
    await ledger.accept(submission(numbers=[NUMBER + i for i in range(7)]))
    await claim(ledger, limit=2)
    await ledger.accept(submission(traffic_class=OTP, numbers=[NUMBER + 10 + i for i in range(6)]))
    await ledger.close()
    again = await open_ledger()
    first = Counter(await again.hold(4, NOW))
    assert 0 < first.total() <= 5
    await again.close()
    once_more = await open_ledger()
    rest, pages = await hold_all(once_more, 4)
    assert first + rest == {TRANSACTIONAL: 7, OTP: 6}
    assert pages >= 2
    assert await told(once_more) == ["unknown"] * 13
    await once_more.close()


async def test_a_receipt_still_says_what_became_of_a_message_that_was_on_its_way(
    ledger: Ledger, open_ledger: Opener
) -> None:
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    await ledger.close()
    again = await open_ledger()
    await hold_all(again)
    assert (await again.store([receipt("A9", received_at=NOW)])).applied == 1
    assert await state_of(again, attempt.message_id) == "delivered"
    await again.close()


async def test_new_work_goes_on_after_the_release(ledger: Ledger) -> None:
    await ledger.accept(submission())
    await hold_all(ledger)
    await ledger.release()
    assert await ledger.backup_at() is None
    await ledger.accept(submission(numbers=[NUMBER + 1]))
    (attempt,) = await claim(ledger)
    assert attempt.destination == NUMBER + 1
    assert await ledger.record([settlement(attempt, Accepted(("B1",)))]) == 1
    assert await ledger.settle_stale(LATER, no_resend) == 0
