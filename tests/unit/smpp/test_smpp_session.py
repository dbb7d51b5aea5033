"""The rules of a session, seen from both sides."""

import pytest

from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp import status as s
from loa.smpp.codec import decode, encode
from loa.smpp.faults import EncodeError, SessionError
from loa.smpp.framing import LARGEST_FRAME
from loa.smpp.session import ALLOWED, LAST_SEQUENCE, MOVES, Session, Side, State

REQUESTS: dict[int, p.Request] = {
    c.BIND_TRANSMITTER: p.BindRequest(c.BIND_TRANSMITTER),
    c.BIND_RECEIVER: p.BindRequest(c.BIND_RECEIVER),
    c.BIND_TRANSCEIVER: p.BindRequest(c.BIND_TRANSCEIVER),
    c.OUTBIND: p.Outbind(),
    c.SUBMIT_SM: p.SubmitSm(),
    c.DELIVER_SM: p.DeliverSm(),
    c.DATA_SM: p.DataSm(),
    c.QUERY_SM: p.QuerySm(),
    c.CANCEL_SM: p.CancelSm(),
    c.UNBIND: p.Unbind(),
    c.ENQUIRE_LINK: p.EnquireLink(),
    c.ALERT_NOTIFICATION: p.AlertNotification(),
}
BOUND = {
    c.BIND_TRANSMITTER: State.BOUND_TX,
    c.BIND_RECEIVER: State.BOUND_RX,
    c.BIND_TRANSCEIVER: State.BOUND_TRX,
}


def bound(bind: int = c.BIND_TRANSCEIVER) -> tuple[Session, Session]:
    client, server = Session(Side.CLIENT), Session(Side.SERVER)
    sequence, raw = client.request(p.BindRequest(bind, system_id="loa", password="secret"))
    assert server.receive(raw).requests == (p.BindRequest(bind, sequence, "loa", "secret"),)
    client.receive(server.respond(p.BindResponse(bind | c.RESPONSE_BIT, sequence, 0, "smsc")))
    return client, server


@pytest.mark.parametrize("bind", sorted(c.BINDS))
def test_an_agreed_bind_binds_both_sides(bind: int):
    client, server = bound(bind)
    assert client.state is server.state is BOUND[bind]
    assert client.bound
    assert client.can_submit == (bind != c.BIND_RECEIVER)
    assert client.can_deliver == (bind != c.BIND_TRANSMITTER)


def test_a_refused_bind_leaves_both_sides_open():
    client, server = Session(Side.CLIENT), Session(Side.SERVER)
    sequence, raw = client.request(p.BindRequest(c.BIND_TRANSCEIVER))
    server.receive(raw)
    refusal = p.BindResponse(c.BIND_TRANSCEIVER_RESP, sequence, s.ESME_RINVPASWD)
    assert client.receive(server.respond(refusal)).responses == (refusal,)
    assert client.state is server.state is State.OPEN


def test_a_bind_response_that_nobody_asked_for_binds_nobody():
    unasked = encode(p.BindResponse(c.BIND_TRANSCEIVER_RESP, 1, 0, "me"))
    for side in Side:
        session = Session(side)
        session.receive(unasked)
        assert session.state is State.OPEN
    client = Session(Side.CLIENT)
    client.request(p.BindRequest(c.BIND_TRANSMITTER))
    client.receive(unasked)
    assert client.state is State.OPEN


def test_an_unbind_ends_the_session_once_it_is_answered():
    client, server = bound()
    sequence, raw = client.request(p.Unbind())
    assert server.receive(raw).requests == (p.Unbind(sequence),)
    assert client.bound
    assert server.bound
    client.receive(server.respond(p.UnbindResp(sequence)))
    assert client.state is server.state is State.UNBOUND
    with pytest.raises(SessionError):
        client.request(p.SubmitSm())


def test_the_peers_unbind_leaves_time_to_answer_what_came_before():
    client, server = bound()
    _, delivery = server.request(p.DeliverSm())
    _, unbind = server.request(p.Unbind())
    reading = client.receive(delivery + unbind)
    assert [type(request) for request in reading.requests] == [p.DeliverSm, p.Unbind]
    answers = client.respond(p.DeliverSmResp(1)) + client.respond(p.UnbindResp(2))
    assert server.receive(answers).responses == (p.DeliverSmResp(1), p.UnbindResp(2))
    assert server.state is client.state is State.UNBOUND


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("side", Side)
def test_the_table_decides_what_we_may_send(state: State, side: Side):
    for command_id, request in REQUESTS.items():
        session = Session(side)
        session.state = state
        if command_id in ALLOWED[state, side]:
            assert session.allows(command_id)
            sequence, raw = session.request(request)
            assert decode(raw).sequence == sequence == 1
        else:
            assert not session.allows(command_id)
            with pytest.raises(SessionError):
                session.request(request)
            assert session.next_sequence() == 1


@pytest.mark.parametrize("state", [state for state in State if state is not State.CLOSED])
@pytest.mark.parametrize("side", Side)
def test_the_table_decides_what_the_peer_may_send(state: State, side: Side):
    peer = Side.SERVER if side is Side.CLIENT else Side.CLIENT
    for command_id, request in REQUESTS.items():
        session = Session(side)
        session.state = state
        reading = session.receive(encode(request, 77))
        if command_id == c.ENQUIRE_LINK:
            assert decode(reading.replies) == p.EnquireLinkResp(77)
            assert not reading.requests
        elif command_id in ALLOWED[state, peer]:
            assert [type(found) for found in reading.requests] == [type(request)]
            assert not reading.replies
        else:
            assert not reading.requests
            answer = decode(reading.replies)
            assert answer.command_id == command_id | c.RESPONSE_BIT
            assert (answer.sequence, answer.status) == (77, s.ESME_RINVBNDSTS)  # type: ignore[union-attr]
            assert not reading.broken
        assert session.state is state


def test_every_state_of_every_side_is_in_the_table():
    assert set(ALLOWED) == {(state, side) for state in State for side in Side}
    assert all(command_id >= c.RESPONSE_BIT for _, command_id in MOVES)


def test_an_unknown_command_is_refused_and_the_session_goes_on():
    client, server = bound()
    _, delivery = server.request(p.DeliverSm(source="1"))
    reading = client.receive(encode(p.UnknownPdu(0x00010200, 0, 5, b"?")) + delivery)
    assert decode(reading.replies) == p.GenericNack(5, s.ESME_RINVCMDID)
    assert [type(request) for request in reading.requests] == [p.DeliverSm]
    assert client.bound
    assert not reading.broken


def test_an_unknown_response_is_handed_on_and_not_answered():
    client, _ = bound()
    unknown = p.UnknownPdu(0x80000077, 0x401, 5, b"?")
    reading = client.receive(encode(unknown) + encode(p.GenericNack(6, 3)))
    assert reading.responses == (unknown, p.GenericNack(6, 3))
    assert reading.replies == b""


def test_responses_come_apart_from_requests_so_that_they_go_first():
    client, server = bound()
    _, delivery = server.request(p.DeliverSm())
    chunk = delivery * 3 + encode(p.SubmitSmResp(2, 0, "a")) + delivery + encode(p.SubmitSmResp(3, 0x401))
    reading = client.receive(chunk)
    assert reading.responses == (p.SubmitSmResp(2, 0, "a"), p.SubmitSmResp(3, 0x401))
    assert len(reading.requests) == 4


def test_a_submit_sm_cut_short_is_refused_and_the_session_goes_on():
    client, server = bound()
    _, raw = client.request(p.SubmitSm(short_message=b"half a text"))
    cut = (len(raw) - 4).to_bytes(4, "big") + raw[4:-4]
    reading = server.receive(cut + raw)
    assert decode(reading.replies) == p.SubmitSmResp(2, s.ESME_RINVMSGLEN)
    assert len(reading.requests) == len(reading.faults) == 1
    assert not reading.broken


def test_an_absurd_length_breaks_the_session_after_what_came_before_it():
    client, server = bound()
    _, delivery = server.request(p.DeliverSm())
    reading = client.receive(delivery + (LARGEST_FRAME + 1).to_bytes(4, "big") + b"\0" * 11 + b"\7")
    assert len(reading.requests) == 1
    assert reading.broken
    assert decode(reading.replies) == p.GenericNack(7, s.ESME_RINVCMDLEN)
    after = client.receive(delivery)
    assert not after.requests
    assert not after.replies


def test_sequence_numbers_wrap_before_the_sign_bit():
    session = Session(Side.CLIENT, last_sequence=LAST_SEQUENCE - 1)
    assert [session.next_sequence() for _ in range(3)] == [LAST_SEQUENCE, 1, 2]


def test_a_request_that_cannot_be_written_uses_no_number():
    client, _ = bound()
    with pytest.raises(EncodeError):
        client.request(p.SubmitSm(destination="8" * 99))
    with pytest.raises(EncodeError):
        client.request(p.SubmitSm(short_message=b"x" * 256))
    assert client.request(p.SubmitSm())[0] == 2


def test_after_the_close_nothing_is_read_or_written():
    client, server = bound()
    _, delivery = server.request(p.DeliverSm())
    client.close()
    assert client.state is State.CLOSED
    assert not client.receive(delivery).requests
    with pytest.raises(SessionError):
        client.respond(p.DeliverSmResp(1))
    with pytest.raises(SessionError):
        client.request(p.EnquireLink())


def test_a_peer_with_wild_sequence_numbers_is_answered_under_them():
    client, _ = bound()
    reading = client.receive(encode(p.EnquireLink(0xFFFFFFFF)) + encode(p.EnquireLink(0)))
    assert reading.replies == encode(p.EnquireLinkResp(0xFFFFFFFF)) + encode(p.EnquireLinkResp(0))
