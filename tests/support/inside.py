"""The whole gateway inside the test's own process, served over HTTP, with a wall clock that can be set."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from loa.app.gateway import Gateway
from loa.domain import keys
from loa.ports.channel import Provider
from loa.ports.records import ApiKey
from loa.settings.secret import Secret
from loa.settings.tree import Settings
from tests.support.fakes import QuietProbe, SetClock

SEND = "/api/vendor/v1/sms/send-message"
PATIENCE_S = 20.0
LOOK_AGAIN_S = 0.01


class Tenant:
    """Who sends over one channel."""

    def __init__(self, url: str, key: str, clock: SetClock) -> None:
        self._clock = clock
        self._session = aiohttp.ClientSession(headers={"API-KEY": key})
        self._url = url

    async def send(self, numbers: list[int], **given: Any) -> list[str]:
        """Send; the messages' own ids."""
        body = {"destinations": [f"0{number - 84 * 10**9}" for number in numbers], "from": "LOA", "text": "hello"}
        async with self._session.post(self._url + SEND, json={**body, "useUnicode": 0, "type": 0, **given}) as answer:
            assert answer.status == 201, await answer.text()
            referent_id = (await answer.json())["referentId"]
        page = await self.get(f"submissions/{referent_id}?limit=500")
        return [message["messageId"] for message in page["messages"]]

    async def get(self, path: str) -> Any:
        """Read from the native API."""
        async with self._session.get(f"{self._url}/api/v1/{path}", raise_for_status=True) as answer:
            return await answer.json()

    async def message(self, message_id: str) -> Any:
        """Read a message with all that happened to it."""
        return await self.get(f"messages/{message_id}")

    async def until(self, message_id: str, **fields: Any) -> Any:
        """Wait until a message shows these values."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                shown = await self.message(message_id)
                if all(shown[name] == value for name, value in fields.items()):
                    return shown
                await self._clock.sleep(LOOK_AGAIN_S)

    async def close(self) -> None:
        await self._session.close()


class Inside:
    """A gateway at work."""

    def __init__(self, gateway: Gateway, clock: SetClock) -> None:
        self.gateway, self.clock = gateway, clock
        self._tenants: list[Tenant] = []

    async def tenant(self, name: str, provider: str, settings: Mapping[str, Any]) -> Tenant:
        """Make a tenant with a key and a channel of its own, and wait until the channel is ready."""
        ledger = self.gateway.ledger
        channel = await ledger.add_channel(name, provider, self.gateway.providers[provider].check(settings))
        tenant = await ledger.add_tenant(name, self.clock.now())
        await ledger.add_sender(tenant.id, "LOA", "brandname")
        await ledger.add_route(tenant.id, [channel.id])
        minted = keys.mint(live=True)
        everything = frozenset(permission.value for permission in keys.Permission)
        await ledger.add_key(ApiKey(0, tenant.id, name, minted.digest, minted.display, True, everything, created_at=1))
        await self.gateway.registry.refresh()
        self._tenants.append(Tenant(self.gateway.url, minted.secret, self.clock))
        await self.until(lambda: self.running(name) is not None and self.running(name).channel.status().ready)
        return self._tenants[-1]

    def running(self, name: str) -> Any:
        """Give a channel that runs, None before it does."""
        host = self.gateway.host
        assert host is not None
        return next((each for each in host.running.values() if each.plan.record.name == name), None)

    def set_by(self, seconds: float) -> None:
        """Set the wall clock, and have every channel look what is due."""
        self.clock.set_by(seconds)
        assert self.gateway.host is not None
        self.gateway.host.wake()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Look again and again until something is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await self.clock.sleep(LOOK_AGAIN_S)

    async def close(self) -> None:
        for tenant in self._tenants:
            await tenant.close()
        await self.gateway.stop()


@asynccontextmanager
async def running_inside(
    path: Path, url: str = "", change: Callable[[Settings], Settings] = lambda settings: settings, **providers: Provider
) -> AsyncIterator[Inside]:
    """Run a gateway on a file below `path` or on a database, with changed settings and providers besides its own."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    plain = Settings(data_dir=path, database=Secret(url), drain_s=1)
    settings = replace(
        plain,
        server=replace(plain.server, listen_port=0),
        ledger=replace(plain.ledger, reserve_bytes=0),
        limits=replace(plain.limits, disk_free_min_bytes=0),
        sandbox=replace(plain.sandbox, receipt_delay_ms=0),
    )
    settings = change(settings)
    clock = SetClock()
    gateway = Gateway(settings, clock=clock, probe=QuietProbe())
    gateway.providers.update(providers)
    inside = Inside(gateway, clock)
    try:
        await gateway.start()
        yield inside
    finally:
        await inside.close()
        # A gateway tunes the interpreter for itself.
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(interval)
