"""The simulated callback receiver as tests, the demo and the command line use it."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from loa.observe.clock import SystemClock
from loa.ports.clock import Clock
from loa.simulators.journal import Journal
from loa.simulators.receiver import signature
from loa.simulators.receiver.script import ReceiverScript, Verdict
from loa.simulators.waits import Waits

BODY_LIMIT: Final = 16 * 1024 * 1024
_CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request that came. `number` counts the requests to its path; `status` is the answer, 0 when there is none."""

    at: int
    number: int
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    verdict: Verdict
    status: int

    @property
    def callback_id(self) -> str:
        """The stable id of the callback, the same for each try."""
        return self.headers.get("webhook-id", "")


@dataclass(slots=True)
class ReceiverCounts:
    """What came since the start. `answered`: by status; `verdicts`: by outcome of the signature check."""

    requests: int = 0
    taken: int = 0
    hanging: int = 0
    closed: int = 0
    answered: Counter[int] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)


class _Silent(AbstractAccessLogger):
    """Callbacks hold personal data: no access log."""

    enabled = False

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write nothing."""


class CallbackReceiver:
    """An HTTP server that takes any request and answers by script.

    With a journal a request is on disk before its answer leaves. `secret`: for the check of signatures. `keep` bounds
    the requests remembered in `deliveries`. `on_event` hears of every request as it is answered.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        script: ReceiverScript | None = None,
        clock: Clock | None = None,
        journal: Path | None = None,
        secret: str = "",
        on_event: Callable[[Delivery], None] | None = None,
        keep: int = 1000,
    ) -> None:
        self._host = host
        self._wanted_port = port
        self._clock = clock or SystemClock()
        self._journal = Journal(journal)
        self._on_event = on_event
        self._default = script or ReceiverScript()
        self._by_path: dict[str, ReceiverScript] = {}
        self._numbers: Counter[str] = Counter()
        self._runner: web.ServerRunner | None = None
        self._stopping = asyncio.Event()
        self._deliveries: deque[Delivery] = deque(maxlen=keep)
        self.secret = secret
        self.port = port
        self.counts = ReceiverCounts()
        self._waits = Waits(self.counts)

    async def start(self) -> None:
        """Listen; `port` and `url` then tell where. Errors: OSError when the address or the journal cannot be had."""
        self._journal.open()
        server = web.Server(self._serve, access_log_class=_Silent)
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._wanted_port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening, let go of hanging requests, and write the journal out."""
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self._journal.close()

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://{self._host}:{self.port}"

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """The last requests, oldest first."""
        return self._deliveries

    async def until(self, condition: Callable[[ReceiverCounts], bool]) -> None:
        """Wait until the counts satisfy a condition."""
        await self._waits.until(condition)

    def change(self, script: ReceiverScript, path: str | None = None) -> None:
        """Put a script in force for one path, or for all paths without their own; its requests count from 1 again."""
        if path is None:
            self._default = script
            self._numbers.clear()
        else:
            self._by_path[path] = script
            self._numbers.pop(path, None)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await _read(request)
        path = request.path
        self._numbers[path] += 1
        number = self._numbers[path]
        script = self._by_path.get(path, self._default)
        answers = not (script.hang.picks(number) or script.close.picks(number))
        delivery = Delivery(
            at=self._clock.now(),
            number=number,
            method=request.method,
            path=path,
            query=request.query_string,
            headers=request.headers.copy(),
            body=body,
            verdict=signature.check(self.secret, request.headers, body, self._clock.now()),
            status=script.status_of(number) if answers else 0,
        )
        await self._note(delivery)
        return await self._answer(request, script, delivery)

    async def _note(self, delivery: Delivery) -> None:
        """Write a request down, and only then let anyone see it."""
        written = asyncio.Event()
        self._journal.append(_line(delivery), written.set)
        await written.wait()
        self._deliveries.append(delivery)
        self.counts.requests += 1
        self.counts.verdicts[delivery.verdict] += 1
        if self._on_event is not None:
            self._on_event(delivery)
        self._waits.changed()

    async def _answer(self, request: web.BaseRequest, script: ReceiverScript, delivery: Delivery) -> web.StreamResponse:
        if script.hang.picks(delivery.number):
            self.counts.hanging += 1
            self._waits.changed()
            await self._stopping.wait()
        if delivery.status == 0:
            return self._cut(request)
        if script.delay_s > 0 and script.delayed.picks(delivery.number):
            await self._clock.sleep(script.delay_s)
        self.counts.answered[delivery.status] += 1
        self.counts.taken += 200 <= delivery.status < 300
        self._waits.changed()
        headers = {"Location": script.redirect_to} if script.redirect_to else {}
        if script.retry_after:
            headers["Retry-After"] = script.retry_after
        if script.body_octets <= _CHUNK:
            return web.Response(status=delivery.status, headers=headers, body=b"k" * script.body_octets)
        return await _pour(request, delivery.status, headers, script.body_octets)

    def _cut(self, request: web.BaseRequest) -> web.StreamResponse:
        self.counts.closed += 1
        self._waits.changed()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)


async def _read(request: web.BaseRequest) -> bytes:
    """Read the body up to a limit; what is longer is cut off, because a receiver must survive anything."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk[: BODY_LIMIT - len(body)]
    return bytes(body)


async def _pour(request: web.BaseRequest, status: int, headers: Mapping[str, str], octets: int) -> web.StreamResponse:
    """Answer with a huge body, without ever holding it; a peer that had enough ends it."""
    response = web.StreamResponse(status=status, headers=dict(headers))
    await response.prepare(request)
    chunk = b"k" * _CHUNK
    try:
        for start in range(0, octets, _CHUNK):
            await response.write(chunk[: octets - start])
        await response.write_eof()
    except ConnectionError:
        return response
    return response


def _line(delivery: Delivery) -> dict[str, Any]:
    return {
        "kind": "callback",
        "at": delivery.at,
        "id": delivery.callback_id,
        "method": delivery.method,
        "path": delivery.path,
        "query": delivery.query,
        "verdict": delivery.verdict,
        "status": delivery.status,
        "body": delivery.body.decode("utf-8", "replace"),
    }
