"""A Loa killed at every point of the way from Zalo to SMS: what arrived over Zalo never goes over SMS as well.

Nor does anything go over SMS twice, and nothing is left behind.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from loa.app.admin_reach import running
from loa.app.demo_zalo import EXAMPLE_TEXT, channel_settings, furnish_zalo
from loa.certify.process import SHORT_WAITS
from loa.channels.smpp.provider import PROVIDER as SMPP
from loa.domain import keys
from loa.domain.routes import RouteStep
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.observe.clock import SystemClock
from loa.ports.probe import Point
from loa.ports.records import ApiKey
from loa.settings.load import load
from loa.simulators.pick import ALL
from loa.simulators.smsc.server import SmscSimulator
from loa.simulators.zalo.script import When, ZaloScript
from loa.simulators.zalo.server import ZaloSimulator
from tests.support.fakes import QuietProbe
from tests.support.inside import SEND
from tests.support.process import Running

pytestmark = [pytest.mark.crash, pytest.mark.timeout(60)]

KILLED = 137
CLOCK = SystemClock()
LOOK_AGAIN_S = 0.02
TRANSACTIONAL, OTP = 0, 2
ON_ZALO, NOT_ON_ZALO = "0912345601", "0912345699"
SILENT_S = 1
NEVER_S = 600
UNTOLD = ZaloScript(off_zalo=("99",), day_starts=0, day_ends=24)
"""Zalo delivers at once and tells nobody: Loa has to ask."""
UNDELIVERED = replace(UNTOLD, undelivered=(When(pick=ALL),))
ENVIRONMENT = {f"LOA_{name}": value for name, value in SHORT_WAITS.items()}


@dataclass
class World:
    """One tenant whose messages go over Zalo first and over SMS then."""

    folder: Path
    zalo: ZaloSimulator
    smsc: SmscSimulator
    key: str = ""

    async def furnish(self, wait_s: int) -> None:
        self.settings = load(flags={"data_dir": self.folder}).settings
        ledger = await SqliteLedger.open(self.settings.ledger_path, probe=QuietProbe())
        first = await ledger.add_channel("zalo", "zalo", channel_settings(self.zalo))
        await furnish_zalo(ledger, CLOCK, first.id, self.zalo)
        line = {"host": "127.0.0.1", "port": self.smsc.port, "system_id": "loa", "window": 1}
        second = await ledger.add_channel("sms", "smpp", SMPP.check(line))
        owner = await ledger.add_tenant("shop", CLOCK.now())
        await ledger.add_sender(owner.id, "SHOP", "brandname")
        await ledger.add_route(owner.id, [RouteStep(first.id, wait_s), RouteStep(second.id)])
        minted = keys.mint(live=True)
        may = frozenset(permission.value for permission in keys.Permission)
        await ledger.add_key(ApiKey(0, owner.id, "k", minted.digest, minted.display, True, may, created_at=1))
        await ledger.close()
        self.key = minted.secret

    @asynccontextmanager
    async def serve(self, probe: str = "") -> AsyncIterator[Running]:
        """Run Loa until the block ends; Zalo tells it of events where the script has an address."""
        env = {**ENVIRONMENT, "LOA_PROBE": probe}
        with Running("serve", "--data", self.folder, cwd=self.folder, env=env) as loa:
            async with asyncio.timeout(30):
                while (about := await running(self.settings)) is None:
                    await CLOCK.sleep(LOOK_AGAIN_S)
            self.url = about["url"]
            if self.zalo.script.events_url:
                self.zalo.change(replace(self.zalo.script, events_url=f"{self.url}/v1/hooks/zalo"))
            async with aiohttp.ClientSession(self.url, headers={"API-KEY": self.key}) as self.session:
                yield loa

    async def send(self, number: str, kind: int) -> str:
        """Send, once or again: the referent id."""
        asked = {"destinations": [number], "from": "SHOP", "text": EXAMPLE_TEXT, "useUnicode": 1, "type": kind}
        async with self.session.post(SEND, json={**asked, "requestId": "once"}, raise_for_status=True) as answer:
            return str((await answer.json())["referentId"])

    async def message_id(self, referent_id: str) -> str:
        async with self.session.get(f"/api/v1/submissions/{referent_id}", raise_for_status=True) as answer:
            return str((await answer.json())["messages"][0]["messageId"])

    async def ended(self, message_id: str) -> Any:
        """Wait until nothing is left to do for a message."""
        async with asyncio.timeout(30):
            while True:
                async with self.session.get(f"/api/v1/messages/{message_id}", raise_for_status=True) as answer:
                    shown = await answer.json()
                if shown["dueAt"] is None and shown["state"] not in ("queued", "sending", "sent"):
                    return shown
                await CLOCK.sleep(LOOK_AGAIN_S)


@asynccontextmanager
async def two_networks(folder: Path, script: ZaloScript, wait_s: int) -> AsyncIterator[World]:
    smsc = SmscSimulator()
    await smsc.start()
    try:
        async with ZaloSimulator(script=script) as zalo:
            world = World(folder, zalo, smsc)
            await world.furnish(wait_s)
            yield world
    finally:
        await smsc.stop()


@dataclass(frozen=True)
class Case:
    """Where Loa is killed, and how its message has to end. `taken`: how often Zalo and the SMSC took it."""

    point: Point
    time: int
    state: str
    channel: str
    taken: tuple[int, int]
    flagged: bool = False
    number: str = ON_ZALO
    kind: int = OTP
    script: ZaloScript = UNTOLD
    wait_s: int = SILENT_S

    @property
    def probe(self) -> str:
        return f"{self.point}:{self.time}"


def refused(point: Point, time: int, state: str, channel: str, sms: int, **given: Any) -> Case:
    return Case(point, time, state, channel, (0, sms), number=NOT_ON_ZALO, wait_s=NEVER_S, **given)


CASES = {
    "the refusal is read and not recorded": refused(Point.DISPATCH_ANSWERED, 1, "unknown", "zalo", 0),
    "so, where the class allows a re-send": refused(
        Point.DISPATCH_ANSWERED, 1, "delivered", "sms", 1, flagged=True, kind=TRANSACTIONAL
    ),
    "the refusal is recorded": refused(Point.DISPATCH_RECORDED, 1, "delivered", "sms", 1),
    "the SMS is claimed": refused(Point.DISPATCH_CLAIMED, 2, "unknown", "sms", 0),
    "the SMS is written": refused(Point.LINK_WRITTEN, 2, "delivered", "sms", 1),
    "the SMS is answered": refused(Point.DISPATCH_ANSWERED, 2, "delivered", "sms", 1),
    "Zalo has it and the answer is not recorded": Case(Point.DISPATCH_ANSWERED, 1, "unknown", "zalo", (1, 0)),
    "Zalo said that it arrived": Case(Point.SILENCE_ASKED, 1, "delivered", "zalo", (1, 0)),
    "Zalo said that it did not": Case(
        Point.SILENCE_ASKED, 1, "delivered", "sms", (1, 1), flagged=True, script=UNDELIVERED
    ),
    "the event of its arrival is stored": Case(
        Point.RECEIPT_STORED, 1, "delivered", "zalo", (1, 0), script=replace(UNTOLD, events_url="http://127.0.0.1:1/")
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_killed_on_the_way_from_zalo_to_sms_it_goes_on_where_it_stood(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    async with two_networks(tmp_path, case.script, case.wait_s) as world:
        async with world.serve(case.probe) as loa:
            # Loa may be gone before it answers.
            with suppress(aiohttp.ClientError):
                await world.send(case.number, case.kind)
            assert await asyncio.to_thread(loa.ended) == KILLED, loa.said()
        async with world.serve():
            message_id = await world.message_id(await world.send(case.number, case.kind))
            shown = await world.ended(message_id)
        taken = (len(world.zalo.accepted), len(world.smsc.taken))
        found = (shown["state"], shown["channel"], shown["possibleDuplicate"], taken)
        assert found == (case.state, case.channel, case.flagged, case.taken)
