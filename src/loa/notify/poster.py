"""Posts one signed callback over HTTP: one transmission, guarded, capped in time and size.

No redirects, no proxies or credentials from the environment, no cookies, no compression, no second try. What a
receiver does can only become a `PostResult`, never an exception.
"""

import ssl
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import monotonic

import aiohttp
from multidict import CIMultiDict, istr
from yarl import URL

from loa.notify.guard import (
    URL_REASONS,
    BlockedAddress,
    GuardedResolver,
    GuardedSockets,
    GuardPolicy,
    Lookup,
    SystemLookup,
    parse_url,
    url_check,
)
from loa.notify.signature import HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP, BadSecret, sign
from loa.ports.callback_sender import Posting, PostResult

EXCERPT_BYTES = 4_096
KEEP_ALIVE_S = 4.0
"""Shorter than the five seconds after which common servers hang up, so that a post never meets a closing connection."""
RETRY_AFTER_MAX_S = 7 * 86_400

_ID, _TIMESTAMP, _SIGNATURE = istr(HEADER_ID), istr(HEADER_TIMESTAMP), istr(HEADER_SIGNATURE)
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class HttpCallbackSender:
    """The CallbackSender over HTTP. Made inside the running event loop.

    Units: timeout_s covers the whole exchange, from look-up to the last byte read. `lookup` and `tls` are for tests and
    houses with their own certificate authority.
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
    ) -> None:
        self._policy = policy
        self._own_lookup = SystemLookup()
        self._target = lru_cache(maxsize=4_096)(self._check_target)
        connector = aiohttp.TCPConnector(
            limit=concurrency,
            keepalive_timeout=KEEP_ALIVE_S,
            resolver=GuardedResolver(policy, lookup or self._own_lookup),
            socket_factory=GuardedSockets(policy),
            ssl=tls if tls is not None else _strict_tls(),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            headers={
                "Content-Type": "application/json",
                "User-Agent": f"Loa/{version}" if version else "Loa",
                "Accept-Encoding": "identity",
            },
            skip_auto_headers=_AUTOMATIC,
            auto_decompress=False,
            trust_env=False,
            read_bufsize=2 * EXCERPT_BYTES,
        )

    def url_check(self, url: str) -> str:
        """Tell why callbacks may not go to a URL, "" when they may; see `guard.url_check`."""
        return url_check(url, self._policy)

    async def post(self, posting: Posting) -> PostResult:
        """Make the POST; never raises for anything the endpoint does."""
        started = monotonic()
        url = self._target(posting.url)
        if isinstance(url, str):
            return PostResult(0, url)
        try:
            signature = sign(posting.secrets, posting.callback_id, posting.timestamp_s, posting.body)
        except BadSecret:
            return PostResult(0, "secret")
        headers = CIMultiDict(
            ((_ID, posting.callback_id), (_TIMESTAMP, str(posting.timestamp_s)), (_SIGNATURE, signature))
        )
        status, error, excerpt, retry_after_s = 0, "", b"", 0
        try:
            response = await self._session.post(url, data=posting.body, headers=headers, allow_redirects=False)
            status = response.status
            if not 200 <= status < 300:
                error = "redirect" if 300 <= status < 400 else "status"
                retry_after_s = read_retry_after(response.headers, posting.timestamp_s)
            excerpt = await _read_excerpt(response)
        except TimeoutError:
            error = error or "timeout"
        except aiohttp.ClientError as problem:
            error = error or _code_of(problem)
        elapsed_ms = int((monotonic() - started) * 1000)
        return PostResult(status, error, _text_of(excerpt), elapsed_ms, retry_after_s)

    async def close(self) -> None:
        """Close idle connections."""
        await self._session.close()
        self._own_lookup.close()

    def _check_target(self, url: str) -> URL | str:
        reason = url_check(url, self._policy)
        if reason:
            return "blocked_scheme" if reason in URL_REASONS else "blocked_address"
        return parse_url(url) or "blocked_scheme"


def _strict_tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def _read_excerpt(response: aiohttp.ClientResponse) -> bytes:
    """Read the start of the answer; a longer one costs the receiver its connection, a short one keeps it."""
    content, excerpt = response.content, b""
    try:
        while len(excerpt) < EXCERPT_BYTES and not content.at_eof():
            excerpt += await content.read(EXCERPT_BYTES - len(excerpt))
    except BaseException:
        response.close()
        raise
    if content.at_eof():
        response.release()
    else:
        response.close()
    return excerpt


def _text_of(excerpt: bytes) -> str:
    return excerpt.decode("utf-8", "replace").replace("\x00", "") if excerpt else ""


_CODES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((aiohttp.ClientConnectorDNSError,), "resolve"),
    ((aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError), "tls"),
    ((aiohttp.InvalidURL,), "blocked_scheme"),
    ((aiohttp.ClientPayloadError, aiohttp.ClientResponseError), "protocol"),
)


def _code_of(problem: aiohttp.ClientError) -> str:
    if isinstance(problem, aiohttp.ClientConnectorError) and isinstance(problem.os_error, BlockedAddress):
        return "blocked_address"
    for kinds, code in _CODES:
        if isinstance(problem, kinds):
            return code
    return "connect"


def read_retry_after(headers: Mapping[str, str], now_s: int) -> int:
    """Read how long a receiver asks us to wait, as seconds or as a date; 0 when it does not, or not so we understand.

    Units: seconds, at most a week.
    """
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return min(int(asked[:12]), RETRY_AFTER_MAX_S)
    try:
        date = parsedate_to_datetime(asked)
    except ValueError:
        return 0
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return min(max(int(date.timestamp()) - now_s, 0), RETRY_AFTER_MAX_S)
