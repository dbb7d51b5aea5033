"""One process that is asked for the console's pages on a ledger, as the scenario `console` measures them.

First figures are counted, of half a million events at most; then each page is asked for in turns, in this process, from
the request to the whole answer. With `--tail` a ledger is fed 500 messages a second, each delivered, while a Chromium
follows it. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import socket
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from playwright.async_api import CDPSession, Page, async_playwright
from starlette.requests import Request
from starlette.routing import Router

from ledger_life import Life, Place, Plan, prepare, ref_of, settings_of
from loa.app.ledgers import open_ledger
from loa.app.probes import NoProbe
from loa.app.servers import make_listener
from loa.console.formats import field_time
from loa.console.headers import Headers
from loa.console.language import Language
from loa.console.parts import Parts
from loa.console.screens import screens
from loa.console.visitor import Visitor
from loa.domain.ids import message_public_id
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted
from loa.domain.receipt import Receipt
from loa.domain.roles import Role
from loa.domain.traffic import TrafficClass
from loa.observe.clock import SystemClock
from loa.ports.ledger import Ledger
from loa.ports.records import MessageFilter, Settlement

CHUNK: Final = 2_000
CHUNKS: Final = 250
TURNS: Final = 25
FEED_S: Final = 60.0
BEAT_S: Final = 0.1
BEAT: Final = 50
"""Messages a beat: 500 a second."""
APART: Final = 100_000_000
"""Number of the first destination that is fed, apart from all others."""
LANES: Final = [(each, 10_000) for each in TrafficClass]
CLOCK: Final = SystemClock()


class Known:
    """Puts the visitor where the gate puts it; signing in is not what is measured."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        state = scope.setdefault("state", {})
        state.update(visitor=Visitor(1, "bench", Role.OWNER, "token"), form={}, language=Language.VIETNAMESE)
        await self._app(scope, receive, send)


def console(ledger: Ledger) -> Any:
    async def shown(_request: Request, _message: str) -> None: ...

    acts: Any = None
    return Headers(Known(Router(screens(Parts(ledger, CLOCK, lambda text: text, dict, shown, acts)))))


async def ask(app: Any, target: str) -> int:
    """Ask for a page; give its length."""
    path, _, query = target.partition("?")
    body = bytearray()
    status = 0

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)
        body.extend(message.get("body", b""))

    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost")],
    }
    await app(scope, receive, send)
    assert status == 200, (target, status)
    return len(body)


async def targets(ledger: Ledger, tenant_id: int) -> dict[str, str]:
    """The pages; a deep one lies in the middle of all, the times in the middle of the day before."""
    newest = (await ledger.messages(tenant_id, MessageFilter(), None, 1))[0]
    now = CLOCK.now()
    middle_of = await ledger.messages(tenant_id, MessageFilter(until=now - 86_400_000), None, 1)
    middle = middle_of[0] if middle_of else newest
    before = message_public_id(middle["id"])
    since, until = field_time(middle["accepted_at"] - 3_600_000), field_time(middle["accepted_at"])
    page = "/console/messages"
    return {
        "overview 1 h": "/console/?range=1h",
        "overview 24 h": "/console/",
        "overview 7 d": "/console/?range=7d",
        "messages": page,
        "deep page": f"{page}?before={before}",
        "state, all match": f"{page}?state=delivered",
        "state, none match": f"{page}?state=rejected",
        "state in a span": f"{page}?state=rejected&since={since}&until={until}",
        "span": f"{page}?since={since}&until={until}",
        "destination": f"{page}?destination={middle['destination']}",
        "sender, none match": f"{page}?sender=nobody",
        "channel": f"{page}?channel={middle['channel']}",
        "dead": f"{page}?dead=1",
        "request id": f"{page}?request_id=none",
        "message": f"{page}/{before}",
        "tail": "/console/tail",
    }


async def pages(ledger: Ledger, place: Place) -> dict[str, Any]:
    began = time.perf_counter()
    chunks = 1
    slowest = 0.0
    while chunks < CHUNKS:
        at = time.perf_counter()
        if not await ledger.count_figures(CHUNK):
            break
        slowest = max(slowest, time.perf_counter() - at)
        chunks += 1
    counting = time.perf_counter() - began
    app = console(ledger)
    wanted = await targets(ledger, place.tenant_id)
    took: dict[str, list[float]] = {name: [] for name in wanted}
    size: dict[str, int] = {}
    for turn in range(TURNS + 1):
        for name, target in wanted.items():
            at = time.perf_counter()
            size[name] = await ask(app, target)
            if turn:
                took[name].append(1000 * (time.perf_counter() - at))
    return {
        "pages": {
            name: {"p50": statistics.median(each), "p95": sorted(each)[int(0.95 * len(each))], "octets": size[name]}
            for name, each in took.items()
        },
        "countedPerSecond": chunks * CHUNK / counting,
        "chunkMsMax": 1000 * slowest,
    }


class Feed:
    """Feeds a ledger: new messages, handed over at once, delivered a beat later."""

    def __init__(self, ledger: Ledger, place: Place, folder: Path) -> None:
        self._ledger = ledger
        self._place = place
        self._life = Life(ledger, place, Plan("", folder, messages=APART, destinations=BEAT, first=APART))
        self.delivered = 0

    async def run(self, seconds: float) -> None:
        begun, beats, sent = CLOCK.monotonic(), 0, []
        while CLOCK.monotonic() - begun < seconds:
            await self._ledger.accept(self._life.submission(beats))
            now = CLOCK.now()
            if sent:
                await self._ledger.store([self._receipt(each.message_id, each.destination, now) for each in sent])
                self.delivered += len(sent)
            sent = await self._ledger.claim(self._place.channel_id, LANES, 10_000, now, now + 90_000)
            outcomes = [
                Settlement(
                    a.message_id, a.number, a.channel_id, Accepted((ref_of(a.message_id),)), now, tenant_id=a.tenant_id
                )
                for a in sent
            ]
            await self._ledger.record(outcomes)
            beats += 1
            await CLOCK.sleep(max(0.0, begun + beats * BEAT_S - CLOCK.monotonic()))

    def _receipt(self, message_id: int, destination: int, now: int) -> Receipt:
        return Receipt(
            channel_id=self._place.channel_id,
            refs=(ref_of(message_id),),
            state=State.DELIVERED,
            stat="DELIVRD",
            destination=destination,
            detail="",
            raw=b"id",
            received_at=now,
        )


async def heap(session: CDPSession, page: Page) -> dict[str, float]:
    await session.send("HeapProfiler.collectGarbage")
    found = {each["name"]: each["value"] for each in (await session.send("Performance.getMetrics"))["metrics"]}
    rows = await page.locator("[data-tail] tbody tr").count()
    return {"heapMiB": found["JSHeapUsedSize"] / 2**20, "nodes": found["Nodes"], "rows": rows}


async def tail(ledger: Ledger, place: Place, folder: Path, seconds: float) -> dict[str, Any]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        listener = make_listener(console(ledger), keep_alive_s=5)
        serving = asyncio.create_task(listener.serve(sockets=[bound]))
        feed = Feed(ledger, place, folder)
        async with async_playwright() as driver:
            browser = await driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
            page = await browser.new_page()
            session = await page.context.new_cdp_session(page)
            await session.send("Performance.enable")
            await page.goto(f"http://127.0.0.1:{bound.getsockname()[1]}/console/tail")
            feeding = asyncio.create_task(feed.run(seconds))
            looks = []
            for _ in range(6):
                await CLOCK.sleep(seconds / 6)
                looks.append(await heap(session, page))
            rate = await page.locator("[data-tail-rate]").inner_text()
            await feeding
            await browser.close()
        listener.should_exit = listener.force_exit = True
        await serving
    return {"tail": looks, "eventsPerSecond": feed.delivered / seconds, "rateShown": rate}


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--tail", type=float, default=0.0)
    given = parser.parse_args()
    ledger = await open_ledger(settings_of(given.database, given.folder), NoProbe(), CLOCK)
    try:
        place = await prepare(ledger)
        if given.tail:
            figures = await tail(ledger, place, given.folder, given.tail)
        else:
            figures = await pages(ledger, place)
    finally:
        await ledger.close()
    print(json.dumps(figures))


if __name__ == "__main__":
    asyncio.run(main())
