"""One live session with an SMSC: octets in and out, bind, timers, unbind.

The rules of the protocol are in `loa.smpp.session`, those of the window in `window`, those of receipts in `receipts`.
Answers to submits are handled ahead of everything the peer asks. Writes of one turn leave together. One timer a link
looks at all waiting answers; there is no task, future or timer a message.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from typing import Final, cast

from loa.channels.pace import Pace
from loa.channels.smpp.compose import Composer
from loa.channels.smpp.express import DELIVER_SM, SUBMIT_SM_RESP, read_answer, read_receipt
from loa.channels.smpp.known import KnownRefs
from loa.channels.smpp.linklog import LinkLog
from loa.channels.smpp.receipts import Deliveries
from loa.channels.smpp.settings import SmppSettings
from loa.channels.smpp.window import Window
from loa.ports.channel import Attempt, ChannelContext, Settle
from loa.ports.probe import Point
from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp import tlv
from loa.smpp.framing import FrameBuffer
from loa.smpp.outcomes import StatusClass
from loa.smpp.session import Session, Side

TICK_S: Final = 1.0
UNBIND_S: Final = 5.0
"""Time that a peer has for answering an unbind."""

_OF_THE_SESSION: Final = frozenset({StatusClass.NOT_BOUND, StatusClass.ALREADY_BOUND})


class Link(asyncio.Protocol):
    """One session; made for one connection and used once.

    `bound` ends with the status of the bind response, `closed` with the reason why the session is over. `freed` is
    called when answers made room, `held_back` when segments wait to be written.
    """

    def __init__(
        self,
        settings: SmppSettings,
        context: ChannelContext,
        *,
        bind: int,
        composer: Composer,
        pace: Pace,
        known: KnownRefs,
        freed: Callable[[], None],
        held_back: Callable[[], None],
        log: LinkLog,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._settings = settings
        self._clock = context.clock
        self._probe = context.probe
        self._bind = bind
        self._pace = pace
        self._freed = freed
        self._held_back = held_back
        self._log = log
        self._session = Session(Side.CLIENT)
        self._frames = FrameBuffer()
        self.window = Window(settings, composer, pace, known, context.late)
        self.deliveries = Deliveries(
            settings, context.channel_id, known, context.probe, context.receipts, self._schedule_acks, log
        )
        self._transport: asyncio.Transport | None = None
        self._writable = False
        self._draining = False
        self._reason = ""
        self._bind_sequence = 0
        self._enquire_sequence = 0
        self._heard_at = self._asked_at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self.bound: asyncio.Future[int] = self._loop.create_future()
        self.closed: asyncio.Future[str] = self._loop.create_future()

    # --- what the channel asks ---

    @property
    def usable(self) -> bool:
        """Whether segments may be handed over now."""
        return self._session.can_submit and self._writable and not self._draining

    @property
    def up(self) -> bool:
        """Whether the session is bound."""
        return self._session.bound

    @property
    def free(self) -> int:
        """Count the segments that may be handed over now, but for the pace."""
        return self.window.free if self.usable else 0

    def submit(self, attempts: Sequence[Attempt], settle: Settle) -> None:
        """Hand attempts over; each is settled once."""
        for attempt, outcome in self.window.add(attempts, settle, self._clock.now()):
            self._loop.call_soon(settle, attempt, outcome)
        self.pump()

    def pump(self) -> None:
        """Write what window and pace allow."""
        if not (self._writable and self._session.can_submit):
            return
        pdus = self.window.next_batch(self._session.next_sequence, self._loop.time(), self._clock.now())
        if pdus:
            self._write_submits(b"".join(pdus))
        if self.window.waiting:
            self._held_back()

    def drain(self) -> None:
        """Take no more attempts."""
        self._draining = True

    async def unbind(self) -> None:
        """End the session politely and close; returns when it is closed."""
        self._draining = True
        if self._session.bound:
            self._reason = self._reason or "unbound"
            self._write(self._session.request(p.Unbind())[1])
            await asyncio.wait((self.closed,), timeout=UNBIND_S)
        self.close("unbound")
        await asyncio.shield(self.closed)

    def close(self, reason: str) -> None:
        """Drop the connection; the first reason given stands."""
        self._reason = self._reason or reason
        self._writable = False
        if self._transport is None:
            self._finish()
        elif not self._transport.is_closing():
            self._transport.close()
            self._loop.call_later(UNBIND_S, self._transport.abort)

    def abort(self, reason: str) -> None:
        """Drop the connection without waiting for a peer that does not read."""
        self._reason = self._reason or reason
        self._writable = False
        if self._transport is None:
            self._finish()
        else:
            self._transport.abort()

    # --- the connection ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bind at once."""
        self._transport = cast("asyncio.Transport", transport)
        self._writable = True
        settings = self._settings
        self._bind_sequence, raw = self._session.request(
            p.BindRequest(
                self._bind,
                system_id=settings.system_id,
                password=settings.password,
                system_type=settings.system_type,
                address_range=settings.address_range,
            )
        )
        self._write(raw)
        self._tick()

    def connection_lost(self, exc: Exception | None) -> None:
        """Settle what is left."""
        self._reason = self._reason or ("connection_closed" if exc is None else "connection_lost")
        self._finish()

    def pause_writing(self) -> None:
        """Stop handing over: the peer does not read."""
        self._writable = False

    def resume_writing(self) -> None:
        """Go on handing over."""
        if self._transport is not None and not self._transport.is_closing():
            self._writable = True
            self.pump()
            self._freed()

    def data_received(self, data: bytes) -> None:
        """Take what the peer sent: responses first, then what it asks."""
        if self._frames.fault is not None:
            return
        now = self._heard_at = self._loop.time()
        asked: list[bytes] = []
        answers = 0
        for frame in self._frames.feed(data):
            if frame[4] < 0x80:
                asked.append(frame)
                continue
            answers += 1
            answer = read_answer(frame) if frame[4:8] == SUBMIT_SM_RESP else None
            if answer is None:
                self._take_whole(frame, now)
            else:
                self._settle(answer[0], answer[1], answer[2], now)
        if answers:
            self.pump()
            self._freed()
        if asked:
            self._take_asked(asked, now)
        self._look_for_fault()

    def _look_for_fault(self) -> None:
        """Answer a stream that cannot be read any more, and drop it."""
        fault = self._frames.fault
        if fault is not None:
            self._write(fault.answer)
            self._log.warning("peer broke the protocol", reason=fault.reason)
            self.close("protocol_broken")

    def _take_asked(self, frames: list[bytes], now: float) -> None:
        """Take requests of the peer; first those that are no delivery, because they are answered at once."""
        deliveries = [frame for frame in frames if frame[4:8] == DELIVER_SM]
        if len(deliveries) < len(frames):
            for frame in frames:
                if frame[4:8] != DELIVER_SM:
                    self._take_whole(frame, now)
        usual = self._session.can_deliver
        received_at = self._clock.now()
        for frame in deliveries:
            found = read_receipt(frame) if usual else None
            if found is None:
                self._take_whole(frame, now)
            else:
                self.deliveries.take_usual(found, received_at)

    def _take_whole(self, frame: bytes, now: float) -> None:
        """Take one frame by the rules of the session."""
        reading = self._session.receive(frame)
        if reading.replies:
            self._write(reading.replies)
        for response in reading.responses:
            self._take_response(response, now)
        for request in reading.requests:
            self._take_request(request)
        for fault in reading.faults:
            self._log.warning("peer broke the protocol", reason=fault.reason)

    # --- answers and requests ---

    def _settle(self, sequence: int, status: int, message_id: str, now: float) -> None:
        if self.window.answered(sequence, status, message_id, now) in _OF_THE_SESSION:
            self.close("not_bound")

    def _take_response(self, pdu: p.Response | p.UnknownPdu, now: float) -> None:
        if isinstance(pdu, p.SubmitSmResp):
            self._heed(pdu.tlvs, now)
            self._settle(pdu.sequence, pdu.status, pdu.message_id, now)
        elif isinstance(pdu, p.GenericNack):
            self._take_nack(pdu, now)
        elif isinstance(pdu, p.BindResponse):
            self._take_bind(pdu)
        elif isinstance(pdu, p.UnbindResp):
            self.close("unbound")

    def _heed(self, tlvs: tlv.Tlvs, now: float) -> None:
        level = tlv.find_int(tlvs, tlv.CONGESTION_STATE)
        if level is not None:
            self._pace.congested(level, now)

    def _take_nack(self, nack: p.GenericNack, now: float) -> None:
        """Take the refusal of something we sent; one without a reason still refuses."""
        if nack.sequence == self._bind_sequence and not self.bound.done():
            self.bound.set_result(nack.status or 1)
            self.close("bind_refused")
        elif nack.sequence != self._enquire_sequence:
            self._settle(nack.sequence, nack.status or c.GENERIC_NACK, "", now)

    def _take_bind(self, response: p.BindResponse) -> None:
        if self.bound.done():
            return
        self.bound.set_result(response.status)
        if response.status:
            self.close("bind_refused")
        elif not self._session.bound:
            self.close("bind_answer_odd")

    def _take_request(self, request: p.Request) -> None:
        if isinstance(request, p.DeliverSm | p.DataSm):
            self.deliveries.take(request, self._clock.now())
        elif isinstance(request, p.Unbind):
            # The peer will not answer what it has not answered by now.
            self._reason = self._reason or "unbound_by_peer"
            self._write(self._session.respond(p.UnbindResp(request.sequence)))
            self.close("unbound_by_peer")

    # --- writing ---

    def _write(self, raw: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(raw)

    def _write_submits(self, raw: bytes) -> None:
        probe = self._probe
        if probe.armed(Point.LINK_HALF_WRITTEN):
            half = len(raw) // 2
            self._write_through(raw[:half])
            probe.reached(Point.LINK_HALF_WRITTEN)
            raw = raw[half:]
        if probe.armed(Point.LINK_WRITTEN):
            self._write_through(raw)
            probe.reached(Point.LINK_WRITTEN)
            return
        self._write(raw)

    def _write_through(self, raw: bytes) -> None:
        """Write past the transport's buffer, so that the octets have left when a probe stops the process here."""
        transport = self._transport
        assert transport is not None
        socket = transport.get_extra_info("socket")
        written = 0
        if transport.get_extra_info("sslcontext") is None and not transport.get_write_buffer_size():
            with contextlib.suppress(OSError):
                written = os.write(socket.fileno(), raw)
        if written < len(raw):
            transport.write(raw[written:])

    def _schedule_acks(self) -> None:
        self._loop.call_soon(self._write_acks)

    def _write_acks(self) -> None:
        self._write(self.deliveries.acks())
        if self._draining:
            self._freed()

    # --- timers and the end ---

    def _tick(self) -> None:
        """Look at everything that waits, about once a second."""
        settings = self._settings
        now = self._loop.time()
        if self.window.overdue(now):
            self._log.warning("answers are overdue", timeout_s=settings.response_timeout_s)
            self.pump()
            self._freed()
        silent_s = now - self._heard_at
        if self._session.bound and silent_s >= settings.enquire_link_s:
            if self._asked_at <= self._heard_at:
                self._asked_at = now
                self._enquire_sequence, raw = self._session.request(p.EnquireLink())
                self._write(raw)
            elif now - self._asked_at >= settings.response_timeout_s:
                self._log.warning("peer is silent")
                self.abort("peer_silent")
                return
        step = min(TICK_S, settings.response_timeout_s / 4, settings.enquire_link_s / 4)
        self._timer = self._loop.call_later(step, self._tick)

    def _finish(self) -> None:
        if self.closed.done():
            return
        self._writable = False
        if self._timer is not None:
            self._timer.cancel()
        self._session.close()
        if not self.bound.done():
            self.bound.set_result(-1)
        self.closed.set_result(self._reason)
        self.window.lost("stopped" if self._draining else "link_lost")
