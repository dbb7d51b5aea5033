"""The whole world of one crash test: SMSC, callback receiver and client, which live, and a gateway, which dies.

Everything waits for something that is told - a callback, a receipt, the end of a process - never for time to pass.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from loa.domain import keys
from loa.notify.signature import new_secret
from loa.simulators.pick import Pick
from loa.simulators.receiver.server import CallbackReceiver, Delivery
from loa.simulators.smsc.script import Refusal, Script
from loa.simulators.smsc.server import SmscSimulator
from loa.smpp.status import ESME_RBINDFAIL
from tests.support.crash_client import Ask, Client, unanswered
from tests.support.crash_invariants import ENDS, Evidence, read_evidence
from tests.support.crash_process import GatewayProcess

DOOR_SHUT = Script(refuse_binds=Refusal(Pick(every=1), ESME_RBINDFAIL))
"""No link comes up: what is accepted waits and is then claimed together."""
NO_RECEIPTS_YET = Script(receipt_window=0)
"""Receipts are owed, but not sent until the script changes."""
PATIENCE_S = 25.0


class World:
    """One data directory and everything around it."""

    def __init__(self, directory: Path, smsc: SmscSimulator, receiver: CallbackReceiver, client: Client) -> None:
        self.directory = directory
        self.smsc = smsc
        self.receiver = receiver
        self.client = client
        self.key = ""
        self.gateway: GatewayProcess | None = None
        self.kills = 0
        self.faulty = False
        self.told: dict[str, dict[int, str]] = defaultdict(dict)
        self.ended: set[str] = set()
        self.samples: list[dict[str, str]] = []

    def hear(self, delivery: Delivery) -> None:
        """Note a callback: destination -> sequence -> state."""
        body = json.loads(delivery.body)
        self.told[body["msisdn"]][body["sequence"]] = body["state"]
        if body["state"] in ENDS:
            self.ended.add(body["msisdn"])

    # the gateway

    async def boot(self, probe: str = "", settings: Mapping[str, str] | None = None) -> None:
        """Start the gateway on this directory."""
        given = {
            "key": self.key,
            "smsc": self.smsc.port,
            "receiver": f"{self.receiver.url}/callbacks",
            "secret": self.receiver.secret,
        }
        if self.faulty:
            given["faults"] = str(self.directory)
        self.gateway = await GatewayProcess.start(self.directory, given, probe=probe, settings=settings)
        await self.client.point_at(await self.gateway.ready())
        self.samples.append(await self.states())

    async def killed(self) -> None:
        """Wait until the probe has killed the gateway."""
        await self.until_ended(-9)

    async def until_ended(self, wanted: int) -> None:
        """Wait until the gateway has ended by itself, with an exit code."""
        assert self.gateway is not None
        async with asyncio.timeout(PATIENCE_S):
            code = await self.gateway.ended()
        assert code == wanted, f"ended with {code}:\n{self.gateway.last_words()}"
        await self._gone()

    async def kill(self) -> None:
        """Kill the gateway now."""
        assert self.gateway is not None
        assert await self.gateway.kill() == -9
        await self._gone()

    async def _gone(self) -> None:
        self.kills += 1
        self.gateway = None
        await self.smsc.until(lambda counts: counts.connections == 0)

    async def send(self, asks: Iterable[Ask]) -> list[int]:
        """Send requests at once; give their statuses."""
        return list(await asyncio.gather(*(self.client.send(ask) for ask in asks)))

    async def retry(self) -> None:
        """Send again, with the same request ids, what was never answered."""
        statuses = await self.send(unanswered(self.client.asks))
        assert all(status in (200, 201) for status in statuses), statuses

    async def crash(
        self, probe: str, asks: Sequence[Ask], script: Script | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        """Have requests accepted while no link is up, let them go in one batch, and die at the probe's point."""
        self.smsc.change(DOOR_SHUT)
        await self.boot(probe, settings)
        assert await self.send(asks) == [201] * len(asks)
        self.smsc.change(script or Script())
        await self.killed()

    # waiting

    async def until_told(self, condition: Callable[[Mapping[str, Mapping[int, str]]], bool]) -> None:
        """Wait until the callbacks told satisfy a condition."""
        async with asyncio.timeout(PATIENCE_S):
            await self.receiver.until(lambda _counts: condition(self.told))

    async def until_state(self, asks: Iterable[Ask], state: str) -> None:
        """Wait until every destination of the requests was told of a state."""
        numbers = [number for ask in asks for number in ask.numbers]
        await self.until_told(lambda told: all(state in told[number].values() for number in numbers))

    async def until_final(self) -> None:
        """Wait until every acknowledged message has come to an end that its tenant was told of."""
        numbers = {number for ask in self.client.asks if ask.acknowledged for number in ask.numbers}
        await self.until_told(lambda _told: numbers <= self.ended)
        async with asyncio.timeout(PATIENCE_S):
            await self.smsc.until(lambda counts: counts.receipts_waiting == 0)

    # looking

    async def messages(self) -> list[dict[str, Any]]:
        """Every message of the ledger, over the API."""
        return await self.client.pages("messages", "messages")

    async def states(self) -> dict[str, str]:
        """The state of each destination."""
        return {row["destination"]: row["state"] for row in await self.messages()}

    async def feed(self) -> list[dict[str, Any]]:
        """Every event of the ledger, over the API."""
        return await self.client.pages("events", "events")

    async def _told_whole_feed(self) -> list[dict[str, Any]]:
        """Wait until all that the feed holds was told; events that come meanwhile are waited for too."""
        while True:
            feed = await self.feed()
            await self.until_told(
                lambda told: all(event["sequence"] in told[event["msisdn"]] for event in feed)  # noqa: B023
            )
            if len(await self.feed()) == len(feed):
                return feed

    async def verdict(self) -> Evidence:
        """Wait until all is over, stop everything, and hold what is on disk against the invariants."""
        assert self.gateway is not None
        await self.retry()
        await self.until_final()
        feed = await self._told_whole_feed()
        messages = await self.messages()
        timelines = {row["messageId"]: await self.client.get(f"messages/{row['messageId']}") for row in messages}
        self.samples.append(await self.states())
        assert await self.gateway.stop() == 0, self.gateway.last_words()
        self.gateway = None
        await self.smsc.stop()
        await self.receiver.stop()
        evidence = read_evidence(
            self.directory, self.client.asks, messages, timelines, feed, samples=self.samples, kills=self.kills
        )
        evidence.check()
        return evidence


@asynccontextmanager
async def crash_world(directory: Path, script: Script | None = None) -> AsyncIterator[World]:
    """Build a world; whatever still runs at the end is killed."""
    key = keys.mint(live=True).secret
    smsc = SmscSimulator(script=script, journal=directory / "smsc.jsonl", keep=100_000)
    receiver = CallbackReceiver(
        journal=directory / "receiver.jsonl", secret=new_secret(), on_event=lambda delivery: world.hear(delivery)
    )
    client = Client(directory / "client.jsonl", key)
    world = World(directory, smsc, receiver, client)
    world.key = key
    await smsc.start()
    await receiver.start()
    try:
        yield world
    finally:
        await client.close()
        if world.gateway is not None:
            await world.gateway.kill()
        await smsc.stop()
        await receiver.stop()
