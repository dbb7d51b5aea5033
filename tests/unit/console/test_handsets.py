"""The page of the first minutes over HTTP: what it shows to whom, what it does, and where there is none of it."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.support.console import Desk, fill, open_desk, visitor
from tests.support.native_api import Answer, call
from tests.support.scripted_world import ScriptedWorld, sight_of

from loa.console.handset_acts import RUN_NUMBERS
from loa.console.handsets import PATH, follow
from loa.console.language import Language
from loa.console.place import Place
from loa.console.world import RUN, Crash, Reached
from loa.domain.roles import Role
from loa.domain.routes import RouteStep
from loa.errors import CallerError
from loa.ports.records import MessageFilter

KEY = "loa_live_key"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phone")
    asyncio.run(fill(folder / "loa.db"))
    return folder


@pytest.fixture
async def desk(filled: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    desk = await open_desk(tmp_path / "loa.db")
    yield desk
    await desk.ledger.close()


def world(desk: Desk) -> ScriptedWorld:
    assert desk.world is not None
    return desk.world


async def get(desk: Desk, target: str = PATH) -> Answer:
    return await call(desk.app(), "GET", target, {}, b"")


async def post(desk: Desk, what: str, **fields: str) -> Answer:
    return await call(desk.app(), "POST", f"{PATH}/{what}", {}, urlencode(fields).encode())


def text(answer: Answer) -> str:
    return answer.body.decode()


async def demo_route(desk: Desk) -> None:
    """Give the first tenant what the demo's tenant has."""
    record = await desk.ledger.add_channel("demo-smsc", "smpp", {})
    await desk.ledger.add_sender(1, "LOA-DEMO", "brandname")
    await desk.ledger.add_route(1, [RouteStep(record.id)], sender="LOA-DEMO")


async def deeds(desk: Desk) -> list[str]:
    return [each.deed.verb for each in await desk.ledger.audit(None, 20)]


async def test_without_a_world_there_is_no_such_page(desk: Desk) -> None:
    desk.world = None
    assert (await get(desk)).status == 404
    assert (await post(desk, "crash", sure="1")).status == 404
    assert PATH not in text(await get(desk, "/console/"))


async def test_the_handset_shows_texts_by_network_to_whom_may_see_them(desk: Desk) -> None:
    page = text(await get(desk))
    assert desk.looks == ["phone"]
    for each in ("84912345678", "Mã xác thực của bạn là 482913", "UCS-2", "bubble zalo theirs", KEY, "812"):
        assert each in page
    desk.visitor = visitor(Role.ANALYST)
    page = text(await get(desk))
    assert desk.looks == ["phone"]
    for each in ("84912345678", "482913. Không", KEY, 'action="/console/phone/'):
        assert each not in page
    assert "84•••••••78" in page


async def test_another_handset_is_chosen_by_the_address(desk: Desk) -> None:
    assert '<b class="mono">84987654321</b>' in text(await get(desk, f"{PATH}?handset=1"))


async def test_a_message_is_sent_and_named(desk: Desk) -> None:
    await demo_route(desk)
    sent = await post(desk, "send", via="sms", number="0912345678", text="", **{"class": "otp"})
    (row,) = await desk.ledger.messages(1, MessageFilter(sender="LOA-DEMO"), None, 5)
    assert (sent.status, row["class"], row["channel"]) == (303, "otp", "demo-smsc")
    assert "sent=msg_" in sent.headers["location"]
    assert "messages.send" in await deeds(desk)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"via": "sms", "number": "113", "text": "x"}, 'id="wrong-number"'),
        ({"via": "zalo", "number": "0912345678", "text": "no template"}, 'id="wrong-text"'),
    ],
)
async def test_what_cannot_be_sent_is_marked_at_its_field(desk: Desk, fields: Mapping[str, str], said: str) -> None:
    await demo_route(desk)
    answer = await post(desk, "send", **fields)
    assert answer.status == 422
    assert said in text(answer)


async def test_knobs_are_turned_by_those_who_may_settle(desk: Desk) -> None:
    assert (await post(desk, "knobs", knob="throttle", on="1")).status == 303
    assert (await post(desk, "knobs", knob="drop_response", on="0")).status == 303
    assert (await post(desk, "knobs", knob="")).status == 303
    assert world(desk).told == [
        ("world.turn", {"knob": "throttle", "on": True}),
        ("world.turn", {"knob": "drop_response", "on": False}),
        ("world.normal", {}),
    ]
    assert {"world.turn", "world.normal"} <= set(await deeds(desk))
    desk.visitor = visitor(Role.DEVELOPER)
    assert (await post(desk, "knobs", knob="throttle", on="1")).status == 403
    assert len(world(desk).told) == 3


async def test_a_person_answers_or_follows(desk: Desk) -> None:
    assert (await post(desk, "reply", handset="2", text="Chào", do="say")).status == 303
    assert (await post(desk, "reply", handset="2", do="follow")).status == 303
    assert [verb for verb, _ in world(desk).told] == ["world.say", "world.follow"]
    world(desk).refuses = CallerError("reply", "too long")
    answer = await post(desk, "reply", handset="2", text="", do="say")
    assert answer.status == 422
    assert 'id="wrong-text"' in text(answer)
    desk.visitor = visitor(Role.ANALYST)
    assert (await post(desk, "reply", handset="2", text="Chào", do="say")).status == 403


async def test_a_crash_needs_a_yes_and_the_right_to_settle(desk: Desk) -> None:
    assert (await post(desk, "crash", run="")).status == 422
    assert world(desk).told == []
    assert (await post(desk, "crash", run="", sure="1")).status == 303
    ((verb, args),) = world(desk).told
    assert (verb, args["run"]) == ("world.crash", "")
    assert args["before"]["accepted"] > 0
    desk.visitor = visitor(Role.DEVELOPER)
    assert (await post(desk, "crash", run="", sure="1")).status == 403
    assert len(world(desk).told) == 1


async def test_fifty_messages_are_under_way_when_the_crash_comes(desk: Desk) -> None:
    await demo_route(desk)
    crashing = asyncio.create_task(post(desk, "crash", run="1", sure="1", **{"class": "otp"}))
    while not crashing.done():
        # Nothing carries the messages here, so the wait for most of them to be handed over takes its whole time.
        await asyncio.sleep(0)
        if desk.clock.waiting:
            desk.clock.advance(1)
    assert crashing.result().status == 303
    ((_, args),) = world(desk).told
    assert world(desk).held == [args["run"]]
    assert args["before"] == {"accepted": RUN, "waiting": RUN, "delivered": 0, "unknown": 0, "failed": 0}
    reached = Reached(RUN + 3, RUN)
    crash = Crash(args["run"], args["newest"], args["before"], Reached(), 1, 2)
    world(desk).sight = replace(sight_of(()), crash=crash, reached=reached)
    page = text(await get(desk))
    assert 'data-missing="0"' in page
    assert 'data-twice="3"' in page
    assert f"request_id=crash-{args['run']}" in page
    assert len(set(RUN_NUMBERS)) == RUN


async def test_a_message_that_is_missing_is_said_to_be(desk: Desk) -> None:
    crash = Crash("none", 1, {"accepted": 2, "waiting": 2, "delivered": 0, "unknown": 0, "failed": 0}, Reached(), 1)
    world(desk).sight = replace(sight_of(()), crash=crash)
    page = text(await get(desk))
    assert 'data-missing="2"' in page
    assert 'data-away=""' in page


async def test_the_stream_tells_only_what_changed(desk: Desk) -> None:
    tenant = (await desk.ledger.tenants())[0]
    place = Place((tenant,), tenant, "")
    told = follow(desk.parts(), place, Language.ENGLISH, Role.OWNER, 0, "")
    assert (await anext(told)).startswith("retry:")
    first = await anext(told)
    parts: dict[str, Any] = json.loads(first.partition("data: ")[2])
    assert set(parts) == {"phone-screen", "aftermath"}
    waiting = asyncio.ensure_future(anext(told))
    world(desk).sight = replace(world(desk).sight, version=8)
    while not desk.clock.waiting:
        await asyncio.sleep(0)
    desk.clock.advance(1)
    assert "id: 8-" in await waiting
    known = first.partition("id: ")[2].partition("\n")[0]
    world(desk).sight = replace(world(desk).sight, version=7)
    again = follow(desk.parts(), place, Language.ENGLISH, Role.OWNER, 0, known)
    await anext(again)
    assert await anext(again) == ": here\n\n"
    await told.aclose()
    await again.aclose()
