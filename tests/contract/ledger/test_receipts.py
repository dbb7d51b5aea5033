"""Receipts count once, find their message in any order and form, and never move it back."""

import asyncio

import pytest

from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Unknown
from loa.domain.traffic import OnUnknown
from loa.ports.ledger import Ledger
from loa.ports.records import ReceiptCounts
from tests.contract.ledger.conftest import Opener
from tests.contract.ledger.values import (
    DAY,
    EPOCH,
    MINUTE,
    NUMBER,
    OTP,
    claim,
    keep,
    no_resend,
    receipt,
    sent,
    settlement,
    state_of,
    submission,
    told,
)


async def test_a_receipt_settles_its_message_and_is_told_once(ledger: Ledger) -> None:
    attempt = await sent(ledger, "A1")
    assert await ledger.store([receipt("A1")]) == ReceiptCounts(applied=1)
    assert await state_of(ledger, attempt.message_id) == "delivered"
    assert await told(ledger) == ["delivered"]


async def test_a_hundred_repeats_change_nothing_and_are_counted(ledger: Ledger) -> None:
    attempt = await sent(ledger, "A1")
    first = await ledger.store([receipt("A1")] * 50)
    rest = await asyncio.gather(*(ledger.store([receipt("A1")]) for _ in range(50)))
    assert first.applied == 1
    assert first.repeated + sum(one.repeated for one in rest) == 99
    assert await told(ledger) == ["delivered"]
    timeline = await ledger.timeline(1, attempt.message_id)
    assert timeline is not None
    assert len(timeline["receipts"]) == 1


@pytest.mark.parametrize(
    ("answered", "reported"),
    [
        ("00000ABC", ("abc",)),
        ("abc", ("0000ABC",)),
        ("1f", ("31", "1f", "49")),
        ("31", ("1f", "31", "7967")),
    ],
)
async def test_a_reference_matches_in_other_case_padding_and_base(
    ledger: Ledger, answered: str, reported: tuple[str, ...]
) -> None:
    attempt = await sent(ledger, answered)
    await ledger.store([receipt(*reported)])
    assert await state_of(ledger, attempt.message_id) == "delivered"


async def test_another_base_needs_the_number_to_agree(ledger: Ledger) -> None:
    attempt = await sent(ledger, "31")
    counts = await ledger.store([receipt("1f", "31", destination=NUMBER + 1)])
    assert counts.parked == 1
    assert await state_of(ledger, attempt.message_id) == "sent"


async def test_a_receipt_before_its_response_is_parked_and_applied_with_the_response(ledger: Ledger) -> None:
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    assert (await ledger.store([receipt("1f", "31")])).parked == 1
    (orphan,) = await ledger.orphans()
    assert orphan["count"] == 1
    await ledger.record([settlement(attempt, Accepted(("31",)))])
    assert await state_of(ledger, attempt.message_id) == "delivered"
    assert await ledger.orphans() == []
    assert (await ledger.store([receipt("1f", "31")])).repeated == 1


async def test_states_only_go_forward_and_a_contradiction_is_kept_as_a_conflict(ledger: Ledger) -> None:
    attempt = await sent(ledger, "A1")
    await ledger.store([receipt("A1")])
    assert (await ledger.store([receipt("A1", state=State.UNDELIVERED)])).conflicts == 1
    assert (await ledger.store([receipt("A1", state=None)])).applied == 1
    assert await state_of(ledger, attempt.message_id) == "delivered"
    timeline = await ledger.timeline(1, attempt.message_id)
    assert timeline is not None
    assert sorted(r["result"] for r in timeline["receipts"]) == ["applied", "conflict", "informed"]
    assert timeline["receipts"][0]["raw"] == b"\x00\xffid:1".hex().upper()


async def test_a_long_message_is_delivered_when_all_its_segments_are(ledger: Ledger) -> None:
    attempt = await sent(ledger, "s0", "s1", "s2", segment_count=3)
    for ref in ("s2", "s0"):
        await ledger.store([receipt(ref)])
        assert await state_of(ledger, attempt.message_id) == "sent"
    await ledger.store([receipt("s1")])
    assert await state_of(ledger, attempt.message_id) == "delivered"


async def test_receipts_of_all_segments_in_one_commit_make_one_event(ledger: Ledger) -> None:
    await sent(ledger, "s0", "s1", segment_count=2)
    await ledger.store([receipt("s0"), receipt("s1")])
    assert await told(ledger) == ["delivered"]


async def test_one_failed_segment_fails_the_message(ledger: Ledger) -> None:
    attempt = await sent(ledger, "s0", "s1", segment_count=2)
    await ledger.store([receipt("s0")])
    await ledger.store([receipt("s1", state=State.UNDELIVERED, detail="err:027")])
    row = await ledger.message(1, attempt.message_id)
    assert row is not None
    assert (row["state"], row["error"]) == ("undelivered", "err:027")


async def test_where_only_one_segment_is_reported_it_speaks_for_all(ledger: Ledger) -> None:
    attempt = await sent(ledger, "", "s1", segment_count=2)
    await ledger.store([receipt("s1")])
    assert await state_of(ledger, attempt.message_id) == "delivered"


async def test_undelivered_goes_on_to_the_next_channel_of_the_plan(ledger: Ledger) -> None:
    attempt = await sent(ledger, "A1", plan=(1, 2))
    await ledger.store([receipt("A1", state=State.UNDELIVERED)])
    assert await told(ledger) == []
    (second,) = await claim(ledger, EPOCH + MINUTE, channel=2)
    assert second.message_id == attempt.message_id


async def test_a_receipt_settles_an_unknown_message_and_stops_its_second_sending(ledger: Ledger) -> None:
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    lost = Unknown("second segment unanswered", ("A1",))
    await ledger.record([settlement(attempt, lost, wait_until=EPOCH + MINUTE, after=OnUnknown.RESEND_ONCE)])
    await ledger.store([receipt("A1")])
    assert await state_of(ledger, attempt.message_id) == "delivered"
    assert await ledger.settle_unknown(10, EPOCH + DAY) == (0, 0)


async def test_a_receipt_whose_response_was_lost_settles_the_one_message_it_can_speak_of(open_ledger: Opener) -> None:
    ledger = await open_ledger()
    await ledger.accept(submission(traffic_class=OTP))
    (attempt,) = await claim(ledger)
    await ledger.close()

    again = await open_ledger()
    await again.settle_stale(EPOCH + 500, no_resend, former=True)
    assert (await again.store([receipt("never-seen")])).applied == 1
    assert await state_of(again, attempt.message_id) == "delivered"
    assert (await again.store([receipt("never-seen")])).repeated == 1
    await again.close()


async def test_a_receipt_that_came_before_the_crash_is_found_again_by_upkeep(open_ledger: Opener) -> None:
    ledger = await open_ledger()
    await ledger.accept(submission(traffic_class=OTP))
    (attempt,) = await claim(ledger)
    assert (await ledger.store([receipt("never-seen")])).parked == 1
    await ledger.close()

    again = await open_ledger()
    await again.settle_stale(EPOCH + 2_000, no_resend, former=True)
    assert (await again.rematch(10, EPOCH + 3_000)).applied == 1
    assert await state_of(again, attempt.message_id) == "delivered"
    await again.close()


async def test_a_receipt_taken_as_evidence_is_shown_and_so_are_those_that_follow_under_its_reference(
    ledger: Ledger,
) -> None:
    await ledger.accept(submission())
    (first,) = await claim(ledger)
    await ledger.record([settlement(first, Unknown("lost"), wait_until=EPOCH + MINUTE, after=OnUnknown.RESEND_ONCE)])
    assert (await ledger.store([receipt("never-seen", state=None, stat="ACCEPTD")])).parked == 1
    assert (await ledger.store([receipt("never-seen", state=State.UNDELIVERED)])).applied == 1
    later = receipt("never-seen", state=State.UNDELIVERED, stat="UNDELIV2")
    assert (await ledger.store([later])).applied == 1
    timeline = await ledger.timeline(1, first.message_id)
    assert timeline is not None
    assert sorted(r["stat"] for r in timeline["receipts"]) == ["ACCEPTD", "UNDELIV", "UNDELIV2"]
    assert await ledger.orphans() == []


@pytest.mark.parametrize("together", [True, False])
async def test_what_came_before_evidence_under_its_reference_is_with_the_message_at_once(
    ledger: Ledger, together: bool
) -> None:
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Unknown("lost"), wait_until=EPOCH + MINUTE)])
    came = [receipt("never-seen", state=None, stat="ENROUTE"), receipt("never-seen")]
    for call in [came] if together else [[one] for one in came]:
        await ledger.store(call)
    timeline = await ledger.timeline(1, attempt.message_id)
    assert timeline is not None
    assert sorted(r["stat"] for r in timeline["receipts"]) == ["DELIVRD", "ENROUTE"]
    assert await ledger.orphans() == []


async def test_evidence_settles_what_a_lost_link_left_without_any_reference(ledger: Ledger) -> None:
    await ledger.accept(submission(traffic_class=OTP))
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Unknown("link_lost", ("",)), wait_until=EPOCH + MINUTE)])
    assert (await ledger.store([receipt("never-seen")])).applied == 1
    assert await state_of(ledger, attempt.message_id) == "delivered"


async def test_evidence_that_fits_two_messages_settles_neither(ledger: Ledger) -> None:
    await ledger.accept(submission(traffic_class=OTP))
    await ledger.accept(submission(traffic_class=OTP))
    for attempt in await claim(ledger):
        await ledger.record([settlement(attempt, Unknown("link lost"), wait_until=EPOCH + MINUTE)])
    assert (await ledger.store([receipt("never-seen")])).parked == 1


async def test_a_lifetime_that_ended_is_corrected_by_proof_of_delivery(ledger: Ledger) -> None:
    attempt = await sent(ledger, "A1")
    await ledger.store([receipt("A1", state=State.EXPIRED)])
    assert (await ledger.store([receipt("A1", state=State.DELIVERED)])).applied == 1
    assert await state_of(ledger, attempt.message_id) == "delivered"
    assert await told(ledger) == ["expired", "delivered"]


async def test_parked_receipts_go_after_their_time_and_the_receipt_stays(ledger: Ledger) -> None:
    await ledger.store([receipt("nobody")])
    await ledger.purge(100, EPOCH + 10 * MINUTE, keep(parked=MINUTE))
    assert await ledger.orphans() == []
    assert (await ledger.store([receipt("nobody")])).repeated == 1
