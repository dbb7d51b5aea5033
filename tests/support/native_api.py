"""The whole API over a real ledger in a temporary file, called in-process."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loa.api.app import VendorParts, build_api
from loa.api.auth import Authenticator
from loa.api.boundary import App
from loa.api.texts import Language
from loa.api.v1.parts import Parts
from loa.channels.vendor.provider import PROVIDER as VENDOR
from loa.domain.keys import mint
from loa.domain.receipt import Receipt
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.ledger import Ledger
from loa.ports.records import ApiKey, ChannelRecord, Tenant
from loa.stages.destinations import read_one
from loa.stages.intake import Intake
from loa.stages.planning import Planner
from loa.stages.registry import Registry
from tests.support.fakes import EPOCH, FakeClock, QuietProbe

EVERYTHING = frozenset({"send", "read:messages", "read:content", "report", "manage"})


@dataclass(frozen=True)
class Answer:
    """One answer, its body read when asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class House:
    """A gateway without its senders: API, intake, ledger, and two tenants."""

    ledger: Ledger
    clock: FakeClock
    registry: Registry
    app: App
    tenant: Tenant
    other: Tenant
    channel: ChannelRecord
    key: str
    other_key: str
    refused_urls: dict[str, str] = field(default_factory=dict)
    draining: bool = False

    async def call(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        key: str | None = "",
        headers: Mapping[str, str] | None = None,
        client: str | None = "127.0.0.1",
    ) -> Answer:
        """Make one request; `body` is sent as JSON unless it is bytes; key "" is the tenant's own, None is none."""
        sent = {"content-type": "application/json"} if body is not None else {}
        if key is not None:
            sent["api-key"] = key or self.key
        sent.update(headers or {})
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return await call(self.app, method, target, sent, raw, client)

    async def new_key(self, permissions: frozenset[str], tenant: Tenant | None = None, **given: Any) -> str:
        """Give a new key of a tenant."""
        minted = mint(live=True)
        owner = tenant or self.tenant
        await self.ledger.add_key(ApiKey(0, owner.id, "k", minted.digest, minted.display, True, permissions, **given))
        await self.registry.refresh()
        return minted.secret

    async def send(self, numbers: list[str] | None = None, *, key: str = "", **given: Any) -> dict[str, Any]:
        """Send through the vendor API and give the answer."""
        body = {
            "destinations": numbers or ["0912345678"],
            "from": "LOA",
            "text": "hello",
            "useUnicode": 0,
            "type": 0,
            **given,
        }
        answer = await self.call("POST", "/api/vendor/v1/sms/send-message", body, key=key)
        assert answer.status == 201, answer.body
        return answer.json()

    async def message_ids(self, referent_id: str, key: str = "") -> list[str]:
        answer = await self.call("GET", f"/api/v1/submissions/{referent_id}?limit=500", key=key)
        return [message["messageId"] for message in answer.json()["messages"]]


def _sink(ledger: Ledger) -> Callable[[Receipt, Callable[[bool], None]], None]:
    """Store each receipt at once, as the receipt stage does in groups."""
    running: set[asyncio.Task[None]] = set()

    async def store(receipt: Receipt, done: Callable[[bool], None]) -> None:
        await ledger.store([receipt])
        done(True)

    def offer(receipt: Receipt, done: Callable[[bool], None]) -> None:
        task = asyncio.get_running_loop().create_task(store(receipt, done))
        running.add(task)
        task.add_done_callback(running.discard)

    return offer


async def open_house(path: Path, clock: FakeClock | None = None) -> House:
    """Make a ledger with two tenants, each with a key, a sender and a route, and the API on it."""
    ledger = await SqliteLedger.open(path, probe=QuietProbe())
    clock = clock or FakeClock(EPOCH)
    registry = Registry(ledger, clock)
    channel = await ledger.add_channel("vina", "sandbox", {})
    upstream = await ledger.add_channel("upstream", "vendor", {})
    secrets = count(1)
    tenant, other = await ledger.add_tenant("shop", EPOCH), await ledger.add_tenant("bank", EPOCH)
    for each in (tenant, other):
        await ledger.add_sender(each.id, "LOA", "brandname")
        await ledger.add_route(each.id, [channel.id, upstream.id])
    planner = Planner(registry)
    intake = Intake(ledger, registry, planner, clock, QuietProbe())
    house = House(ledger, clock, registry, _nowhere, tenant, other, channel, "", "")
    authenticator = Authenticator(registry)
    native = Parts(
        ledger=ledger,
        clock=clock,
        authenticator=authenticator,
        explain=intake.explain,
        read_number=lambda written: read_one(written, planner.numbers),
        check_url=lambda url: house.refused_urls.get(urlsplit(url).hostname or "", ""),
        new_secret=lambda: f"whsec_{next(secrets):043d}=",
        refresh=registry.refresh,
        draining=lambda: house.draining,
        language=Language.ENGLISH,
        version="1.2.3",
    )
    vendor = VendorParts(
        authenticator, intake, registry, clock, _sink(ledger), {"vendor": VENDOR.read_report}, language=Language.ENGLISH
    )
    house.app = build_api(vendor, native)
    house.key = await house.new_key(EVERYTHING)
    house.other_key = await house.new_key(EVERYTHING, other)
    return house


async def _nowhere(_scope: Any, _receive: Any, _send: Any) -> None:
    raise AssertionError("the house is not open yet")


async def call(
    app: App,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    client: str | None = None,
    *,
    stays: bool = False,
) -> Answer:
    """Make one request of an ASGI application, in-process. `stays`: until an answer that comes in pieces is whole."""
    path, _, query = target.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": None if client is None else (client, 4711),
        "server": ("loa.test", 80),
        "state": {},
    }
    events = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not events and stays:
            await asyncio.Event().wait()
        return events.pop(0) if events else {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        sent.append(dict(event))

    await app(scope, receive, send)
    return Answer(
        status=sent[0]["status"],
        headers={name.decode().lower(): value.decode() for name, value in sent[0]["headers"]},
        body=b"".join(event.get("body", b"") for event in sent[1:]),
    )
