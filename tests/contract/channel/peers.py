"""Scripted peers on loopback sockets: an SMSC and a gateway of the family. They do what a test says, nothing more."""

import asyncio
import json

from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp.codec import decode, encode
from loa.smpp.framing import FrameBuffer

WAIT_S = 10.0


class Watch:
    """Lets a test wait for something to have happened."""

    def __init__(self):
        self._event = asyncio.Event()

    def changed(self):
        self._event.set()

    async def until(self, predicate, seconds=WAIT_S):
        async with asyncio.timeout(seconds):
            while not predicate():
                self._event.clear()
                await self._event.wait()


class SmscSession(asyncio.Protocol):
    """One accepted connection."""

    def __init__(self, smsc):
        self.smsc = smsc
        self.bind = None
        self.closed = False
        self._buffer = FrameBuffer()
        self._sequence = 0

    def connection_made(self, transport):
        self.transport = transport
        self.smsc.sessions.append(self)
        self.smsc.watch.changed()

    def data_received(self, data):
        self.smsc.octets += len(data)
        for frame in self._buffer.feed(data):
            self.smsc.take(self, decode(frame))
        self.smsc.watch.changed()

    def connection_lost(self, exc):
        self.closed = True
        self.smsc.watch.changed()

    def answer(self, pdu):
        self.transport.write(encode(pdu))

    def ask(self, pdu):
        self._sequence += 1
        self.transport.write(encode(pdu, self._sequence))
        return self._sequence

    def raw(self, octets):
        self.transport.write(octets)

    def cut(self):
        self.transport.abort()


class Smsc:
    """An SMSC that accepts everything until `on_submit`, `on_bind` or `on_request` says otherwise."""

    def __init__(self):
        self.watch = Watch()
        self.sessions = []
        self.binds = []
        self.submits = []
        self.acks = []
        self.nacks = []
        self.others = []
        self.octets = 0
        self.next_id = 1
        self.on_bind = self.accept_bind
        self.on_submit = self.accept
        self.port = 0
        self._server = None

    async def start(self, port=0, ssl=None):
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SmscSession(self), "127.0.0.1", port, ssl=ssl)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def close(self):
        self._server.close()
        for session in self.sessions:
            session.transport.abort()
        await self.watch.until(lambda: all(session.closed for session in self.sessions))

    def take(self, session, pdu):
        if isinstance(pdu, p.BindRequest):
            session.bind = pdu
            self.binds.append(pdu)
            self.on_bind(session, pdu)
        elif isinstance(pdu, p.SubmitSm):
            self.submits.append(pdu)
            self.on_submit(session, pdu)
        elif isinstance(pdu, p.EnquireLink):
            self.others.append(pdu)
            session.answer(p.EnquireLinkResp(pdu.sequence))
        elif isinstance(pdu, p.Unbind):
            self.others.append(pdu)
            session.answer(p.UnbindResp(pdu.sequence))
        elif isinstance(pdu, p.DeliverSmResp | p.DataSmResp):
            self.acks.append(pdu)
        elif isinstance(pdu, p.GenericNack):
            self.nacks.append(pdu)
        else:
            self.others.append(pdu)

    def accept_bind(self, session, pdu):
        session.answer(p.BindResponse(pdu.command_id | c.RESPONSE_BIT, pdu.sequence, 0, "peer"))

    def refuse_bind(self, status):
        def answer(session, pdu):
            session.answer(p.BindResponse(pdu.command_id | c.RESPONSE_BIT, pdu.sequence, status))

        return answer

    def accept(self, session, pdu):
        session.answer(p.SubmitSmResp(pdu.sequence, 0, f"{self.next_id:x}"))
        self.next_id += 1

    def refuse(self, status):
        return lambda session, pdu: session.answer(p.SubmitSmResp(pdu.sequence, status))

    @staticmethod
    def silent(session, pdu):
        """Answer nothing."""

    @staticmethod
    def cut(session, pdu):
        session.cut()

    @staticmethod
    def garbage(session, pdu):
        session.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    @property
    def receiving(self):
        """The first open session that takes deliveries."""
        return next(s for s in self.sessions if not s.closed and s.bind and s.bind.command_id != c.BIND_TRANSMITTER)

    def receipt(self, ref, stat="DELIVRD", source="84912345678", **fields):
        text = f"id:{ref} sub:001 dlvrd:001 submit date:2611231200 done date:2611231201 stat:{stat} err:000 text:x"
        return self.receiving.ask(
            p.DeliverSm(esm_class=c.ESM_RECEIPT, source=source, short_message=text.encode(), **fields)
        )


class Gateway:
    """A gateway of the family: keeps requests, answers with `on_request(request)` -> (status, headers, body) or a verb.

    Verbs: "cut" closes after reading the request, "silent" never answers.
    """

    def __init__(self):
        self.watch = Watch()
        self.requests = []
        self.connections = 0
        self.on_request = self.accept
        self.port = 0
        self._server = None
        self._writers = []

    async def start(self, port=0):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def close(self):
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    def accept(self, request):
        answer = {"code": 201, "data": {"token": "t"}, "message": "ok", "referentId": f"up{len(self.requests)}"}
        return 201, {}, json.dumps(answer).encode()

    @staticmethod
    def answering(status, body=b"{}", **headers):
        return lambda request: (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)

    async def _serve(self, reader, writer):
        self.connections += 1
        self._writers.append(writer)
        try:
            while await self._serve_one(reader, writer):
                self.watch.changed()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()
            self.watch.changed()

    async def _serve_one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.requests.append(
            {"line": first, "headers": headers, "body": json.loads(body) if body else None, "raw": body}
        )
        self.watch.changed()
        answer = self.on_request(self.requests[-1])
        if answer == "cut":
            return False
        if answer == "silent":
            await asyncio.Event().wait()
        status, extra, out = answer
        fields = "".join(f"{name}: {value}\r\n" for name, value in extra.items())
        writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: {len(out)}\r\n{fields}\r\n".encode() + out)
        await writer.drain()
        return True
