"""F45 with the program itself and a simulated Zalo: killed with a pair on disk, then in memory, then mended by a person.

Nothing is sent twice, whatever was killed; what is lost is said; one link brings everything back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import apsw
import pytest

from loa.api.consent.router import CALLBACK_PATH
from loa.app.admin_reach import administer, running
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.observe.clock import SystemClock
from loa.ports.grants import Tokens
from loa.ports.probe import Point
from loa.settings.load import load
from loa.simulators.zalo.server import ZaloSimulator
from loa.simulators.zalo.world import PLAIN_OA
from loa.stages.custody import EVERY_MS
from tests.support.fakes import QuietProbe
from tests.support.process import Running

pytestmark = [pytest.mark.crash, pytest.mark.timeout(60)]

KILLED = 137
CLOCK = SystemClock()
OA = replace(PLAIN_OA, access_token="access-of-before", refresh_token="refresh-of-before")


class World:
    """A Loa with one Zalo channel, started and killed as often as a test says."""

    def __init__(self, folder: Path, zalo: ZaloSimulator) -> None:
        self.folder, self.zalo = folder, zalo
        self.settings = load(flags={"data_dir": folder}).settings

    async def furnish(self) -> None:
        address = self.zalo.url
        settings = {
            "app_id": OA.app_id,
            "app_secret": OA.app_secret,
            "oa_id": OA.oa_id,
            **dict.fromkeys(("oauth_url", "openapi_url", "business_url"), address),
        }
        ledger = await SqliteLedger.open(self.settings.ledger_path, probe=QuietProbe())
        channel = await ledger.add_channel("shop", "zalo", settings)
        now = CLOCK.now()
        await ledger.keep(channel.id, Tokens(OA.access_token, OA.refresh_token, now + EVERY_MS), now)
        await ledger.close()

    def age(self) -> None:
        """Let half a day pass for the grant, and the right of who was killed be over."""
        connection = apsw.Connection(str(self.settings.ledger_path))
        connection.execute("UPDATE channel_grant SET issued_at = issued_at - ?, renewal_until = 0", (EVERY_MS,))
        connection.close()

    def serve(self, point: str = "") -> Running:
        own = ("--data", self.folder, "--port", "0")
        return Running("serve", *own, cwd=self.folder, env={"LOA_PROBE": point})

    async def killed_at(self, point: Point) -> None:
        self.age()
        with self.serve(point) as loa:
            assert await asyncio.to_thread(loa.ended) == KILLED, loa.said()

    async def do(self, verb: str, **args: Any) -> Any:
        return await administer(self.settings, verb, args)

    async def grant(self) -> Any:
        (row,) = await self.do("grants.list")
        return row


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            await CLOCK.sleep(0.02)


async def test_f45_killed_again_and_again_no_token_is_sent_twice_and_a_person_mends_what_was_lost(
    tmp_path: Path,
) -> None:
    async with ZaloSimulator(oas=(OA,)) as zalo:
        world = World(tmp_path, zalo)
        await world.furnish()
        await world.killed_at(Point.GRANT_KEPT)
        await world.killed_at(Point.GRANT_ANSWERED)
        assert zalo.counts.refreshes == 2
        world.age()
        with world.serve():
            await until(lambda: running(world.settings))

            async def called() -> bool:
                return bool((await world.grant())["consentNeeded"] == "interrupted")

            await until(called)
            about = await running(world.settings)
            assert about is not None
            asked = await world.do("grants.connect", name="shop", redirect_uri=about["url"] + CALLBACK_PATH)
            async with aiohttp.ClientSession() as session, session.get(asked["link"]) as page:
                assert (page.status, page.url.path) == (200, CALLBACK_PATH)
            assert (await world.grant())["state"] == "good"
            tried = await world.do("channels.test", name="shop")
            assert tried["ok"], tried
        assert (zalo.counts.refreshes, zalo.counts.exchanges, zalo.counts.double_refresh) == (2, 1, 0)
