"""Posts one signed callback over HTTP: one transmission, guarded, capped in time and size.

No redirects, no proxies or credentials from the environment, no cookies, no compression, no second try. What a
receiver does can only become a `PostResult`, never an exception. docs/internals/callbacks.md tells why the client
is our own.
"""

import re
import ssl
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import monotonic

from yarl import URL

from loa.notify.dial import Dialer
from loa.notify.guard import (
    URL_REASONS,
    GuardedResolver,
    GuardPolicy,
    Lookup,
    SystemLookup,
    parse_url,
    url_check,
)
from loa.notify.names import Names
from loa.notify.signature import HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP, BadSecret, sign
from loa.ports.callback_sender import Posting, PostResult
from loa.wire.pool import Pool
from loa.wire.wire import Answer, Origin

NEXT_ADDRESS_S = 2.0
RETRY_AFTER_MAX_S = 7 * 86_400
_ONE_WORD = re.compile(r"[!-~]+")


class _Target:
    """A URL that may be called: where it leads, and its request up to the callback's id."""

    __slots__ = ("_head", "_origin")

    def __init__(self, origin: Origin, head: str) -> None:
        self._origin = origin
        self._head = head

    @property
    def origin(self) -> Origin:
        return self._origin

    def request(self, posting: Posting, signature: str) -> bytes:
        """Write the whole request."""
        return _request(self._head, posting, signature)


def _request(head: str, posting: Posting, signature: str) -> bytes:
    body = posting.body
    head = (
        f"{head}{posting.callback_id}\r\n{HEADER_TIMESTAMP}: {posting.timestamp_s}\r\n"
        f"{HEADER_SIGNATURE}: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


def agent_of(version: str) -> str:
    """Say who posts."""
    return f"Loa/{version}" if version else "Loa"


def written(posting: Posting, agent: str) -> bytes:
    """Write a request as it is posted, for people to look at; b"" for a URL that is never posted to.

    Errors: BadSecret.
    """
    url = parse_url(posting.url)
    head = head_of(url, agent) if url is not None else ""
    signature = sign(posting.secrets, posting.callback_id, posting.timestamp_s, posting.body)
    return _request(head, posting, signature) if head else b""


class HttpCallbackSender:
    """The CallbackSender over HTTP. Made inside the running event loop.

    Units: timeout_s covers the whole exchange, from look-up to the last byte read. `lookup`, `tls` and `now` are for
    tests and houses with their own certificate authority.
    """

    def __init__(
        self,
        policy: GuardPolicy,
        *,
        timeout_s: float = 15.0,
        concurrency: int = 256,
        version: str = "",
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._policy = policy
        self._timeout_s = timeout_s
        self._now = now
        self._agent = agent_of(version)
        self._own_lookup = SystemLookup()
        self._names = Names(GuardedResolver(policy, lookup or self._own_lookup), now)
        patience_s = min(NEXT_ADDRESS_S, timeout_s / 4)
        dialer = Dialer(self._names, policy, tls if tls is not None else _strict_tls(), patience_s=patience_s)
        self._pool = Pool(dialer, limit=concurrency, timeout_s=timeout_s, now=now)
        self._target = lru_cache(maxsize=4_096)(self._find_target)

    def url_check(self, url: str) -> str:
        """Tell why callbacks may not go to a URL, "" when they may; see `guard.url_check`."""
        return url_check(url, self._policy)

    async def post(self, posting: Posting) -> PostResult:
        """Make the POST; never raises for anything the endpoint does."""
        started = self._now()
        target = self._target(posting.url)
        if isinstance(target, str):
            return PostResult(0, target)
        try:
            signature = sign(posting.secrets, posting.callback_id, posting.timestamp_s, posting.body)
        except BadSecret:
            return PostResult(0, "secret")
        request = target.request(posting, signature)
        answer = await self._pool.exchange(target.origin, request, started + self._timeout_s)
        elapsed_ms = int((self._now() - started) * 1000)
        return _result(answer, elapsed_ms, posting.timestamp_s)

    async def close(self) -> None:
        """Close every connection; posts that are under way fail."""
        await self._pool.close()
        await self._names.close()
        self._own_lookup.close()

    def _find_target(self, url: str) -> _Target | str:
        reason = url_check(url, self._policy)
        if reason:
            return "blocked_scheme" if reason in URL_REASONS else "blocked_address"
        parsed = parse_url(url)
        head = head_of(parsed, self._agent) if parsed is not None else ""
        if parsed is None or parsed.raw_host is None or parsed.port is None or not head:
            return "blocked_scheme"
        return _Target(self._pool.origin(parsed.raw_host, parsed.port, tls=parsed.scheme == "https"), head)


def head_of(url: URL, agent: str) -> str:
    """Write what every request to a URL begins with, up to the id of the callback; "" when the URL would break it."""
    path, host = url.raw_path_qs, url.host_port_subcomponent or ""
    if not (_ONE_WORD.fullmatch(path) and _ONE_WORD.fullmatch(host)):
        return ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nUser-Agent: {agent}\r\n"
        f"Accept-Encoding: identity\r\n{HEADER_ID}: "
    )


def _strict_tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _result(answer: Answer, elapsed_ms: int, now_s: int) -> PostResult:
    status, excerpt = answer.status, _text_of(answer.excerpt)
    if 200 <= status < 300:
        return PostResult(status, answer.fault, excerpt, elapsed_ms)
    if not status:
        return PostResult(0, answer.fault or "protocol", excerpt, elapsed_ms)
    error = "redirect" if 300 <= status < 400 else "status"
    return PostResult(status, error, excerpt, elapsed_ms, read_retry_after(answer.header(b"retry-after"), now_s))


def _text_of(excerpt: bytes) -> str:
    return excerpt.decode("utf-8", "replace").replace("\x00", "") if excerpt else ""


def read_retry_after(asked: str, now_s: int) -> int:
    """Read how long a receiver asks us to wait, as seconds or as a date; 0 when it does not, or not so we understand.

    Units: seconds, at most a week.
    """
    asked = asked.strip()
    if asked.isascii() and asked.isdigit():
        return min(int(asked[:12]), RETRY_AFTER_MAX_S)
    try:
        date = parsedate_to_datetime(asked)
    except ValueError:
        return 0
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return min(max(int(date.timestamp()) - now_s, 0), RETRY_AFTER_MAX_S)
