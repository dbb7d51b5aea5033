"""The screens without a browser: what they show to whom, what they keep, and what they refuse."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import QueryParams
from starlette.requests import Request
from tests.contract.ledger.values import submission
from tests.support.console import CORPUS, Desk, fill, open_desk, visitor
from tests.support.fakes import EPOCH
from tests.support.native_api import Answer, call

from loa.console.assets import ASSETS, address
from loa.console.language import Language
from loa.console.messages import read_filter
from loa.console.parts import Parts
from loa.console.preferences import back_to
from loa.console.streams import AT_MOST, Streams
from loa.console.tail import KNOWN_S, MOST, ROWS, Following, Position, counted, read_position
from loa.domain.ids import message_public_id
from loa.domain.lifecycle import State
from loa.domain.roles import Role
from loa.ledger.postgres.days import day_of, first_id
from loa.ports.records import MessageFilter

LIMIT = 100 * 1024


@dataclass
class Room:
    """A desk that is asked in-process."""

    desk: Desk

    async def get(self, target: str, **headers: str) -> Answer:
        return await call(self.desk.app(), "GET", target, headers, b"")

    async def post(self, target: str, body: bytes = b"") -> Answer:
        return await call(self.desk.app(), "POST", target, {}, body)

    async def ids(self) -> list[int]:
        return [row["id"] for row in await self.desk.ledger.messages(1, MessageFilter(), None, 500)]

    @property
    def parts(self) -> Parts:
        return self.desk.parts()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that is filled once and copied for each test."""
    folder = tmp_path_factory.mktemp("console")
    asyncio.run(fill(folder / "loa.db"))
    return folder


@pytest.fixture
async def room(filled: Path, tmp_path: Path) -> AsyncIterator[Room]:
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    desk = await open_desk(tmp_path / "loa.db")
    yield Room(desk)
    await desk.ledger.close()


def text(answer: Answer) -> str:
    return answer.body.decode()


async def test_who_may_not_see_numbers_sees_them_masked_everywhere(room: Room) -> None:
    number = "84912345678"
    public = message_public_id((await room.ids())[-1])
    targets = ("/console/messages", f"/console/messages/{public}", "/console/tail")
    for each in targets:
        assert number in text(await room.get(each))
    room.desk.visitor = visitor(Role.ANALYST)
    for each in targets:
        page = text(await room.get(each))
        assert number not in page
        assert "84•••••••78" in page


async def test_content_is_shown_by_a_post_that_is_told_and_to_those_who_may(room: Room) -> None:
    public = message_public_id((await room.ids())[-1])
    assert "Xin chào" not in text(await room.get(f"/console/messages/{public}"))
    assert (await room.get(f"/console/messages/{public}/content")).status == 405
    assert room.desk.looks == []
    shown = await room.post(f"/console/messages/{public}/content")
    assert "Xin chào" in text(shown)
    assert "\\x00\\xffid:1" in text(shown)
    assert shown.headers["cache-control"] == "no-store"
    assert f'name="back" value="/console/messages/{public}"' in text(shown)
    assert room.desk.looks == [public]


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.OPERATOR, Role.ANALYST, Role.AUDITOR])
async def test_content_stays_hidden_from_other_roles(room: Room, role: Role) -> None:
    room.desk.visitor = visitor(role)
    public = message_public_id((await room.ids())[-1])
    page = await room.get(f"/console/messages/{public}")
    refused = await room.post(f"/console/messages/{public}/content")
    assert "/content" not in text(page)
    assert refused.status == 403
    assert "Xin chào" not in text(refused)
    assert room.desk.looks == []


async def test_a_look_at_nothing_is_not_told(room: Room) -> None:
    assert (await room.post("/console/messages/msg_ZZZZ/content")).status == 404
    assert room.desk.looks == []


async def test_messages_of_another_tenant_are_not_there(room: Room) -> None:
    public = message_public_id((await room.ids())[-1])
    assert (await room.get(f"/console/messages/{public}?tenant=B%C6%B0u%20%C4%91i%E1%BB%87n")).status == 404


async def test_pages_follow_each_other_without_gap_or_repeat(room: Room) -> None:
    await room.desk.ledger.accept(submission(numbers=list(range(84_901_000_000, 84_901_000_120))))
    wanted = [message_public_id(each) for each in await room.ids()]
    seen: list[str] = []
    target = "/console/messages"
    while target:
        page = text(await room.get(target))
        seen += re.findall(r'<tr id="(\w+)"', page)
        more = f'href="/console/messages?before={seen[-1]}"' in page
        target = f"/console/messages?before={seen[-1]}" if more else ""
    assert seen == wanted


async def test_the_language_is_the_browsers_until_one_is_chosen(room: Room) -> None:
    assert '<html lang="vi"' in text(await room.get("/console/"))
    assert '<html lang="en"' in text(await room.get("/console/", **{"accept-language": "en-GB,vi;q=0.5"}))
    chosen = {"accept-language": "en", "cookie": "loa_language=vi; loa_theme=dark"}
    page = text(await room.get("/console/", **chosen))
    assert '<html lang="vi" data-theme="dark"' in page


async def test_a_choice_is_kept_in_a_cookie_that_scripts_cannot_read(room: Room) -> None:
    answer = await room.post("/console/preferences", b"language=en&back=/console/messages%3Fstate%3Dsent")
    assert answer.status == 303
    assert answer.headers["location"] == "/console/messages?state=sent"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("loa_language=en;")
    assert "HttpOnly" in cookie
    assert "set-cookie" not in (await room.post("/console/preferences", b"theme=pink")).headers


@pytest.mark.parametrize(
    "path", ["", "https://evil.example/", "//evil.example", "/console/..//evil.example", "/console/\\evil", "/other"]
)
def test_nobody_is_led_out_of_the_console(path: str) -> None:
    assert back_to(path) == "/console/"


async def test_static_files_are_kept_for_ever_under_an_address_of_their_content(room: Room) -> None:
    plain = await room.get(address("console.css"))
    packed = await room.get(address("console.css"), **{"accept-encoding": "gzip, br"})
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(plain.body) / 3
    again = await room.get(address("console.css"), **{"if-none-match": plain.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert (await room.get("/console/static/0123456789abcdef/console.css")).status == 404
    assert (await room.get(address("console.css").replace("console.css", "..%2f..%2fparts.py"))).status == 404


async def test_the_first_page_is_small(room: Room) -> None:
    page = await room.get("/console/")
    named = [each for each in ASSETS.values() if address(each.name) in text(page)]
    assert len(named) >= 4
    assert len(page.body) + sum(len(each.packed) for each in named) < LIMIT


async def test_every_page_is_sent_with_the_strict_policy(room: Room) -> None:
    policy = (await room.get("/console/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_a_new_tenant_sees_what_is_left_to_do(room: Room) -> None:
    await room.desk.ledger.add_tenant("new", 1)
    page = text(await room.get("/console/?tenant=new", **{"accept-language": "en"}))
    assert "Getting started" in page
    assert "loa senders add" in page
    assert "Getting started" not in text(await room.get("/console/", **{"accept-language": "en"}))


@pytest.mark.parametrize("target", ["/console/", "/console/messages", "/console/tail", "/console/channels"])
async def test_what_others_wrote_is_escaped(room: Room, target: str) -> None:
    page = text(await room.get(target))
    assert all(each not in page for each in CORPUS[:2])
    assert CORPUS[3] not in page


def read(query: str) -> Any:
    return read_filter(QueryParams(query), lambda number: "84912345678" if number == "0912345678" else None)


def test_a_filter_is_read_from_the_address() -> None:
    asked = read(
        "state=sent&state=unknown&state=nonsense&class=otp&destination=0912345678&since=2026-11-18T18:06&dead=1"
    )
    assert asked.wanted.states == (State.SENT, State.UNKNOWN)
    assert asked.wanted.destination == 84912345678
    assert asked.wanted.since == 1_794_999_960_000
    assert asked.wanted.dead is True
    assert not asked.unreadable
    assert asked.narrowed
    assert asked.query()["state"] == ["sent", "unknown"]


def test_what_cannot_be_read_is_named() -> None:
    asked = read("destination=abc&until=soon&class=nonsense")
    assert asked.unreadable == {"destination", "until"}
    assert not read("").narrowed


async def test_an_unreadable_filter_shows_no_messages(room: Room) -> None:
    answer = await room.get("/console/messages?destination=abc")
    assert answer.status == 422
    assert 'aria-invalid="true"' in text(answer)
    assert "<tr id=" not in text(answer)


@pytest.mark.parametrize("written", ["", "1", "1-", "-1", "a-b", "1-2-3", "1-9999999999999999999999"])
def test_a_position_that_is_none(written: str) -> None:
    assert read_position(written) is None


def test_the_ids_of_a_shared_ledger_make_a_position() -> None:
    newest = first_id(day_of(EPOCH)) + 1
    assert read_position(str(Position(newest, newest))) == Position(newest, newest)


async def test_a_stream_ends_when_the_process_stops(room: Room) -> None:
    stopping = False
    room.desk.streams = Streams(lambda: stopping)
    at = Position((await room.ids())[0], await room.desk.ledger.last_event(1))
    stream = following(room).follow(at)
    assert [await anext(stream), await anext(stream)] == ["retry: 2000\n\n", ": here\n\n"]
    stopping = True
    ended = asyncio.create_task(anext(stream, None))
    while not room.desk.clock.waiting:
        await asyncio.sleep(0)
    room.desk.clock.advance(1)
    assert await ended is None


async def test_a_stream_ends_with_the_sign_in_of_its_user(room: Room) -> None:
    newest = (await room.ids())[0]
    request = Request({"type": "http", "state": {"visitor": room.desk.visitor}})
    at = Position(newest, await room.desk.ledger.last_event(1))
    stream = counted(request, room.parts, following(room).follow(at))
    assert [await anext(stream), await anext(stream)] == ["retry: 2000\n\n", ": here\n\n"]
    room.desk.is_known = False
    room.desk.clock.advance(KNOWN_S)
    await room.desk.ledger.accept(submission(numbers=[84_955_555_556]))
    ended = asyncio.create_task(anext(stream, None))
    while not ended.done():
        await asyncio.sleep(0)
        room.desk.clock.advance(1)
    assert ended.result() is None


def following(room: Room, query: str = "") -> Following:
    return Following(room.parts, 1, read(query), Language.ENGLISH, whole=False, named="")


async def test_a_stream_goes_on_where_it_stopped_and_shows_it_is_alive(room: Room) -> None:
    at = Position((await room.ids())[0], await room.desk.ledger.last_event(1))
    stream = following(room).follow(at)
    assert await anext(stream) == "retry: 2000\n\n"
    assert await anext(stream) == ": here\n\n"
    await room.desk.ledger.accept(submission(numbers=[84_955_555_555]))
    told = await _next(room, stream)
    newest = (await room.ids())[0]
    assert told.startswith(f"id: {newest}-{at.event}\ndata: ")
    assert "84•••••••55" in told
    await stream.aclose()


async def test_a_look_tells_of_a_bounded_number_of_rows_however_much_happens(room: Room) -> None:
    ledger = room.desk.ledger
    at = Position((await room.ids())[0], await ledger.last_event(1))
    many = submission(numbers=list(range(84_903_000_000, 84_903_000_000 + 2 * MOST)))
    await ledger.accept(many)
    await ledger.cancel(1, many.referent_id, room.desk.clock.now())
    look = await following(room).look(at)
    assert len(look.rows) == ROWS
    assert look.left_out
    assert look.happened == 2 * MOST
    # It does not lag behind: the next look begins at the newest.
    assert look.position.event == await ledger.last_event(1)
    assert (await following(room).look(look.position)).happened == 0


async def test_a_stream_tells_of_what_the_filter_wants(room: Room) -> None:
    ledger = room.desk.ledger
    at = Position((await room.ids())[0], await ledger.last_event(1))
    await ledger.accept(submission(sender="OTHER", numbers=[84_903_000_001]))
    wanted = submission(sender="MINE", numbers=[84_903_000_002])
    await ledger.accept(wanted)
    look = await following(room, "sender=MINE").look(at)
    assert [row["sender"] for row in look.rows] == ["MINE"]
    assert (await following(room, "state=cancelled").look(at)).rows == []
    await ledger.cancel(1, wanted.referent_id, room.desk.clock.now())
    (row,) = (await following(room, "state=cancelled").look(at)).rows
    assert row["sender"] == "MINE"


async def test_a_user_has_no_more_than_a_few_streams(room: Room) -> None:
    streams = room.desk.streams
    with ExitStack() as stack:
        for _ in range(AT_MOST):
            assert stack.enter_context(streams.held(1))
        assert (await room.get("/console/tail/events?after=0-0")).status == 429
        with streams.held(1) as free:
            assert not free
        assert not streams.full(2)
    assert not streams.full(1)


async def _next(room: Room, stream: Any) -> str:
    """Let time pass until a stream says something."""
    told = asyncio.ensure_future(anext(stream))
    while not told.done():
        await asyncio.sleep(0)
        room.desk.clock.advance(0.5)
    return str(told.result())


async def test_a_stream_from_nowhere_is_not_there(room: Room) -> None:
    assert (await room.get("/console/tail/events?after=nonsense")).status == 404


async def test_a_search_that_found_too_little_can_go_further_back(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loa.console.messages.REACH", 5)
    target, seen = "/console/messages?state=delivered", []
    for _ in range(20):
        page = text(await room.get(target, **{"accept-language": "en"}))
        seen += re.findall(r'<tr id="(\w+)"', page)
        further = re.search(r'class="button" href="([^"]*)">Search further back', page)
        if further is None:
            break
        target = further[1].replace("&amp;", "&")
    rows = await room.desk.ledger.messages(1, MessageFilter(states=(State.DELIVERED,)), None, 50)
    assert seen == [message_public_id(row["id"]) for row in rows]
    assert "before=" in target


TILE = re.compile(r'href="(/console/messages[^"]*)"><b><data value="(\d+)">')
NUMBER_IN_A_TABLE = re.compile(r'<td class="end"><a href="(/console/messages[^"]*)"(?: class="nowrap")?>(\d+)</a>')


@pytest.mark.parametrize("chosen", ["1h", "24h", "7d"])
async def test_each_number_of_the_overview_leads_to_the_list_that_makes_it_up(room: Room, chosen: str) -> None:
    page = text(await room.get(f"/console/?range={chosen}"))
    tiles, numbers = TILE.findall(page), NUMBER_IN_A_TABLE.findall(page)
    assert len(tiles) == 7
    assert len(numbers) > 3
    # The last two, the age and the cost, are no numbers of messages.
    for target, count in [*tiles[:5], *numbers]:
        assert text(await room.get(target.replace("&amp;", "&"))).count("<tr id=") == int(count), target
    assert any(int(count) for _, count in tiles)


async def test_figures_are_compared_where_there_is_something_to_compare_with(room: Room) -> None:
    english = {"accept-language": "en"}
    page = text(await room.get("/console/", **english))
    assert "the day before" not in page
    accepted = TILE.findall(page)[0][1]
    room.desk.clock.advance(24 * 3_600)
    page = text(await room.get("/console/", **english))
    assert TILE.findall(page)[0][1] == "0"
    assert f"the day before: {accepted}<" in page
