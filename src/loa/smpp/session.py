"""The rules of one SMPP session, for either side: bytes in, PDUs and answers out, bytes out for what we send.

Two tables hold all of it: `ALLOWED` says who may ask what in which state, `MOVES` which answered request
changes the state. No socket, no clock, no window: the link owns the connection, the timers, the matching of
responses to requests, and the order in which requests are handled.

What the session answers by itself: enquire_link; a request that the state forbids (ESME_RINVBNDSTS); an
unknown command (generic_nack ESME_RINVCMDID, and the session goes on); what cannot be read. Everything else,
unbind included, is answered by the owner with `send`, once it has done what the request asks.

Source: SMPP 3.4 sections 2.2 and 2.3, SMPP 5.0 sections 2.3 and 2.4.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, cast

from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp.codec import decode, encode, encode_submit_sm
from loa.smpp.faults import ProtocolError, SessionError
from loa.smpp.framing import LARGEST_FRAME, FrameBuffer
from loa.smpp.status import ESME_RINVBNDSTS, ESME_RINVCMDID, ESME_ROK

LAST_SEQUENCE: Final = 0x7FFFFFFF


class Side(Enum):
    """Who we are in a session."""

    CLIENT = "client"
    """The ESME: it binds and submits."""
    SERVER = "server"
    """The SMSC: it is bound to and delivers."""


class State(Enum):
    """Where a session stands."""

    OPEN = "open"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBOUND = "unbound"
    """The unbind is agreed; only the connection is left to close."""
    CLOSED = "closed"


_FROM_CLIENT_TX: Final = frozenset({c.SUBMIT_SM, c.DATA_SM, c.QUERY_SM, c.CANCEL_SM})
_FROM_SERVER_RX: Final = frozenset({c.DELIVER_SM, c.DATA_SM, c.ALERT_NOTIFICATION})
_ANY: Final = frozenset({c.ENQUIRE_LINK})
_BOUND: Final = _ANY | {c.UNBIND}

ALLOWED: Final[dict[tuple[State, Side], frozenset[int]]] = {
    (State.OPEN, Side.CLIENT): _ANY | c.BINDS,
    (State.OPEN, Side.SERVER): _ANY | {c.OUTBIND},
    (State.BOUND_TX, Side.CLIENT): _BOUND | _FROM_CLIENT_TX,
    (State.BOUND_TX, Side.SERVER): _BOUND,
    (State.BOUND_RX, Side.CLIENT): _BOUND,
    (State.BOUND_RX, Side.SERVER): _BOUND | _FROM_SERVER_RX,
    (State.BOUND_TRX, Side.CLIENT): _BOUND | _FROM_CLIENT_TX,
    (State.BOUND_TRX, Side.SERVER): _BOUND | _FROM_SERVER_RX,
    (State.UNBOUND, Side.CLIENT): _ANY,
    (State.UNBOUND, Side.SERVER): _ANY,
    (State.CLOSED, Side.CLIENT): frozenset(),
    (State.CLOSED, Side.SERVER): frozenset(),
}
"""Which requests the side may send in the state."""

MOVES: Final[dict[tuple[State, int], State]] = {
    (State.OPEN, c.BIND_TRANSMITTER_RESP): State.BOUND_TX,
    (State.OPEN, c.BIND_RECEIVER_RESP): State.BOUND_RX,
    (State.OPEN, c.BIND_TRANSCEIVER_RESP): State.BOUND_TRX,
    (State.BOUND_TX, c.UNBIND_RESP): State.UNBOUND,
    (State.BOUND_RX, c.UNBIND_RESP): State.UNBOUND,
    (State.BOUND_TRX, c.UNBIND_RESP): State.UNBOUND,
}
"""Where a response with status 0 leads: one we send, or one that answers a request of ours."""

_BOUND_STATES: Final = frozenset({State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX})
_MOVING: Final = c.BINDS | {c.UNBIND}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one chunk of bytes brought, responses apart so that they are handled first.

    `replies` must be written to the peer at once. `faults` are for counting and the log; after a fatal one
    (`broken`) the replies are written and the connection is dropped.
    """

    responses: tuple[p.Response | p.UnknownPdu, ...] = ()
    requests: tuple[p.Request, ...] = ()
    replies: bytes = b""
    faults: tuple[ProtocolError, ...] = ()

    @property
    def broken(self) -> bool:
        """Say whether the stream can no longer be read."""
        return any(fault.fatal for fault in self.faults)


class Session:
    """One session seen from one side; see the module for the rules."""

    __slots__ = ("_asked", "_buffer", "_peer", "_sequence", "_side", "state")

    def __init__(self, side: Side, *, largest_frame: int = LARGEST_FRAME, last_sequence: int = 0) -> None:
        self._side = side
        self._peer = Side.SERVER if side is Side.CLIENT else Side.CLIENT
        self._buffer = FrameBuffer(largest_frame)
        self._sequence = last_sequence
        self._asked: dict[int, int] = {}
        self.state = State.OPEN

    @property
    def bound(self) -> bool:
        """Say whether the bind was agreed and not yet taken back."""
        return self.state in _BOUND_STATES

    @property
    def can_submit(self) -> bool:
        """Say whether a submit_sm may travel now, in the direction that submits travel."""
        return self.state in (State.BOUND_TX, State.BOUND_TRX)

    @property
    def can_deliver(self) -> bool:
        """Say whether a deliver_sm may travel now, in the direction that deliveries travel."""
        return self.state in (State.BOUND_RX, State.BOUND_TRX)

    def next_sequence(self) -> int:
        """Give the number of our next request: 1 to 0x7FFFFFFF, then 1 again."""
        self._sequence = self._sequence + 1 if self._sequence < LAST_SEQUENCE else 1
        return self._sequence

    def allows(self, command_id: int) -> bool:
        """Say whether we may send this request now."""
        return command_id in ALLOWED[self.state, self._side]

    def request(self, pdu: p.Request) -> tuple[int, bytes]:
        """Write a request of ours under the next number.

        Errors: SessionError when the state forbids it, EncodeError when a field does not fit; neither uses up
        a number.
        """
        command_id = pdu.command_id
        if command_id not in ALLOWED[self.state, self._side]:
            raise SessionError(f"{c.command_name(command_id)} is not allowed when {self.state.value}")
        before = self._sequence
        sequence = self.next_sequence()
        try:
            raw = encode_submit_sm(pdu, sequence) if isinstance(pdu, p.SubmitSm) else encode(pdu, sequence)
        except ValueError:
            self._sequence = before
            raise
        if command_id in _MOVING:
            self._asked[sequence] = command_id
        return sequence, raw

    def respond(self, pdu: p.Response) -> bytes:
        """Write a response of ours, under the sequence number it carries.

        A bind or unbind response with status 0 moves the state.
        Errors: SessionError after the close, EncodeError when a field does not fit.
        """
        if self.state is State.CLOSED:
            raise SessionError(f"{c.command_name(pdu.command_id)} is not allowed when closed")
        raw = encode(pdu)
        if pdu.status == ESME_ROK:
            self._move(pdu.command_id)
        return raw

    def receive(self, data: bytes) -> Reading:
        """Take bytes from the peer; any cut of the stream gives the same PDUs in the same orders.

        Errors: none; what is wrong is in the reading.
        """
        if self.state is State.CLOSED or self._buffer.fault is not None:
            return Reading()
        return self._read(data)

    def close(self) -> None:
        """Note that the connection is gone."""
        self.state = State.CLOSED

    def _read(self, data: bytes) -> Reading:
        responses: list[p.Response | p.UnknownPdu] = []
        requests: list[p.Request] = []
        replies: list[bytes] = []
        faults: list[ProtocolError] = []
        for frame in self._buffer.feed(data):
            try:
                pdu = decode(frame)
                if pdu.command_id >= c.RESPONSE_BIT:
                    responses.append(self._answered(cast("p.Response | p.UnknownPdu", pdu)))
                elif isinstance(pdu, p.EnquireLink):
                    replies.append(encode(p.EnquireLinkResp(pdu.sequence)))
                else:
                    requests.append(self._permitted(cast("p.Request | p.UnknownPdu", pdu)))
            except ProtocolError as fault:
                faults.append(fault)
                replies.append(fault.answer)
        if self._buffer.fault is not None:
            faults.append(self._buffer.fault)
            replies.append(self._buffer.fault.answer)
        return Reading(tuple(responses), tuple(requests), b"".join(replies), tuple(faults))

    def _answered(self, pdu: p.Response | p.UnknownPdu) -> p.Response | p.UnknownPdu:
        """Let a response that answers a bind or unbind of ours move the state."""
        command_id = pdu.command_id
        if (self.state, command_id) in MOVES:
            asked = self._asked.pop(pdu.sequence, None)
            if asked == command_id & ~c.RESPONSE_BIT and pdu.status == ESME_ROK:
                self._move(command_id)
        return pdu

    def _permitted(self, pdu: p.Request | p.UnknownPdu) -> p.Request:
        """Let a request through, if the peer may send it in this state."""
        command_id = pdu.command_id
        if isinstance(pdu, p.UnknownPdu):
            raise ProtocolError(
                f"{c.command_name(command_id)} is not known", status=ESME_RINVCMDID, sequence=pdu.sequence
            )
        if command_id not in ALLOWED[self.state, self._peer]:
            raise ProtocolError(
                f"{c.command_name(command_id)} came when {self.state.value}",
                status=ESME_RINVBNDSTS,
                sequence=pdu.sequence,
                answer_id=command_id | c.RESPONSE_BIT,
            )
        return pdu

    def _move(self, command_id: int) -> None:
        moved = MOVES.get((self.state, command_id))
        if moved is not None:
            self.state = moved
            self._asked.clear()
