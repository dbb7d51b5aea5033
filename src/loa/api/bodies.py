"""Reading a JSON body off the wire: checked while it arrives, so that a huge one never lies in memory.

Everything wrong here is the caller's and becomes 400. What is too large is read to its end and thrown away as it comes,
up to a limit, because most clients listen only after they have written everything.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from functools import lru_cache
from typing import Any

from loa.api.boundary import Event, Header, Receive
from loa.domain.rules import Finding, refusal
from loa.errors import CallerError

BODY_LIMIT = 4 * 1024 * 1024
DISCARD_LIMIT = 256 * 1024 * 1024
BODY_WAIT_S = 30.0
_JSON = b"application/json"


class Disconnected(CallerError):
    """The caller went away before its body was complete; nobody waits for an answer."""


async def read_json_body(headers: Iterable[Header], receive: Receive, limit: int = BODY_LIMIT) -> bytes:
    """Read a body that says it is JSON.

    Errors: CallerError with a finding on the body; Disconnected.
    """
    wrong = None
    for name, value in headers:
        if name == b"content-type":
            media_type = value
            break
    else:
        media_type = b""
    if media_type != _JSON and not _is_json(media_type):
        wrong = Finding("Content-Type", "body_media_type")
    elif any(name == b"content-encoding" and value.strip().lower() != b"identity" for name, value in headers):
        wrong = Finding("Content-Encoding", "body_encoded")
    elif _announced(headers) > limit:
        wrong = Finding("body", "body_too_large", {"limit": limit})
    return await _in_time(_read(receive, limit) if wrong is None else _discard(receive, wrong, 0))


async def read_raw_body(headers: Iterable[Header], receive: Receive, limit: int) -> bytes:
    """Read a body of any kind, as it came. Errors: CallerError where it is too large or too slow; Disconnected."""
    wrong = Finding("body", "body_too_large", {"limit": limit}) if _announced(headers) > limit else None
    return await _in_time(_read(receive, limit) if wrong is None else _discard(receive, wrong, 0))


async def _in_time(reading: Coroutine[Any, Any, bytes]) -> bytes:
    """Read within BODY_WAIT_S.

    The same as `asyncio.timeout`, in a third of its time: this stands in the way of every single request.
    """
    task = asyncio.current_task()
    assert task is not None
    expired = False

    def expire() -> None:
        nonlocal expired
        expired = True
        task.cancel()

    timer = asyncio.get_running_loop().call_later(BODY_WAIT_S, expire)
    try:
        return await reading
    except asyncio.CancelledError as late:
        if expired and task.uncancel() == 0:
            raise refusal(Finding("body", "body_too_slow", {"limit": int(BODY_WAIT_S)})) from late
        raise
    finally:
        timer.cancel()


async def _read(receive: Receive, limit: int) -> bytes:
    event = await receive()
    if event["type"] == "http.request" and not event.get("more_body", False):
        body: bytes = event.get("body", b"")
        if len(body) > limit:
            raise refusal(Finding("body", "body_too_large", {"limit": limit}))
        return body
    held = bytearray()
    while True:
        if event["type"] != "http.request":
            raise Disconnected
        held += event.get("body", b"")
        if len(held) > limit:
            size = len(held)
            held.clear()
            return await _discard(receive, Finding("body", "body_too_large", {"limit": limit}), size, event)
        if not event.get("more_body", False):
            return bytes(held)
        event = await receive()


async def _discard(receive: Receive, wrong: Finding, size: int, event: Event | None = None) -> bytes:
    more = event is None or bool(event.get("more_body", False))
    while more and size <= DISCARD_LIMIT:
        event = await receive()
        if event["type"] != "http.request":
            raise Disconnected
        body = event.get("body", b"")
        size += len(body) if isinstance(body, bytes) else 0
        more = bool(event.get("more_body", False))
    raise refusal(wrong)


def _announced(headers: Iterable[Header]) -> int:
    for name, value in headers:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


@lru_cache(maxsize=256)
def _is_json(media_type: bytes) -> bool:
    """Tell whether a Content-Type is JSON in UTF-8. Source: RFC 8259 section 11, RFC 6839 section 3.1."""
    kind, _, rest = media_type.lower().partition(b";")
    kind = kind.strip()
    if kind != _JSON and not (kind.startswith(b"application/") and kind.endswith(b"+json")):
        return False
    for parameter in rest.split(b";"):
        name, _, value = parameter.strip().partition(b"=")
        if name.strip() == b"charset" and value.strip().strip(b'"') not in {b"utf-8", b"utf8", b"us-ascii"}:
            return False
    return True
