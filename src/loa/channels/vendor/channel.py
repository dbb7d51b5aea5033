"""Another gateway of the family as upstream: one request a message, so that outcome and report are the message's own.

The request id is the same for every attempt of a message, and the body too; an upstream that recognises repeats, as
Loa does, then answers a re-send with its first answer. What the id cannot do is in docs/reference/channels/vendor.md.
"""

import asyncio
import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import aiohttp

from loa.channels.vendor import settings as own
from loa.channels.vendor.answers import read_answer
from loa.domain.ids import message_public_id
from loa.domain.outcome import Deferred, Outcome, Refused, Unknown
from loa.errors import ConfigError
from loa.observe.log import get_logger
from loa.ports.channel import Attempt, ChannelContext, ChannelStatus, Exchange, Settle, Step

ANSWER_OCTETS: Final = 65_536
KEEP_ALIVE_S: Final = 4.0
"""Shorter than the five seconds after which common servers close, so that few requests meet a closing connection."""

HIDDEN: Final = "•••"

WAIT_FIRST_S: Final = 1.0
WAIT_LONGEST_S: Final = 60.0


def request_id(attempt: Attempt) -> str:
    """Name the message to the upstream: the same at every attempt, and never that of another gateway's message.

    Shapes: at most 47 characters.
    """
    return f"{attempt.referent_id}-{message_public_id(attempt.message_id).removeprefix('msg_')}"


def body(attempt: Attempt, settings: own.VendorSettings) -> bytes:
    """Write the request; it depends on the message alone, so that a repeat is recognised."""
    plain = attempt.encoding == "gsm7"
    return json.dumps(
        {
            "destinations": [settings.written(attempt.destination)],
            "from": attempt.sender,
            "text": attempt.text,
            "scheduled": "",
            "requestId": request_id(attempt),
            "useUnicode": settings.plain_mode if plain else settings.unicode_mode,
            "type": settings.types[attempt.traffic_class],
            "ext": {},
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def exchange(attempt: Attempt, settings: own.VendorSettings) -> Exchange:
    """Compose the request again, without the key."""
    fields = (("url", settings.url), ("API-KEY", HIDDEN), ("Content-Type", "application/json"))
    return Exchange("POST", fields, body=body(attempt, settings).decode())


@dataclass(slots=True)
class _Flight:
    """One message on its way."""

    attempt: Attempt
    settle: Settle
    begun: bool = False


class VendorChannel:
    """Posts messages to one upstream gateway over its own connections; never sends a request twice."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._settings = own.read(context.settings)
        self._ssl = _tls(self._settings)
        self._log = get_logger("loa.channels.vendor")
        self._session: aiohttp.ClientSession | None = None
        self._requests: set[asyncio.Task[Outcome]] = set()
        self._wait_s = WAIT_FIRST_S
        self._paused_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._note = ""
        self._stopping = False

    async def start(self) -> None:
        """Be ready; connections are made when they are needed."""
        self._session = self._open()
        self._context.wake()

    def _open(self) -> aiohttp.ClientSession:
        settings = self._settings
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=settings.window, keepalive_timeout=KEEP_ALIVE_S, ssl=self._ssl),
            headers={"API-KEY": settings.api_key, "Content-Type": "application/json", "User-Agent": "loa"},
            timeout=aiohttp.ClientTimeout(total=None, connect=settings.connect_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
        )

    def free(self, now: int) -> int:  # noqa: ARG002 - a pause follows the monotonic clock
        """Tell how many attempts may be handed over now."""
        if self._session is None or self._stopping:
            return 0
        if self._pause_left_s > 0:
            self._wake_later()
            return 0
        return max(0, self._settings.window - len(self._requests))

    def submit(self, attempts: Sequence[Attempt], settle: Settle) -> None:
        """Post each attempt by itself. Errors: the outcomes of `answers`, Deferred when no connection was made."""
        for attempt in attempts:
            flight = _Flight(attempt, settle)
            task = asyncio.create_task(self._post(flight))
            self._requests.add(task)
            task.add_done_callback(partial(self._done, flight))

    def status(self) -> ChannelStatus:
        """Describe the channel now."""
        paused = self._pause_left_s > 0
        up = self._session is not None and not self._stopping
        return ChannelStatus(
            ready=up and not paused,
            links_up=int(up and not self._note),
            links=1,
            window_in_use=len(self._requests),
            window_size=self._settings.window,
            detail=self._note,
        )

    async def test(self) -> list[Step]:
        """Reach the gateway and its address for messages, without sending one."""
        async with self._open() as session:
            try:
                timeout = aiohttp.ClientTimeout(total=self._settings.response_timeout_s)
                async with session.get(self._settings.url, allow_redirects=False, timeout=timeout) as answer:
                    status = answer.status
            except (aiohttp.ClientError, TimeoutError) as error:
                return [Step("connect", False, _words(error))]
        reached = Step("connect", True, self._settings.base_url)
        # The family answers 405 to anything but POST, before or after looking at the key.
        known = status in (401, 403, 405)
        detail = f"HTTP {status}" if known else f"HTTP {status}: no gateway of the family at this address"
        return [reached, Step("answer", known, detail)]

    async def stop(self, drain_s: float) -> None:
        """Take no more, wait up to `drain_s` for answers; what is left is settled as Unknown."""
        self._stopping = True
        if self._requests and drain_s > 0:
            await asyncio.wait(set(self._requests), timeout=drain_s)
        left = set(self._requests)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _post(self, flight: _Flight) -> Outcome:
        """Make one request. The line between Deferred and Unknown is whether a connection was there to write to."""
        assert self._session is not None
        flight.begun = True
        attempt, settings = flight.attempt, self._settings
        asked = request_id(attempt)
        try:
            async with (
                asyncio.timeout(settings.connect_timeout_s + settings.response_timeout_s),
                self._session.post(
                    settings.url,
                    data=body(attempt, settings),
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(
                        connect=settings.connect_timeout_s, sock_read=settings.response_timeout_s
                    ),
                ) as answer,
            ):
                read = await answer.content.read(ANSWER_OCTETS)
                while not answer.content.at_eof() and len(read) < ANSWER_OCTETS:
                    read += await answer.content.read(ANSWER_OCTETS - len(read))
                retry_after = answer.headers.get("Retry-After", "")
                return read_answer(answer.status, retry_after, read, asked, self._context.clock.now())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Deferred(_words(error), counts=False)
        except TimeoutError:
            return Unknown("response_timeout", (asked,))
        except aiohttp.ClientError:
            return Unknown("connection_lost", (asked,))

    def _done(self, flight: _Flight, task: asyncio.Task[Outcome]) -> None:
        """Settle, also where the task was ended before its first step."""
        self._requests.discard(task)
        failed = None if task.cancelled() else task.exception()
        if failed is not None:
            self._log.error("a message could not be handed over", channel=self._context.name, error=failed)
        if task.cancelled() or failed is not None:
            word = "stopped" if failed is None else "failed"
            unsure = Unknown(word, (request_id(flight.attempt),))
            flight.settle(flight.attempt, unsure if flight.begun else Deferred(word, counts=False))
        else:
            outcome = task.result()
            self._learn(outcome)
            flight.settle(flight.attempt, outcome)
        if not task.cancelled():
            self._context.wake()

    def _learn(self, outcome: Outcome) -> None:
        """Pause where the gateway is away, throttles, or does not know the key."""
        if isinstance(outcome, Deferred) and outcome.until:
            self._pause((outcome.until - self._context.clock.now()) / 1000, outcome.reason)
        elif isinstance(outcome, Deferred) or outcome == Refused("http_401", lasting=False):
            if self._pause_left_s <= 0:
                self._pause(self._wait_s, outcome.reason)
                self._wait_s = min(self._wait_s * 2, WAIT_LONGEST_S)
        else:
            self._note = ""
            self._wait_s = WAIT_FIRST_S

    @property
    def _pause_left_s(self) -> float:
        return self._paused_until - self._context.clock.monotonic()

    def _pause(self, wait_s: float, reason: str) -> None:
        if self._pause_left_s <= 0:
            self._log.warning(
                "the upstream gateway takes nothing now", channel=self._context.name, reason=reason, retry_s=wait_s
            )
        self._paused_until = max(self._paused_until, self._context.clock.monotonic() + wait_s)
        self._note = reason
        self._wake_later()

    def _wake_later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(max(0.0, self._pause_left_s), self._context.wake)


def _tls(settings: own.VendorSettings) -> ssl.SSLContext | bool:
    if not settings.tls_verify:
        return False
    if not settings.tls_ca_file:
        return True
    try:
        return ssl.create_default_context(cafile=settings.tls_ca_file)
    except OSError as wrong:
        raise ConfigError(f"vendor: tls_ca_file cannot be used: {wrong}", field="tls_ca_file") from wrong


def _words(error: BaseException) -> str:
    """Say in a stable word why no connection was made."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "host_not_found"
    if isinstance(error, aiohttp.ClientSSLError):
        return "tls_failed"
    return "connect_timeout" if isinstance(error, TimeoutError) else "connect_failed"
