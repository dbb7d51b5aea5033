"""The edge of a face: whatever goes wrong inside becomes one honest answer, and a log line without secrets.

This is one of the program's three places that catch every exception.
"""

import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from itertools import count
from typing import Any

from loa.api.texts import DEFAULT_LANGUAGE, Language, language_of
from loa.observe.log import get_logger

Event = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]
Fault = Callable[[Language, str], tuple[int, bytes, list[Header]]]
"""Writes a face's answer to our own fault, from the language and the request id: status, body, headers."""

REQUEST_ID = "request_id"
"""Under which name the request's id stands in the scope's state."""

_log = get_logger(__name__)
_numbers = count(1)
_process = os.urandom(5).hex()


class Boundary:
    """Gives each request its id, puts it on each answer, and answers for faults."""

    def __init__(self, inner: App, fault: Fault, language: Language = DEFAULT_LANGUAGE) -> None:
        self._inner = inner
        self._fault = fault
        self._language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; anything but HTTP is passed on as it is."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        request_id = scope.setdefault("state", {})[REQUEST_ID] = f"req_{_process}{next(_numbers):07x}"
        started = False

        async def send_with_id(event: Event) -> None:
            nonlocal started
            if event["type"] == "http.response.start":
                started = True
                event["headers"] = [*event.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(event)

        try:
            await self._inner(scope, receive, send_with_id)
        except Exception:
            # Deeper parts of a path may hold a token or a number.
            place = "/".join(scope["path"].split("/")[:4])
            _log.exception("a request failed", request_id=request_id, path=place, method=scope["method"])
            if started:
                raise
            await answer(send_with_id, *self._fault(language_in(scope["headers"], self._language), request_id))


def language_in(headers: Iterable[Header], default: Language = DEFAULT_LANGUAGE) -> Language:
    """Give the language the headers ask for."""
    for name, value in headers:
        if name == b"accept-language":
            return language_of(value, default)
    return default


async def answer(send: Send, status: int, body: bytes, headers: list[Header]) -> None:
    """Send a whole answer."""
    head = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
