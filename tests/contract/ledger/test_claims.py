"""Claims are exclusive, fenced and durable; outcomes move messages as the rules say."""

import asyncio

from loa.domain.outcome import Accepted, Deferred, Refused, Unknown
from loa.domain.traffic import OnUnknown
from loa.ports.ledger import Ledger
from loa.ports.records import MessageFilter
from tests.contract.ledger.conftest import Opener
from tests.contract.ledger.values import (
    ADVERTISING,
    ALL_LANES,
    EPOCH,
    MINUTE,
    NUMBER,
    OTP,
    TRANSACTIONAL,
    claim,
    no_resend,
    receipt,
    resend,
    settlement,
    state_of,
    submission,
    told,
)


async def test_each_message_has_one_owner(ledger: Ledger) -> None:
    await ledger.accept(submission(numbers=[NUMBER + i for i in range(500)]))
    claims = await asyncio.gather(*(claim(ledger, limit=60) for _ in range(10)))
    ids = [attempt.message_id for attempts in claims for attempt in attempts]
    assert len(ids) == len(set(ids)) == 500


async def test_an_attempt_carries_all_that_a_provider_needs(ledger: Ledger) -> None:
    one = submission(traffic_class=OTP, ext={"k": "v"}, expires_at=EPOCH + MINUTE)
    await ledger.accept(one)
    (attempt,) = await claim(ledger)
    assert (attempt.text, attempt.sender, attempt.encoding, attempt.segment_count) == (one.text, "LOA", "ucs2", 1)
    assert (attempt.number, attempt.tries, attempt.tenant_id, attempt.channel_id) == (1, 0, 1, 1)
    assert (attempt.traffic_class, attempt.destination, attempt.ext) == (OTP, NUMBER, {"k": "v"})
    assert (attempt.expires_at, attempt.referent_id, attempt.possible_duplicate) == (
        EPOCH + MINUTE,
        one.referent_id,
        False,
    )


async def test_lanes_are_taken_in_the_order_asked_for_and_by_due_time_within(ledger: Ledger) -> None:
    await ledger.accept(submission(traffic_class=ADVERTISING, numbers=[NUMBER]))
    await ledger.accept(submission(traffic_class=OTP, numbers=[NUMBER + 1], at=EPOCH + 5))
    await ledger.accept(submission(traffic_class=OTP, numbers=[NUMBER + 2], at=EPOCH + 1))
    await ledger.accept(submission(traffic_class=TRANSACTIONAL, numbers=[NUMBER + 3]))
    attempts = await claim(ledger, EPOCH + 10)
    assert [a.destination - NUMBER for a in attempts] == [2, 1, 3, 0]


async def test_a_claim_keeps_to_the_share_of_each_lane_and_to_the_whole(ledger: Ledger) -> None:
    for lane in (OTP, ADVERTISING):
        await ledger.accept(submission(traffic_class=lane, numbers=[NUMBER + i for i in range(10)]))
    attempts = await ledger.claim(1, [(OTP, 3), (ADVERTISING, 10)], 5, EPOCH, EPOCH + 1)
    assert [a.traffic_class for a in attempts] == [OTP] * 3 + [ADVERTISING] * 2


async def test_what_is_due_later_or_on_another_channel_is_left(ledger: Ledger) -> None:
    await ledger.accept(submission(due_at=EPOCH + MINUTE))
    await ledger.accept(submission(plan=(2,)))
    assert await claim(ledger) == []
    assert await ledger.next_due(1, EPOCH) == EPOCH + MINUTE
    assert len(await claim(ledger, EPOCH + MINUTE)) == 1
    assert len(await claim(ledger, channel=2)) == 1


async def test_a_message_past_its_lifetime_is_expired_not_sent(ledger: Ledger) -> None:
    endpoint = await ledger.add_endpoint(1, "https://x.example/", "whsec_x")
    await ledger.accept(submission(expires_at=EPOCH + 10, endpoint_id=endpoint.id))
    assert await claim(ledger, EPOCH + 10) == []
    assert await told(ledger) == ["expired"]
    assert len(await ledger.claim_due(10, 10, EPOCH + 10, EPOCH + 20, [])) == 1


async def test_accepted_is_sent_and_is_told_only_to_endpoints_that_ask_for_every_step(ledger: Ledger) -> None:
    quiet = await ledger.add_endpoint(1, "https://quiet.example/", "whsec_x")
    every = await ledger.add_endpoint(1, "https://every.example/", "whsec_x", every_step=True)
    await ledger.accept(submission(endpoint_id=quiet.id))
    await ledger.accept(submission(endpoint_id=every.id))
    attempts = await claim(ledger)
    assert await ledger.record([settlement(a, Accepted((f"r{a.message_id}",))) for a in attempts]) == 2
    assert {await state_of(ledger, a.message_id) for a in attempts} == {"sent"}
    due = await ledger.claim_due(10, 10, EPOCH, EPOCH + 1, [])
    assert [callback.endpoint_id for callback in due] == [every.id]


async def test_a_lasting_refusal_is_final_and_keeps_its_reason(ledger: Ledger) -> None:
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Refused("ESME_RINVDSTADR"))])
    row = await ledger.message(1, attempt.message_id)
    assert row is not None
    assert (row["state"], row["error"], row["dead"]) == ("rejected", "ESME_RINVDSTADR", False)
    assert await told(ledger) == ["rejected"]


async def test_a_refusal_goes_on_to_the_next_channel_of_the_plan(ledger: Ledger) -> None:
    await ledger.accept(submission(plan=(1, 2)))
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Refused("no"))])
    assert await told(ledger) == []
    (second,) = await claim(ledger, channel=2)
    assert (second.message_id, second.number, second.channel_id) == (attempt.message_id, 2, 2)
    await ledger.record([settlement(second, Refused("no again"))])
    assert await state_of(ledger, attempt.message_id) == "rejected"


async def test_throttling_keeps_the_place_in_the_lane_and_uses_no_try(ledger: Ledger) -> None:
    await ledger.accept(submission(numbers=[NUMBER]))
    await ledger.accept(submission(numbers=[NUMBER + 1], at=EPOCH + 5))
    (first,) = await claim(ledger, limit=1)
    await ledger.record([settlement(first, Deferred("throttled", counts=False))])
    again = await claim(ledger, EPOCH + 10)
    assert [a.destination for a in again] == [NUMBER, NUMBER + 1]
    assert (again[0].number, again[0].tries) == (2, 0)


async def test_a_counted_try_waits_and_the_last_one_makes_a_dead_letter(ledger: Ledger) -> None:
    await ledger.accept(submission())
    (first,) = await claim(ledger)
    await ledger.record([settlement(first, Deferred("system error"), retry_at=EPOCH + MINUTE)])
    assert await claim(ledger) == []
    (second,) = await claim(ledger, EPOCH + MINUTE)
    assert second.tries == 1
    await ledger.record([settlement(second, Deferred("system error"), EPOCH + MINUTE, dead=True)])
    row = await ledger.message(1, first.message_id)
    assert row is not None
    assert (row["state"], row["dead"], row["error"]) == ("rejected", True, "system error")


async def test_a_try_that_would_come_too_late_expires_the_message(ledger: Ledger) -> None:
    await ledger.accept(submission(expires_at=EPOCH + MINUTE))
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Deferred("busy"), retry_at=EPOCH + 2 * MINUTE)])
    assert await state_of(ledger, attempt.message_id) == "expired"


async def test_an_unknown_outcome_waits_and_is_then_final_where_the_class_is_never_sent_again(ledger: Ledger) -> None:
    await ledger.accept(submission(traffic_class=OTP))
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Unknown("link lost"), wait_until=EPOCH + 30_000)])
    assert await ledger.settle_unknown(10, EPOCH + 29_999) == (0, 0)
    assert await told(ledger) == []
    assert await ledger.settle_unknown(10, EPOCH + 30_000) == (0, 1)
    assert await told(ledger) == ["unknown"]
    assert await ledger.settle_unknown(10, EPOCH + MINUTE) == (0, 0)
    assert await claim(ledger, EPOCH + MINUTE) == []


async def test_an_unknown_outcome_is_sent_once_more_flagged_and_never_a_third_time(ledger: Ledger) -> None:
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    unknown = Unknown("no answer")
    await ledger.record([settlement(attempt, unknown, wait_until=EPOCH + MINUTE, after=OnUnknown.RESEND_ONCE)])
    assert await ledger.settle_unknown(10, EPOCH + MINUTE) == (1, 0)
    (again,) = await claim(ledger, EPOCH + MINUTE)
    assert (again.number, again.possible_duplicate) == (2, True)
    await ledger.record(
        [settlement(again, unknown, EPOCH + MINUTE, wait_until=EPOCH + 2 * MINUTE, after=OnUnknown.RESEND_ONCE)]
    )
    assert await ledger.settle_unknown(10, EPOCH + 2 * MINUTE) == (0, 1)
    assert await claim(ledger, EPOCH + 3 * MINUTE) == []


async def test_the_fence_refuses_a_late_outcome_but_lets_it_settle_an_unknown(ledger: Ledger) -> None:
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Unknown("timeout"), wait_until=EPOCH + MINUTE)])
    assert await ledger.record([settlement(attempt, Deferred("late"), retry_at=EPOCH)]) == 0
    assert await state_of(ledger, attempt.message_id) == "unknown"
    assert await ledger.record([settlement(attempt, Accepted(("late-ref",)))]) == 1
    assert await state_of(ledger, attempt.message_id) == "sent"
    assert await ledger.record([settlement(attempt, Unknown("again"))]) == 0
    assert (await ledger.store([receipt("late-ref")])).applied == 1


async def test_an_older_attempt_cannot_speak_for_a_newer_one(ledger: Ledger) -> None:
    await ledger.accept(submission())
    (first,) = await claim(ledger)
    await ledger.record([settlement(first, Deferred("down", counts=False))])
    (second,) = await claim(ledger)
    assert await ledger.record([settlement(first, Refused("stale"))]) == 0
    assert await state_of(ledger, first.message_id) == "sending"
    assert await ledger.record([settlement(second, Accepted(("r",)))]) == 1


async def test_claims_that_ran_out_become_unknown_once(ledger: Ledger) -> None:
    await ledger.accept(submission(numbers=[NUMBER, NUMBER + 1]))
    attempts = await claim(ledger)
    assert await ledger.settle_stale(EPOCH + 89_999, resend) == 0
    assert await ledger.settle_stale(EPOCH + 90_000, resend) == 2
    assert await ledger.settle_stale(EPOCH + 90_000, resend) == 0
    assert {await state_of(ledger, a.message_id) for a in attempts} == {"unknown"}
    assert await ledger.settle_unknown(10, EPOCH + 90_000 + 120_000) == (2, 0)


async def test_after_a_restart_everything_left_open_is_unknown_and_nothing_is_sent_again(open_ledger: Opener) -> None:
    ledger = await open_ledger()
    await ledger.accept(submission(traffic_class=OTP, numbers=[NUMBER, NUMBER + 1]))
    attempts = await claim(ledger, limit=1)
    await ledger.close()

    again = await open_ledger()
    assert await again.settle_stale(EPOCH, no_resend, former=True) == 1
    assert await again.settle_stale(EPOCH, no_resend, former=True) == 0
    assert await state_of(again, attempts[0].message_id) == "unknown"
    assert [a.destination for a in await claim(again)] == [NUMBER + 1]
    assert await again.settle_unknown(10, EPOCH + 30_000) == (0, 1)
    assert [row["state"] for row in await again.messages(1, MessageFilter(), None, 10)] == ["sending", "unknown"]
    await again.close()


async def test_expiry_finds_what_no_channel_asks_for(ledger: Ledger) -> None:
    await ledger.accept(submission(numbers=[NUMBER + i for i in range(5)], due_at=EPOCH + MINUTE))
    await ledger.accept(submission(expires_at=EPOCH + 10, due_at=EPOCH + 2 * MINUTE))
    expired = 0
    for _ in range(10):
        expired += await ledger.expire(2, EPOCH + 10)
    assert expired == 1
    assert await told(ledger) == ["expired"]


async def test_lane_depths_follow_every_move(open_ledger: Opener) -> None:
    ledger = await open_ledger()
    await ledger.accept(submission(numbers=[NUMBER + i for i in range(6)], plan=(1, 2)))
    attempts = await claim(ledger, limit=4)
    await ledger.record(
        [
            settlement(attempts[0], Accepted(("r",))),
            settlement(attempts[1], Refused("next step")),
            settlement(attempts[2], Deferred("down", counts=False)),
        ]
    )
    expected = [(1, "transactional", 3), (2, "transactional", 1)]
    assert [(r["channel_id"], r["class"], r["count"]) for r in await ledger.depths()] == expected
    await ledger.close()
    again = await open_ledger()
    assert [(r["channel_id"], r["class"], r["count"]) for r in await again.depths()] == expected
    await again.close()


def test_every_lane_is_named() -> None:
    assert [lane for lane, _ in ALL_LANES] == [OTP, TRANSACTIONAL, ADVERTISING]


async def test_of_two_answers_to_one_attempt_in_one_commit_the_later_counts(ledger: Ledger) -> None:
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    lost = settlement(attempt, Unknown("timeout"), wait_until=EPOCH + MINUTE)
    assert await ledger.record([lost, settlement(attempt, Accepted(("late",)))]) == 2
    assert await state_of(ledger, attempt.message_id) == "sent"
    timeline = await ledger.timeline(1, attempt.message_id)
    assert timeline is not None
    assert [a["outcome"] for a in timeline["attempts"]] == ["accepted"]


async def test_lanes_that_share_a_number_share_it(ledger: Ledger) -> None:
    for lane in (TRANSACTIONAL, ADVERTISING):
        await ledger.accept(submission(traffic_class=lane, numbers=[NUMBER + i for i in range(20)]))
    attempts = await ledger.claim(1, [(OTP, 10), (TRANSACTIONAL, 9), (ADVERTISING, 9)], 10, EPOCH, EPOCH + 1)
    assert [a.traffic_class for a in attempts] == [TRANSACTIONAL] * 9
