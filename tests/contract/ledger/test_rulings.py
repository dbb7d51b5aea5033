"""A person's word settles an unknown message once, as a receipt would, sends nothing, and gives way to what was quicker."""

import asyncio

import pytest

from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Deferred, Unknown
from loa.domain.ruling import BY_HAND, Effect, Ruling
from loa.domain.traffic import OnUnknown
from loa.ports.channel import Attempt
from loa.ports.ledger import Ledger
from loa.ports.records import Decision, MessageFilter, Row
from tests.contract.ledger.conftest import Opener
from tests.contract.ledger.values import (
    DAY,
    EPOCH,
    MINUTE,
    NUMBER,
    OTP,
    claim,
    keep,
    receipt,
    sent,
    settlement,
    state_of,
    submission,
    told,
)

LATER = EPOCH + 5_000


def decision(ruling: Ruling = Ruling.DELIVERED, at: int = LATER) -> Decision:
    return Decision(ruling, 'the carrier said so 🙂 "yes"', "mai", at)


async def unknown(ledger: Ledger, *refs: str, after: OnUnknown = OnUnknown.NEVER, **given: object) -> Attempt:
    """Carry one message as far as `unknown`, waiting a minute."""
    await ledger.accept(submission(**given))
    (attempt,) = await claim(ledger)
    lost = settlement(attempt, Unknown("silence", refs), wait_until=EPOCH + MINUTE, after=after)
    assert await ledger.record([lost]) == 1
    return attempt


async def dead(ledger: Ledger, **given: object) -> Attempt:
    await ledger.accept(submission(**given))
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Deferred("system error"), dead=True)])
    return attempt


async def shown(ledger: Ledger, message_id: int) -> Row:
    row = await ledger.timeline(1, message_id)
    assert row is not None
    return row


@pytest.mark.parametrize(("ruling", "error"), [(Ruling.DELIVERED, ""), (Ruling.UNDELIVERED, BY_HAND)])
async def test_a_waiting_message_is_settled_told_once_and_never_sent(
    ledger: Ledger, ruling: Ruling, error: str
) -> None:
    endpoint = await ledger.add_endpoint(1, "https://x.example/", "whsec_x")
    attempt = await unknown(ledger, after=OnUnknown.RESEND_ONCE, endpoint_id=endpoint.id)
    assert await ledger.rule(1, [attempt.message_id], decision(ruling)) == {attempt.message_id: Effect.DONE}
    row = await shown(ledger, attempt.message_id)
    assert (row["state"], row["error"], row["settled_by_hand"]) == (ruling.value, error, True)
    assert row["rulings"] == [
        {"what": ruling.value, "reason": 'the carrier said so 🙂 "yes"', "who": "mai", "at": LATER}
    ]
    (owed,) = await ledger.claim_due(10, 10, LATER, LATER + MINUTE, [])
    assert (owed.state.label, owed.error, owed.sequence) == (ruling.value, error, 1)
    assert await ledger.settle_unknown(10, EPOCH + DAY // 2) == (0, 0)
    assert await claim(ledger, EPOCH + DAY // 2) == []
    assert await told(ledger) == [ruling.value]


async def test_one_that_is_finally_unknown_is_settled_with_a_second_event(ledger: Ledger) -> None:
    attempt = await unknown(ledger)
    await ledger.settle_unknown(10, EPOCH + 2 * MINUTE)
    await ledger.rule(1, [attempt.message_id], decision(at=EPOCH + 3 * MINUTE))
    assert await told(ledger) == ["unknown", "delivered"]
    assert (await shown(ledger, attempt.message_id))["final_unknown"] is False


async def test_saying_it_again_changes_nothing_also_at_the_same_moment(ledger: Ledger) -> None:
    attempt = await unknown(ledger)
    said = await asyncio.gather(*(ledger.rule(1, [attempt.message_id] * 2, decision()) for _ in range(5)))
    assert sorted(effects[attempt.message_id] for effects in said) == ["already"] * 4 + ["done"]
    assert await told(ledger) == ["delivered"]
    assert len((await shown(ledger, attempt.message_id))["rulings"]) == 1


async def test_nobody_takes_it_back(ledger: Ledger) -> None:
    attempt = await unknown(ledger)
    await ledger.rule(1, [attempt.message_id], decision())
    again = await ledger.rule(1, [attempt.message_id], decision(Ruling.UNDELIVERED))
    assert again == {attempt.message_id: Effect.UNFIT}
    assert await state_of(ledger, attempt.message_id) == "delivered"


async def test_what_is_not_unknown_and_what_is_another_tenants_stays(ledger: Ledger) -> None:
    going = await sent(ledger, "A1")
    theirs = await unknown(ledger, tenant_id=2)
    await ledger.accept(submission(due_at=EPOCH + DAY))
    (waiting,) = await ledger.messages(1, MessageFilter(states=(State.QUEUED,)), None, 10)
    wanted = [going.message_id, theirs.message_id, waiting["id"], 7]
    effects = await ledger.rule(1, wanted, decision())
    assert [effects[each].value for each in wanted] == ["unfit", "missing", "unfit", "missing"]
    assert await told(ledger) == await told(ledger, 2) == []
    assert await ledger.rule(1, [], decision()) == {}


async def test_a_receipt_that_comes_later_is_kept_as_a_repeat_or_a_conflict(ledger: Ledger) -> None:
    attempt = await unknown(ledger, "A1")
    await ledger.rule(1, [attempt.message_id], decision())
    assert (await ledger.store([receipt("A1")])).applied == 1
    assert (await ledger.store([receipt("A1", state=State.UNDELIVERED)])).conflicts == 1
    row = await shown(ledger, attempt.message_id)
    assert row["state"] == "delivered"
    assert sorted(each["result"] for each in row["receipts"]) == ["conflict", "informed"]
    assert await told(ledger) == ["delivered"]


async def test_a_receipt_without_a_known_reference_is_kept_too(ledger: Ledger) -> None:
    attempt = await unknown(ledger)
    await ledger.rule(1, [attempt.message_id], decision(Ruling.UNDELIVERED))
    assert (await ledger.store([receipt("nobody knows it")])).parked == 1
    assert await state_of(ledger, attempt.message_id) == "undelivered"


async def test_a_late_answer_changes_nothing_and_its_reference_is_kept(ledger: Ledger) -> None:
    attempt = await unknown(ledger)
    await ledger.rule(1, [attempt.message_id], decision(Ruling.UNDELIVERED))
    assert await ledger.record([settlement(attempt, Accepted(("late",)), LATER + 1)]) == 0
    assert await state_of(ledger, attempt.message_id) == "undelivered"
    assert (await ledger.store([receipt("late")])).conflicts == 1


async def test_of_a_receipt_an_answer_and_a_person_at_once_one_wins(ledger: Ledger) -> None:
    attempts = []
    for number in range(12):
        attempts.append(await unknown(ledger, f"r{number}", numbers=[NUMBER + number]))
    ids = [attempt.message_id for attempt in attempts]
    effects, *_ = await asyncio.gather(
        ledger.rule(1, ids, decision(Ruling.UNDELIVERED)),
        *(ledger.store([receipt(f"r{number}", destination=NUMBER + number)]) for number in range(0, 12, 2)),
        *(ledger.record([settlement(attempts[number], Accepted((f"r{number}",)))]) for number in range(1, 12, 2)),
    )
    for number, message_id in enumerate(ids):
        row = await shown(ledger, message_id)
        by_hand = effects[message_id] is Effect.DONE
        assert row["settled_by_hand"] is by_hand
        assert row["state"] == ("undelivered" if by_hand else "sent" if number % 2 else "delivered")
        assert len(row["events"]) == (0 if row["state"] == "sent" else 1)
        assert len(row["receipts"]) == 1 - number % 2


async def test_a_long_message_that_was_settled_stays_settled_by_its_segments(ledger: Ledger) -> None:
    attempt = await unknown(ledger, "s0", "s1", segment_count=2)
    await ledger.store([receipt("s0")])
    await ledger.rule(1, [attempt.message_id], decision(Ruling.UNDELIVERED))
    assert (await ledger.store([receipt("s1")])).conflicts == 1
    assert await state_of(ledger, attempt.message_id) == "undelivered"


async def test_proof_that_an_earlier_attempt_arrived_goes_on_counting(ledger: Ledger) -> None:
    first = await unknown(ledger, "first", after=OnUnknown.RESEND_ONCE)
    await ledger.settle_unknown(10, EPOCH + 2 * MINUTE)
    (second,) = await claim(ledger, EPOCH + 2 * MINUTE)
    await ledger.record([settlement(second, Unknown("silence"), EPOCH + 2 * MINUTE, wait_until=EPOCH + 3 * MINUTE)])
    await ledger.rule(1, [first.message_id], decision(Ruling.UNDELIVERED, EPOCH + 3 * MINUTE))
    assert (await ledger.store([receipt("first", received_at=EPOCH + 4 * MINUTE)])).applied == 1
    assert await told(ledger) == ["undelivered", "delivered"]


async def test_a_dead_letter_is_dealt_with_without_telling_anybody(ledger: Ledger) -> None:
    attempt = await dead(ledger)
    alive = await unknown(ledger)
    wanted = [attempt.message_id, alive.message_id]
    effects = await ledger.rule(1, wanted, decision(Ruling.DEALT_WITH))
    assert [effects[each].value for each in wanted] == ["done", "unfit"]
    effects = await ledger.rule(1, wanted, decision(Ruling.DEALT_WITH))
    assert [effects[each].value for each in wanted] == ["already", "unfit"]
    row = await shown(ledger, attempt.message_id)
    assert (row["state"], row["dead"], row["dealt_with"]) == ("rejected", True, True)
    assert [each["what"] for each in row["rulings"]] == ["dealt_with"]
    assert await told(ledger) == ["rejected"]
    for dealt_with, found in ((True, [attempt.message_id]), (False, [])):
        rows = await ledger.messages(1, MessageFilter(dead=True, dealt_with=dealt_with), None, 10)
        assert [each["id"] for each in rows] == found


async def test_a_ruling_outlives_a_restart_and_goes_with_its_message(ledger: Ledger, open_ledger: Opener) -> None:
    attempt = await unknown(ledger, traffic_class=OTP)
    await ledger.rule(1, [attempt.message_id], decision())
    await ledger.close()
    again = await open_ledger()
    assert (await shown(again, attempt.message_id))["rulings"][0]["who"] == "mai"
    await again.purge(10_000, EPOCH + 20 * DAY, keep(history=DAY))
    assert await again.timeline(1, attempt.message_id) is None
    await again.close()


async def test_unknown_messages_and_dead_letters_are_listed_among_all_by_every_filter(ledger: Ledger) -> None:
    for number in range(3):
        await unknown(ledger, numbers=[NUMBER + number], at=EPOCH, sender=f"S{number}")
    await dead(ledger, numbers=[NUMBER + 5])
    await unknown(ledger, tenant_id=2)
    only = MessageFilter(states=(State.UNKNOWN,))
    rows = await ledger.messages(1, only, None, 2)
    rest = await ledger.messages(1, only, rows[-1]["id"], 10)
    assert [each["destination"] - NUMBER for each in [*rows, *rest]] == [2, 1, 0]
    (one,) = await ledger.messages(1, MessageFilter(states=(State.UNKNOWN,), sender="S1", channel=""), None, 10)
    assert one["destination"] == NUMBER + 1
    (lost,) = await ledger.messages(1, MessageFilter(dead=True), None, 10)
    assert lost["destination"] == NUMBER + 5
    assert await ledger.messages(1, MessageFilter(dead=True), lost["id"], 10) == []


async def test_unknown_messages_are_counted_by_channel(ledger: Ledger) -> None:
    await ledger.add_channel("main", "sandbox", {})
    first = await unknown(ledger)
    await unknown(ledger, numbers=[NUMBER + 1])
    await ledger.settle_unknown(1, EPOCH + 2 * MINUTE)
    await unknown(ledger, numbers=[NUMBER + 2], tenant_id=2)
    (row,) = await ledger.unknown_by_channel(1)
    assert (row["channel"], row["count"], row["waiting"], row["first_id"]) == ("main", 2, 1, first.message_id)


@pytest.mark.parametrize(("after", "said"), [(OnUnknown.RESEND_ONCE, "resend_once"), (OnUnknown.NEVER, "never")])
async def test_what_follows_the_wait_is_told(ledger: Ledger, after: OnUnknown, said: str) -> None:
    attempt = await unknown(ledger, after=after)
    row = await shown(ledger, attempt.message_id)
    assert (row["after_wait"], row["due_at"]) == (said, EPOCH + MINUTE)


async def test_an_attempt_of_the_past_is_given_as_its_channel_was_handed_it(ledger: Ledger) -> None:
    await ledger.accept(submission(rich={1: {"kind": "template"}}, brandname="BRAND", ext={"k": "v"}))
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Accepted(("A1",)))])
    assert await ledger.attempt(1, attempt.message_id, 1) == attempt
    assert await ledger.attempt(1, attempt.message_id, 2) is None
    assert await ledger.attempt(2, attempt.message_id, 1) is None


async def test_messages_are_found_by_what_a_provider_calls_them(ledger: Ledger) -> None:
    await ledger.add_channel("main", "sandbox", {})
    first = await sent(ledger, "00Ab-1")
    second = await sent(ledger, "ab-1", numbers=[NUMBER + 1])
    assert await ledger.messages_by_ref(1, "AB-1", 10) == [second.message_id, first.message_id]
    assert await ledger.messages_by_ref(1, "ab-1", 1) == [second.message_id]
    assert await ledger.messages_by_ref(2, "ab-1", 10) == await ledger.messages_by_ref(1, "x", 10) == []
