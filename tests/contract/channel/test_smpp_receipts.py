"""Receipts over SMPP against a scripted SMSC: acknowledgements, spellings, odd deliveries."""

import pytest
from tests.contract.channel.rig import attempt
from tests.contract.channel.smpp_rig import bound

from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted
from loa.smpp import pdu as p
from loa.smpp import tlv


async def test_receipts_are_acknowledged_only_when_they_are_stored():
    async with bound() as (smsc, rig):
        rig.acknowledge = None
        first, second = smsc.receipt("1"), smsc.receipt("2")
        await rig.received(2)
        assert not smsc.acks
        rig.unacknowledged[1](True)
        rig.unacknowledged[0](False)
        await smsc.watch.until(lambda: len(smsc.acks) == 2)
        assert {(ack.sequence, ack.status) for ack in smsc.acks} == {(second, 0), (first, 0x64)}


async def test_receipts_past_the_limit_are_left_to_the_peer():
    async with bound(receipts_pending=2) as (smsc, rig):
        rig.acknowledge = None
        for ref in ("1", "2", "3"):
            smsc.receipt(ref)
        await smsc.watch.until(lambda: smsc.acks)
        assert [ack.status for ack in smsc.acks] == [0x64]
        assert len(rig.receipts) == 2


@pytest.mark.parametrize(
    "delivery",
    [
        p.DeliverSm(esm_class=4, short_message=b"id:\xff sub: stat: err:"),
        p.DeliverSm(esm_class=4),
        p.DeliverSm(esm_class=4, data_coding=0xF0, short_message=b"\0\0\0"),
        p.DeliverSm(source="84912345678", destination="5656", short_message=b"DK DNC"),
        p.DeliverSm(esm_class=0x40, short_message=b"\x05\x00\x03\x01\x02\x09hello"),
        p.DataSm(esm_class=4, tlvs=((tlv.NETWORK_ERROR_CODE, b"\xff"),)),
    ],
)
async def test_an_odd_delivery_is_acknowledged_and_never_stops_the_link(delivery):
    async with bound() as (smsc, rig):
        smsc.receiving.ask(delivery)
        smsc.receipt("77")
        await smsc.watch.until(lambda: len(smsc.acks) == 2)
        assert {ack.status for ack in smsc.acks} == {0}
        assert [receipt.refs[0] for receipt in rig.receipts][-1:] == ["77"]
        assert await rig.outcome_of(attempt(1)) == Accepted(("1",))
        assert len(smsc.sessions) == 1


async def test_a_receipt_of_parameters_alone_is_read():
    async with bound() as (smsc, rig):
        tlvs = (
            (tlv.RECEIPTED_MESSAGE_ID, b"ABC1\0"),
            (tlv.MESSAGE_STATE, b"\x05"),
            (tlv.NETWORK_ERROR_CODE, b"\x03\x00\x22"),
        )
        smsc.receiving.ask(p.DeliverSm(esm_class=4, source="+84912345678", tlvs=tlvs))
        smsc.receiving.ask(p.DataSm(esm_class=4, source="0912345678", tlvs=tlvs))
        receipts = await rig.received(2)
        assert {receipt.refs[0] for receipt in receipts} == {"abc1"}
        assert {(r.state, r.destination, r.detail) for r in receipts} == {
            (State.UNDELIVERED, 84912345678, "network 3/34")
        }
        await smsc.watch.until(lambda: len(smsc.acks) == 2)


@pytest.mark.parametrize(
    ("mode", "answered", "reported", "accepted", "first"),
    [
        ("same", "00AB", "00AB", "ab", "ab"),
        ("resp_hex_dlr_dec", "1F", "31", "31", "31"),
        ("resp_dec_dlr_hex", "31", "1F", "31", "31"),
        ("auto", "1F", "31", "1f", "1f"),
        ("auto", "77", "77", "77", "77"),
    ],
)
async def test_ids_meet_in_every_mode(mode, answered, reported, accepted, first):
    async with bound(receipt_id_mode=mode) as (smsc, rig):
        smsc.on_submit = lambda session, submit: session.answer(p.SubmitSmResp(submit.sequence, 0, answered))
        assert await rig.outcome_of(attempt(1)) == Accepted((accepted,))
        smsc.receipt(reported)
        (receipt,) = await rig.received()
        assert receipt.refs[0] == first
        assert accepted in receipt.refs


async def test_an_unflagged_receipt_is_read_unless_the_channel_forbids_it():
    text = b"id:5 sub:001 dlvrd:001 submit date:2611231200 done date:2611231201 stat:DELIVRD err:000 text:"
    for allowed in (True, False):
        async with bound(receipt_without_esm_class=allowed) as (smsc, rig):
            smsc.receiving.ask(p.DeliverSm(source="84912345678", short_message=text))
            await smsc.watch.until(lambda: smsc.acks)
            assert len(rig.receipts) == int(allowed)


async def test_a_parameter_that_no_handset_can_write_makes_a_receipt_without_the_flag():
    async with bound() as (smsc, rig):
        tlvs = ((tlv.RECEIPTED_MESSAGE_ID, b"5\0"), (tlv.MESSAGE_STATE, b"\x02"))
        smsc.receiving.ask(p.DeliverSm(source="84912345678", tlvs=tlvs))
        (receipt,) = await rig.received()
        assert (receipt.refs[0], receipt.state) == ("5", State.DELIVERED)
