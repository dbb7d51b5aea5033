"""F41: no file descriptor left, no memory left: what was acknowledged is kept, and work goes on when there is room."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from loa.certify.client import LONG_TEXT, OTP, TRANSACTIONAL, Ask, unanswered
from loa.certify.process import LoaProcess, Program
from loa.certify.sqlite import SqliteStore
from loa.certify.world import DOOR_SHUT, World, open_world
from loa.simulators.smsc.script import Script

pytestmark = [pytest.mark.crash, pytest.mark.timeout(120)]

SPARE_FILES = 12
FLOOD = 300
BODY = 400_000
TOLD_TO_GO = 503


def pid_of(world: World) -> int:
    assert world.process is not None
    return world.process._process.pid


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def address_space(pid: int) -> int:
    """Give what a process takes of it. Units: octets."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


@asynccontextmanager
async def flooded(url: str, count: int, body: int = 0) -> AsyncIterator[None]:
    """Hold so many connections as far as they are taken, each with a request of which a part is still to come."""
    parts = urlsplit(url)
    head = "POST /api/vendor/v1/sms/send-message HTTP/1.1\r\nHost: x\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {body + 1}\r\n\r\n"
    async with AsyncExitStack() as held:
        for _ in range(count):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
            held.callback(writer.close)
            writer.write(head.encode() + b" " * body)
        yield


async def end(world: World) -> None:
    """End Loa, whether or not it has ended by itself."""
    assert world.process is not None
    await world.process.kill()
    await world._gone()


async def test_f41_without_a_file_descriptor_left_it_closes_or_refuses_and_goes_on_when_there_are_some(
    world: World,
) -> None:
    await world.boot()
    before = [world.client.ask(TRANSACTIONAL, 2), world.client.ask(OTP)]
    await world.accept(before)
    pid = pid_of(world)
    most = open_files(pid) + SPARE_FILES
    before_that = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, before_that[1]))
    async with flooded(world.client.url, FLOOD):
        async with asyncio.timeout(30):
            while open_files(pid) < most - 1:
                await world.send([world.client.ask(OTP)])
        fresh = [world.client.ask(OTP) for _ in range(20)]
        statuses = await world.send(fresh)
        assert set(statuses) <= {0, 200, 201, TOLD_TO_GO}, statuses
        assert 0 in statuses or TOLD_TO_GO in statuses
        assert open_files(pid) <= most
    async with asyncio.timeout(30):
        # One after the other: the limit stays.
        while left := unanswered(world.client.asks):
            await world.client.send(left[0])
    assert world.process is not None
    assert not world.process.over
    # To look at all of it at once takes more than work does.
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before_that)
    found = await world.verdict()
    assert all(count <= 1 for ask in world.client.asks if ask.kind == OTP for count in found.submitted(ask))


async def test_f41_a_flood_that_takes_all_memory_loses_nothing_that_was_acknowledged(world: World) -> None:
    world.smsc.change(DOOR_SHUT)
    await world.boot()
    await world.accept([world.client.ask(TRANSACTIONAL, 2), world.client.ask(OTP)])
    pid = pid_of(world)
    most = address_space(pid)
    resource.prlimit(pid, resource.RLIMIT_AS, (most, most))
    assert world.process is not None
    asks: list[Ask] = []
    statuses = [201]
    async with asyncio.timeout(60), flooded(world.client.url, FLOOD, BODY):
        while set(statuses) <= {200, 201} and not world.process.over:
            more = [world.client.ask(TRANSACTIONAL, 500, LONG_TEXT) for _ in range(8)]
            asks += more
            statuses = await answered(world, more)
    assert set(statuses) <= {0, 200, 201, 500, TOLD_TO_GO}, statuses
    await end(world)
    for ask in asks:
        if not ask.acknowledged:
            # Not asked again: what is not acknowledged may be there or not.
            world.client.asks.remove(ask)
    world.smsc.change(Script())
    await world.boot()
    kept = set(await world.states())
    assert kept >= {number for ask in world.client.asks for number in ask.numbers}
    assert await world.store.unsound() == ""


async def answered(world: World, asks: list[Ask]) -> list[int]:
    """Send requests; one whose task died for want of memory hears nothing, which counts as a broken connection."""
    try:
        async with asyncio.timeout(10):
            return await world.send(asks)
    except TimeoutError:
        return [0]


@pytest.mark.parametrize("mib", [20, 40, 60, 80, 100])
async def test_f41_a_start_without_memory_ends_or_serves_and_leaves_the_ledger_sound(tmp_path: Path, mib: int) -> None:
    async with open_world(tmp_path, SqliteStore(tmp_path)) as world:
        world.smsc.change(DOOR_SHUT)
        await world.boot()
        asks: list[Ask] = [world.client.ask(TRANSACTIONAL, 3), world.client.ask(OTP)]
        await world.accept(asks)
        await world.kill()
        await started_within(world, mib)
        world.smsc.change(Script())
        await world.boot()
        found = await world.verdict()
        assert all(found.message(ask)["state"] in ("delivered", "unknown") for ask in asks)


async def started_within(world: World, mib: int) -> None:
    """Start Loa with so much memory, and see it serve or end by itself with an error."""
    limited = ("sh", "-c", f'ulimit -v {mib * 1024}; exec "$@"', "sh", *Program().plain)
    process = await LoaProcess.start(limited, world.directory, {})
    assert process._process.stdout is not None
    line = await world.within("Loa to serve or to end", process._process.stdout.readline())
    if line:
        assert await process.kill() == -9
    else:
        assert await world.within("Loa to end", process.ended()) != 0
    assert sys.executable in Program().plain
