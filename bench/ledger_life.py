"""The ledger alone: one process takes messages through their life over the port `loa.ports.ledger`.

    .venv/bin/python bench/ledger_life.py --database postgresql://postgres@127.0.0.1:5432/bench --messages 200000

Concurrent callers accept requests; claims, outcomes and receipts follow as the stages make them: one claim after the
other while the window has room, then everything that waits is recorded or stored in one call. No HTTP, no SMPP.

Says when it is ready, waits for a line to begin, prints its figures as JSON, and waits for a line to end.
`bench/run.py life-100` makes the database, starts one or two of these and compares.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import hashlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from loa.app.gateway import GC_THRESHOLDS
from loa.app.ledgers import open_ledger
from loa.app.probes import NoProbe
from loa.domain.ids import new_referent_id, new_token
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted
from loa.domain.receipt import Receipt
from loa.domain.routes import plan_of
from loa.domain.traffic import TrafficClass
from loa.observe.clock import SystemClock
from loa.observe.log import configure
from loa.ports.channel import Attempt
from loa.ports.ledger import Ledger
from loa.ports.records import ApiKey, CallbackTry, NewSubmission, Settlement
from loa.settings.secret import Secret
from loa.settings.tree import Seal, Settings
from loa.stages.signal import Signal
from machine import own_rss_mib
from tools import BenchError

LIVES = ("sent", "delivered", "told")
"""Where a life ends: sent; delivered by a receipt, with its event; told, with its callback posted and recorded."""
TENANT = CHANNEL = "bench"
MASTER_KEY = base64.b64encode(bytes(32)).decode()
TEXT = "Your parcel arrives today between two and four. Please keep your phone within reach."
CLAIM, WINDOW, RECEIPTS, CALLBACKS = 500, 2_000, 1_000, 500
LANES = tuple((traffic_class, CLAIM) for traffic_class in TrafficClass)
CLAIM_MS, LIFETIME_MS = 90_000, 86_400_000
PAUSE_S, WAIT_S, WATCH_S, IDLE_S, PATIENCE_S = 0.002, 0.5, 0.2, 1.0, 30.0
DESTINATIONS, STRIDE = 99_999_989, 48_271
RAW = "id:{} sub:001 dlvrd:001 submit date:2611230914 done date:2611230915 stat:DELIVRD err:000 text:Your parcel"
REF_FACTOR, REF_MASK = 2_654_435, (1 << 40) - 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What one process does.

    `first`: the number of its first message, so that no destination comes twice. `idle`: how long nothing may come
    before it is over, since others may still be accepting; 0 for one that is alone. Units: seconds.
    """

    database: str
    folder: Path
    messages: int
    destinations: int = 100
    callers: int = 16
    life: str = "delivered"
    first: int = 0
    idle: float = IDLE_S


@dataclass(frozen=True, slots=True)
class Place:
    """The rows of the directory that messages belong to."""

    tenant_id: int
    key_id: int
    channel_id: int
    endpoint_id: int


def settings_of(database: str, folder: Path) -> Settings:
    """As shipped, on this ledger; one master key for all, since each process has a folder of its own."""
    return Settings(data_dir=folder, database=Secret(database), seal=Seal(keys=Secret(MASTER_KEY)))


async def prepare(ledger: Ledger) -> Place:
    """Find the directory's rows, or make them."""
    tenants = {tenant.name: tenant for tenant in await ledger.tenants()}
    now = SystemClock().now()
    tenant = tenants.get(TENANT) or await ledger.add_tenant(TENANT, now)
    keys = {key.name: key for key in await ledger.keys()}
    fresh = ApiKey(0, tenant.id, TENANT, hashlib.sha256(b"bench").digest(), "bench", live=True, permissions=frozenset())
    key = keys.get(TENANT) or await ledger.add_key(fresh)
    channels = {channel.name: channel for channel in await ledger.channels()}
    channel = channels.get(CHANNEL) or await ledger.add_channel(CHANNEL, "sandbox", {})
    url = "http://127.0.0.1/callback"
    endpoints = await ledger.endpoints(tenant.id) or [await ledger.add_endpoint(tenant.id, url, "whsec_bench")]
    return Place(tenant.id, key.id, channel.id, endpoints[0].id)


def destination(number: int) -> int:
    """The number-th destination; they are spread over all numbers as real ones are."""
    return 84_900_000_000 + number * STRIDE % DESTINATIONS


def ref_of(message_id: int) -> str:
    """The provider's reference of a message; as many providers' do, they come in no order."""
    return f"{message_id * REF_FACTOR & REF_MASK:010x}".lstrip("0")


class Life:
    """One process's part: accepts its messages, and takes every message it claims to the end of its life."""

    def __init__(self, ledger: Ledger, place: Place, plan: Plan) -> None:
        self.ledger = ledger
        self.place = place
        self.plan = plan
        self.clock = SystemClock()
        self.begun = self.clock.now()
        self.next = 0
        self.accepting = plan.callers
        self.claimed: list[Attempt] = []
        self.sent: list[Attempt] = []
        self.in_flight = self.storing = self.posting = 0
        self.over = False
        self.room, self.to_record, self.to_store = Signal(), Signal(), Signal()
        self.counts = dict.fromkeys(("accepted", "claimed", "sent", "delivered", "told"), 0)
        self.claim_seconds = 0.0
        self.claim_span = (0, 0)
        self.last_ns = 0
        self.rss: list[float] = []

    # intake

    def submission(self, request: int) -> NewSubmission:
        plan, place, now = self.plan, self.place, self.clock.now()
        first = request * plan.destinations
        numbers = range(plan.first + first, plan.first + min(plan.messages, first + plan.destinations))
        referent_id = new_referent_id(now)
        return NewSubmission(
            place.tenant_id,
            place.key_id,
            referent_id,
            new_token(referent_id),
            f"request-{self.begun}-{numbers.start}",
            hashlib.sha256(referent_id.encode()).digest(),
            False,
            "LOA",
            TEXT,
            "gsm7",
            1,
            TrafficClass.TRANSACTIONAL,
            now,
            now,
            now + LIFETIME_MS,
            [(plan_of(place.channel_id), [destination(number) for number in numbers])],
            place.endpoint_id if plan.life == "told" else None,
            answer={"accepted": len(numbers)},
        )

    async def accept(self) -> None:
        """One caller: a request after the other, each answered before the next."""
        requests = -(-self.plan.messages // self.plan.destinations)
        while self.next < requests:
            request, self.next = self.next, self.next + 1
            submission = self.submission(request)
            await self.ledger.accept(submission)
            self.counts["accepted"] += len(submission.plans[0][1])
        self.accepting -= 1

    # dispatch

    async def claim(self) -> None:
        """Claim while the window has room; end when nothing has come for a while."""
        moved = time.monotonic()
        while not self._done(moved):
            if self.in_flight + CLAIM > WINDOW:
                await self.room.wait(WAIT_S)
                continue
            began, now = time.monotonic_ns(), self.clock.now()
            attempts = await self.ledger.claim(self.place.channel_id, LANES, CLAIM, now, now + CLAIM_MS)
            if attempts:
                moved = time.monotonic()
                self._note_claim(attempts, began)
            elif time.monotonic() - max(moved, self.last_ns / 1e9) > PATIENCE_S:
                raise BenchError(f"the ledger stands still: {self.counts}")
            else:
                await asyncio.sleep(PAUSE_S)
        self.over = True
        self.to_record.set()
        self.to_store.set()

    def _done(self, moved: float) -> bool:
        if self.accepting or self.busy:
            return False
        if not self.plan.idle:
            return self.counts["claimed"] >= self.counts["accepted"]
        return time.monotonic() - moved >= self.plan.idle

    @property
    def busy(self) -> bool:
        """Whether claimed messages are still on their way."""
        return bool(self.in_flight or self.sent or self.storing or self.posting)

    def _note_claim(self, attempts: list[Attempt], began: int) -> None:
        ended = time.monotonic_ns()
        self.claim_seconds += (ended - began) / 1e9
        self.claim_span = (self.claim_span[0] or began, ended)
        self.counts["claimed"] += len(attempts)
        self.in_flight += len(attempts)
        self.claimed += attempts
        self.to_record.set()

    async def record(self) -> None:
        """Record that a provider took what was claimed; it answers at once."""
        while not self.over:
            attempts, self.claimed = self.claimed, []
            if not attempts:
                await self.to_record.wait(WAIT_S)
                continue
            now = self.clock.now()
            self.counts["sent"] += await self.ledger.record(
                [
                    Settlement(
                        a.message_id,
                        a.number,
                        a.channel_id,
                        Accepted((ref_of(a.message_id),)),
                        now,
                        tenant_id=a.tenant_id,
                    )
                    for a in attempts
                ]
            )
            self.last_ns = time.monotonic_ns()
            self.in_flight -= len(attempts)
            self.room.set()
            if self.plan.life != "sent":
                self.sent += attempts
                self.to_store.set()

    # receipts and callbacks

    def _receipt(self, attempt: Attempt, now: int) -> Receipt:
        ref = ref_of(attempt.message_id)
        raw = RAW.format(ref).encode()
        return Receipt(attempt.channel_id, (ref,), State.DELIVERED, "DELIVRD", attempt.destination, "000", raw, now)

    async def store(self) -> None:
        """Store a receipt for everything that was sent."""
        while not self.over:
            attempts, self.sent = self.sent[:RECEIPTS], self.sent[RECEIPTS:]
            if not attempts:
                await self.to_store.wait(WAIT_S)
                continue
            self.storing = len(attempts)
            now = self.clock.now()
            counts = await self.ledger.store([self._receipt(attempt, now) for attempt in attempts])
            self.counts["delivered"] += counts.applied
            self.last_ns = time.monotonic_ns()
            self.posting += counts.applied if self.plan.life == "told" else 0
            self.storing = 0

    async def post(self) -> None:
        """Claim the callbacks that are due and record that each was taken."""
        while not self.over and self.plan.life == "told":
            now = self.clock.now()
            due = await self.ledger.claim_due(CALLBACKS, CALLBACKS, now, now + CLAIM_MS, ())
            if not due:
                await asyncio.sleep(PAUSE_S)
                continue
            await self.ledger.record_tries(
                [CallbackTry(each.id, 1, now, 200, "", "", 5, delivered=True, next_at=None) for each in due]
            )
            self.last_ns = time.monotonic_ns()
            self.counts["told"] += len(due)
            self.posting -= len(due)

    # the whole

    async def watch(self) -> None:
        """Note the memory as the work goes on."""
        while not self.over:
            self.rss.append(own_rss_mib())
            await asyncio.sleep(WATCH_S)

    async def run(self) -> dict[str, Any]:
        """Live it all and give the figures. Units: nanoseconds of the machine's monotonic clock, MiB, seconds."""
        first_ns, cpu = time.monotonic_ns(), time.process_time()
        async with asyncio.TaskGroup() as group:
            for _ in range(self.plan.callers):
                group.create_task(self.accept())
            for stage in (self.claim, self.record, self.store, self.post, self.watch):
                group.create_task(stage())
        self.rss.append(own_rss_mib())
        return {
            **self.counts,
            "firstNs": first_ns,
            "lastNs": self.last_ns,
            "claimFirstNs": self.claim_span[0],
            "claimLastNs": self.claim_span[1],
            "claimSeconds": self.claim_seconds,
            "cpuSeconds": time.process_time() - cpu,
            "rssMiB": self.rss,
        }


async def live(plan: Plan) -> None:
    """Open the ledger as the product does, say so, wait for a line, live, tell, and wait for a line to end."""
    settings = settings_of(plan.database, plan.folder)
    sys.setswitchinterval(settings.ledger.switch_interval_s)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    ledger = await open_ledger(settings, NoProbe(), SystemClock())
    try:
        place = await prepare(ledger)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps(await Life(ledger, place, plan).run()), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    finally:
        await ledger.close()


def arguments() -> Plan:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True, help="URL of the ledger: postgresql://… or sqlite:///PATH")
    parser.add_argument("--folder", type=Path, required=True, help="the process's own folder")
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--destinations", type=int, default=100, help="of each request (default 100)")
    parser.add_argument("--callers", type=int, default=16, help="requests at once (default 16)")
    parser.add_argument("--life", choices=LIVES, default="delivered", help="where it ends (default delivered)")
    parser.add_argument("--first", type=int, default=0, help="number of the first message, apart for each process")
    parser.add_argument("--idle", type=float, default=IDLE_S, help="seconds without a claim after which it is over")
    return Plan(**vars(parser.parse_args()))


def main() -> int:
    plan = arguments()
    configure(json=False, level="warning")
    plan.folder.mkdir(parents=True, exist_ok=True)
    uvloop.run(live(plan))
    return 0


if __name__ == "__main__":
    sys.exit(main())
