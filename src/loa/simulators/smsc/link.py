"""One connection of a client: bytes in and out, the session's rules, and the receipts that are on their way.

Decides nothing: what a request means is the owner's.
"""

import asyncio
import socket
import struct
from typing import Final, Protocol, cast

from loa.simulators.smsc.notice import Notice
from loa.simulators.smsc.script import Script
from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp.framing import FrameBuffer
from loa.smpp.session import Session, Side, State

_ANSWERS: Final = (p.DeliverSmResp, p.DataSmResp, p.GenericNack)
_KINDS: Final = {State.BOUND_TX: "transmitter", State.BOUND_RX: "receiver", State.BOUND_TRX: "transceiver"}
_ENQUIRE_LINK_RESP: Final = c.ENQUIRE_LINK_RESP.to_bytes(4, "big")


class Owner(Protocol):
    """Whoever a link tells what its client does."""

    @property
    def script(self) -> Script:
        """The script in force."""
        ...

    def opened(self, link: "Link") -> None:
        """Note a new connection."""
        ...

    def requested(self, link: "Link", pdu: p.Request) -> None:
        """Do what a client asks."""
        ...

    def enquired(self, times: int) -> None:
        """Count enquire_link."""
        ...

    def answered(self, link: "Link", notice: Notice, status: int) -> None:
        """Note what a client says to a receipt."""
        ...

    def faulted(self, faults: int) -> None:
        """Count what no client may send."""
        ...

    def freed(self, link: "Link") -> None:
        """More receipts may be written to the link."""
        ...

    def lost(self, link: "Link") -> None:
        """Forget a connection."""
        ...


class Link(asyncio.Protocol):
    """One client connection, bound or not."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._slices = bytearray()
        self._flush_due = False
        self._finishing = False
        self._paused = False
        self._carried: dict[int, tuple[Notice, float]] = {}
        self.session = Session(Side.SERVER)
        self.system_id = ""
        self.kind = ""

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        """Take what the client wrote; answers to receipts come before its requests."""
        reading = self.session.receive(data)
        if reading.replies:
            self._reply(reading.replies)
        for response in reading.responses:
            self._answered(response)
        for request in reading.requests:
            self._owner.requested(self, request)
        if reading.faults:
            self._owner.faulted(len(reading.faults))
        if reading.broken:
            self.finish()

    def pause_writing(self) -> None:
        """Carry no receipts until the client reads again."""
        self._paused = True

    def resume_writing(self) -> None:
        """Carry receipts again."""
        self._paused = False
        self._owner.freed(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - a lost connection is a lost connection
        """End."""
        self.session.close()
        self._transport = None
        self._owner.lost(self)

    # --- what the owner calls ---

    @property
    def bound(self) -> bool:
        """Say whether the client is bound."""
        return self.session.bound

    @property
    def carrying(self) -> int:
        """Count the receipts that are written and not answered."""
        return len(self._carried)

    def respond(self, pdu: p.Response) -> bool:
        """Write a response; False when the connection is gone."""
        if self._transport is None:
            return False
        self.write(self.session.respond(pdu))
        if self.session.bound and not self.kind:
            self.kind = _KINDS[self.session.state]
        return True

    def ask(self, pdu: p.Request) -> bool:
        """Write a request that needs no book-keeping; False when the session does not allow it now."""
        if self._transport is None or not self.session.allows(pdu.command_id):
            return False
        self.write(self.session.request(pdu)[1])
        return True

    def free(self, window: int) -> int:
        """Tell how many receipts may be written now."""
        if not self.session.can_deliver or self._paused or self._finishing:
            return 0
        return window - len(self._carried)

    def carry(self, notice: Notice, pdu: p.DeliverSm | p.DataSm, monotonic: float) -> None:
        """Write a receipt and remember it until it is answered."""
        sequence, raw = self.session.request(pdu)
        self._carried[sequence] = (notice, monotonic)
        self.write(raw)

    def take_back(self, sent_before: float = float("inf")) -> list[Notice]:
        """Give, oldest first, the receipts written before an instant and never answered, and forget them here."""
        late = [sequence for sequence, (_, sent_at) in self._carried.items() if sent_at < sent_before]
        return [self._carried.pop(sequence)[0] for sequence in late]

    def write(self, raw: bytes) -> None:
        """Write octets, whatever they are; what is written in one turn of the loop leaves together."""
        self._out.append(raw)
        self._plan_flush()

    def finish(self) -> None:
        """Close the connection once everything is written."""
        self._finishing = True
        self._plan_flush()

    def reset(self) -> None:
        """Cut the connection with a TCP reset; what was not yet written never is."""
        if self._transport is None:
            return
        self._out.clear()
        self._slices.clear()
        peer: socket.socket = self._transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def cut(self) -> None:
        """Close the connection now; the client may not have read what was written."""
        self._flush()
        if self._transport is not None:
            self._transport.abort()

    # --- inside ---

    def _answered(self, response: p.Response | p.UnknownPdu) -> None:
        if isinstance(response, _ANSWERS):
            entry = self._carried.pop(response.sequence, None)
            if entry is not None:
                self._owner.answered(self, entry[0], response.status)
        elif isinstance(response, p.UnbindResp):
            self.finish()

    def _reply(self, replies: bytes) -> None:
        frames = FrameBuffer().feed(replies)
        enquiries = sum(frame[4:8] == _ENQUIRE_LINK_RESP for frame in frames)
        if enquiries:
            self._owner.enquired(enquiries)
            if not self._owner.script.answer_enquire_link:
                frames = [frame for frame in frames if frame[4:8] != _ENQUIRE_LINK_RESP]
        if frames:
            self.write(b"".join(frames))

    def _plan_flush(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        if self._transport is None:
            return
        data = b"".join(self._out)
        self._out.clear()
        size = self._owner.script.slice_octets
        if size or self._slices:
            self._slices += data
            size = size or len(self._slices)
            data = bytes(self._slices[:size])
            del self._slices[:size]
        if data:
            self._transport.write(data)
        if self._slices:
            self._plan_flush()
        elif self._finishing:
            self._transport.close()
