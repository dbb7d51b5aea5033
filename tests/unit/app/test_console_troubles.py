"""What is wrong is looked at every few seconds, whoever asks, and each cause is named."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.fakes import FakeClock, QuietProbe

from loa.app.console_troubles import EVERY_S, Look, Watch
from loa.console.troubles import Trouble
from loa.errors import CannotOpen, StorageUnavailable
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.channel import ChannelStatus

DOWN, UP = ChannelStatus(False, 0, 1, 0, 10), ChannelStatus(True, 1, 1, 0, 10)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    opened = await SqliteLedger.open(tmp_path / "loa.db", probe=QuietProbe())
    await opened.add_tenant("default", 0)
    yield opened
    await opened.close()


async def test_one_look_serves_all_who_ask_and_nobody_waits_for_the_next() -> None:
    clock, looks, goes_on = FakeClock(), [], asyncio.Event()

    async def look() -> Sequence[Trouble]:
        looks.append(clock.monotonic())
        if len(looks) > 1:
            await goes_on.wait()
        return [Trouble(f"look {len(looks)}", "bad")]

    watch = Watch(look, clock)
    asked = await asyncio.gather(*(watch.troubles() for _ in range(50)))
    assert [found[0].kind for found in asked] == ["look 1"] * 50
    clock.advance(EVERY_S - 1)
    assert (await watch.troubles())[0].kind == "look 1"
    assert len(looks) == 1
    clock.advance(1)
    assert [(await watch.troubles())[0].kind for _ in range(9)] == ["look 1"] * 9
    goes_on.set()
    while (await watch.troubles())[0].kind != "look 2":
        await asyncio.sleep(0)
    assert len(looks) == 2


async def test_channels_and_endpoints_that_do_not_work_are_named(ledger: SqliteLedger) -> None:
    states: dict[int, ChannelStatus] = {}
    look = Look(ledger, FakeClock(), lambda: states, 0)
    assert await look() == []
    for name in ("one", "two", "three"):
        made = await ledger.add_channel(name, "sandbox", {})
        states[made.id] = DOWN if name != "two" else UP
    await ledger.add_channel("elsewhere", "sandbox", {})
    paused = await ledger.add_channel("paused", "sandbox", {})
    states[paused.id] = DOWN
    await ledger.change_channel("paused", paused=True)
    for number in range(4):
        made_endpoint = await ledger.add_endpoint(1, f"https://{number}.example/", "whsec_x")
        await ledger.set_endpoint_health(made_endpoint.id, 1, 2, "gone")
    assert await look() == [
        Trouble("channel_down", "bad", "one", "/console/channels"),
        Trouble("channel_down", "bad", "three", "/console/channels"),
        Trouble("endpoint_off.many", "warn", "4", "/console/callbacks"),
    ]


async def test_a_disk_that_is_nearly_full_is_said(ledger: SqliteLedger) -> None:
    (found,) = await Look(ledger, FakeClock(), dict, 2**62)()
    assert (found.kind, found.tone) == ("disk_low", "warn")


class Away:
    """A ledger that cannot be read, or only slowly."""

    def __init__(self, error: Exception | None, clock: FakeClock) -> None:
        self._error, self._clock = error, clock

    def disk_free(self) -> None:
        return None

    def writable(self) -> bool:
        return True

    async def backup_at(self) -> int:
        self._clock.advance(1)
        if self._error is not None:
            raise self._error
        return 0

    async def channels(self) -> list[Any]:
        return []

    async def endpoints(self) -> list[Any]:
        return []


@pytest.mark.parametrize(
    ("error", "kinds"),
    [
        (StorageUnavailable("away"), ["ledger_failing"]),
        (CannotOpen("no key"), ["key_missing"]),
        (None, ["restored", "ledger_slow"]),
    ],
)
async def test_what_is_wrong_with_the_ledger_is_said(error: Exception | None, kinds: list[str]) -> None:
    clock = FakeClock()
    ledger: Any = Away(error, clock)
    assert [each.kind for each in await Look(ledger, clock, dict, 0)()] == kinds
