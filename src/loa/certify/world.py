"""The whole world of one trial: SMSC, callback receiver and client, which live, and a Loa, which dies.

Everything waits for something that is told - a callback, a receipt, the end of a process - and a wait that takes too
long, or whose Loa is gone, is itself a violation: with the fault removed Loa has to recover by itself.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from loa.app.admin_reach import ask_running
from loa.certify.client import ACKNOWLEDGED, SENDER, Ask, Client, unanswered
from loa.certify.engines import Store
from loa.certify.evidence import (
    CLIENT_JOURNAL,
    RECEIVER_JOURNAL,
    SMSC_JOURNAL,
    Journals,
    read_journals,
    read_timelines,
)
from loa.certify.invariants import ENDS, WINDOW, Evidence, Violated, Violation, demand
from loa.certify.process import LoaProcess, Program
from loa.observe.clock import SystemClock
from loa.simulators.pick import Pick
from loa.simulators.receiver.server import CallbackReceiver, Delivery
from loa.simulators.smsc.script import Refusal, Script
from loa.simulators.smsc.server import SmscSimulator
from loa.smpp.status import ESME_RBINDFAIL

DOOR_SHUT: Final = Script(refuse_binds=Refusal(Pick(every=1), ESME_RBINDFAIL))
"""No link comes up: what is accepted waits and is then claimed together."""
NO_RECEIPTS_YET: Final = Script(receipt_window=0)
"""Receipts are owed, but not sent until the script changes."""
PATIENCE_S: Final = 25.0
POLL_S: Final = 0.05
KILLED: Final = -9
CALLBACK_PATH: Final = "/callbacks"

T = TypeVar("T")


class World:
    """One data directory and everything around it.

    `kills`: how often Loa was killed. `recoveries`: for each restart that was watched to its end, the seconds from the
    start of the process until everything accepted had come to an end that its tenant was told of.
    """

    def __init__(
        self,
        directory: Path,
        store: Store,
        smsc: SmscSimulator,
        receiver: CallbackReceiver,
        client: Client,
        *,
        program: Program,
        patience_s: float,
    ) -> None:
        self.directory = directory
        self.store = store
        self.smsc = smsc
        self.receiver = receiver
        self.client = client
        self._program = program
        self._patience_s = patience_s
        self._clock = SystemClock()
        self._key = ""
        self._started_at = 0.0
        self._restarted = False
        self.control = Path()
        self.process: LoaProcess | None = None
        self.serving = asyncio.Event()
        self.kills = 0
        self.recoveries: list[float] = []
        self.told: dict[str, dict[int, str]] = defaultdict(dict)
        self.ended: set[str] = set()
        self.samples: list[dict[str, str]] = []
        self.found: Evidence | None = None

    def hear(self, delivery: Delivery) -> None:
        """Note a callback: destination -> sequence -> state."""
        body = json.loads(delivery.body)
        self.told[body["msisdn"]][body["sequence"]] = body["state"]
        if body["state"] in ENDS:
            self.ended.add(body["msisdn"])

    # Loa

    async def boot(self, probe: str = "", settings: Mapping[str, str] | None = None) -> None:
        """Start Loa on this directory. Errors: Violated when it does not come up."""
        self._started_at = asyncio.get_running_loop().time()
        chosen = {**self.store.environment, "PROBE": probe, **(settings or {})}
        self.process = await LoaProcess.start(self.store.command(self._program), self.directory, chosen)
        ready = await self.within("Loa to serve", self.process.ready())
        self.control = ready.control
        await self.client.point_at(ready.url, self._key or await self._set_up())
        self.samples.append(await self.states())
        self.serving.set()

    async def _set_up(self) -> str:
        """Write down who may send what where, once; give the API key."""
        smpp = {
            "host": "127.0.0.1",
            "port": self.smsc.port,
            "system_id": "loa",
            "window": WINDOW,
            "response_timeout_s": 10,
            "reconnect_first_s": 0.05,
            "reconnect_longest_s": 0.1,
        }
        url = f"{self.receiver.url}{CALLBACK_PATH}"
        await self.do("channels.add", name="main", provider="smpp", settings=smpp)
        await self.do("senders.add", name=SENDER)
        await self.do("routes.add", channels=["main"])
        self.receiver.secret = (await self.do("endpoints.add", url=url))["secret"]
        made = await self.do("keys.create", name="certificate", permissions=["all"], endpoint=url)
        self._key = made["apiKey"]
        return self._key

    async def do(self, verb: str, **args: Any) -> Any:
        """Have the running Loa do an admin's verb. Errors: LoaError."""
        return await ask_running(self.control, verb, args)

    async def killed(self) -> None:
        """Wait until the probe has killed Loa."""
        await self.until_ended(KILLED)

    async def until_ended(self, wanted: int) -> None:
        """Wait until Loa has ended by itself, with an exit code. Errors: Violated."""
        assert self.process is not None
        code = await self.within(f"Loa to end with {wanted}", self.process.ended())
        demand(code == wanted, "end", f"Loa ended with {code}, not with {wanted}", *self.process.last_words())
        await self._gone()

    async def kill(self) -> None:
        """Kill Loa now. Errors: Violated when it ended by itself before."""
        assert self.process is not None
        code = await self.process.kill()
        demand(code == KILLED, "end", f"Loa ended by itself with {code}", *self.process.last_words())
        await self._gone()

    async def _gone(self) -> None:
        self.kills += 1
        self.process = None
        self._restarted = True
        self.serving.clear()
        await self.smsc.until(lambda counts: counts.connections == 0)

    async def revive(self) -> None:
        """Start Loa again where it has ended by itself, as a supervisor would."""
        assert self.process is not None
        if self.process.over:
            await self._gone()
            await self.boot()

    def trouble(self) -> None:
        """Note that what was in flight may have lost its way although Loa lives: recovery is measured from now."""
        self.kills += 1
        self._restarted = True
        self._started_at = asyncio.get_running_loop().time()

    async def stop(self) -> None:
        """Stop Loa in order. Errors: Violated when that does not end well."""
        assert self.process is not None
        self.serving.clear()
        code = await self.within("Loa to stop", self.process.stop())
        demand(code == 0, "end", f"Loa ended with {code} when it was asked to stop", *self.process.last_words())
        self.process = None

    async def send(self, asks: Iterable[Ask]) -> list[int]:
        """Send requests at once; give their statuses."""
        return list(await asyncio.gather(*(self.client.send(ask) for ask in asks)))

    async def accept(self, asks: Sequence[Ask]) -> None:
        """Send requests that have to be accepted. Errors: Violated."""
        statuses = await self.send(asks)
        wrong = [status for status in statuses if status not in ACKNOWLEDGED]
        demand(not wrong, "accept", f"requests in good order were answered {wrong}")

    async def retry(self) -> None:
        """Send again, with the same request ids, what was never answered."""
        await self.accept(unanswered(self.client.asks))

    async def crash(
        self, probe: str, asks: Sequence[Ask], script: Script | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        """Have requests accepted while no link is up, let them go in one batch, and die at the probe's point."""
        self.smsc.change(DOOR_SHUT)
        await self.boot(probe, settings)
        await self.accept(asks)
        self.smsc.change(script or Script())
        await self.killed()

    # waiting

    async def within(self, what: str, waiting: Coroutine[Any, Any, T]) -> T:
        """Wait for something that takes a while. Errors: Violated when it takes too long."""
        try:
            async with asyncio.timeout(self._patience_s):
                return await waiting
        except TimeoutError:
            raise self._in_vain(what) from None

    async def meanwhile(self, what: str, waiting: Coroutine[Any, Any, None]) -> None:
        """Wait for something that a living Loa brings about. Errors: Violated when it takes too long or Loa is gone."""
        wanted = asyncio.ensure_future(waiting)
        gone = asyncio.ensure_future(self.process.ended() if self.process is not None else asyncio.Event().wait())
        await asyncio.wait({wanted, gone}, timeout=self._patience_s, return_when=asyncio.FIRST_COMPLETED)
        came = wanted.done()
        for each in (wanted, gone):
            each.cancel()
        await asyncio.gather(wanted, gone, return_exceptions=True)
        if not came:
            raise self._in_vain(what)

    def _in_vain(self, what: str) -> Violated:
        words = self.process.last_words() if self.process is not None else ()
        return Violated(Violation("recovery", f"waited {self._patience_s:g} s in vain for {what}", words))

    async def until_told(self, condition: Callable[[Mapping[str, Mapping[int, str]]], bool], what: str) -> None:
        """Wait until the callbacks told satisfy a condition."""
        await self.meanwhile(what, self.receiver.until(lambda _counts: condition(self.told)))

    async def until_state(self, asks: Iterable[Ask], state: str) -> None:
        """Wait until every destination of the requests was told of a state."""
        numbers = [number for ask in asks for number in ask.numbers]
        await self.until_told(
            lambda told: all(state in told[number].values() for number in numbers), f"callbacks of {state}"
        )

    async def until_final(self) -> None:
        """Wait until every acknowledged message has come to an end that its tenant was told of."""
        numbers = {number for ask in self.client.asks if ask.acknowledged for number in ask.numbers}
        # What is gone is not waited for: the checker names it.
        numbers &= set(await self.states())
        await self.until_told(lambda _told: numbers <= self.ended, "every accepted message to end")
        if self._restarted:
            self.recoveries.append(asyncio.get_running_loop().time() - self._started_at)
            self._restarted = False

    # looking

    async def messages(self) -> list[dict[str, Any]]:
        """Read every message of the ledger, over the API."""
        return await self.client.pages("messages", "messages")

    async def states(self) -> dict[str, str]:
        """Give the state of each destination."""
        return {row["destination"]: row["state"] for row in await self.messages()}

    async def feed(self) -> list[dict[str, Any]]:
        """Read every event of the ledger, over the API."""
        return await self.client.pages("events", "events")

    async def _until_feed_told(self) -> None:
        """Wait until the feed holds every end, and all that it holds was told.

        The feed may come later than the callbacks: it shows an event once no earlier one can come any more.
        """
        await self.within("every end to be in the feed", self._until_feed_whole())
        while True:
            feed = await self.feed()
            owed = {(event["msisdn"], event["sequence"]) for event in feed}
            await self.until_told(
                lambda told: all(sequence in told[number] for number, sequence in owed),  # noqa: B023
                "every event to be told",
            )
            if len(await self.feed()) == len(feed):
                return

    async def _until_feed_whole(self) -> None:
        while True:
            rows = await self.messages()
            last = {event["messageId"]: event["state"] for event in await self.feed()}
            if all(last.get(row["messageId"]) == row["state"] for row in rows if row["state"] in ENDS):
                return
            await self._clock.sleep(POLL_S)

    async def verdict(self) -> Evidence:
        """Wait until all is over, stop everything, and hold what was written down against the invariants.

        Errors: Violated. `found` then holds the evidence as far as there is any.
        """
        assert self.process is not None
        await self.retry()
        hung: list[Violation] = []
        try:
            await self.until_final()
            await self._until_feed_told()
            await self.meanwhile("the last receipts", self.smsc.until(lambda counts: counts.receipts_waiting == 0))
        except Violated as violated:
            # What hangs is looked at as it stands: the checker says which promise that breaks.
            hung += violated.violations
        evidence = self.found = await self._collect()
        violations = evidence.violations()
        if violations or hung:
            raise Violated(*violations, *hung)
        return evidence

    async def look(self) -> None:
        """Hold what there is so far against what must hold at any time. Errors: Violated."""
        # The journals first: what they tell was in the ledger before.
        journals = read_journals(self.directory)
        self.found = evidence = await self._read(journals)
        evidence.check_so_far()

    async def _collect(self) -> Evidence:
        read = await self._read(Journals([], [], [], []))
        # Of one that was seen twice nobody may think that it stands for another one that is gone.
        while await self._orphans() != read.orphans:
            read = await self._read(Journals([], [], [], []))
        await self.stop()
        await self.smsc.stop()
        await self.receiver.stop()
        unsound = await self.store.unsound()
        demand(not unsound, "I1", f"the ledger is not whole: {unsound}")
        return replace(read, **read_journals(self.directory)._asdict())

    async def _orphans(self) -> int:
        """Count the receipts that wait for their message."""
        return sum(row["count"] for row in await self.do("ledger.orphans"))

    async def _read(self, journals: Journals) -> Evidence:
        # Before the timelines: an orphan that finds its message meanwhile is seen twice, never not at all.
        orphans = await self._orphans()
        messages, feed = await self.messages(), await self.feed()
        timelines = await read_timelines(self.client, messages)
        self.samples.append(await self.states())
        return Evidence(
            asks=self.client.asks,
            messages=messages,
            timelines=timelines,
            feed=feed,
            orphans=orphans,
            samples=self.samples,
            kills=self.kills,
            **journals._asdict(),
        )


@asynccontextmanager
async def open_world(
    directory: Path,
    store: Store,
    script: Script | None = None,
    *,
    program: Program | None = None,
    patience_s: float = PATIENCE_S,
) -> AsyncIterator[World]:
    """Build a world; whatever still runs at the end is killed."""
    smsc = SmscSimulator(script=script, journal=directory / SMSC_JOURNAL, keep=100_000)
    receiver = CallbackReceiver(journal=directory / RECEIVER_JOURNAL, on_event=lambda delivery: world.hear(delivery))
    client = Client(directory / CLIENT_JOURNAL)
    world = World(directory, store, smsc, receiver, client, program=program or Program(), patience_s=patience_s)
    await smsc.start()
    await receiver.start()
    try:
        yield world
    finally:
        await client.close()
        if world.process is not None:
            await world.process.kill()
        await smsc.stop()
        await receiver.stop()
