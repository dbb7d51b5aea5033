"""Route plans of several steps: going on after a refusal or a silence, and what arrives over two of them."""

import pytest

from loa.domain.latency import SPANS_S, Wait, learned, span_of
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Deferred, Refused, Unknown
from loa.domain.routes import DailyHours, RouteStep, Step
from loa.domain.traffic import OnUnknown, TrafficClass
from loa.ports.channel import Attempt
from loa.ports.ledger import Ledger
from tests.contract.ledger.values import MINUTE, NUMBER, OTP, claim, receipt, settlement, state_of, submission
from tests.support.fakes import EPOCH

PATIENT = (Step(1, 30_000, 200, True), Step(2, 0, 350))
ON_ZALO = {1: {"kind": "template", "template_id": "7", "data": {"otp": "123"}}}


async def handed_over(ledger: Ledger, **given: object) -> int:
    await ledger.accept(submission(plan=PATIENT, **given))
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Accepted(("z1",)))])
    return attempt.message_id


async def silent(ledger: Ledger, now: int) -> int:
    return await ledger.go_on(await ledger.silent(1, 10, now), now)


async def test_a_step_that_stays_silent_for_its_time_is_left_for_the_next_one_flagged(ledger: Ledger) -> None:
    message_id = await handed_over(ledger)
    assert await ledger.silent(1, 10, EPOCH + 29_999) == []
    (question,) = await ledger.silent(1, 10, EPOCH + 30_000)
    assert (question.message_id, question.number, question.destination, question.ref) == (message_id, 1, NUMBER, "z1")
    assert await ledger.silent_channels(EPOCH + 30_000) == [1]
    assert await silent(ledger, EPOCH + 30_000) == 1
    (second,) = await claim(ledger, EPOCH + 30_000, channel=2)
    assert (second.message_id, second.number, second.possible_duplicate) == (message_id, 2, True)
    assert await ledger.silent_channels(EPOCH + MINUTE) == []


async def test_a_receipt_that_is_quicker_ends_the_wait(ledger: Ledger) -> None:
    message_id = await handed_over(ledger)
    questions = await ledger.silent(1, 10, EPOCH + 30_000)
    await ledger.store([receipt("z1")])
    assert await ledger.go_on(questions, EPOCH + 30_000) == 0
    assert await state_of(ledger, message_id) == "delivered"
    assert await ledger.silent(1, 10, EPOCH + MINUTE) == []


async def test_near_the_end_of_life_the_next_step_begins_while_there_is_time_for_it(ledger: Ledger) -> None:
    await handed_over(ledger, expires_at=EPOCH + 40_000)
    assert await silent(ledger, EPOCH + 20_000) == 1


@pytest.mark.parametrize("outcome", [Deferred("quota", EPOCH + 86_400_000, counts=False, alone=True), Refused("-118")])
async def test_what_holds_back_one_message_sends_it_on_at_once(ledger: Ledger, outcome: Deferred | Refused) -> None:
    await ledger.accept(submission(plan=PATIENT))
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, outcome)])
    (second,) = await claim(ledger, channel=2)
    assert (second.channel_id, second.possible_duplicate) == (2, False)


async def test_without_a_next_step_it_waits_alone_and_uses_no_try(ledger: Ledger) -> None:
    await ledger.accept(submission(plan=(Step(1),)))
    (attempt,) = await claim(ledger)
    until = EPOCH + 60 * MINUTE
    held = Deferred("hours", until, counts=False, alone=True)
    await ledger.record([settlement(attempt, held, retry_at=until)])
    assert await claim(ledger, until - 1) == []
    (again,) = await claim(ledger, until)
    assert again.tries == 0


async def test_what_waited_long_is_claimed_alone_where_another_step_follows(ledger: Ledger) -> None:
    for traffic_class, plan in ((OTP, PATIENT), (OTP, PATIENT[:1]), (TrafficClass.TRANSACTIONAL, PATIENT)):
        await ledger.accept(submission(traffic_class=traffic_class, plan=plan))
    lane = [(OTP, 10)]

    async def waiting(waited_ms: int, now: int = EPOCH + MINUTE) -> list[Attempt]:
        return await ledger.claim(1, lane, 10, now, now + MINUTE, waited_ms=waited_ms)

    assert await waiting(MINUTE + 1) == []
    (passed,) = await waiting(MINUTE)
    assert await waiting(MINUTE) == []
    outcome = Deferred("channel_stands_still", EPOCH + MINUTE, counts=False, alone=True)
    await ledger.record([settlement(passed, outcome, EPOCH + MINUTE)])
    (again,) = await ledger.claim(2, lane, 10, EPOCH + MINUTE, EPOCH + 2 * MINUTE)
    assert (again.message_id, again.possible_duplicate) == (passed.message_id, False)
    assert await ledger.claim(2, lane, 10, EPOCH + MINUTE, EPOCH + 2 * MINUTE, waited_ms=0) == []
    # The lane is whole for those who work in it as always.
    assert len(await claim(ledger, EPOCH + MINUTE)) == 2


async def test_a_late_refusal_of_an_unknown_step_begins_the_next_one(ledger: Ledger) -> None:
    await ledger.accept(submission(plan=PATIENT))
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Unknown("response_timeout"), wait_until=EPOCH + MINUTE)])
    await ledger.record([settlement(attempt, Refused("-118"))])
    (following,) = await claim(ledger, channel=2)
    assert (following.message_id, following.possible_duplicate) == (attempt.message_id, False)


async def test_a_number_that_is_none_is_not_tried_elsewhere(ledger: Ledger) -> None:
    await ledger.accept(submission(plan=PATIENT))
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Refused("-108", everywhere=True))])
    assert await state_of(ledger, attempt.message_id) == "rejected"


async def test_a_step_with_another_behind_it_is_tried_twice(ledger: Ledger) -> None:
    await ledger.accept(submission(plan=PATIENT))
    for at in (EPOCH, EPOCH + 5):
        (attempt,) = await claim(ledger, at)
        await ledger.record([settlement(attempt, Deferred("connect_failed"), at, retry_at=at + 5)])
    assert len(await claim(ledger, EPOCH + 5, channel=2)) == 1


@pytest.mark.parametrize(
    ("after", "goes_on"), [(OnUnknown.NEVER, 0), (OnUnknown.NEXT_STEP, 1), (OnUnknown.RESEND_ONCE, 1)]
)
async def test_an_unknown_step_is_left_only_where_the_class_allows_a_double(
    ledger: Ledger, after: OnUnknown, goes_on: int
) -> None:
    await ledger.accept(submission(plan=PATIENT))
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Unknown("lost", ("t1",)), wait_until=EPOCH + MINUTE, after=after)])
    assert await ledger.settle_unknown(10, EPOCH + MINUTE) == (goes_on, 1 - goes_on)
    assert await claim(ledger, EPOCH + MINUTE) == []
    (second,) = await claim(ledger, EPOCH + MINUTE, channel=2) or [None]
    assert (second is not None and second.possible_duplicate) == bool(goes_on)


async def test_next_step_alone_never_repeats_the_last_one(ledger: Ledger) -> None:
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    lost = settlement(attempt, Unknown("lost"), wait_until=EPOCH + MINUTE, after=OnUnknown.NEXT_STEP)
    await ledger.record([lost])
    assert await ledger.settle_unknown(10, EPOCH + MINUTE) == (0, 1)


async def flags_of(ledger: Ledger, message_id: int) -> tuple[str, bool]:
    row = await ledger.message(1, message_id)
    assert row is not None
    return row["state"], row["double_reach"]


async def test_a_late_receipt_before_the_next_step_is_claimed_ends_the_message(ledger: Ledger) -> None:
    message_id = await handed_over(ledger)
    await silent(ledger, EPOCH + 30_000)
    await ledger.store([receipt("z1", received_at=EPOCH + 30_001)])
    assert await claim(ledger, EPOCH + MINUTE, channel=2) == []
    assert await flags_of(ledger, message_id) == ("delivered", False)


@pytest.mark.parametrize(
    ("outcome", "doubled"),
    [(Accepted(("s1",)), True), (Unknown("lost"), True), (Refused("no"), False), (Deferred("later"), False)],
)
async def test_a_late_receipt_while_the_next_step_leaves_ends_it_whatever_comes_of_that(
    ledger: Ledger, outcome: Accepted | Unknown | Refused | Deferred, doubled: bool
) -> None:
    message_id = await handed_over(ledger)
    await silent(ledger, EPOCH + 30_000)
    (second,) = await claim(ledger, EPOCH + 30_000, channel=2)
    await ledger.store([receipt("z1", received_at=EPOCH + 30_001)])
    assert await state_of(ledger, message_id) == "sending"
    await ledger.record([settlement(second, outcome, EPOCH + 30_002, wait_until=EPOCH + MINUTE, retry_at=EPOCH)])
    assert await flags_of(ledger, message_id) == ("delivered", doubled)
    assert await claim(ledger, EPOCH + 10 * MINUTE, channel=2) == []


@pytest.mark.parametrize("first", [None, State.DELIVERED, State.UNDELIVERED])
async def test_a_late_receipt_after_the_next_step_is_a_double_reach_unless_that_one_failed(
    ledger: Ledger, first: State | None
) -> None:
    message_id = await handed_over(ledger)
    await silent(ledger, EPOCH + 30_000)
    (second,) = await claim(ledger, EPOCH + 30_000, channel=2)
    await ledger.record([settlement(second, Accepted(("s1",)), EPOCH + 30_000)])
    if first is not None:
        await ledger.store([receipt("s1", state=first, channel_id=2, received_at=EPOCH + 31_000)])
    counts = await ledger.store([receipt("z1", received_at=EPOCH + 32_000)])
    assert counts.doubles == (first is not State.UNDELIVERED)
    assert await flags_of(ledger, message_id) == ("delivered", first is not State.UNDELIVERED)


async def test_a_late_failure_of_a_step_that_was_left_changes_nothing(ledger: Ledger) -> None:
    message_id = await handed_over(ledger)
    await silent(ledger, EPOCH + 30_000)
    (second,) = await claim(ledger, EPOCH + 30_000, channel=2)
    await ledger.record([settlement(second, Accepted(("s1",)), EPOCH + 30_000)])
    await ledger.store([receipt("z1", state=State.UNDELIVERED, received_at=EPOCH + 32_000)])
    assert await state_of(ledger, message_id) == "sent"


async def test_a_crash_while_the_next_step_leaves_keeps_what_arrived(ledger: Ledger) -> None:
    message_id = await handed_over(ledger)
    await silent(ledger, EPOCH + 30_000)
    await claim(ledger, EPOCH + 30_000, channel=2)
    await ledger.store([receipt("z1", received_at=EPOCH + 30_001)])
    later = EPOCH + 10 * MINUTE
    assert await ledger.settle_stale(later, lambda _tenant, _class: (0, OnUnknown.RESEND_ONCE)) == 1
    assert await flags_of(ledger, message_id) == ("delivered", True)


@pytest.mark.parametrize(("zalo", "cost"), [(False, 350), (True, 550)])
async def test_a_message_says_what_each_attempt_and_the_whole_of_it_costs(
    ledger: Ledger, zalo: bool, cost: int
) -> None:
    message_id = await handed_over(ledger)
    await silent(ledger, EPOCH + 30_000)
    (second,) = await claim(ledger, EPOCH + 30_000, channel=2)
    await ledger.record([settlement(second, Accepted(("s1",)), EPOCH + 30_000)])
    if zalo:
        await ledger.store([receipt("z1", received_at=EPOCH + 32_000)])
    shown = await ledger.timeline(1, message_id)
    assert shown is not None
    assert [(each["price"], each["charged"]) for each in shown["attempts"]] == [(200, zalo), (350, True)]
    assert shown["cost"] == cost


async def test_each_step_gets_its_own_content_and_sms_its_brandname(ledger: Ledger) -> None:
    await ledger.accept(submission(plan=PATIENT, rich=ON_ZALO, brandname="SHOP"))
    (first,) = await claim(ledger)
    assert (first.rich, first.sender) == (ON_ZALO[1], "SHOP")
    await ledger.record([settlement(first, Refused("-118"))])
    (second,) = await claim(ledger, channel=2)
    assert (dict(second.rich), second.sender, second.text[:3]) == ({}, "SHOP", "Xin")


async def test_how_long_receipts_take_is_learned(ledger: Ledger) -> None:
    await handed_over(ledger, traffic_class=OTP)
    counts = await ledger.store([receipt("z1", received_at=EPOCH + 4_000)])
    assert counts.waits == {Wait(1, OTP, span_of(4_000)): 1}
    assert learned(await ledger.usual_waits()) == {}
    await ledger.learn({Wait(1, OTP, span_of(4_000)): 90, Wait(1, OTP, span_of(900_000)): 4})
    assert learned(await ledger.usual_waits()) == {(1, OTP): SPANS_S[span_of(4_000)]}
    await ledger.learn({Wait(1, OTP, span_of(4_000)): 10_000})
    assert sum((await ledger.usual_waits()).values()) == 5_047


async def test_the_steps_of_a_route_are_kept_with_their_conditions(ledger: Ledger) -> None:
    steps = (
        RouteStep(1, 0, (TrafficClass.OTP,), ("viettel",), DailyHours(22 * 60, 6 * 60)),
        RouteStep(2, 45),
        RouteStep(3),
    )
    kept = await ledger.add_route((await ledger.add_tenant("acme", EPOCH)).id, steps)
    assert kept.steps == steps
    assert [each.steps for each in await ledger.routes()] == [steps]


async def test_a_rule_takes_another_place_and_the_others_keep_their_order(ledger: Ledger) -> None:
    owner, other = [(await ledger.add_tenant(name, EPOCH)).id for name in ("acme", "other")]
    ids = [(await ledger.add_route(owner, [1], position=5)).id for _ in range(3)]
    foreign = await ledger.add_route(other, [1], position=7)
    before = await ledger.revision()
    assert await ledger.move_route(ids[2], 0)
    assert await ledger.move_route(ids[0], 99)
    assert await ledger.revision() > before
    held = {each.id: each.position for each in await ledger.routes()}
    assert held == {ids[2]: 10, ids[1]: 20, ids[0]: 30, foreign.id: 7}
    assert not await ledger.move_route(999, 0)
