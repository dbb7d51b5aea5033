"""Requests to Zalo's hosts over kept connections: one transmission each, and whether its bytes may have left.

The addresses are the admin's own, so there is no guard in the way; names are resolved by the event loop.
"""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from loa.channels.zalo.settings import ZaloSettings
from loa.wire.pool import GOODBYE_S, Pool
from loa.wire.wire import Answer, Origin, Wire

ANSWER_OCTETS: Final = 65_536
OTHER_ADDRESS_PART: Final = 4
"""An address keeps us waiting for this part of the time at most while there is another."""

_HEADER: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")


@dataclass(frozen=True, slots=True)
class Base:
    """One of Zalo's hosts: where it is, and what its requests begin with."""

    origin: Origin
    host: str
    prefix: str


def fits_header(value: str) -> bool:
    """Tell whether a value can stand in a header without ending it."""
    return _HEADER.fullmatch(value) is not None


def request_of(
    base: Base, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", kind: str = "application/json"
) -> bytes:
    """Write a whole request. Errors: ValueError for a header that would break it."""
    lines = [f"{method} {base.prefix}{path} HTTP/1.1\r\nHost: {base.host}\r\nAccept-Encoding: identity"]
    for name, value in headers.items():
        if not fits_header(value):
            raise ValueError(f"the header {name} cannot hold this value")
        lines.append(f"{name}: {value}")
    if method == "POST":
        lines.append(f"Content-Type: {kind}\r\nContent-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


class _Dialer:
    """Connects within its time. Codes: host_not_found, tls_failed, connect_timeout, connect."""

    def __init__(self, tls: ssl.SSLContext, connect_timeout_s: float) -> None:
        self._tls = tls
        self._timeout_s = connect_timeout_s

    async def dial(self, origin: Origin, left: Callable[[Wire], None]) -> Wire | str:
        """See loa.wire.pool.Dials."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._try(origin, left)
        except TimeoutError:
            return "connect_timeout"
        except socket.gaierror:
            return "host_not_found"
        except (ssl.SSLError, ValueError):
            return "tls_failed"
        except OSError:
            return "connect"

    async def _try(self, origin: Origin, left: Callable[[Wire], None]) -> Wire:
        """Try one address after the other, each but the last for a part of the time only: one family may be broken."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        *others, last = dict.fromkeys(str(each[4][0]) for each in found)
        for address in others:
            with contextlib.suppress(OSError):
                async with asyncio.timeout(self._timeout_s / OTHER_ADDRESS_PART):
                    return await self._connect(address, origin, left)
        return await self._connect(last, origin, left)

    async def _connect(self, address: str, origin: Origin, left: Callable[[Wire], None]) -> Wire:
        loop = asyncio.get_running_loop()
        tls: dict[str, Any] = {}
        if origin.tls:
            tls = {"ssl": self._tls, "server_hostname": origin.host, "ssl_shutdown_timeout": GOODBYE_S}
        made = await loop.create_connection(
            lambda: Wire(origin, left, loop, ANSWER_OCTETS), address, origin.port, **tls
        )
        return made[1]


class Client:
    """The connections of one channel. Made inside the running event loop.

    Units: `now` gives seconds of a clock that never goes back; `limit` is how many requests may wait for an answer.
    """

    def __init__(self, settings: ZaloSettings, tls: ssl.SSLContext, *, limit: int, now: Callable[[], float]) -> None:
        self._now = now
        self._connect_s = settings.connect_timeout_s
        self._answer_s = settings.response_timeout_s
        timeout_s = min(self._connect_s, self._answer_s)
        self._pool = Pool(_Dialer(tls, self._connect_s), limit=limit, timeout_s=timeout_s, now=now)
        self.oauth = self._base(settings.oauth_url)
        self.official = self._base(settings.openapi_url)
        self.business = self._base(settings.business_url)

    def _base(self, url: str) -> Base:
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        origin = self._pool.origin(parts.hostname or "", parts.port or (443 if tls else 80), tls=tls)
        return Base(origin, parts.netloc, quote(parts.path.rstrip("/"), safe="/%"))

    async def send(
        self, base: Base, request: bytes, written: Callable[[], None] = lambda: None, *, through: bool = False
    ) -> Answer:
        """Send a request once and give what came of it; never raises for anything Zalo does.

        `written`: called once bytes of it may have left. `through`: see loa.wire.
        """
        # Room in the pool is never short for longer than a connection takes, so one time covers both.
        connect_by = self._now() + 2 * self._connect_s
        return await self._pool.exchange(
            base.origin, request, connect_by, answer_s=self._answer_s, written=written, through=through
        )

    async def get(self, base: Base, path: str, query: Mapping[str, str], token: str) -> Answer:
        """Ask for something to read."""
        path = f"{path}?{urlencode(query)}" if query else path
        return await self.send(base, request_of(base, "GET", path, {"access_token": token}))

    async def post_form(self, base: Base, path: str, headers: Mapping[str, str], form: Mapping[str, str]) -> Answer:
        """Post a form."""
        body = urlencode(form).encode()
        return await self.send(base, request_of(base, "POST", path, headers, body, "application/x-www-form-urlencoded"))

    async def close(self) -> None:
        """Close every connection; what is under way fails."""
        await self._pool.close()


def data_of(envelope: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Give the data of an envelope, nothing where there is none."""
    data = envelope.get("data") if envelope is not None else None
    return data if isinstance(data, Mapping) else {}
