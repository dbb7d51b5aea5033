"""Headers of every answer of the console: nothing from elsewhere, nothing around it, nothing kept."""

from collections.abc import Mapping
from typing import Final

from loa.console.http import App, Event, Receive, Scope, Send

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
ALWAYS: Final[Mapping[bytes, bytes]] = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}
_NOT_KEPT: Final = (b"cache-control", b"no-store")
_OVER_TLS: Final = (b"strict-transport-security", b"max-age=31536000")


class Headers:
    """Puts the headers on; an answer that says itself how long it may be kept, such as a style sheet, is left so."""

    def __init__(self, inner: App) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with(event: Event) -> None:
            if event["type"] == "http.response.start":
                given = [pair for pair in event.get("headers", ()) if pair[0].lower() not in ALWAYS]
                kept = any(name.lower() == b"cache-control" for name, _ in given)
                own = [*ALWAYS.items(), *([] if kept else [_NOT_KEPT])]
                event["headers"] = [*given, *own, *([_OVER_TLS] if scope["scheme"] == "https" else [])]
            await send(event)

        await self._inner(scope, receive, send_with)
