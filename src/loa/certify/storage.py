"""The stages that take the ledger's storage away: it stalls, loses its power, is restarted, is full."""

import asyncio
import contextlib
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final, get_args

from loa.certify.client import ACKNOWLEDGED, OTP, TRANSACTIONAL, Ask, unanswered
from loa.certify.engines import NotTried, Server
from loa.certify.invariants import Violated, Violation, demand
from loa.certify.kills import load_until_some, meanwhile, sending_ends
from loa.certify.load import BUSY_SMSC, draw, draw_many, send_through
from loa.certify.power import Loss
from loa.certify.trial import Trial
from loa.certify.workload import control_losses, lay_out, missing, record
from loa.certify.world import DOOR_SHUT, NO_RECEIPTS_YET, POLL_S, World
from loa.observe.clock import SystemClock
from loa.simulators.smsc.script import Script

GRACE_S: Final = 0.5
"""How long Loa is watched for saying something that its stalled storage does not hold."""
PAUSE_S: Final = 10.0
STALLS: Final = 3
FULL_SETTINGS: Final = {"LEDGER__RESERVE_BYTES": "4000000", "LIMITS__DISK_FREE_MIN_BYTES": "100000"}
LEDGER_FAILED: Final = 7
"""The exit code of a Loa whose ledger failed."""


async def stalls(trial: Trial) -> None:
    """Stall the storage while Loa accepts, claims and takes receipts, and kill it there.

    What a Loa says before its ledger holds it is said now, and gone after the kill: an answer (I1), a hand-over (I3),
    an acknowledged receipt (I6).
    """
    for scene in (_stall_accepting, _stall_claiming, _stall_taking_receipts):
        async with trial.world(faults="stalls") as world:
            await scene(world)
            await world.store.resume()
            await world.boot()
            await world.look()
            await world.verdict()
        trial.tried()


async def _stall_accepting(world: World) -> None:
    await world.boot()
    asks = world.client.asks_of_each_class()
    await world.store.stall()
    async with meanwhile(_send(world, asks)) as sending:
        await world.meanwhile("an accept to reach the storage", world.store.stalled())
        await _grace(sending_ends(sending))
        await world.kill()
        await sending


async def _send(world: World, asks: list[Ask]) -> None:
    await world.send(asks)


async def _stall_claiming(world: World) -> None:
    world.smsc.change(DOOR_SHUT)
    await world.boot()
    await world.accept(world.client.asks_of_each_class())
    await world.store.stall()
    world.smsc.change(Script())
    await world.meanwhile("a claim to reach the storage", world.store.stalled())
    await _grace(world.smsc.until(lambda counts: counts.accepted > 0))
    await world.kill()


async def _stall_taking_receipts(world: World) -> None:
    world.smsc.change(NO_RECEIPTS_YET)
    await world.boot()
    await world.accept(world.client.asks_of_each_class())
    await world.within("everything to be sent", _all_sent(world))
    await world.store.stall()
    world.smsc.change(Script())
    await world.meanwhile("a receipt to reach the storage", world.store.stalled())
    await _grace(world.smsc.until(lambda counts: counts.receipts_acked > 0))
    await world.kill()


async def _all_sent(world: World) -> None:
    clock = SystemClock()
    while set((await world.states()).values()) != {"sent"}:
        await clock.sleep(POLL_S)


async def _grace(slip: Coroutine[Any, Any, None]) -> None:
    """Give Loa a moment for a slip that it must not make."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE_S):
            await slip


async def power_cuts(trial: Trial) -> None:
    """Cut the power: of a model of the disk at every step, or of server and Loa together."""
    server = trial.engine.server
    if server is None:
        await _cut_the_model(trial)
    else:
        await _cut_the_server(trial, server)


async def _cut_the_model(trial: Trial) -> None:
    folder, after = trial.folder, trial.folder / "after"
    after.mkdir(parents=True)
    recorded = await record(folder)
    found: list[Violation] = []
    for loss in get_args(Loss):
        for promised, files in recorded.disks(loss, trial.plan.seed):
            if gone := missing(lay_out(after, files), promised):
                found.append(Violation("I1", f"power cut, unsynced writes {loss} lost: {gone}"))
            trial.stage.tried += 1
        trial.step()
    weaker = control_losses(folder, after, "normal", trial.plan.seed)
    demand(weaker > 0, "model", "the model of the disk finds no loss under a setting that must lose: it proves nothing")
    trial.stage.notes.append(f"control: with synchronous=normal the same model loses answered rows at {weaker} cuts")
    if found:
        raise Violated(*found)


async def _cut_the_server(trial: Trial, server: Server) -> None:
    for _ in range(trial.plan.server_kills):
        async with trial.world(BUSY_SMSC) as world:
            await world.boot()
            await load_until_some(trial, world, server.kill)
            await server.start()
            await world.boot()
            await world.verdict()
        trial.tried()


async def server_restarts(trial: Trial) -> None:
    """Kill the server with SIGKILL and start it again, then hold it for a while; Loa goes on by itself."""
    server = trial.engine.server
    if server is None:
        raise NotTried("the engine runs inside Loa: there is no server to restart")
    for held in (False, True):
        async with trial.world(BUSY_SMSC) as world:
            await world.boot()
            async with meanwhile(send_through(world, draw_many(world.client, trial.chance))) as sending:
                await world.meanwhile("submits", world.smsc.until(lambda counts: counts.submits > 0))
                await (_hold(server) if held else _kill_and_start(server))
                world.trouble()
                await world.meanwhile("every request to be accepted", sending_ends(sending))
            await world.verdict()
        trial.tried()


async def _kill_and_start(server: Server) -> None:
    await server.kill()
    await server.start()


async def _hold(server: Server) -> None:
    await server.pause()
    await SystemClock().sleep(PAUSE_S)
    await server.resume()


async def full_disk(trial: Trial) -> None:
    """Fill the disk: new work is refused and nothing is lost; then have the syncs of Loa's own ledger fail."""
    scenes = (_fill, _fail_syncs) if trial.engine.server is None else (partial(_fill_the_server, trial),)
    for scene in scenes:
        async with trial.world(NO_RECEIPTS_YET, faults="fills") as world:
            await scene(world)
            await world.verdict()
        trial.tried()


async def _fill_the_server(trial: Trial, world: World) -> None:
    """Fill the server's disk until Loa refuses, make room, and see that all goes on."""
    world.smsc.change(Script())
    await world.boot()
    await world.accept(world.client.asks_of_each_class())
    await world.store.fill()
    await world.within("a request to be refused on a full disk", _send_until_refused(trial, world))
    await world.store.clear()
    await world.revive()
    world.trouble()
    await world.within("every request to be accepted", send_through(world, unanswered(world.client.asks)))


async def _send_until_refused(trial: Trial, world: World) -> None:
    """Send until there is no room; the last rows may still find some."""
    status = 201
    while status in ACKNOWLEDGED:
        status = await world.client.send(draw(world.client, trial.chance))
    demand(status == 503, "F16", f"with its server's disk full Loa answered {status}, not 503")


async def _fill(world: World) -> None:
    await world.boot(settings=FULL_SETTINGS)
    early = [world.client.ask(OTP), world.client.ask(TRANSACTIONAL, 20)]
    await world.accept(early)
    await world.meanwhile("submits", world.smsc.until(lambda counts: counts.accepted == 21))
    await world.store.fill()
    late = world.client.ask(TRANSACTIONAL)
    _refused("F16", late, await world.send([late]))
    world.smsc.change(Script())
    await world.until_state(early, "delivered")
    _refused("F16", late, await world.send([late]))
    await world.store.clear()
    await world.accept([late])


def _refused(rule: str, ask: Ask, statuses: list[int]) -> None:
    demand(statuses == [503], rule, f"with its disk failing Loa answered {ask.request_id} {statuses[0]}, not 503")


async def _fail_syncs(world: World) -> None:
    world.smsc.change(Script())
    await world.boot()
    early = world.client.asks_of_each_class()
    await world.accept(early)
    await world.until_state(early, "delivered")
    await world.store.fail_syncs(failing=True)
    late = world.client.ask(TRANSACTIONAL)
    _refused("F15", late, await world.send([late]))
    await world.until_ended(LEDGER_FAILED)
    await world.store.fail_syncs(failing=False)
    await world.boot()
