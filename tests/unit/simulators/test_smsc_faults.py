import pytest
from tests.unit.simulators.sim_client import submit

from loa.simulators.pick import ALL, Pick
from loa.simulators.smsc.script import Script
from loa.smpp import pdu as p
from loa.smpp.status import ESME_RINVCMDID


async def test_a_dropped_response_never_comes_though_the_submit_is_taken(smsc, dial):
    simulator = await smsc(drop_response=Pick(numbers=(1,)))
    client = await dial(simulator.port)
    client.send(submit(registered=0))
    second = client.send(submit(registered=0))
    assert (await client.next_response()).sequence == second
    assert simulator.counts.accepted == 2
    assert simulator.counts.responses_dropped == 1


async def test_a_dropped_response_still_has_its_receipt(smsc, dial):
    simulator = await smsc(drop_response=ALL)
    client = await dial(simulator.port)
    client.send(submit())
    assert isinstance(await client.next_request(), p.DeliverSm)
    assert "SubmitSmResp" not in client.arrivals()


async def test_a_duplicated_response_comes_twice(smsc, dial):
    client = await dial((await smsc(duplicate_response=ALL)).port)
    sequence = client.send(submit(registered=0))
    first, second = await client.next_response(), await client.next_response()
    assert first == second
    assert first.sequence == sequence


@pytest.mark.parametrize(
    ("point", "accepted", "answered", "end"),
    [
        ("before_accept", 0, [], "reset"),
        ("before_response", 1, [], "reset"),
        ("after_response", 1, ["SubmitSmResp"], "closed"),
    ],
)
async def test_the_connection_is_cut_in_the_window_at_the_scripted_point(smsc, dial, point, accepted, answered, end):
    simulator = await smsc(reset=Pick(numbers=(1,)), reset_point=point)
    client = await dial(simulator.port)
    client.send(submit(registered=0))
    assert await client.ended() == end
    assert client.arrivals()[1:] == answered
    assert simulator.counts.accepted == accepted
    again = await dial(simulator.port)
    assert (await again.ask(submit(registered=0))).status == 0


async def test_garbage_comes_before_the_response(smsc, dial):
    simulator = await smsc(garbage=ALL, garbage_bytes=b"\0\0\0\4oops")
    client = await dial(simulator.port)
    client.raw = b""
    sequence = client.send(submit(registered=0))
    while len(client.raw) < 24:
        await client._more()
    assert client.raw[:8] == b"\0\0\0\4oops"
    assert client.raw[12:16] == bytes.fromhex("80000004")
    assert int.from_bytes(client.raw[20:24], "big") == sequence


async def test_the_simulator_can_unbind_after_a_submit(smsc, dial):
    client = await dial((await smsc(unbind=Pick(numbers=(2,)))).port)
    await client.ask(submit(registered=0))
    await client.ask(submit(registered=0))
    assert isinstance(await client.next_request(), p.Unbind)


@pytest.mark.parametrize("octets", [1, 7, 10])
async def test_writes_can_be_sliced_and_lose_nothing(smsc, dial, octets):
    simulator = await smsc(slice_octets=octets)
    client = await dial(simulator.port)
    for number in range(3):
        assert (await client.ask(submit(f"text {number}"))).status == 0
        assert isinstance(await client.next_request(), p.DeliverSm)
    simulator.change(Script())
    assert (await client.ask(submit("whole again"))).status == 0


async def test_all_connections_can_be_reset_or_closed(smsc, dial):
    simulator = await smsc()
    clients = [await dial(simulator.port), await dial(simulator.port)]
    assert simulator.reset_all() == 2
    assert [await client.ended() for client in clients] == ["reset", "reset"]
    client = await dial(simulator.port)
    assert simulator.close_all() == 1
    assert await client.ended() == "closed"


async def test_an_unknown_command_is_refused_and_the_session_goes_on(smsc, dial):
    simulator = await smsc()
    client = await dial(simulator.port)
    client.write(bytes.fromhex("000000100000abcd0000000000000063"))
    nack = await client.next_response()
    assert (type(nack), nack.status, nack.sequence) == (p.GenericNack, ESME_RINVCMDID, 0x63)
    assert (await client.ask(submit())).status == 0
    assert simulator.counts.faults == 1


async def test_a_client_that_sends_nonsense_is_dropped_and_others_are_not(smsc, dial):
    simulator = await smsc()
    broken, sound = await dial(simulator.port), await dial(simulator.port)
    broken.write(b"\0\0\0\3nonsense")
    await broken.ended()
    assert (await sound.ask(submit())).status == 0


async def test_octets_can_be_written_to_every_client(smsc, dial):
    simulator = await smsc()
    client = await dial(simulator.port)
    assert simulator.write(bytes.fromhex("00000010800000040000000000007777")) == 1
    stray = await client.next_response()
    assert stray.sequence == 0x7777


async def test_stopping_ends_every_connection(smsc, dial):
    simulator = await smsc()
    client = await dial(simulator.port)
    await simulator.stop()
    assert await client.ended() == "closed"
    assert simulator.counts.connections == 0
