import pytest
from tests.unit.simulators.sim_client import submit
from tests.unit.simulators.sim_clock import HandClock

from loa.simulators.pick import Pick
from loa.simulators.smsc.events import BindRefused, Linked, Unlinked
from loa.simulators.smsc.script import Refusal
from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp.codec import encode
from loa.smpp.status import ESME_RALYBND, ESME_RBINDFAIL, ESME_RINVBNDSTS, ESME_RINVPASWD, ESME_RINVSYSID


def bind(system_id="esme", password="secret", kind=c.BIND_TRANSCEIVER):
    return p.BindRequest(kind, system_id=system_id, password=password)


@pytest.mark.parametrize(
    ("kind", "name", "submits"),
    [
        (c.BIND_TRANSMITTER, "transmitter", True),
        (c.BIND_RECEIVER, "receiver", False),
        (c.BIND_TRANSCEIVER, "transceiver", True),
    ],
)
async def test_each_kind_of_bind_is_taken_and_may_do_what_it_may(smsc, dial, kind, name, submits):
    events = []
    simulator = await smsc({"on_event": events.append})
    client = await dial(simulator.port, kind)
    assert (events[0].kind, events[0].system_id) == (name, "esme")
    client.write(encode(submit(), client.session.next_sequence()))
    answer = await client.next_response()
    assert answer.status == (0 if submits else ESME_RINVBNDSTS)


async def test_wrong_names_and_passwords_are_refused_and_the_connection_is_closed(smsc, dial):
    events = []
    simulator = await smsc({"on_event": events.append}, system_id="esme", password="secret")
    for attempt, status in ((bind("other"), ESME_RINVSYSID), (bind(password="wrong"), ESME_RINVPASWD)):
        client = await dial.open(simulator.port)
        assert (await client.ask(attempt)).status == status
        assert await client.ended() == "closed"
    assert [event.status for event in events if isinstance(event, BindRefused)] == [ESME_RINVSYSID, ESME_RINVPASWD]
    assert simulator.counts.binds_refused == 2
    assert simulator.counts.links == 0


async def test_a_bind_too_many_is_told_already_bound_until_another_leaves(smsc, dial):
    simulator = await smsc(max_binds=1)
    first = await dial(simulator.port)
    second = await dial.open(simulator.port)
    assert (await second.ask(bind())).status == ESME_RALYBND
    await dial(simulator.port, system_id="other")
    await first.ask(p.Unbind())
    await first.ended()
    await simulator.until(lambda counts: counts.links == 1)
    await dial(simulator.port)


async def test_binds_are_refused_as_scripted(smsc, dial):
    simulator = await smsc(refuse_binds=Refusal(Pick(first=2), ESME_RBINDFAIL))
    statuses = []
    for _ in range(3):
        client = await dial.open(simulator.port)
        statuses.append((await client.ask(bind())).status)
    assert statuses == [ESME_RBINDFAIL, ESME_RBINDFAIL, 0]


async def test_a_delayed_bind_is_answered_when_its_time_has_come(smsc, dial):
    clock = HandClock()
    simulator = await smsc({"clock": clock}, bind_delay_s=5)
    client = await dial.open(simulator.port)
    client.send(bind())
    await clock.someone_sleeps()
    assert simulator.counts.binds == 0
    clock.advance(5)
    assert (await client.next_response()).status == 0


async def test_an_unbind_is_answered_before_the_connection_ends(smsc, dial):
    events = []
    simulator = await smsc({"on_event": events.append})
    client = await dial(simulator.port)
    assert isinstance(await client.ask(p.Unbind()), p.UnbindResp)
    assert await client.ended() == "closed"
    await simulator.until(lambda counts: counts.connections == 0)
    assert [type(event) for event in events] == [Linked, Unlinked]


async def test_the_simulator_unbinds_and_closes_once_that_is_answered(smsc, dial):
    simulator = await smsc()
    client = await dial(simulator.port)
    assert simulator.unbind_all() == 1
    request = await client.next_request()
    assert isinstance(request, p.Unbind)
    client.write(client.session.respond(p.UnbindResp(request.sequence)))
    assert await client.ended() == "closed"


async def test_a_client_that_does_not_answer_an_unbind_is_closed(smsc, dial):
    clock = HandClock()
    simulator = await smsc({"clock": clock})
    client = await dial(simulator.port)
    simulator.unbind_all()
    await client.next_request()
    await clock.someone_sleeps()
    clock.advance(5)
    assert await client.ended() == "closed"


async def test_enquire_link_is_answered_unless_the_script_says_otherwise(smsc, dial):
    simulator = await smsc()
    client = await dial(simulator.port)
    assert isinstance(await client.ask(p.EnquireLink()), p.EnquireLinkResp)
    simulator.change(type(simulator.script)(answer_enquire_link=False))
    client.send(p.EnquireLink())
    await simulator.until(lambda counts: counts.enquiries == 2)
    assert isinstance(await client.ask(submit()), p.SubmitSmResp)
    assert "EnquireLinkResp" not in client.arrivals()[2:]


async def test_the_simulator_enquires_when_scripted(smsc, dial):
    clock = HandClock()
    simulator = await smsc({"clock": clock}, enquire_s=10)
    client = await dial(simulator.port)
    for times in (1, 2):
        await clock.someone_sleeps()
        clock.advance(10)
        await client.until_arrived("EnquireLink", times)
