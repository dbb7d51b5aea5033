"""Messages over SMPP against a scripted SMSC: segments, answers, throttling, lost links."""

import asyncio

from tests.contract.channel.rig import attempt
from tests.contract.channel.smpp_rig import LONG, bound

from loa.domain.outcome import Accepted, Deferred, Refused, Unknown
from loa.smpp import pdu as p
from loa.smpp import tlv
from loa.smpp.payload import content


async def test_a_submit_carries_brandname_number_text_lifetime_and_asks_for_a_receipt():
    async with bound(extra_tlvs={"0x1401": "0a0b"}) as (smsc, rig):
        await rig.outcome_of(attempt(1, text="Mã của bạn: 1 €", encoding="ucs2"))
        (submit,) = smsc.submits
        assert (submit.source_ton, submit.source_npi, submit.source) == (5, 0, "LOA")
        assert (submit.destination_ton, submit.destination_npi, submit.destination) == (1, 1, "84912345678")
        assert (submit.data_coding, submit.registered_delivery) == (8, 1)
        assert submit.validity.endswith("R")
        assert submit.tlvs == ((0x1401, b"\x0a\x0b"),)
        assert content(submit).text == "Mã của bạn: 1 €"


async def test_a_long_message_is_joined_by_headers_and_accepted_as_one():
    async with bound() as (smsc, rig):
        outcome = await rig.outcome_of(attempt(1, text=LONG, segment_count=3))
        assert outcome == Accepted(("1", "2", "3"))
        parts = [content(submit) for submit in smsc.submits]
        assert "".join(part.text for part in parts) == LONG
        assert [(part.part.total, part.part.number) for part in parts] == [(3, 1), (3, 2), (3, 3)]
        assert len({part.part.reference for part in parts}) == 1
        await rig.outcome_of(attempt(2, text=LONG + "x", segment_count=3))
        assert content(smsc.submits[3]).part.reference == (parts[0].part.reference + 1) % 256


async def test_a_long_message_may_travel_as_sar_or_payload():
    async with bound(long_message="sar") as (smsc, rig):
        await rig.outcome_of(attempt(1, text=LONG, segment_count=3))
        assert [content(submit).part.number for submit in smsc.submits] == [1, 2, 3]
        assert {submit.esm_class for submit in smsc.submits} == {0}
    async with bound(long_message="payload") as (smsc, rig):
        assert await rig.outcome_of(attempt(1, text=LONG, segment_count=3)) == Accepted(("1",))
        (submit,) = smsc.submits
        assert submit.short_message == b""
        assert tlv.find(submit.tlvs, tlv.MESSAGE_PAYLOAD) == LONG.encode()


async def test_segments_stay_in_order_through_a_narrow_window():
    async with bound(window=1) as (smsc, rig):
        rig.submit(attempt(1, text=LONG, segment_count=3), attempt(2, text="after"))
        await rig.settled(2)
        texts = [content(submit).text for submit in smsc.submits]
        assert "".join(texts) == LONG + "after"


async def test_a_later_segment_that_is_throttled_is_submitted_again_alone():
    async with bound() as (smsc, rig):
        refused = []

        def throttle_the_second_once(session, submit):
            if content(submit).part.number == 2 and not refused:
                refused.append(submit)
                session.answer(p.SubmitSmResp(submit.sequence, 0x58))
            else:
                smsc.accept(session, submit)

        smsc.on_submit = throttle_the_second_once
        outcome = await rig.outcome_of(attempt(1, text=LONG, segment_count=3))
        assert outcome == Accepted(("1", "3", "2"))
        assert [content(submit).part.number for submit in smsc.submits] == [1, 2, 3, 2]


async def test_a_message_whose_first_segment_is_throttled_goes_back_whole_when_nothing_was_taken():
    async with bound() as (smsc, rig):
        smsc.on_submit = smsc.refuse(0x14)
        assert await rig.outcome_of(attempt(1, text=LONG, segment_count=3)) == Deferred("throttled", counts=False)
        assert rig.channel.free(0) == 0


async def test_a_refused_later_segment_refuses_the_message_and_names_what_was_taken():
    async with bound() as (smsc, rig):

        def refuse_the_last(session, submit):
            if content(submit).part.number == 3:
                session.answer(p.SubmitSmResp(submit.sequence, 0x0B))
            else:
                smsc.accept(session, submit)

        smsc.on_submit = refuse_the_last
        outcome = await rig.outcome_of(attempt(1, text=LONG, segment_count=3))
        assert outcome == Refused("ESME_RINVDSTADR", True, ("1", "2"))


async def test_a_link_cut_in_the_middle_of_a_message_leaves_it_unknown_with_what_was_answered():
    async with bound() as (smsc, rig):

        def cut_at_the_second(session, submit):
            if content(submit).part.number == 1:
                smsc.accept(session, submit)
            elif content(submit).part.number == 3:
                session.transport.close()

        smsc.on_submit = cut_at_the_second
        outcome = await rig.outcome_of(attempt(1, text=LONG, segment_count=3))
        assert outcome == Unknown("link_lost", ("1", "", ""))


async def test_what_was_not_written_when_the_link_broke_is_deferred_and_what_was_is_unknown():
    async with bound(window=2) as (smsc, rig):
        smsc.on_submit = smsc.silent
        rig.submit(*(attempt(number) for number in range(1, 5)))
        await smsc.watch.until(lambda: len(smsc.submits) == 2)
        smsc.sessions[0].cut()
        await rig.settled(4)
        assert {each.message_id: type(outcome) for each, outcome in rig.outcomes} == {
            1: Unknown,
            2: Unknown,
            3: Deferred,
            4: Deferred,
        }
        assert not any(outcome.counts for _, outcome in rig.outcomes if isinstance(outcome, Deferred))


async def test_a_late_answer_is_reported_after_the_message_was_given_up():
    async with bound(response_timeout_s=0.1) as (smsc, rig):
        smsc.on_submit = smsc.silent
        one = attempt(1)
        assert await rig.outcome_of(one) == Unknown("response_timeout", ("",))
        smsc.accept(smsc.sessions[0], smsc.submits[0])
        await rig.watch.until(lambda: rig.lates)
        assert rig.lates == [(one, Accepted(("1",)))]
        assert len(rig.outcomes) == 1


async def test_a_second_answer_to_one_submit_changes_nothing():
    async with bound() as (smsc, rig):

        def twice(session, submit):
            smsc.accept(session, submit)
            smsc.accept(session, submit)

        smsc.on_submit = twice
        assert await rig.outcome_of(attempt(1)) == Accepted(("1",))
        assert await rig.outcome_of(attempt(2)) == Accepted(("3",))
        assert not rig.lates
        assert len(rig.outcomes) == 2


async def test_a_generic_nack_answers_the_submit_it_names():
    async with bound() as (smsc, rig):
        smsc.on_submit = lambda session, submit: session.answer(p.GenericNack(submit.sequence, 0x03))
        assert await rig.outcome_of(attempt(1)) == Refused("ESME_RINVCMDID")
        assert len(smsc.sessions) == 1


async def test_a_status_can_be_given_another_meaning():
    async with bound(status_map={"0x4FE": "refused", "0x0B": "deferred"}) as (smsc, rig):
        smsc.on_submit = smsc.refuse(0x4FE)
        assert await rig.outcome_of(attempt(1)) == Refused("vendor status 0x4FE")
        smsc.on_submit = smsc.refuse(0x0B)
        assert await rig.outcome_of(attempt(2)) == Deferred("ESME_RINVDSTADR", counts=True)


async def test_an_answer_that_denies_the_bind_makes_the_link_bind_again():
    async with bound() as (smsc, rig):
        smsc.on_submit = smsc.refuse(0x04)
        assert await rig.outcome_of(attempt(1)) == Deferred("not_bound", counts=False)
        await smsc.watch.until(lambda: len(smsc.binds) == 2)


async def test_several_links_share_the_work_and_one_destination_keeps_to_one():
    async with bound(links=3, window=4) as (smsc, rig):
        await rig.until_free(12)
        rig.submit(*(attempt(number, destination=84912345600 + number % 3) for number in range(1, 13)))
        await rig.settled(12)
        used = {}
        for session in smsc.sessions:
            used[session] = session.bind is not None
        assert len(used) == 3
        assert rig.channel.status().links_up == 3
        smsc.sessions[0].cut()
        await rig.watch.until(lambda: rig.channel.free(0) == 8)


async def test_the_rate_holds_over_all_links():
    async with bound(links=2, rate=40, window=50) as (_smsc, rig):
        began = asyncio.get_running_loop().time()
        sent = 0
        while sent < 14:
            await rig.until_free()
            free = min(rig.channel.free(0), 14 - sent)
            rig.submit(*(attempt(sent + number, destination=84912345678 + number) for number in range(free)))
            sent += free
        await rig.settled(14)
        assert asyncio.get_running_loop().time() - began >= 9 / 40


async def test_text_with_a_forbidden_character_never_reaches_the_peer():
    async with bound(forbidden_characters="[]<>") as (smsc, rig):
        outcome = await rig.outcome_of(attempt(1, text="a < b"))
        assert outcome == Refused("text_forbidden_character")
        assert await rig.outcome_of(attempt(2, text="a b", sender="x" * 30)) == Refused("sender_not_sendable")
        assert await rig.outcome_of(attempt(3, text="a b")) == Accepted(("1",))
        assert len(smsc.submits) == 1


async def test_a_congested_peer_slows_the_channel_down():
    async with bound(window=50) as (smsc, rig):

        def congested(session, submit):
            session.answer(p.SubmitSmResp(submit.sequence, 0, "1", ((tlv.CONGESTION_STATE, b"\x64"),)))

        smsc.on_submit = congested
        rig.submit(*(attempt(number) for number in range(1, 21)))
        await rig.settled(20)
        assert rig.channel.free(0) < 50


async def test_a_peer_that_does_not_read_stops_the_flow_until_it_does():
    async with bound(window=10_000, extra_tlvs={"0x1401": "00" * 2_000}) as (smsc, rig):
        smsc.sessions[0].transport.pause_reading()
        given = 0
        while rig.channel.free(0) and given < 10_000:
            rig.submit(*(attempt(given + number) for number in range(1, 501)))
            given += 500
        assert given < 10_000
        assert rig.channel.free(0) == 0
        smsc.sessions[0].transport.resume_reading()
        await rig.settled(given)
        assert {type(outcome) for _, outcome in rig.outcomes} == {Accepted}
        assert rig.channel.free(0) == 10_000
