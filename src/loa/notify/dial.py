"""Opens connections to receivers: name, addresses, guard, TLS. Every failure is a code, never an exception.

The event loop gets an address in digits, which it connects to as it stands, and makes the socket itself: a socket of
ours uvloop may close twice when the connection is dropped as it is made, and the second time it is somebody else's.
"""

import asyncio
import errno
import ssl
from collections.abc import Callable
from typing import Final

from loa.notify.guard import BlockedAddress, GuardPolicy
from loa.notify.names import Names
from loa.notify.networks import kind_of
from loa.ports.callback_sender import NO_DESCRIPTOR
from loa.wire.pool import GOODBYE_S
from loa.wire.wire import Origin, Wire

OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE})


class Dialer:
    """Makes one connection for each call.

    `tls`: checks certificate and name of every https receiver. Units: `patience_s` is how long an address may keep us
    waiting while there is another.
    """

    def __init__(self, names: Names, policy: GuardPolicy, tls: ssl.SSLContext, *, patience_s: float) -> None:
        self._names = names
        self._policy = policy
        self._tls = tls
        self._patience_s = patience_s

    async def dial(self, origin: Origin, left: Callable[[Wire], None]) -> Wire | str:
        """Connect, or tell by its code why not; whoever calls limits the time. `left`: see Wire."""
        try:
            addresses = await self._addresses(origin)
        except BlockedAddress:
            return "blocked_address"
        except OSError as error:
            return NO_DESCRIPTOR if error.errno in OUT_OF_FILES else "resolve"
        for address in addresses:
            try:
                self._policy.admit(address)
                async with asyncio.timeout(None if address == addresses[-1] else self._patience_s):
                    wire = await self._connect(address, origin, left)
            except BlockedAddress:
                return "blocked_address"
            except (ssl.SSLError, ValueError):
                return "tls"
            except OSError as error:
                if error.errno in OUT_OF_FILES:
                    return NO_DESCRIPTOR
                continue
            origin.address = address
            return wire
        return "connect"

    async def _addresses(self, origin: Origin) -> list[str]:
        """Give the addresses, the one that served last before all others."""
        if kind_of(origin.host) != "malformed":
            return [origin.host]
        found = await self._names.addresses(origin.host, origin.port)
        return sorted(found, key=lambda address: address != origin.address)

    async def _connect(self, address: str, origin: Origin, left: Callable[[Wire], None]) -> Wire:
        loop = asyncio.get_running_loop()

        def wire() -> Wire:
            return Wire(origin, left, loop)

        if not origin.tls:
            return (await loop.create_connection(wire, address, origin.port))[1]
        name = origin.host.rstrip(".")
        return (
            await loop.create_connection(
                wire, address, origin.port, ssl=self._tls, server_hostname=name, ssl_shutdown_timeout=GOODBYE_S
            )
        )[1]
