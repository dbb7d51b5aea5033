import asyncio
import socket
import struct

import pytest
import uvloop

from loa.certify.proxy import FaultProxy, Mode


class Echo:
    """A server that sends back what comes; `pieces` are what it read, `ends` how connections ended."""

    def __init__(self):
        self.pieces = []
        self.accepted = 0
        self.ends = asyncio.Queue()
        self._open = set()

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        self.accepted += 1
        self._open.add(writer)
        try:
            while data := await reader.read(65536):
                self.pieces.append(data)
                writer.write(data)
                await writer.drain()
            self.ends.put_nowait("end")
        except ConnectionResetError:
            self.ends.put_nowait("reset")
        writer.close()


class Client:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def send(self, data):
        self.writer.write(data)

    async def ask(self, data):
        self.send(data)
        return await self.reader.readexactly(len(data))

    async def end(self):
        try:
            return "end" if await self.reader.read() == b"" else "octets"
        except ConnectionResetError:
            return "reset"


@pytest.fixture
async def echo():
    server = Echo()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def proxy(echo):
    made = FaultProxy("127.0.0.1", echo.port)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def dial(proxy):
    clients = []

    async def connect():
        clients.append(Client(*await asyncio.open_connection("127.0.0.1", proxy.port)))
        return clients[-1]

    yield connect
    for client in clients:
        client.writer.transport.abort()


async def silent(*tasks):
    """Say whether none of these ends while the loop turns and a client of the same loop is served."""
    _, waiting = await asyncio.wait(tasks, timeout=0.1)
    return len(waiting) == len(tasks)


async def test_what_passes_arrives_whole_both_ways_and_an_end_is_passed_on(proxy, echo, dial):
    client = await dial()
    assert await client.ask(b"x" * 1_000_000) == b"x" * 1_000_000
    client.writer.write_eof()
    assert await client.end() == "end"
    assert await echo.ends.get() == "end"
    await proxy.until(lambda p: p.connections == 0)
    assert proxy.accepted == 1


async def test_the_last_octets_before_an_end_are_not_lost(proxy, dial):
    client = await dial()
    client.send(b"y" * 5_000_000)
    client.writer.write_eof()
    assert len(await client.reader.read()) == 5_000_000


async def test_a_black_hole_holds_open_and_new_connections_until_it_passes_again(proxy, echo, dial):
    client = await dial()
    assert await client.ask(b"before") == b"before"
    proxy.behave(Mode.BLACKHOLE)
    late = await dial()
    asked = [asyncio.ensure_future(each.ask(b"held")) for each in (client, late)]
    await proxy.until(lambda p: p.connections == 2)
    assert await silent(*asked)
    assert (echo.accepted, b"".join(echo.pieces)) == (1, b"before")
    proxy.behave(Mode.PASS)
    assert await asyncio.gather(*asked) == [b"held", b"held"]


async def test_a_black_hole_tells_nobody_of_an_end(proxy, echo, dial):
    client = await dial()
    await client.ask(b"before")
    proxy.behave(Mode.BLACKHOLE)
    client.writer.write_eof()
    ended = asyncio.ensure_future(echo.ends.get())
    assert await silent(ended)
    proxy.behave(Mode.PASS)
    assert await ended == "end"


@pytest.mark.parametrize(("mode", "arrives"), [(Mode.BLACKHOLE_TO_TARGET, False), (Mode.BLACKHOLE_TO_CLIENT, True)])
async def test_a_black_hole_may_have_one_direction(proxy, echo, dial, mode, arrives):
    client = await dial()
    await client.ask(b"before")
    proxy.behave(mode)
    asked = asyncio.ensure_future(client.ask(b"held"))
    assert await silent(asked)
    assert b"".join(echo.pieces) == (b"beforeheld" if arrives else b"before")
    proxy.behave(Mode.PASS)
    assert await asked == b"held"


async def test_refusing_closes_new_connections_and_leaves_the_open_ones(proxy, dial):
    client = await dial()
    await client.ask(b"before")
    proxy.behave(Mode.REFUSE)
    assert await (await dial()).end() == "end"
    assert await client.ask(b"still") == b"still"
    assert (proxy.accepted, proxy.connections) == (2, 1)


async def test_resetting_ends_open_and_new_connections_with_rst_on_both_sides(proxy, echo, dial):
    client = await dial()
    await client.ask(b"before")
    proxy.behave(Mode.RESET)
    assert await client.end() == "reset"
    assert await echo.ends.get() == "reset"
    assert await (await dial()).end() == "reset"
    await proxy.until(lambda p: p.connections == 0)


async def test_one_reset_ends_what_is_open_even_in_a_black_hole_and_nothing_later(proxy, echo, dial):
    client = await dial()
    await client.ask(b"before")
    proxy.behave(Mode.BLACKHOLE)
    new = await dial()
    await proxy.until(lambda p: p.connections == 2)
    proxy.reset()
    assert [await client.end(), await new.end(), await echo.ends.get()] == ["reset", "reset", "reset"]
    proxy.behave(Mode.PASS)
    assert await (await dial()).ask(b"after") == b"after"


async def test_a_reset_of_one_side_reaches_the_other(proxy, echo, dial):
    client = await dial()
    await client.ask(b"before")
    linger_then_close = struct.pack("ii", 1, 0)
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_then_close)
    client.writer.transport.abort()
    assert await echo.ends.get() == "reset"
    await proxy.until(lambda p: p.connections == 0)


async def test_a_target_that_is_away_ends_the_connection(proxy, echo, dial):
    await echo.stop()
    assert await (await dial()).end() == "reset"


async def test_slices_arrive_one_octet_at_a_time(proxy, echo, dial):
    client = await dial()
    await client.ask(b"before")
    proxy.slices = True
    echo.pieces.clear()
    assert await client.ask(b"z" * 50) == b"z" * 50
    assert len(echo.pieces) > 10, "several reads, though the system may join some"


async def test_each_piece_waits_out_the_delay_on_the_clock():
    clock = HandClock()
    echo = Echo()
    await echo.start()
    proxy = FaultProxy("127.0.0.1", echo.port, clock=clock)
    await proxy.start()
    client = Client(*await asyncio.open_connection("127.0.0.1", proxy.port))
    await client.ask(b"before")
    proxy.delay_s = 1.5
    asked = asyncio.ensure_future(client.ask(b"slow"))
    for _ in range(2):  # there and back
        assert not asked.done()
        (await clock.wanted.get())()
    assert await asked == b"slow"
    assert clock.slept == [1.5, 1.5]
    client.writer.transport.abort()
    await proxy.stop()
    await echo.stop()


class HandClock:
    """A clock whose sleepers go on when told."""

    def __init__(self):
        self.wanted = asyncio.Queue()
        self.slept = []

    async def sleep(self, seconds):
        self.slept.append(seconds)
        gone = asyncio.Event()
        self.wanted.put_nowait(gone.set)
        await gone.wait()


async def test_the_port_stays_when_it_is_stopped_and_started_again(proxy, dial):
    client = await dial()
    await client.ask(b"before")
    port = proxy.port
    await proxy.stop()
    assert await client.end() == "reset"
    with pytest.raises(OSError, match="Connect call failed"):
        await dial()
    await proxy.start()
    assert proxy.port == port
    assert await (await dial()).ask(b"after") == b"after"


def test_it_resets_on_the_event_loop_of_the_gateway_as_well():
    async def run():
        echo = Echo()
        await echo.start()
        proxy = FaultProxy("127.0.0.1", echo.port)
        await proxy.start()
        client = Client(*await asyncio.open_connection("127.0.0.1", proxy.port))
        assert await client.ask(b"before") == b"before"
        proxy.behave(Mode.RESET)
        ends = await client.end(), await echo.ends.get()
        client.writer.transport.abort()
        await proxy.stop()
        await echo.stop()
        return ends

    assert uvloop.run(run()) == ("reset", "reset")
