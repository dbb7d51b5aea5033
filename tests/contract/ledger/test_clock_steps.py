"""F29: the wall clock is set forward and back while work goes on. Nothing due is lost, and nothing happens twice."""

import asyncio

import pytest

from loa.domain.outcome import Accepted, Deferred, Unknown
from loa.domain.traffic import OnUnknown
from loa.ports.ledger import Ledger
from loa.ports.records import DueCallback
from tests.contract.ledger.conftest import Opener
from tests.contract.ledger.values import (
    DAY,
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
    tried,
)

HOUR = 60 * MINUTE
FORWARD, BACK = EPOCH + 3 * DAY, EPOCH - 2 * HOUR
LONG = EPOCH + 30 * DAY
STEPS = pytest.mark.parametrize("now", [FORWARD, BACK, EPOCH - DAY], ids=["3 days on", "2 hours back", "a day back"])


async def _due(ledger: Ledger, now: int) -> list[DueCallback]:
    """Claim callbacks until there are some: what is due earlier than where a claim starts is found by its next sweep."""
    async with asyncio.timeout(10):
        while not (found := await ledger.claim_due(10, 10, now, now + MINUTE, [])):
            pass
    return found


async def test_f29_what_was_due_meanwhile_is_claimed_once_and_not_again_when_the_clock_goes_back(
    ledger: Ledger,
) -> None:
    for due_at in (EPOCH + HOUR, EPOCH + 2 * DAY, EPOCH + 4 * DAY):
        await ledger.accept(submission(due_at=due_at, expires_at=LONG))
    assert await claim(ledger) == []
    early = await claim(ledger, FORWARD)
    assert len(early) == 2
    for now in (FORWARD, BACK, EPOCH, EPOCH + 2 * DAY, FORWARD):
        assert await claim(ledger, now) == []
    assert await ledger.record([settlement(a, Accepted((f"r{a.message_id}",)), BACK) for a in early]) == 2
    (last,) = await claim(ledger, EPOCH + 4 * DAY)
    assert last.message_id not in {attempt.message_id for attempt in early}


async def test_f29_a_schedule_waits_for_its_time_however_often_the_clock_goes_back(ledger: Ledger) -> None:
    await ledger.accept(submission(due_at=EPOCH + HOUR))
    for now in (EPOCH, BACK, EPOCH + HOUR - 1, BACK):
        assert await claim(ledger, now) == []
        assert await ledger.next_due(1, now) == EPOCH + HOUR
    assert len(await claim(ledger, EPOCH + HOUR)) == 1


@STEPS
async def test_f29_what_comes_in_after_a_step_is_claimed_at_once_and_told_of(ledger: Ledger, now: int) -> None:
    await sent(ledger, "before")
    assert await claim(ledger) == []
    after = await sent(ledger, "after", now=now, numbers=[NUMBER + 1])
    assert await ledger.next_due(1, now) is None
    found = await ledger.store([receipt("before", received_at=now), receipt("after", received_at=now)])
    assert found.applied == 2
    assert await told(ledger) == ["delivered", "delivered"]
    timeline = await ledger.timeline(1, after.message_id)
    assert timeline is not None
    assert [event["at"] for event in timeline["events"]] == [now]


async def test_f29_an_open_claim_outlives_a_step_back(ledger: Ledger) -> None:
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    assert await ledger.settle_stale(BACK, resend) == 0
    assert await claim(ledger, BACK) == []
    assert await ledger.record([settlement(attempt, Accepted(("r",)), BACK)]) == 1
    assert await state_of(ledger, attempt.message_id) == "sent"


async def test_f29_a_claim_that_a_step_forward_ends_is_unknown_once_and_its_answer_still_settles_it(
    ledger: Ledger,
) -> None:
    await ledger.accept(submission(expires_at=LONG))
    (attempt,) = await claim(ledger)
    assert await ledger.settle_stale(FORWARD, resend) == 1
    assert await ledger.settle_stale(FORWARD, resend) == 0
    assert await claim(ledger, FORWARD) == [], "it is not handed over again before its evidence had its time"
    assert await ledger.record([settlement(attempt, Accepted(("r",)), FORWARD)]) == 1
    assert await state_of(ledger, attempt.message_id) == "sent"
    assert await ledger.settle_unknown(10, FORWARD + HOUR) == (0, 0)
    assert await claim(ledger, FORWARD + HOUR) == []


async def test_f29_an_unknown_outcome_is_moved_on_once_whichever_way_the_clock_goes(ledger: Ledger) -> None:
    for lane, again in ((OTP, OnUnknown.NEVER), (TRANSACTIONAL, OnUnknown.RESEND_ONCE)):
        await ledger.accept(submission(traffic_class=lane, expires_at=LONG))
        (attempt,) = await claim(ledger)
        await ledger.record([settlement(attempt, Unknown("lost"), wait_until=EPOCH + MINUTE, after=again)])
    assert await ledger.settle_unknown(10, BACK) == (0, 0)
    assert await ledger.settle_unknown(10, FORWARD) == (1, 1)
    assert len(await claim(ledger, FORWARD)) == 1
    for now in (BACK, EPOCH + MINUTE, FORWARD):
        assert await ledger.settle_unknown(10, now) == (0, 0)
        assert await claim(ledger, now) == []
    assert await told(ledger) == ["unknown"]


async def test_f29_a_try_put_off_before_a_step_is_made_once_after_it(ledger: Ledger) -> None:
    await ledger.accept(submission(expires_at=LONG))
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Deferred("busy"), retry_at=EPOCH + MINUTE)])
    assert await claim(ledger, BACK) == []
    (again,) = await claim(ledger, FORWARD)
    assert (again.message_id, again.number) == (attempt.message_id, 2)
    assert await claim(ledger, EPOCH + MINUTE) == []


@STEPS
async def test_f29_a_callback_is_claimed_once_and_told_under_one_id(ledger: Ledger, now: int) -> None:
    endpoint = await ledger.add_endpoint(1, "https://x.example/", "whsec_x")
    await sent(ledger, "a", endpoint_id=endpoint.id, expires_at=LONG)
    await ledger.store([receipt("a", received_at=EPOCH)])
    (callback,) = await ledger.claim_due(10, 10, EPOCH, EPOCH + MINUTE, [])
    if now < EPOCH:
        assert await ledger.claim_due(10, 10, now, now + MINUTE, []) == []
    await ledger.record_tries([tried(callback.id, at=now, delivered=False, status=500, next_at=now + 5_000)])
    assert await ledger.claim_due(10, 10, now + 4_999, now + MINUTE, []) == []
    (again,) = await _due(ledger, now + 5_000)
    assert (again.id, again.tries) == (callback.id, 1)
    await ledger.record_tries([tried(callback.id, 2, at=now)])
    for later in (BACK, EPOCH, FORWARD + DAY):
        assert await ledger.claim_due(10, 10, later, later + MINUTE, []) == []


async def test_f29_after_a_restart_with_the_clock_back_what_was_open_is_unknown_once(open_ledger: Opener) -> None:
    ledger = await open_ledger()
    await ledger.accept(submission(traffic_class=OTP))
    await claim(ledger)
    await ledger.close()

    again = await open_ledger()
    assert await again.settle_stale(BACK, no_resend, former=True) == 1
    assert await again.settle_stale(BACK, no_resend) == 0
    assert await again.settle_unknown(10, BACK + 30_000) == (0, 1)
    assert await told(again) == ["unknown"]
    assert await claim(again) == await claim(again, FORWARD) == []
    await again.close()
