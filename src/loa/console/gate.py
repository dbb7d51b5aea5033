"""The gate before every page: where a request may come from, who sends it, and whether a form of ours was sent.

What changes anything is refused unless the browser says that the request came from a page of this origin, and unless
it brings the token that goes with the cookie.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from loa.console import cookies
from loa.console.http import App, Event, Receive, Scope, Send, answer, header, read_form
from loa.console.language import Language, language_in
from loa.console.multipart import first_field
from loa.console.theme import theme_in
from loa.console.visitor import Visitor
from loa.errors import StorageError
from loa.observe.log import get_logger
from loa.stages.signing_in import SigningIn

PREFIX: Final = "/console"
SIGN_IN_PATH: Final = f"{PREFIX}/sign-in"
OPEN: Final = (SIGN_IN_PATH, f"{PREFIX}/first-run/", f"{PREFIX}/set-up/", f"{PREFIX}/enter/")
"""Where nobody has to be signed in; what ends with a slash stands for all below it."""
FIELD: Final = "form_token"
TOKEN_HEADER: Final = b"x-form-token"
FORM_MAX: Final = 1_048_576
"""Units: octets."""
_SAFE: Final = frozenset({"GET", "HEAD"})
_HERE: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})

Refusal = Callable[[Language, str, str], bytes]
"""Writes the page of a refusal, by language, the name of its text, and theme."""

log = get_logger("loa.console.gate")


class Gate:
    """Lets requests through to the pages.

    They find in `request.state`: `language`, `theme`; `form`, the fields that were sent; `form_token`, for forms of
    their own; `visitor`, on every page but those of signing in. `still_open`: paths served to everybody, such as a
    style sheet.
    """

    def __init__(
        self,
        inner: App,
        signing: SigningIn,
        refusal: Refusal,
        *,
        language: Language,
        still_open: tuple[str, ...] = (),
    ) -> None:
        self._inner = inner
        self._signing = signing
        self._refusal = refusal
        self._language = language
        self._open = (*OPEN, *still_open)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        language = language_in(scope, self._language)
        state = scope.setdefault("state", {})
        state["language"], state["theme"] = language, theme_in(scope)
        state["form"] = {}
        try:
            await self._let_in(scope, receive, send)
        except StorageError as error:
            log.warning("a page of the console could not be made", error=error)
            await answer(send, 503, self._written(scope, "unavailable"), [(b"retry-after", b"5")])

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_private(scope):
            await answer(send, 403, self._written(scope, "needs_tls"))
            return
        unsafe = scope["method"] not in _SAFE
        if unsafe and not _is_same_origin(scope):
            log.warning("a request from elsewhere was refused", method=scope["method"], reason="origin")
            await answer(send, 403, self._written(scope, "elsewhere"))
            return
        cookie = await self._recognise(scope)
        if cookie is None:
            await self._ask_to_sign_in(scope, send)
            return
        if unsafe:
            body = await _body(scope, receive)
            if body is None:
                await answer(send, 413, self._written(scope, "too_long"))
                return
            if not body and not header(scope, TOKEN_HEADER):
                scope["state"]["form"], receive = await first_field(scope, receive, FIELD)
            if not self._is_ours(scope, cookie, body):
                log.warning("a form without its token was refused", method=scope["method"], reason="token")
                await answer(send, 403, self._written(scope, "stale_form"))
                return
            receive = _again(body, receive) if body else receive
        await self._inner(scope, receive, send)

    def _written(self, scope: Scope, name: str) -> bytes:
        return self._refusal(scope["state"]["language"], name, scope["state"]["theme"])

    async def _recognise(self, scope: Scope) -> str | None:
        """Note who sends a request, and give the cookie that its forms go with; None where they must sign in."""
        state, made = scope["state"], cookies.read_cookie(scope, cookies.SIGN_IN)
        if self._is_open(scope["path"]):
            cookie = cookies.read_cookie(scope, cookies.FORM)
            state["form_token"] = cookies.token_of(cookie)
            return cookie
        found = await self._signing.recognise(made) if made else None
        if found is None:
            return None
        user = found[1]
        state["form_token"] = cookies.token_of(made)
        state["sign_in"], state["user"] = found
        state["visitor"] = Visitor(user.id, user.name, user.role, state["form_token"])
        return made

    def _is_open(self, path: str) -> bool:
        return any(path == each or (each.endswith("/") and path.startswith(each)) for each in self._open)

    async def _ask_to_sign_in(self, scope: Scope, send: Send) -> None:
        wanted = scope["path"] + (
            f"?{scope['query_string'].decode('ascii', 'replace')}" if scope["query_string"] else ""
        )
        safe = scope["method"] == "GET"
        place = SIGN_IN_PATH + (f"?next={quote(wanted, safe='/')}" if safe and wanted.rstrip("/") != PREFIX else "")
        if header(scope, b"hx-request"):
            # A part of a page must not be replaced by the page of signing in.
            await answer(send, 401, b"", [(b"hx-redirect", SIGN_IN_PATH.encode())])
        elif safe:
            await answer(send, 303, b"", [(b"location", place.encode("ascii"))])
        else:
            await answer(send, 401, self._written(scope, "signed_out"))

    def _is_ours(self, scope: Scope, cookie: str, body: bytes) -> bool:
        kind = header(scope, b"content-type").partition(";")[0].strip().lower()
        if kind == "application/x-www-form-urlencoded":
            try:
                scope["state"]["form"] = read_form(body)
            except ValueError:
                return False
        token = header(scope, TOKEN_HEADER) or scope["state"]["form"].get(FIELD, "")
        return cookies.fits(cookie, token)


def _is_private(scope: Scope) -> bool:
    """Tell whether cookies may travel: over TLS, or on this machine, under a name no other site can have."""
    host = header(scope, b"host").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return scope["scheme"] == "https" or name in _HERE


def _is_same_origin(scope: Scope) -> bool:
    site = header(scope, b"sec-fetch-site")
    if any(name == b"sec-fetch-site" for name, _ in scope["headers"]):
        return site == "same-origin"
    return header(scope, b"origin") == f"{scope['scheme']}://{header(scope, b'host')}"


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """Read a form, None when it is too long.

    What is no plain form is left to the page, and brings the token in the header or as the first field of its parts.
    """
    if header(scope, b"content-type").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return b""
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        event = await receive()
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > FORM_MAX:
            return None
        more = event.get("more_body", False)
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a form that was read once more, then what follows it."""
    left: list[Event] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Event:
        return left.pop() if left else await receive()

    return replay
