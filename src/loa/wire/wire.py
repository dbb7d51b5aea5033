"""One HTTP/1.1 connection: writes a request, reads the start of the answer, tells if another may follow.

Knows nothing of names, addresses, limits and pools. Every request ends in one `Answer`, whatever the peer does; it is
written once and never again.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

EXCERPT_BYTES = 4_096
"""As much of a body is read where nobody asks for more."""

SPARE_BYTES = 32_768
"""All that may come beside the body of an answer: status line, headers, interim answers, frames of chunks, trailers."""


@dataclass(slots=True)
class Answer:
    """What came of one request. `status`: 0 for none.

    `fault`: "" when the answer, or as much of it as was wanted, came whole. `written`: bytes of the request may have
    left; without it the peer knows nothing of the request. `cut`: the body went on after `excerpt`.
    """

    status: int = 0
    fault: str = ""
    excerpt: bytes = b""
    written: bool = False
    cut: bool = False
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    def header(self, name: bytes) -> str:
        """Give the first header of a name (in lower case), "" for none."""
        return next((value.decode("latin-1") for key, value in self.headers if key.lower() == name), "")


class Origin:
    """Where a connection leads: one scheme, host and port.

    `idle`: connections that wait for a request, newest last. `address`: where the last connection was made to.
    """

    __slots__ = ("__weakref__", "address", "host", "idle", "port", "tls")

    def __init__(self, host: str, port: int, *, tls: bool) -> None:
        self.host = host
        self.port = port
        self.tls = tls
        self.address = ""
        self.idle: list[Wire] = []


class Wire(asyncio.Protocol):
    """One connection; `send` only after the answer before was taken and `reusable` is true.

    `left` is called once when a connection that was made is lost, and `lost` is then true. Units: `deadline` and
    `idle_since` in seconds on the clock of whoever keeps the connection, and calls `fail` when it is time;
    `excerpt_bytes` is how much of a body is read.
    """

    __slots__ = (
        "_answer",
        "_asked",
        "_cut",
        "_excerpt_bytes",
        "_final",
        "_keep",
        "_left",
        "_loop",
        "_parser",
        "_spare",
        "_transport",
        "_whole",
        "deadline",
        "idle_since",
        "lost",
        "origin",
        "reusable",
    )

    def __init__(
        self,
        origin: Origin,
        left: "Callable[[Wire], None]",
        loop: asyncio.AbstractEventLoop,
        excerpt_bytes: int = EXCERPT_BYTES,
    ) -> None:
        self.origin = origin
        self.lost = False
        self.deadline = 0.0
        self.idle_since = 0.0
        self.reusable = False
        self._left = left
        self._loop = loop
        self._excerpt_bytes = excerpt_bytes
        self._answer = Answer()
        self._asked: asyncio.Future[Answer] | None = None
        self._spare = SPARE_BYTES
        self._final = self._whole = self._cut = self._keep = False
        self._parser = HttpResponseParser(self)
        # What home-made receivers get wrong and browsers forgive; a receiver can fool only itself with it.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )

    @property
    def closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._transport.is_closing()

    def send(self, request: bytes, deadline: float, *, through: bool = False) -> "asyncio.Future[Answer]":
        """Write a whole request; the future gets what comes of it and never an error.

        `through`: past the transport's buffer, so that the octets have left when this returns.
        """
        self.deadline = deadline
        self.reusable = self._final = self._whole = self._cut = False
        self._spare = SPARE_BYTES
        self._answer = Answer()
        asked = self._asked = self._loop.create_future()
        if self._transport.is_closing():
            self._finish("connect")
        else:
            self._answer.written = True
            self._transport.write(request[self._write_through(request) :] if through else request)
        return asked

    def _write_through(self, request: bytes) -> int:
        """Write to the socket itself and give how many octets it took; none of what TLS has to wrap first."""
        plain = self._transport.get_extra_info("sslcontext") is None
        if plain and not self._transport.get_write_buffer_size():
            with contextlib.suppress(OSError):
                return os.write(self._transport.get_extra_info("socket").fileno(), request)
        return 0

    def fail(self, fault: str) -> None:
        """Stop waiting for the answer; the connection is of no more use."""
        self._finish(fault)

    def close(self) -> None:
        """Say goodbye."""
        self._transport.close()

    def abort(self) -> None:
        """Leave without a word."""
        self._transport.abort()

    def _finish(self, fault: str, *, keep: bool = False) -> None:
        asked, self._asked = self._asked, None
        if asked is None:
            return
        self._answer.fault = fault
        self.reusable = keep
        if not keep:
            self._transport.abort()
        if not asked.done():
            asked.set_result(self._answer)

    # what the connection tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self.lost = True
        self._left(self)
        if self._spare == SPARE_BYTES:
            self._finish("connect")
        else:
            self._finish("" if exc is None and self._final and self._ends_with_connection() else "protocol")

    def _ends_with_connection(self) -> bool:
        return not (
            self._answer.header(b"content-length") or "chunked" in self._answer.header(b"transfer-encoding").lower()
        )

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if self._asked is None:
            # Nobody asked; whoever talks now would answer the next request before it is made.
            self._transport.abort()
            return
        self._spare -= len(data)
        broken = False
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            broken = True
        if self._cut or (not self._whole and len(self._answer.excerpt) == self._excerpt_bytes):
            self._finish("")
        elif self._spare < 0 or (broken and not self._whole):
            self._finish("protocol")
        elif self._whole:
            self._finish("", keep=self._keep and not broken)

    # what the parser tells; bytes after the whole answer must not change it

    def on_message_begin(self) -> None:
        """See httptools."""
        if self._whole:
            self._keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools."""
        self._answer.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """See httptools."""
        if self._whole:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self._answer.headers.clear()
            return
        self._answer.status = status
        self._final = True

    def on_body(self, body: bytes) -> None:
        """See httptools."""
        if not self._whole:
            self._spare += len(body)
            excerpt = self._answer.excerpt + body
            self._cut = self._answer.cut = len(excerpt) > self._excerpt_bytes
            self._answer.excerpt = excerpt[: self._excerpt_bytes]

    def on_message_complete(self) -> None:
        """See httptools."""
        if self._final and not self._whole:
            self._whole = True
            self._keep = self._parser.should_keep_alive()
