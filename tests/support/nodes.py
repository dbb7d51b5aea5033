"""Several real `loa serve` on one PostgreSQL, an SMSC that notes when it took what, and a client that balances."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from loa.app.admin_reach import ask_running
from loa.certify.client import ACKNOWLEDGED, SENDER, Ask, Client
from loa.certify.process import LoaProcess, Program, Ready
from loa.observe.clock import SystemClock
from loa.seal.keyfile import NAME
from loa.simulators.smsc.events import SmscEvent, Taken
from loa.simulators.smsc.script import Script
from loa.simulators.smsc.server import SmscSimulator

SEND = "/api/vendor/v1/sms/send-message"
PATIENCE_S = 60.0
LOOK_AGAIN_S = 0.02
CLOCK = SystemClock()
UNFINISHED = ("queued", "sending", "sent", "unknown")


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await CLOCK.sleep(LOOK_AGAIN_S)


class Nodes:
    """The processes by name. `taken`: when the SMSC took each segment, on the loop's clock, and for whom."""

    def __init__(self, directory: Path, url: str, smsc: SmscSimulator) -> None:
        self._directory = directory
        self.key_file = directory / NAME
        self._url = url
        self._headers: dict[str, str] = {}
        self.smsc = smsc
        self._session = aiohttp.ClientSession()
        self._target = ""
        self.client = Client(directory / "client.jsonl")
        self.running: dict[str, LoaProcess] = {}
        self.ready: dict[str, Ready] = {}
        self.taken: list[tuple[float, str]] = []

    def hear(self, event: SmscEvent) -> None:
        if isinstance(event, Taken):
            self.taken.append((asyncio.get_running_loop().time(), event.destination))

    # processes

    async def start(self, name: str, **settings: str) -> Ready:
        """Start a node in a folder of its own with the master key of all, and wait until it serves."""
        folder = self._directory / name
        folder.mkdir(exist_ok=True)
        chosen = {"DATABASE": self._url, "DRAIN_S": "10", "SEAL__KEY_FILE": str(self.key_file), **settings}
        self.running[name] = await LoaProcess.start(Program().plain, folder, chosen)
        async with asyncio.timeout(PATIENCE_S):
            self.ready[name] = await self.running[name].ready()
        return self.ready[name]

    async def stop(self, name: str) -> None:
        """Stop a node in order."""
        async with asyncio.timeout(PATIENCE_S):
            code = await self.running[name].stop()
        process = self.running.pop(name)
        del self.ready[name]
        assert code == 0, "\n".join(process.last_words())

    async def kill(self, name: str) -> None:
        """Kill a node."""
        assert await self.running.pop(name).kill() == -9
        del self.ready[name]

    async def do(self, verb: str, **args: Any) -> Any:
        """Have one of the nodes do an admin's verb."""
        return await ask_running(next(iter(self.ready.values())).control, verb, args)

    async def set_up(self, **channel: Any) -> None:
        """Write down who may send what where."""
        smpp = {
            "host": "127.0.0.1",
            "port": self.smsc.port,
            "system_id": "loa",
            "reconnect_first_s": 0.05,
            "reconnect_longest_s": 0.2,
            **channel,
        }
        await self.do("channels.add", name="main", provider="smpp", settings=smpp)
        await self.do("senders.add", name=SENDER)
        await self.do("routes.add", channels=["main"])
        key = (await self.do("keys.create", name="nodes", permissions=["all"]))["apiKey"]
        self._headers = {"API-KEY": key}
        await self._settle_in()

    async def _settle_in(self) -> None:
        """Wait until every node knows the key."""

        async def known() -> bool:
            for ready in self.ready.values():
                async with self._session.get(f"{ready.url}/api/v1/messages", headers=self._headers) as answer:
                    if answer.status != 200:
                        return False
            return True

        await until(known)

    async def close(self) -> None:
        """Close connections; whatever still runs is killed."""
        await self._session.close()
        await self.client.close()
        for process in self.running.values():
            await process.kill()

    # traffic

    def point_at(self, name: str) -> None:
        """Send to this node from now on; what is under way comes to its end."""
        self._target = self.ready[name].url

    async def send(self, ask: Ask) -> None:
        """Send until it is acknowledged, as a client behind a balancer does: with the same request id."""

        async def acknowledged() -> bool:
            try:
                async with self._session.post(self._target + SEND, json=ask.body(), headers=self._headers) as answer:
                    ask.statuses.append(answer.status)
                    return answer.status in ACKNOWLEDGED
            except aiohttp.ClientError:
                ask.statuses.append(0)
                return False

        await until(acknowledged)

    async def send_all(self, asks: list[Ask], at_once: int = 8) -> None:
        """Send requests, a few at once."""
        waiting = iter(asks)

        async def sender() -> None:
            for ask in waiting:
                await self.send(ask)

        await asyncio.gather(*(sender() for _ in range(at_once)))

    # waiting and looking

    async def until_linked(self, links: int) -> None:
        """Wait until the SMSC has so many bound links, no more and no less."""
        async with asyncio.timeout(PATIENCE_S):
            await self.smsc.until(lambda counts: counts.links == links == counts.connections)

    async def until_taken(self, count: int) -> None:
        """Wait until the SMSC took so many segments."""
        async with asyncio.timeout(PATIENCE_S):
            await self.smsc.until(lambda counts: counts.accepted >= count)

    async def held(self) -> dict[str, int]:
        """Give how many links of the channel each node has, as its own control socket says."""
        held = {}
        for name, ready in self.ready.items():
            (channel,) = [
                each for each in await ask_running(ready.control, "channels.list", {}) if each["name"] == "main"
            ]
            held[name] = channel["status"]["links"] if channel["status"] else 0
        return held

    async def until_held(self, wanted: Mapping[str, int]) -> None:
        """Wait until the nodes have these many links, all of them up."""

        async def there() -> bool:
            return await self.held() == wanted

        await until(there)
        await self.until_linked(sum(wanted.values()))

    async def messages(self) -> list[dict[str, Any]]:
        """Read every message of the ledger."""
        await self.client.point_at(next(iter(self.ready.values())).url, self._headers["API-KEY"])
        return await self.client.pages("messages", "messages")

    async def until_final(self) -> list[dict[str, Any]]:
        """Wait until every message has come to its end; give them all."""
        rows: list[dict[str, Any]] = []

        async def over() -> bool:
            nonlocal rows
            rows = await self.messages()
            return all(row["state"] not in UNFINISHED for row in rows)

        await until(over)
        return rows


@asynccontextmanager
async def open_nodes(directory: Path, url: str, script: Script | None = None) -> AsyncIterator[Nodes]:
    """Have an SMSC ready for nodes; whatever still runs at the end is killed."""
    smsc = SmscSimulator(script=script, on_event=lambda event: nodes.hear(event), keep=100_000)
    nodes = Nodes(directory, url, smsc)
    await smsc.start()
    try:
        yield nodes
    finally:
        await nodes.close()
        await smsc.stop()
