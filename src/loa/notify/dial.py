"""Opens connections to receivers: name, addresses, guarded socket, TLS. Every failure is a code, never an exception."""

import asyncio
import socket
import ssl

from aiohappyeyeballs import start_connection

from loa.notify.guard import BlockedAddress, GuardedSockets
from loa.notify.names import Names
from loa.notify.networks import kind_of
from loa.notify.wire import Keeper, Origin, Wire

NEXT_ADDRESS_S = 0.25
"""How long one address may keep us waiting before the next is tried beside it. Source: RFC 8305 section 5."""
GOODBYE_S = 2.0

AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]


class Dialer:
    """Makes one connection at a time for each call. `tls`: checks certificate and name of every https receiver."""

    def __init__(self, names: Names, sockets: GuardedSockets, tls: ssl.SSLContext) -> None:
        self._names = names
        self._sockets = sockets
        self._tls = tls

    async def dial(self, origin: Origin, keeper: Keeper) -> Wire | str:
        """Connect, or tell by its code why not; whoever calls limits the time."""
        host, port = origin.host, origin.port
        try:
            addresses = [host] if kind_of(host) != "malformed" else await self._names.addresses(host, port)
        except BlockedAddress:
            return "blocked_address"
        except OSError:
            return "resolve"
        try:
            made = await start_connection(
                [_info(address, port) for address in addresses],
                happy_eyeballs_delay=NEXT_ADDRESS_S,
                socket_factory=self._sockets,
            )
        except BlockedAddress:
            return "blocked_address"
        except (OSError, RuntimeError):
            # uvloop says RuntimeError where asyncio says OSError.
            return "connect"
        return await self._hand_over(made, origin, keeper)

    async def _hand_over(self, made: socket.socket, origin: Origin, keeper: Keeper) -> Wire | str:
        loop = asyncio.get_running_loop()

        def wire() -> Wire:
            return Wire(origin, keeper, loop)

        try:
            if not origin.tls:
                return (await loop.create_connection(wire, sock=made))[1]
            name = origin.host.rstrip(".")
            return (
                await loop.create_connection(
                    wire, sock=made, ssl=self._tls, server_hostname=name, ssl_shutdown_timeout=GOODBYE_S
                )
            )[1]
        except (ssl.SSLError, ValueError):
            return "tls"
        except OSError:
            return "connect"


def _info(address: str, port: int) -> AddressInfo:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
