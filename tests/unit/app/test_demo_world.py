"""The outside of a demo: what its knobs change, what its handsets show, and the door that a gateway reaches it by."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from loa.app.demo_door import Door, serve_door
from loa.app.demo_handsets import BUBBLES_KEPT, BUBBLES_SHOWN, Handsets
from loa.app.demo_knobs import KNOBS, smsc_script, zalo_script
from loa.app.demo_state import DemoState
from loa.app.demo_world import SCRIPT, DemoWorld
from loa.app.demo_zalo import SCRIPT as ZALO
from loa.console.world import ANSWERED, Reached, World
from loa.errors import CallerError, StorageUnavailable
from loa.observe.clock import SystemClock
from loa.simulators.receiver.server import Delivery
from loa.simulators.smsc.events import Shown, Taken
from loa.simulators.zalo.watch import Shown as ShownOnZalo

AT = 1_795_000_000_000


def demo_world(directory: Path, kills: list[str] | None = None) -> DemoWorld:
    state = DemoState("key", "test key", "whsec_" + "A" * 43 + "=")
    return DemoWorld(directory, state, SystemClock(), kill=lambda: (kills or []).append("killed"))


def show(world: DemoWorld, number: str, text: str, coding: int = 0) -> None:
    world.handsets.on_smsc(Taken(AT, 1, "1", "loa", "LOA", number, text, None, 1, coding))
    world.handsets.on_smsc(Shown(AT, "LOA", number, text, 1))


@asynccontextmanager
async def door_of(world: DemoWorld) -> AsyncIterator[Door]:
    ours, theirs = socket.socketpair()
    for each in (ours, theirs):
        each.setblocking(False)
    serving = asyncio.create_task(serve_door(world, ours))
    door = Door(theirs)
    yield door
    await door.close()
    await serving


@pytest.mark.parametrize("name", KNOBS)
def test_each_knob_changes_something_and_nothing_is_left_of_it(name: str, tmp_path: Path) -> None:
    assert smsc_script(SCRIPT, {name}) != SCRIPT or zalo_script(ZALO, {name}) != ZALO
    world = demo_world(tmp_path)
    plain = (world.smsc.script, world.zalo.script)
    world.turn(name, on=True)
    assert world.look().knobs == (name,)
    world.normal()
    assert (world.smsc.script, world.zalo.script) == plain
    assert world.look().knobs == ()


def test_knobs_are_put_together() -> None:
    both = zalo_script(ZALO, {"drop_response", "throttle", "duplicate_receipt", "not_on_zalo"})
    assert {each.does for each in both.faults} == {"silent", "rate"}
    assert {each.does for each in both.event_faults} == {"drop", "duplicate"}
    assert set(both.off_zalo) == {"", *ZALO.off_zalo}
    held = smsc_script(SCRIPT, {"slow_answer"}, held=True)
    assert held.delayed.after == ANSWERED


def test_an_unknown_knob_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="there is no knob"):
        demo_world(tmp_path).turn("louder", on=True)


def test_handsets_stand_by_their_newest_text(tmp_path: Path) -> None:
    world = demo_world(tmp_path)
    assert world.look().chosen is None
    show(world, "84911111111", "một", 8)
    show(world, "84922222222", "two")
    world.handsets.on_zalo(ShownOnZalo(AT, "Shop", "84911111111", "text", "ba", "z1"))
    sight = world.look()
    assert [(each.id, each.number, each.count) for each in sight.handsets] == [
        (1, "84911111111", 2),
        (2, "84922222222", 1),
    ]
    assert [(each.network, each.text, each.encoding) for each in sight.bubbles] == [
        ("sms", "một", "ucs2"),
        ("zalo", "ba", ""),
    ]
    assert [each.text for each in world.look(2).bubbles] == ["two"]
    assert world.look(7).chosen == sight.chosen


def test_what_is_kept_is_bounded() -> None:
    handsets = Handsets(lambda: None)
    for number in range(BUBBLES_KEPT + 7):
        handsets.on_smsc(Shown(AT, "LOA", "84911111111", f"run {number}", 1))
    (handset,) = handsets.newest()
    assert len(handsets.bubbles(handset)) == BUBBLES_SHOWN
    assert handsets.reached("run") == Reached(BUBBLES_KEPT, 1)


def test_an_answer_is_marked_once_the_endpoint_has_it(tmp_path: Path) -> None:
    world = demo_world(tmp_path)
    with pytest.raises(CallerError, match="no such handset"):
        world.say(1, "hello")
    show(world, "84955555555", "hello")
    with pytest.raises(CallerError, match="1 to 500"):
        world.say(1, " ")
    world.say(1, "còn hàng không?")
    assert [each.reported for each in world.look().bubbles if each.theirs] == [False]
    (name,) = world.handsets._unreported
    for status, reported in ((500, False), (200, True)):
        body = f'{{"message":"{name}"}}'.encode()
        world.handsets.on_callback(Delivery(AT, 1, "POST", "/", "", {}, body, "valid", status))
        assert [each.reported for each in world.look().bubbles if each.theirs] == [reported]


async def test_the_door_shows_turns_and_refuses(tmp_path: Path) -> None:
    kills: list[str] = []
    state = DemoState("key", "test key", "whsec_" + "A" * 43 + "=")
    world = DemoWorld(tmp_path, state, SystemClock(), kill=lambda: kills.append("killed"))
    show(world, "84911111111", "hello")
    async with door_of(world) as door:
        asked: World = door
        assert asked.knobs == tuple(KNOBS)
        assert await asked.look() == world.look()
        await asked.do("world.turn", knob="throttle", on=True)
        assert (await asked.look()).knobs == ("throttle",)
        with pytest.raises(CallerError, match="there is no knob"):
            await asked.do("world.turn", knob="louder", on=True)
        await asked.hold("RUN")
        assert world.smsc.script.delayed.after == ANSWERED
        await asked.do("world.crash", run="RUN", newest=7, before={"accepted": 1})
        assert kills == ["killed"]
        assert world.smsc.script.delayed.after == 0
        crash = (await asked.look()).crash
        assert crash is not None
        assert (crash.newest, crash.before, crash.back_at) == (7, {"accepted": 1}, 0)
        world.gateway_is_back()
        crash = (await asked.look()).crash
        assert crash is not None
        assert crash.back_at >= crash.killed_at


async def test_whoever_gives_up_waiting_leaves_nobody_the_wrong_answer(tmp_path: Path) -> None:
    world = demo_world(tmp_path)
    async with door_of(world) as door:
        await door.look()
        given_up = asyncio.create_task(door.look())
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        assert await door.do("world.normal") is None
        assert (await door.look()).knobs == ()


async def test_a_door_whose_other_side_is_gone_says_so(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    for each in (ours, theirs):
        each.setblocking(False)
    door = Door(theirs)
    asked = asyncio.create_task(door.look())
    assert await asyncio.get_running_loop().sock_recv(ours, 100)
    ours.close()
    with pytest.raises(StorageUnavailable, match="supervisor"):
        await asked
    with pytest.raises(StorageUnavailable, match="supervisor"):
        await door.look()
    await door.close()
