import pytest
from tests.unit.simulators.sim_client import submit
from tests.unit.simulators.sim_clock import HandClock

from loa.simulators.journal import read_journal
from loa.simulators.smsc.events import Told
from loa.simulators.smsc.script import Fortune, Script
from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp import tlv
from loa.smpp.commands import BIND_RECEIVER, BIND_TRANSMITTER
from loa.smpp.receipt import read
from loa.smpp.status import ESME_RSYSERR, ESME_RX_P_APPN, ESME_RX_T_APPN

PART = b"\5\0\3\x2a\3"


async def receipt(client, **options):
    return read(await client.next_request(**options), allow_unflagged=True)


def part(number, **fields):
    return submit(PART + bytes((number,)) + b"text", esm_class=c.ESM_UDHI, **fields)


async def test_a_receipt_goes_back_with_the_addresses_turned_round(smsc, dial):
    client = await dial((await smsc()).port)
    response = await client.ask(submit())
    pdu = await client.next_request()
    assert (pdu.source, pdu.destination, pdu.esm_class) == ("84912345678", "LOA", c.ESM_RECEIPT)
    found = read(pdu)
    assert (found.ref, found.stat, found.state, found.error) == (
        response.message_id,
        "DELIVRD",
        c.STATE_DELIVERED,
        "000",
    )


async def test_the_response_comes_first_and_an_early_receipt_before_it(smsc, dial):
    simulator = await smsc()
    client = await dial(simulator.port)
    await client.ask(submit())
    await client.next_request()
    assert client.arrivals()[1:] == ["SubmitSmResp", "DeliverSm"]
    simulator.change(Script(early_receipts=True))
    client.raw = b""
    await client.ask(submit())
    assert client.arrivals() == ["DeliverSm", "SubmitSmResp"]


@pytest.mark.parametrize(
    ("registered", "stat", "told"),
    [
        (0, "DELIVRD", False),
        (1, "DELIVRD", True),
        (1, "UNDELIV", True),
        (2, "DELIVRD", False),
        (2, "UNDELIV", True),
        (3, "DELIVRD", True),
        (3, "UNDELIV", False),
        (1, "NONE", False),
    ],
)
async def test_only_what_the_client_asked_for_is_reported(smsc, dial, registered, stat, told):
    simulator = await smsc(fortunes=(Fortune(stat),))
    client = await dial(simulator.port)
    await client.ask(submit(registered=registered))
    assert bool(simulator.taken[0].owes) is told
    assert simulator.counts.receipts_waiting == int(told)


async def test_fortunes_go_by_digits_and_carry_their_error(smsc, dial):
    fortunes = (Fortune("REJECTD", digits="99", error="0A1"), Fortune("EXPIRED", digits="8"))
    client = await dial((await smsc(fortunes=fortunes)).port)
    seen = {}
    for destination in ("84912345699", "84912345678", "84912345670"):
        await client.ask(submit(destination=destination))
        found = await receipt(client)
        seen[destination[-2:]] = (found.stat, found.error)
    assert seen == {"99": ("REJECTD", "0A1"), "78": ("EXPIRED", "027"), "70": ("DELIVRD", "000")}


async def test_shares_divide_the_messages_and_keep_the_parts_of_one_together(smsc, dial):
    fortunes = (Fortune("UNDELIV", share=0.3), Fortune("EXPIRED", share=0.2))
    simulator = await smsc({"keep": 4000}, fortunes=fortunes)
    client = await dial(simulator.port)
    for number in range(1000):
        for index in (1, 2, 3):
            client.send(part(index, destination=f"849{number:08d}"))
    await simulator.until(lambda counts: counts.accepted == 3000)
    ends = {}
    for taken in simulator.taken:
        ends.setdefault(taken.destination, set()).add(taken.owes)
    assert all(len(found) == 1 for found in ends.values())
    shares = [sum(found == {(stat,)} for found in ends.values()) for stat in ("UNDELIV", "EXPIRED", "DELIVRD")]
    assert 240 <= shares[0] <= 360
    assert 150 <= shares[1] <= 250
    assert 430 <= shares[2] <= 570


async def test_enroute_can_come_first_or_too_late(smsc, dial):
    simulator = await smsc(enroute_first=True)
    client = await dial(simulator.port)
    await client.ask(submit())
    assert [(await receipt(client)).stat for _ in range(2)] == ["ENROUTE", "DELIVRD"]
    simulator.change(Script(enroute_first=True, receipt_order="newest_first"))
    await client.ask(submit())
    assert [(await receipt(client)).stat for _ in range(2)] == ["DELIVRD", "ENROUTE"]


async def test_a_receipt_can_be_repeated(smsc, dial):
    client = await dial((await smsc(receipt_copies=5)).port)
    response = await client.ask(submit())
    assert {(await receipt(client)).ref for _ in range(5)} == {response.message_id}


async def test_delayed_receipts_wait_for_their_time_and_can_be_reordered(smsc, dial):
    clock = HandClock()
    simulator = await smsc({"clock": clock}, receipt_delay_s=30, receipt_order="newest_first")
    client = await dial(simulator.port)
    ids = [(await client.ask(submit())).message_id for _ in range(3)]
    assert simulator.counts.receipts_sent == 0
    clock.advance(30)
    assert [(await receipt(client)).ref for _ in range(3)] == ids[::-1]


@pytest.mark.parametrize(("parts", "numbers"), [("all", [1, 2, 3]), ("first", [1]), ("last", [3])])
async def test_receipts_of_long_messages_come_for_the_scripted_parts(smsc, dial, parts, numbers):
    simulator = await smsc(receipt_parts=parts)
    client = await dial(simulator.port)
    ids = [(await client.ask(part(number))).message_id for number in (1, 2, 3)]
    refs = [(await receipt(client)).ref for _ in numbers]
    assert refs == [ids[number - 1] for number in numbers]
    await simulator.until(lambda counts: counts.receipts_acked == len(numbers))
    assert simulator.counts.receipts_waiting == 0


@pytest.mark.parametrize(
    ("response_id", "receipt_id", "read_back"),
    [("hex", "decimal", lambda ref: int(ref, 16)), ("decimal", "hex_upper", int), ("opaque", "opaque", None)],
)
async def test_response_and_receipt_can_spell_an_id_differently(smsc, dial, response_id, receipt_id, read_back):
    client = await dial((await smsc(response_id=response_id, receipt_id=receipt_id)).port)
    response = (await client.ask(submit())).message_id
    found = (await receipt(client)).ref
    if read_back is None:
        assert found == response
    else:
        assert found != response
        assert read_back(response) == int(found, 10 if receipt_id == "decimal" else 16)


async def test_a_receipt_can_be_parameters_only(smsc, dial):
    client = await dial((await smsc(receipt_form="tlv", fortunes=(Fortune("UNDELIV", error="42"),))).port)
    response = await client.ask(submit())
    pdu = await client.next_request()
    assert pdu.short_message == b""
    found = read(pdu)
    assert (found.ref, found.state, found.network_error) == (response.message_id, c.STATE_UNDELIVERABLE, (3, 42))


async def test_a_receipt_can_be_text_only_or_a_comma_list(smsc, dial):
    simulator = await smsc(receipt_form="text")
    client = await dial(simulator.port)
    response = await client.ask(submit("hello there"))
    pdu = await client.next_request()
    assert pdu.tlvs == ()
    assert pdu.short_message.endswith(b"text:hello there")
    simulator.change(Script(receipt_form="comma"))
    response = await client.ask(submit())
    pdu = await client.next_request()
    assert pdu.short_message.startswith(response.message_id.encode() + b",")
    assert pdu.short_message.endswith(b",DELIVRD,000")
    assert read(pdu).ref == response.message_id


@pytest.mark.parametrize(("dates", "length"), [("10", 10), ("12", 12), ("empty", 0)])
async def test_dates_are_as_long_as_scripted(smsc, dial, dates, length):
    client = await dial((await smsc(receipt_dates=dates, receipt_form="text", receipt_error="0A1")).port)
    response = await client.ask(submit())
    found = await receipt(client)
    assert len(found.submitted) == len(found.done) == length
    assert (found.ref, found.error) == (response.message_id, "0A1")


async def test_a_receipt_can_lack_its_flag_or_travel_in_data_sm(smsc, dial):
    simulator = await smsc(receipt_flagged=False)
    client = await dial(simulator.port)
    await client.ask(submit())
    assert (await client.next_request()).esm_class == 0
    simulator.change(Script(receipt_pdu="data_sm"))
    response = await client.ask(submit())
    pdu = await client.next_request()
    assert isinstance(pdu, p.DataSm)
    assert read(pdu).ref == response.message_id
    await simulator.until(lambda counts: counts.receipts_acked == 2)


async def test_the_reference_of_the_client_is_echoed_only_when_scripted(smsc, dial):
    simulator = await smsc()
    client = await dial(simulator.port)
    message = submit(tlvs=((tlv.USER_MESSAGE_REFERENCE, b"\x12\x34"),))
    await client.ask(message)
    assert tlv.find((await client.next_request()).tlvs, tlv.USER_MESSAGE_REFERENCE) is None
    simulator.change(Script(echo_reference=True))
    await client.ask(message)
    assert tlv.find((await client.next_request()).tlvs, tlv.USER_MESSAGE_REFERENCE) == b"\x12\x34"


async def test_the_receipts_of_a_transmitter_go_to_the_receiver_of_its_name(smsc, dial):
    simulator = await smsc()
    stranger = await dial(simulator.port, BIND_RECEIVER, system_id="stranger")
    transmitter = await dial(simulator.port, BIND_TRANSMITTER)
    response = await transmitter.ask(submit())
    await simulator.until(lambda counts: counts.receipts_waiting == 1)
    receiver = await dial(simulator.port, BIND_RECEIVER)
    assert (await receipt(receiver)).ref == response.message_id
    assert stranger.arrivals() == ["BindResponse"]
    assert "DeliverSm" not in transmitter.arrivals()


async def test_a_receipt_prefers_the_link_of_its_submit_or_just_not_that_one(smsc, dial):
    simulator = await smsc()
    first, second = await dial(simulator.port), await dial(simulator.port)
    response = await second.ask(submit())
    assert (await receipt(second)).ref == response.message_id
    simulator.change(Script(receipt_link="other"))
    response = await second.ask(submit())
    assert (await receipt(first)).ref == response.message_id


async def test_no_more_receipts_than_the_window_are_on_their_way(smsc, dial):
    simulator = await smsc(receipt_window=2)
    client = await dial(simulator.port)
    for _ in range(5):
        await client.ask(submit())
    held = [await client.next_request(ack=False) for _ in range(2)]
    await client.ask(p.EnquireLink())
    assert simulator.counts.receipts_sent == 2
    for request in held:
        client.answer(request)
    for _ in range(3):
        await client.next_request()
    await simulator.until(lambda counts: counts.receipts_acked == 5)
    assert simulator.counts.receipts_waiting == 0


async def test_a_receipt_not_acknowledged_before_the_link_is_lost_comes_again_after_the_rebind(smsc, dial):
    simulator = await smsc()
    client = await dial(simulator.port)
    ids = [(await client.ask(submit())).message_id for _ in range(3)]
    first = await receipt(client)
    assert first.ref == ids[0]
    await receipt(client, ack=False)
    await simulator.until(lambda counts: counts.receipts_acked == 1)
    simulator.reset_all()
    await client.ended()
    again = await dial(simulator.port)
    assert [(await receipt(again)).ref for _ in range(2)] == ids[1:]
    await simulator.until(lambda counts: counts.receipts_acked == 3)
    assert simulator.counts.receipts_waiting == 0


@pytest.mark.parametrize("status", [ESME_RX_T_APPN, ESME_RSYSERR])
async def test_a_receipt_answered_with_later_comes_again_later(smsc, dial, status):
    clock = HandClock()
    simulator = await smsc({"clock": clock}, receipt_retry_s=3)
    client = await dial(simulator.port)
    response = await client.ask(submit())
    client.answer(await client.next_request(ack=False), status)
    await simulator.until(lambda counts: counts.receipts_nacked == 1)
    assert simulator.counts.receipts_sent == 1
    clock.advance(3)
    assert (await receipt(client)).ref == response.message_id
    await simulator.until(lambda counts: counts.receipts_acked == 1)


async def test_a_receipt_refused_for_good_is_given_up(smsc, dial):
    events = []
    simulator = await smsc({"on_event": events.append})
    client = await dial(simulator.port)
    await client.ask(submit())
    client.answer(await client.next_request(ack=False), ESME_RX_P_APPN)
    await simulator.until(lambda counts: counts.receipts_waiting == 0)
    assert [(event.stat, event.status) for event in events if isinstance(event, Told)] == [("DELIVRD", ESME_RX_P_APPN)]


async def test_a_receipt_that_is_never_answered_comes_again_after_its_time_limit(smsc, dial):
    clock = HandClock()
    simulator = await smsc({"clock": clock}, receipt_timeout_s=10)
    client = await dial(simulator.port)
    response = await client.ask(submit())
    await client.next_request(ack=False)
    for _ in range(3):
        await clock.someone_sleeps()
        clock.advance(5)
        await client.ask(p.EnquireLink())
    assert (await receipt(client)).ref == response.message_id


async def test_any_pdu_can_be_delivered_to_a_client(smsc, dial):
    simulator = await smsc()
    client = await dial(simulator.port)
    odd = p.DeliverSm(source="84912345678", destination="LOA", esm_class=4, short_message=b"id:someone-elses stat:DEL")
    simulator.deliver("esme", odd)
    assert (await client.next_request()).short_message == odd.short_message
    await simulator.until(lambda counts: counts.receipts_acked == 1)


async def test_a_new_run_on_the_same_journal_sends_what_was_never_acknowledged(smsc, dial, tmp_path):
    options = {"journal": tmp_path / "smsc.jsonl"}
    simulator = await smsc(options)
    client = await dial(simulator.port)
    ids = [(await client.ask(submit())).message_id for _ in range(3)]
    await receipt(client)
    await simulator.until(lambda counts: counts.receipts_acked == 1)
    await simulator.stop()
    again = await smsc(options)
    client = await dial(again.port)
    assert [(await receipt(client)).ref for _ in range(2)] == ids[1:]
    await again.until(lambda counts: counts.receipts_acked == 2)
    await again.stop()
    lines = list(read_journal(options["journal"]))
    assert [line["kind"] for line in lines] == ["submit"] * 3 + ["receipt"] * 3
    assert {line["number"] for line in lines[:3]} == {line["number"] for line in lines[3:]}
