"""Killed at every named point of a renewal: no refresh token is sent twice, and no pair is lost without a word."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import pytest

from loa.ledger.sqlite.ledger import SqliteLedger
from loa.observe.clock import SystemClock
from loa.ports.grants import Grant, Tokens
from loa.ports.probe import Point
from loa.stages.custody import EVERY_MS
from loa.stages.renewal import INTERRUPTED, RIGHT_MS
from tests.crash.grant_process import CHANNEL
from tests.support.fakes import QuietProbe
from tests.support.grants import Issuer, pair

pytestmark = [pytest.mark.crash, pytest.mark.timeout(60)]

KILLED = -9
DUE_S = EVERY_MS / 1000
OVER_S = DUE_S + RIGHT_MS / 1000 + 10


class World:
    """A ledger file with one grant, and the server that gives pairs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.issuer, self.port = folder, Issuer(), 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        refresh_token, now = json.loads(await reader.readline())
        answer = await self.issuer.renew({}, refresh_token, now)
        given = list(asdict(answer).values()) if isinstance(answer, Tokens) else None
        writer.write(json.dumps(given).encode() + b"\n")
        await writer.drain()
        writer.close()

    async def run(self, later_s: float, point: str = "") -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.crash.grant_process", str(self.folder), str(self.port), str(later_s), point),
            cwd=Path(__file__).parents[2],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        out, _ = await process.communicate()
        return process.returncode or 0, out.decode().splitlines()[-1] if out else ""

    async def ledger(self) -> SqliteLedger:
        return await SqliteLedger.open(self.folder / "loa.db", probe=QuietProbe())

    async def grant(self) -> Grant:
        ledger = await self.ledger()
        found = await ledger.grant(CHANNEL)
        await ledger.close()
        assert found is not None
        return found


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    now = SystemClock().now()
    ledger = await world.ledger()
    await ledger.keep(CHANNEL, pair(1, now), now)
    await ledger.close()
    async with await asyncio.start_server(world.serve, "127.0.0.1", 0) as server:
        world.port = server.sockets[0].getsockname()[1]
        yield world
    assert world.issuer.double == 0


async def test_killed_before_the_request_the_token_is_not_sent_any_more_and_a_person_is_called(world: World) -> None:
    assert (await world.run(DUE_S, Point.GRANT_MARKED))[0] == KILLED
    assert (world.issuer.sent, (await world.grant()).consent_needed) == ([], "")
    assert await world.run(OVER_S) == (0, "access-1")
    grant = await world.grant()
    assert (world.issuer.sent, grant.consent_needed, grant.version) == ([], INTERRUPTED, 1)


async def test_killed_with_the_pair_in_memory_it_is_lost_and_a_person_is_called(world: World) -> None:
    assert (await world.run(DUE_S, Point.GRANT_ANSWERED))[0] == KILLED
    assert await world.run(OVER_S) == (0, "access-1")
    grant = await world.grant()
    assert (world.issuer.sent, grant.consent_needed, grant.version) == (["refresh-1"], INTERRUPTED, 1)


async def test_killed_with_the_pair_on_disk_it_is_worked_with(world: World) -> None:
    assert (await world.run(DUE_S, Point.GRANT_KEPT))[0] == KILLED
    assert await world.run(DUE_S + 10) == (0, "access-2")
    grant = await world.grant()
    assert (world.issuer.sent, grant.consent_needed, grant.version) == (["refresh-1"], "", 2)
