"""What a request is told to have left, how long it may take, and how much of an answer is read."""

import asyncio
import time

import pytest

from loa.wire.pool import Pool
from loa.wire.wire import EXCERPT_BYTES, Wire

REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


class Plain:
    """Connects to anybody, or fails as told."""

    def __init__(self, excerpt_bytes=EXCERPT_BYTES):
        self.excerpt_bytes = excerpt_bytes
        self.instead = None

    async def dial(self, origin, left):
        if self.instead is not None:
            return await self.instead()
        loop = asyncio.get_running_loop()
        made = await loop.create_connection(
            lambda: Wire(origin, left, loop, self.excerpt_bytes), origin.host, origin.port
        )
        return made[1]


class Peer:
    """Says `says` for each request: "" hangs up, None leaves us waiting."""

    def __init__(self):
        self.says = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.read = b""
        self.port = 0


class Line(asyncio.Protocol):
    """One connection to the peer."""

    def __init__(self, peer):
        self.peer = peer

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.peer.read += data
        if self.peer.says:
            self.transport.write(self.peer.says)
        elif self.peer.says is not None:
            self.transport.close()


@pytest.fixture
async def peer():
    made = Peer()
    server = await asyncio.get_running_loop().create_server(lambda: Line(made), "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@pytest.fixture
async def ask(peer):
    dialer = Plain()
    pool = Pool(dialer, limit=1, timeout_s=0.2, now=time.monotonic)

    async def exchange(**options):
        origin = pool.origin("127.0.0.1", peer.port, tls=False)
        return await pool.exchange(origin, REQUEST, time.monotonic() + 0.2, **options)

    exchange.dialer = dialer
    yield exchange
    await pool.close()


async def test_a_request_that_was_answered_was_written(ask):
    told = []
    answer = await ask(written=lambda: told.append(1))
    assert (answer.status, answer.fault, answer.excerpt, answer.written) == (200, "", b"ok", True)
    assert told == [1]


async def test_a_request_that_found_no_connection_was_not_written(ask):
    told = []

    async def refuse():
        return "connect"

    async def hang():
        await asyncio.Event().wait()

    for instead, fault in ((refuse, "connect"), (hang, "timeout")):
        ask.dialer.instead = instead
        answer = await ask(written=lambda: told.append(1))
        assert (answer.fault, answer.written) == (fault, False)
    assert not told


async def test_a_request_whose_answer_is_lost_was_written(ask, peer):
    peer.says = b""
    answer = await ask()
    assert (answer.fault, answer.written) == ("connect", True)
    peer.says = None
    answer = await ask()
    assert (answer.fault, answer.written) == ("timeout", True)


async def test_an_answer_may_have_a_time_of_its_own(ask, peer):
    peer.says = None
    begun = time.monotonic()
    answer = await ask(answer_s=0.05)
    assert (answer.fault, answer.written) == ("timeout", True)
    assert time.monotonic() - begun >= 0.05


@pytest.mark.parametrize(("octets", "cut"), [(9_999, False), (10_000, False), (10_001, True)])
async def test_as_much_is_read_as_was_wanted(ask, peer, octets, cut):
    ask.dialer.excerpt_bytes = 10_000
    peer.says = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % octets + b"x" * octets
    answer = await ask()
    assert (answer.fault, answer.cut, len(answer.excerpt)) == ("", cut, min(octets, 10_000))


async def test_a_request_written_through_is_whole(ask, peer):
    for _ in range(2):
        answer = await ask(through=True)
        assert (answer.status, answer.written) == (200, True)
    assert peer.read == 2 * REQUEST
