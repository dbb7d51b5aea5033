"""Dialling: a name with several addresses, of which some are broken."""

import asyncio
import socket
import time

import pytest
from tests.support.zalo_payloads import WORLD

from loa.channels.zalo import settings as own
from loa.channels.zalo.client import Client


class Names(asyncio.SelectorEventLoop):
    """An event loop that knows addresses of its own for one name."""

    addresses = ()

    async def getaddrinfo(self, host, port, **wanted):
        if host != "zalo.test":
            return await super().getaddrinfo(host, port, **wanted)
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "nobody")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self.addresses]


class Peer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


async def ask(addresses):
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.3", 0)
    url = f"http://zalo.test:{server.sockets[0].getsockname()[1]}"
    given = {name: WORLD[name] for name in ("app_id", "app_secret", "oa_id")}
    settings = own.read(given | {"business_url": url, "connect_timeout_s": 1})
    asyncio.get_running_loop().addresses = addresses
    client = Client(settings, own.tls_of(settings), limit=1, now=time.monotonic)
    try:
        return await client.get(client.business, "/message/quota", {}, "token")
    finally:
        await client.close()
        server.close()


@pytest.mark.parametrize(
    ("addresses", "fault", "written"),
    [
        (("127.0.0.3",), "", True),
        (("127.0.0.4", "127.0.0.3"), "", True),
        (("127.0.0.4", "127.0.0.5"), "connect", False),
        ((), "host_not_found", False),
    ],
)
def test_one_good_address_is_enough(addresses, fault, written):
    with asyncio.Runner(loop_factory=Names) as runner:
        answer = runner.run(ask(addresses))
    assert (answer.fault, answer.written) == (fault, written)
