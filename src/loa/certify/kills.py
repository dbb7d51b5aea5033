"""The stages that end Loa's process: at every named point, at random, in a storm, and in order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from loa.certify.client import LONG_TEXT, TRANSACTIONAL, Ask
from loa.certify.invariants import demand, shown
from loa.certify.load import (
    ASKS_A_ROUND,
    BUSY_SMSC,
    Countdown,
    draw,
    draw_many,
    send_through,
    send_until_gone,
    until_some,
)
from loa.certify.trial import Trial
from loa.certify.world import World
from loa.ports.probe import Point
from loa.simulators.smsc.script import Fortune, Script

ROUNDS_A_WORLD: Final = 10
STORM_ASKS_MAX: Final = 40
NEVER_REPORTED: Final = Script(fortunes=(Fortune("NONE"),))
INTAKE: Final = frozenset({Point.INTAKE_PARSED, Point.LEDGER_IN_ACCEPT, Point.INTAKE_COMMITTED})
"""Points that a request reaches on its way in: nobody has been answered there."""
BATCHES: Final = frozenset({Point.BATCH_SUBMITTED, Point.BATCH_RECORDED})
"""Reached only where tables are handed in; tests/crash kills there."""
ZALO: Final = frozenset({Point.SILENCE_ASKED, Point.GRANT_MARKED, Point.GRANT_ANSWERED, Point.GRANT_KEPT})
"""Points that the load does not pass: it has one channel, without a grant. tests/crash kills there, with Zalo."""
CASES: Final = (
    *((point, Script()) for point in Point if point not in ZALO | BATCHES),
    (Point.LINK_WRITTEN, NEVER_REPORTED),
    (Point.DISPATCH_ANSWERED, NEVER_REPORTED),
)
"""Where Loa is killed, and what the SMSC does with what it has taken by then."""

T = TypeVar("T")


@asynccontextmanager
async def meanwhile(going_on: Coroutine[Any, Any, None]) -> AsyncIterator["asyncio.Task[None]"]:
    """Have something go on beside; what is left of it at the end is cancelled."""
    task = asyncio.create_task(going_on)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def two_at_once(cases: Iterable[T], run: Callable[[T], Coroutine[Any, Any, None]]) -> None:
    """Run every case, two at a time: most of each is waiting for evidence."""
    waiting = iter(cases)

    async def worker() -> None:
        for case in waiting:
            await run(case)

    async with meanwhile(worker()) as other:
        await worker()
        await other


async def named_points(trial: Trial) -> None:
    """Kill Loa at every named point, once each and twice where a receipt makes a difference."""

    async def one(case: tuple[Point, Script]) -> None:
        point, script = case
        async with trial.world() as world:
            asks = [*world.client.asks_of_each_class(), world.client.ask(TRANSACTIONAL, text=LONG_TEXT)]
            if point in INTAKE:
                await world.boot(point)
                await world.send(asks)
                await world.killed()
            else:
                await world.crash(point, asks, script)
            world.smsc.change(Script())
            await world.boot()
            await world.verdict()
        trial.tried()

    await two_at_once(CASES, one)


async def random_kills(trial: Trial) -> None:
    """Kill Loa under load when a random number of answers, submits, receipts or callbacks has been seen."""
    for first in range(0, trial.plan.rounds, ROUNDS_A_WORLD):
        async with trial.world(BUSY_SMSC) as world:
            await world.boot()
            for _ in range(first, min(first + ROUNDS_A_WORLD, trial.plan.rounds)):
                await load_until_some(trial, world)
                await world.boot()
                await world.retry()
                await world.until_final()
                trial.tried()
            await world.verdict()


async def load_until_some(
    trial: Trial, world: World, also: Callable[[], Coroutine[Any, Any, None]] | None = None
) -> None:
    """Load Loa, wait for a random moment, do what is `also` asked for, and kill Loa."""
    wanted = trial.chance.randint(1, ASKS_A_ROUND // 2)
    answers = Countdown(wanted)
    asks = draw_many(world.client, trial.chance)
    async with meanwhile(send_until_gone(world, asks, answers.step)) as sending:
        await world.meanwhile("the moment to kill", until_some(world, trial.chance, answers, wanted))
        if also is not None:
            await also()
        await world.kill()
        await sending


async def storm(trial: Trial) -> None:
    """Kill Loa again and again while clients go on, mostly before it has recovered from the time before."""
    async with trial.world(BUSY_SMSC) as world:
        over = False
        answers = [Countdown(0)]

        def asks() -> Iterator[Ask]:
            while not over:
                yield draw(world.client, trial.chance)

        await world.boot()
        async with meanwhile(send_through(world, asks(), lambda: answers[0].step())) as sending:
            for _ in range(trial.plan.storm):
                wanted = trial.chance.randint(0, STORM_ASKS_MAX)
                answers[0] = Countdown(wanted)
                if wanted:
                    await world.meanwhile("answers", answers[0].over())
                await world.kill()
                await world.boot()
                trial.tried()
            over = True
            await world.within("the last requests", sending_ends(sending))
        await world.verdict()


async def sending_ends(sending: "asyncio.Task[None]") -> None:
    """Wait for the senders; who gives up waiting does not end them."""
    await asyncio.shield(sending)


async def orderly_stops(trial: Trial) -> None:
    """Stop Loa with SIGTERM under load: it takes nothing new and leaves no outcome unknown."""

    async def one(wanted: int) -> None:
        async with trial.world(BUSY_SMSC) as world:
            await world.boot()
            asks = draw_many(world.client, trial.chance)
            async with meanwhile(send_until_gone(world, asks)) as sending:
                await world.meanwhile("submits", world.smsc.until(lambda counts: counts.submits >= wanted))
                await world.stop()
                await sending
            await world.boot()
            found = await world.verdict()
            for row in found.timelines.values():
                unknown = any(attempt["outcome"] == "unknown" for attempt in row["attempts"])
                demand(not unknown, "F42", f"an orderly stop left {row['destination']} unknown", *shown(row))
        trial.tried()

    moments = [trial.chance.randint(1, ASKS_A_ROUND // 2) for _ in range(trial.plan.stops)]
    await two_at_once(moments, one)
