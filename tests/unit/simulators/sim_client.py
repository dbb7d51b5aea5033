"""A small SMPP client for these tests: our session rules over a plain stream."""

import asyncio
import contextlib

from loa.smpp import pdu as p
from loa.smpp.codec import decode
from loa.smpp.framing import FrameBuffer
from loa.smpp.session import Session, Side


class Client:
    """Sends what a test says; collects what comes; acks nothing by itself."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        self.session = Session(Side.CLIENT)
        self._responses = []
        self._requests = []
        self.raw = b""

    @classmethod
    async def connect(cls, port):
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, pdu):
        sequence, raw = self.session.request(pdu)
        self._writer.write(raw)
        return sequence

    def write(self, raw):
        self._writer.write(raw)

    def answer(self, request, status=0):
        kind = p.DataSmResp if isinstance(request, p.DataSm) else p.DeliverSmResp
        self._writer.write(self.session.respond(kind(request.sequence, status)))

    async def ask(self, pdu):
        sequence = self.send(pdu)
        while True:
            for response in self._responses:
                if response.sequence == sequence:
                    self._responses.remove(response)
                    return response
            await self._more()

    async def next_response(self):
        while not self._responses:
            await self._more()
        return self._responses.pop(0)

    async def next_request(self, *, ack=True):
        while not self._requests:
            await self._more()
        request = self._requests.pop(0)
        if ack and isinstance(request, (p.DeliverSm, p.DataSm)):
            self.answer(request)
        return request

    async def until_arrived(self, name, times=1):
        while self.arrivals().count(name) < times:
            await self._more()

    async def ended(self):
        """Read to the end; tell how the connection ended."""
        try:
            while await self._more(at_end=False):
                pass
        except ConnectionResetError:
            return "reset"
        return "closed"

    async def _more(self, at_end=True):
        data = await self._reader.read(65536)
        if not data and at_end:
            raise EOFError
        self.raw += data
        reading = self.session.receive(data)
        self._writer.write(reading.replies)
        self._responses += reading.responses
        self._requests += reading.requests
        return data

    def arrivals(self):
        """Name the PDUs in the order in which they came, whatever they answer."""
        return [type(decode(frame)).__name__ for frame in FrameBuffer().feed(self.raw)]

    async def close(self):
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


def submit(text="hello", destination="84912345678", source="LOA", registered=1, **fields):
    return p.SubmitSm(
        source_ton=5,
        source=source,
        destination_ton=1,
        destination_npi=1,
        destination=destination,
        registered_delivery=registered,
        short_message=text.encode("ascii") if isinstance(text, str) else text,
        **fields,
    )
