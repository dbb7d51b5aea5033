import asyncio
import json

import pytest
from tests.unit.simulators.sim_client import submit
from tests.unit.simulators.sim_clock import HandClock

from loa.simulators.journal import read_journal
from loa.simulators.pick import ALL, Pick
from loa.simulators.smsc.events import Declined, Shown, Taken
from loa.simulators.smsc.ids import first_number, spell
from loa.simulators.smsc.script import Fortune, Refusal, Script
from loa.smpp import pdu as p
from loa.smpp import tlv
from loa.smpp.commands import CODING_UCS2, ESM_UDHI
from loa.smpp.payload import Part, sar_tlvs
from loa.smpp.status import ESME_RCANCELFAIL, ESME_RINVDSTADR, ESME_RQUERYFAIL, ESME_RTHROTTLED


async def statuses(client, count, **fields):
    return [(await client.ask(submit(**fields))).status for _ in range(count)]


async def test_a_plain_submit_is_taken_read_and_shown(smsc, dial):
    events = []
    simulator = await smsc({"on_event": events.append})
    client = await dial(simulator.port)
    response = await client.ask(submit("Đường".encode("utf-16-be"), data_coding=CODING_UCS2, registered=0))
    taken = next(event for event in events if isinstance(event, Taken))
    assert (taken.text, taken.source, taken.destination) == ("Đường", "LOA", "84912345678")
    assert taken.message_id == response.message_id == str(taken.number)
    assert [event.text for event in events if isinstance(event, Shown)] == ["Đường"]
    assert list(simulator.taken) == [taken]


async def test_the_parts_of_a_long_message_are_shown_as_one_whatever_their_order(smsc, dial):
    events = []
    simulator = await smsc({"on_event": events.append})
    client = await dial(simulator.port)
    for number, text in ((2, b"world"), (1, b"hello ")):
        await client.ask(submit(b"\5\0\3\x2a\2" + bytes((number,)) + text, esm_class=ESM_UDHI, registered=0))
    for number, text in ((1, "good "), (2, "bye")):
        await client.ask(submit(text, tlvs=sar_tlvs(Part(7, 2, number)), registered=0))
    assert [(event.text, event.parts) for event in events if isinstance(event, Shown)] == [
        ("hello world", 2),
        ("good bye", 2),
    ]
    assert simulator.counts.messages == 2
    assert simulator.counts.accepted == 4


async def test_a_message_that_does_not_arrive_is_not_shown(smsc, dial):
    events = []
    simulator = await smsc({"on_event": events.append}, fortunes=(Fortune("UNDELIV"),))
    client = await dial(simulator.port)
    await client.ask(submit(registered=0))
    assert not [event for event in events if isinstance(event, Shown)]


async def test_text_in_a_payload_parameter_and_in_data_sm_is_read(smsc, dial):
    simulator = await smsc()
    client = await dial(simulator.port)
    await client.ask(submit(b"", tlvs=((tlv.MESSAGE_PAYLOAD, b"long" * 100),), registered=0))
    data = p.DataSm(source="LOA", destination="84912345678", tlvs=((tlv.MESSAGE_PAYLOAD, b"data"),))
    assert isinstance(await client.ask(data), p.DataSmResp)
    assert [taken.text for taken in simulator.taken] == ["long" * 100, "data"]


async def test_query_and_cancel_are_refused(smsc, dial):
    simulator = await smsc()
    client = await dial(simulator.port)
    assert (await client.ask(p.QuerySm(message_id="1"))).status == ESME_RQUERYFAIL
    assert (await client.ask(p.CancelSm(message_id="1"))).status == ESME_RCANCELFAIL


async def test_any_status_can_be_scripted_for_any_submit(smsc, dial):
    events = []
    refuse = (Refusal(Pick(numbers=(2,)), 0x401), Refusal(Pick(destination="99"), ESME_RINVDSTADR))
    simulator = await smsc({"on_event": events.append}, refuse=refuse)
    client = await dial(simulator.port)
    assert await statuses(client, 3) == [0, 0x401, 0]
    assert await statuses(client, 1, destination="84912345699") == [ESME_RINVDSTADR]
    assert simulator.counts.refused == 2
    assert [event.status for event in events if isinstance(event, Declined)] == [0x401, ESME_RINVDSTADR]


async def test_throttling_follows_its_pick_and_status(smsc, dial):
    simulator = await smsc(throttle=Pick(first=1, every=3))
    client = await dial(simulator.port)
    assert await statuses(client, 4) == [ESME_RTHROTTLED, 0, ESME_RTHROTTLED, 0]
    simulator.change(Script(throttle=ALL, throttle_status=0x14))
    assert await statuses(client, 1) == [0x14]


async def test_what_is_faster_than_the_rate_is_throttled_until_time_has_passed(smsc, dial):
    clock = HandClock()
    simulator = await smsc({"clock": clock}, rate_per_s=2)
    client = await dial(simulator.port)
    assert await statuses(client, 3) == [0, 0, ESME_RTHROTTLED]
    clock.advance(0.5)
    assert await statuses(client, 2) == [0, ESME_RTHROTTLED]
    clock.advance(60)
    assert await statuses(client, 3) == [0, 0, ESME_RTHROTTLED]


async def test_numbers_start_again_only_when_asked(smsc, dial):
    script = Script(throttle=Pick(numbers=(2,)))
    simulator = await smsc(throttle=Pick(numbers=(2,)))
    client = await dial(simulator.port)
    assert await statuses(client, 3) == [0, ESME_RTHROTTLED, 0]
    simulator.change(script)
    assert await statuses(client, 2) == [0, 0]
    simulator.change(script, recount=True)
    assert await statuses(client, 2) == [0, ESME_RTHROTTLED]


async def test_a_delayed_response_comes_when_its_time_has_come_and_others_pass_it(smsc, dial):
    clock = HandClock()
    simulator = await smsc({"clock": clock}, response_delay_s=60, delayed=Pick(numbers=(1,)))
    client = await dial(simulator.port)
    slow, quick = client.send(submit(registered=0)), client.send(submit(registered=0))
    assert (await client.next_response()).sequence == quick
    clock.advance(60)
    assert (await client.next_response()).sequence == slow


async def test_the_congestion_of_the_smsc_travels_in_its_responses(smsc, dial):
    client = await dial((await smsc(congestion=95)).port)
    assert tlv.find_int((await client.ask(submit())).tlvs, tlv.CONGESTION_STATE) == 95


@pytest.mark.parametrize(
    ("style", "spelling"),
    [
        ("decimal", "1000000042"),
        ("hex", "3b9aca2a"),
        ("hex_upper", "3B9ACA2A"),
        ("padded", "00000000001000000042"),
        ("hex_padded", "000000003b9aca2a"),
        ("opaque", "m3b9aca2a-q"),
    ],
)
def test_ids_are_spelled_in_every_known_way(style, spelling):
    assert spell(1_000_000_042, style) == spelling


def test_a_second_later_ids_begin_beyond_those_of_an_earlier_run():
    assert first_number(1_764_000_001_000) - first_number(1_764_000_000_999) == 100_000


async def test_a_submit_is_in_the_journal_before_its_response_leaves(smsc, dial, tmp_path):
    path = tmp_path / "smsc.jsonl"
    simulator = await smsc({"journal": path})
    client = await dial(simulator.port)
    response = await client.ask(submit(b"\5\0\3\x2a\2\1hello", esm_class=ESM_UDHI, registered=1))
    line = json.loads(path.read_text().splitlines()[0])
    assert line["id"] == response.message_id
    assert (line["destination"], line["source"], line["text"]) == ("84912345678", "LOA", "hello")
    assert line["part"] == [42, 2, 1]
    assert line["owes"] == ["DELIVRD"]


async def test_many_submits_share_the_disk(smsc, dial, tmp_path):
    path = tmp_path / "smsc.jsonl"
    simulator = await smsc({"journal": path})
    client = await dial(simulator.port)
    for number in range(500):
        client.send(submit(destination=f"849{number:08d}", registered=0))
    for _ in range(500):
        assert (await client.next_response()).status == 0
    assert len({line["id"] for line in read_journal(path)}) == 500


async def test_only_the_last_segments_are_remembered(smsc, dial):
    simulator = await smsc({"keep": 2})
    client = await dial(simulator.port)
    for text in ("one", "two", "three"):
        await client.ask(submit(text))
    assert [taken.text for taken in simulator.taken] == ["two", "three"]


async def test_waiting_ends_when_the_counts_say_so(smsc, dial):
    simulator = await smsc()
    waiting = asyncio.ensure_future(simulator.until(lambda counts: counts.accepted == 2))
    client = await dial(simulator.port)
    await client.ask(submit())
    assert not waiting.done()
    await client.ask(submit())
    await waiting
