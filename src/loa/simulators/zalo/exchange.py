"""HTTP/1.1 as the simulated platform speaks it: connections that read requests and write answers in their order.

Decides nothing: what a request means is the owner's.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Mapping
from typing import Final, Protocol, cast
from urllib.parse import unquote_plus

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

BODY_LIMIT: Final = 16 * 1024 * 1024
_PHRASES: Final = {
    200: b"OK",
    302: b"Found",
    400: b"Bad Request",
    404: b"Not Found",
    413: b"Content Too Large",
    429: b"Too Many Requests",
    500: b"Internal Server Error",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
}
_JSON: Final = b"application/json;charset=UTF-8"
_JSON_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: "


def answer(body: bytes, status: int = 200, kind: bytes = _JSON, headers: Mapping[str, str] | None = None) -> bytes:
    """Write a whole answer."""
    if status == 200 and kind is _JSON and not headers:
        return b"%b%d\r\n\r\n%b" % (_JSON_HEAD, len(body), body)
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items()).encode("latin-1", "replace")
    phrase = _PHRASES.get(status, b"Answer")
    head = b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n"
    return head % (status, phrase, kind, len(body), more) + body


class Exchange:
    """One request and the place for its answer. `headers`: names in lower case, the last of a name counts."""

    __slots__ = ("_connection", "body", "headers", "method", "path", "query", "raw")

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self.method = b""
        self.path = ""
        self.query = ""
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.raw: bytes | None = None

    def header(self, name: bytes) -> str:
        """Give a header, "" for none."""
        return self.headers.get(name, b"").decode("latin-1")

    def answer(self, raw: bytes) -> None:
        """Give the answer; it leaves once those before it on this connection have left."""
        self.raw = raw
        self._connection.flush()

    def break_off(self, raw: bytes) -> None:
        """Write a part of an answer and end the connection as if all were well."""
        self._connection.finish(raw)

    def reset(self) -> None:
        """Cut the connection with a TCP reset."""
        self._connection.reset()


class Owner(Protocol):
    """Whoever is told what clients do."""

    def opened(self, connection: "Connection") -> None:
        """Note a new connection."""
        ...

    def requested(self, exchange: Exchange) -> None:
        """Do what a client asks, and answer now or later."""
        ...

    def lost(self, connection: "Connection") -> None:
        """Forget a connection."""
        ...


def pairs(text: str) -> dict[str, str]:
    """Read a query or a form; the last of a name counts."""
    found = {}
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        if equals:
            found[unquote_plus(name)] = unquote_plus(value)
    return found


class Connection(asyncio.Protocol):
    """One client connection; requests may be pipelined."""

    __slots__ = ("_exchange", "_keep", "_octets", "_owner", "_parser", "_pieces", "_transport", "_waiting")

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._parser = HttpRequestParser(self)
        self._exchange = Exchange(self)
        self._pieces: list[bytes] = []
        self._octets = 0
        self._keep = True
        self._waiting: deque[Exchange] = deque()

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        """Read requests."""
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self.finish(answer(b"", 400, headers={"Connection": "close"}))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - a lost connection is a lost connection
        """End."""
        self._transport = None
        self._waiting.clear()
        self._owner.lost(self)

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._exchange = Exchange(self)
        self._pieces.clear()
        self._octets = 0

    def on_url(self, url: bytes) -> None:
        """Take the target, or a piece of it."""
        self._exchange.path += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._exchange.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Let a careful client go on."""
        if b"expect" in self._exchange.headers and self._transport is not None and not self._waiting:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._octets += len(body)
        if self._octets <= BODY_LIMIT:
            self._pieces.append(body)

    def on_message_complete(self) -> None:
        """Hand the request over."""
        exchange = self._exchange
        exchange.method = self._parser.get_method()
        exchange.path, _, exchange.query = exchange.path.partition("?")
        exchange.body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._keep = self._keep and self._parser.should_keep_alive()
        self._waiting.append(exchange)
        if self._octets > BODY_LIMIT:
            exchange.answer(answer(b"", 413))
        else:
            self._owner.requested(exchange)

    # --- what exchanges and the owner call ---

    def flush(self) -> None:
        """Write the answers whose turn it is."""
        out = []
        while self._waiting and (raw := self._waiting[0].raw) is not None:
            out.append(raw)
            self._waiting.popleft()
        if out and self._transport is not None:
            self._transport.write(out[0] if len(out) == 1 else b"".join(out))
            if not self._keep and not self._waiting:
                self._transport.close()

    def finish(self, raw: bytes = b"") -> None:
        """Write something and close."""
        if self._transport is not None:
            self._transport.write(raw)
            self._transport.close()

    def reset(self) -> None:
        """Cut with a TCP reset."""
        if self._transport is None:
            return
        peer: socket.socket = self._transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def cut(self) -> None:
        """Close now."""
        if self._transport is not None:
            self._transport.abort()
