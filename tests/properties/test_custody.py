"""Two custodians on one ledger, cut off at any wait, with answers that are lost, late or refused.

Whatever happens: no refresh token reaches the server twice, and the newest pair that it gave is on disk in the end, or
a person is called for.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from random import Random

import apsw
import pytest
from tests.support.fakes import EPOCH, FakeClock, QuietProbe
from tests.support.grants import Issuer, MemoryGrants, pair

from loa.errors import StorageUnavailable
from loa.ports.grants import Failed, Failure
from loa.stages.custody import EVERY_MS, Custodian
from loa.stages.renewal import RIGHT_MS, Charge, Renewer

SETTLE_ROUNDS = 12
FATES = (*["go"] * 16, "fail", "fail", "fail", "kill", "time")
ANSWERS = (*[None] * 6, Failure.UNSENT, Failure.UNSERVED, Failure.DOUBTFUL, Failure.REFUSED)
WAITS_S = (1, 31, 61, RIGHT_MS // 1000)


@dataclass
class Stopped:
    """A process that waits at a gate."""

    where: str
    pass_on: "asyncio.Future[None]"


class Process:
    """One process with a custodian; it stands still at each gate until it is let on, fails there, or is never let on."""

    def __init__(self, world: "World") -> None:
        self.stopped: Stopped | None = None
        self.quiet = False
        ledger = world.ledger.through(self.gate)
        renewer = Renewer(ledger, world.clock, QuietProbe())
        self.custodian = Custodian(Charge(3, "oa", world.issuer, {}), ledger, renewer, world.clock, Random(1))
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(StorageUnavailable):
                await self.custodian.tick()
            await self.gate("idle")

    async def gate(self, where: str) -> None:
        if where == "read" or (self.quiet and where != "idle"):
            return
        self.stopped = Stopped(where, asyncio.get_running_loop().create_future())
        await self.stopped.pass_on

    def let_on(self, error: Exception | None = None) -> None:
        stopped, self.stopped = self.stopped, None
        assert stopped is not None
        if error is None:
            stopped.pass_on.set_result(None)
        else:
            stopped.pass_on.set_exception(error)


class World:
    """The ledger, the server, the processes, and the one who lets them on."""

    def __init__(self, connection: apsw.Connection, chance: Random) -> None:
        self.ledger, self.clock, self.issuer, self.chance = MemoryGrants(connection), FakeClock(), Issuer(), chance
        self.issuer.answer = self.answer
        self.running: list[Process] = []
        self.killed: list[Process] = []
        self.received: dict[Process, int] = {}
        self.calm = False

    async def answer(self, when: str) -> Failed | None:
        """Let the server be slow, and its answer be lost on either way."""
        if self.calm:
            return None
        process = next(each for each in self.running if each.task is asyncio.current_task())
        await process.gate(when)
        failure = self.chance.choice(ANSWERS)
        if failure is None or (when == "after" and failure is not Failure.DOUBTFUL):
            if when == "after":
                self.received[process] = self.issuer.newest
            return None
        return Failed(failure, "drawn")

    async def step(self) -> None:
        """Let one process make its next move."""
        process = self.chance.choice(self.running)
        fate = self.chance.choice(FATES)
        if process.stopped is None:
            # It waits for the clock, to store once more what could not be stored.
            self.clock.advance(1)
        elif fate == "fail" and process.stopped.where in ("write", "written"):
            process.let_on(StorageUnavailable("drawn"))
        elif fate == "kill":
            self.running.remove(process)
            self.killed.append(process)
            self.running.append(Process(self))
        elif fate == "time":
            self.clock.advance(self.chance.choice(WAITS_S))
        else:
            process.let_on()
        await self.come_to_rest()

    async def come_to_rest(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)

    async def settle(self) -> None:
        """Let everything that still runs come to its end, undisturbed."""
        self.calm = True
        for process in self.running:
            process.quiet = True
        for _ in range(SETTLE_ROUNDS):
            for process in self.running:
                if process.stopped is not None:
                    process.let_on()
            await self.come_to_rest()
            self.clock.advance(RIGHT_MS / 1000)
            await self.come_to_rest()

    async def close(self) -> None:
        tasks = [process.task for process in (*self.running, *self.killed)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def play(chance: Random) -> None:
    world = World(MemoryGrants.fresh().connection, chance)
    await world.ledger.keep(3, pair(1), EPOCH)
    world.clock.advance(EVERY_MS / 1000)
    world.running = [Process(world), Process(world)]
    try:
        await world.come_to_rest()
        for _ in range(chance.randint(5, 80)):
            await world.step()
            assert world.issuer.double == 0
        await world.settle()
        await verify(world)
    finally:
        await world.close()


async def verify(world: World) -> None:
    grant = await world.ledger.grant(3)
    assert grant is not None
    assert world.issuer.double == 0, "a refresh token was sent twice"
    newest = int(grant.tokens.refresh_token.partition("-")[2])
    assert newest == world.issuer.newest or grant.consent_needed, "the newest pair is lost, and nobody is told"
    received = [world.received.get(process, 0) for process in world.running]
    assert newest >= max(received), "a pair is lost that came to a process that lives"
    assert grant.consent_needed or grant.spent_at is None, "it stays in doubt for ever"
    for process in world.running:
        assert process.custodian.current() in ("", grant.tokens.access_token)


@pytest.mark.parametrize("hundred", [0, 1, 2])
def test_no_token_is_spent_twice_and_no_pair_is_lost_unnoticed(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        try:
            asyncio.run(play(Random(seed)))
        except AssertionError as error:
            error.add_note(f"seed {seed}")
            raise
