"""Events of Zalo through a whole Loa: receipts settle, what users write reaches their tenant once, forgeries nobody."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.e2e.test_chained import to_this_machine
from tests.support.inside import PATIENCE_S, Inside, Tenant, running_inside
from tests.support.postgres import Postgres
from tests.support.shared_ledger import APP, as_user, prepare
from tests.support.zalo_payloads import WORLD, Payload, payload, payloads_oa

from loa.domain import keys
from loa.notify.signature import new_secret
from loa.ports.grants import Tokens
from loa.ports.records import ApiKey
from loa.simulators.receiver.server import CallbackReceiver
from loa.simulators.zalo.script import ZaloScript
from loa.simulators.zalo.server import ZaloSimulator

NUMBER = 84_912_345_678
DAY_MS = 86_400_000
PLAIN = {"day_starts": 0, "day_ends": 24}
WRITES = payload("user-send-text.event")
ORDER = {"templateId": "302117", "templateData": {"customer_name": "An", "order_code": "DH-1"}}


@dataclass
class World:
    """A Loa with one Zalo channel, the platform it talks to, and its tenant's receiver."""

    inside: Inside
    zalo: ZaloSimulator
    receiver: CallbackReceiver
    tenant: Tenant

    @property
    def address(self) -> str:
        return f"{self.inside.gateway.url}/v1/hooks/zalo"

    async def post(self, event: Payload, **changed: str) -> int:
        async with aiohttp.ClientSession() as session:
            headers = {**event["headers"], **changed}
            async with session.post(self.address, data=event.raw, headers=headers) as answer:
                return answer.status

    async def told(self, count: int) -> list[dict[str, Any]]:
        """Wait until the receiver took so many callbacks of inbound events."""
        async with asyncio.timeout(PATIENCE_S):
            await self.receiver.until(lambda counts: counts.taken >= count)
        assert set(self.receiver.counts.verdicts) == {"valid"}
        return [json.loads(each.body) for each in self.receiver.deliveries]

    async def feed(self) -> list[dict[str, Any]]:
        return (await self.tenant.get("events"))["events"]  # type: ignore[no-any-return]


@asynccontextmanager
async def world(path: Path, url: str) -> AsyncIterator[World]:
    secret = new_secret()
    receiver = CallbackReceiver(secret=secret)
    await receiver.start()
    try:
        async with (
            ZaloSimulator(script=ZaloScript(**PLAIN), oas=(payloads_oa(),)) as zalo,
            running_inside(path, url, to_this_machine) as inside,
        ):
            tenant = await _furnish(inside, zalo, receiver.url, secret)
            yield World(inside, zalo, receiver, tenant)
            await tenant.close()
    finally:
        await receiver.stop()


async def _furnish(inside: Inside, zalo: ZaloSimulator, receiver: str, secret: str) -> Tenant:
    ledger, now = inside.gateway.ledger, inside.clock.now()
    own = {name: WORLD[name] for name in ("app_id", "app_secret", "oa_id", "oa_secret_key")}
    urls = dict.fromkeys(("oauth_url", "openapi_url", "business_url"), zalo.url)
    checked = inside.gateway.providers["zalo"].check({**own, **urls})
    channel = await ledger.add_channel("shop", "zalo", checked)
    await ledger.keep(channel.id, Tokens(*zalo.tokens(), now + DAY_MS, now + 60 * DAY_MS), now)
    owner = await ledger.add_tenant("shop", now)
    await ledger.add_sender(owner.id, "LOA", "brandname")
    await ledger.add_route(owner.id, [channel.id])
    await ledger.add_endpoint(owner.id, receiver, secret, inbound=True)
    minted = keys.mint(live=True)
    everything = frozenset(permission.value for permission in keys.Permission)
    await ledger.add_key(ApiKey(0, owner.id, "k", minted.digest, minted.display, True, everything, created_at=1))
    await inside.gateway.registry.refresh()
    await inside.until(lambda: inside.running("shop") is not None and inside.running("shop").channel.status().ready)
    stages = inside.gateway._stages
    assert stages.dispatching is not None
    await stages.dispatching.templates.tick()
    await inside.gateway.registry.refresh()
    return Tenant(inside.gateway.url, minted.secret, inside.clock)


@pytest.fixture(params=["sqlite", "postgres"])
async def w(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    if request.param == "sqlite":
        async with world(tmp_path, "") as made:
            yield made
        return
    server: Postgres = request.getfixturevalue("postgres")
    async with server.database(prepare) as url, world(tmp_path, as_user(url, APP)) as made:
        yield made


async def test_events_settle_messages_and_are_told_once_and_forgeries_are_not_believed(w: World) -> None:
    w.zalo.change(ZaloScript(events_url=w.address, **PLAIN))
    (message_id,) = await w.tenant.send([NUMBER], ext=ORDER)
    delivered = await w.tenant.until(message_id, state="delivered")
    assert [receipt["result"] for receipt in delivered["receipts"]] == ["applied"]

    assert [await w.post(WRITES) for _ in range(3)] == [200] * 3
    forged = await w.post(payload("follow.event"), **{"X-ZEvent-Signature": WRITES["headers"]["X-ZEvent-Signature"]})
    assert (forged, await w.post(payload("wrong-secret.event"))) == (401, 401)
    w.zalo.acts.follow(WORLD["user_id"])
    first, second = sorted(await w.told(2), key=lambda body: str(body["id"]))
    assert (first["event"], first["from"]) == ("user_send_text", f"zalo:{WORLD['user_id']}")
    assert (first["channel"], first["text"], first["raw"]) == ("shop", WRITES.body["message"]["text"], WRITES.body)
    assert second["event"] == "follow"
    feed = await w.feed()
    assert [event.get("event", event.get("state")) for event in feed] == ["delivered", "user_send_text", "follow"]
    assert feed[1:] == [first, second]
