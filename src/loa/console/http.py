"""What the console's layers say to each other over ASGI."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

Event = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

FIELDS_MAX = 200


def header(scope: Scope, name: bytes) -> str:
    """Give the value of a header, "" where it is missing or there are several."""
    given = [value for key, value in scope["headers"] if key == name]
    return given[0].decode("latin-1") if len(given) == 1 else ""


def cookie(scope: Scope, name: str) -> str:
    """Give the value of a cookie, "" where there is none."""
    try:
        found = SimpleCookie(header(scope, b"cookie")).get(name)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def address_of(scope: Scope) -> str:
    """Give the address of who asks, "" where it is not known."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def read_form(body: bytes) -> dict[str, str]:
    """Read a form that came as one text; of a field given twice the last counts. Errors: ValueError."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS_MAX))


async def answer(send: Send, status: int, body: bytes, headers: Iterable[Header] = ()) -> None:
    """Send a whole answer: a page where there is a body."""
    kind = [(b"content-type", b"text/html; charset=utf-8")] if body else []
    head = [*kind, (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
