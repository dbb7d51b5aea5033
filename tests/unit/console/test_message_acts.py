"""What is done to messages from the console: previewed, confirmed, done once, and told in the audit log."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.contract.ledger.values import MINUTE, claim, settlement, submission
from tests.support.console import visitor
from tests.support.full_ledger import MUCH_LATER
from tests.support.native_api import Answer
from tests.unit.console.test_screens import Room, filled, room, text

from loa.console.again import request_id_of
from loa.console.errands import Errand, Stage
from loa.console.selection import TICKED_MAX
from loa.domain.ids import message_id_from, message_public_id
from loa.domain.outcome import Deferred, Outcome, Refused, Unknown
from loa.domain.roles import Role
from loa.domain.traffic import OnUnknown
from loa.ports.records import MessageFilter, Row

__all__ = ["filled", "room"]

ACT = "/console/messages/act"
MINE = "sender=MINE"
FIRST = 84_912_000_000
SAYS = {"ruling": "delivered", "reason": "the carrier's list"}


async def accept(room: Room, count: int = 1, **given: Any) -> list[str]:
    """Accept messages that a filter finds, and nothing else; give their ids, newest first."""
    numbers = [FIRST + each for each in range(count)]
    values = {"at": MUCH_LATER - 2_000, "sender": "MINE", "text": "hello", "encoding": "gsm7", **given}
    await room.desk.ledger.accept(submission(numbers=numbers, **values))
    rows = await room.desk.ledger.messages(1, MessageFilter(sender=values["sender"]), None, 1_000)
    return [message_public_id(row["id"]) for row in rows]


async def end(room: Room, count: int, outcome: Outcome, **given: Any) -> list[str]:
    """Accept messages and carry them to an end."""
    ids = await accept(room, count)
    claimed = await claim(room.desk.ledger, MUCH_LATER - 1_500, limit=10_000)
    mine = [each for each in claimed if each.sender == "MINE"]
    settled = [settlement(each, outcome, MUCH_LATER - 1_000, **given) for each in mine]
    await room.desk.ledger.record(settled)
    return ids


async def lost(room: Room, count: int = 1) -> list[str]:
    return await end(room, count, Unknown("silence"), wait_until=MUCH_LATER + MINUTE)


async def states(room: Room, ids: Sequence[str]) -> list[str]:
    rows = [await row_of(room, each) for each in ids]
    return [row["state"] for row in rows]


async def row_of(room: Room, public: str) -> Row:
    number = message_id_from(public)
    assert number is not None
    row = await room.desk.ledger.timeline(1, number)
    assert row is not None
    return row


async def order(room: Room, query: str, **form: str) -> Answer:
    return await room.post(f"{ACT}?{query}", urlencode(form).encode())


async def deeds(room: Room, verb: str) -> list[Any]:
    return [each.deed for each in await room.desk.ledger.audit(None, 100) if each.deed.verb == verb]


def errand_of(answer: Answer) -> str:
    found = re.search(rf"{ACT}/([\w-]+)\?", answer.headers["location"])
    assert found is not None, answer.headers
    return found[1]


async def test_one_message_is_settled_and_the_page_comes_back_to_it(room: Room) -> None:
    (public,) = await lost(room)
    page = text(await room.get(f"/console/messages/{public}"))
    assert f"{ACT}?action=settle&amp;id={public}" in page
    done = await order(room, f"action=settle&id={public}", **SAYS)
    assert (done.status, done.headers["location"]) == (303, f"/console/messages/{public}")
    row = await row_of(room, public)
    assert (row["state"], row["rulings"][0]["who"], row["rulings"][0]["reason"]) == (
        "delivered",
        "lan",
        SAYS["reason"],
    )
    (deed,) = await deeds(room, "messages.settle")
    assert (deed.who, deed.after["messages"], deed.after["ruling"]) == ("lan", [public], "delivered")
    page = text(await room.get(f"/console/messages/{public}"))
    assert "lan xác nhận" in page
    assert "action=settle" not in page


@pytest.mark.parametrize(
    ("form", "wrong"),
    [({"reason": "x"}, "ruling"), ({"ruling": "delivered", "reason": " "}, "reason"), ({"ruling": "sent"}, "ruling")],
)
async def test_a_form_that_says_too_little_comes_back_marked(room: Room, form: dict[str, str], wrong: str) -> None:
    ids = await lost(room)
    refused = await order(room, f"action=settle&{MINE}", **form)
    assert refused.status == 422
    assert f'id="wrong-{wrong}"' in text(refused)
    assert await states(room, ids) == ["unknown"]
    assert await deeds(room, "messages.settle") == []


async def test_above_a_hundred_a_word_is_typed(room: Room) -> None:
    ids = await lost(room, 101)
    query = f"action=settle&state=unknown&{MINE}"
    page = text(await room.get(f"{ACT}?{query}"))
    assert "101" in page
    assert 'name="word"' in page
    assert (await order(room, query, **SAYS)).status == 422
    assert (await order(room, query, **SAYS, word="delivered")).status == 422
    done = await order(room, query, **SAYS, word="XacNhan")
    errand = room.desk.errands.get(errand_of(done), 1)
    assert errand is not None
    await finished(room, errand)
    assert (errand.stage, errand.counts["done"], errand.looked_at) == (Stage.DONE, 101, 101)
    assert set(await states(room, ids)) == {"delivered"}
    assert len(await deeds(room, "messages.settle")) == 2, "a hundred at a time"
    page = text(await room.get(done.headers["location"]))
    assert "Đã xong" in page
    assert "hx-get" not in page


async def finished(room: Room, errand: Errand) -> None:
    tasks = room.desk.errands._tasks
    if errand.id in tasks:
        await tasks[errand.id]


async def test_a_preview_says_at_least_so_many_and_names_the_first(room: Room) -> None:
    await accept(room, 1_100)
    page = text(await room.get(f"{ACT}?action=cancel&{MINE}", **{"accept-language": "en"}))
    assert "at least 1,000 messages" in page
    assert len(re.findall(r'<tr id="msg_', page)) == 10
    assert str(FIRST + 1_099) in page


async def test_queued_messages_are_cancelled_and_those_on_their_way_are_not(room: Room) -> None:
    ids = await accept(room, 3)
    page = text(await room.get(f"{ACT}?action=cancel&{MINE}"))
    assert len(re.findall(r'<tr id="msg_', page)) == 3
    await claim(room.desk.ledger, MUCH_LATER - 1_500, limit=10_000)
    late = await accept(room, 2, sender="LATE")
    done = await order(room, "action=cancel&" + urlencode([("id", each) for each in [*ids, *late]]))
    errand = room.desk.errands.get(errand_of(done), 1)
    assert errand is not None
    assert errand.counts["done"] == 2
    assert set(await states(room, ids)) == {"sending"}
    assert set(await states(room, late)) == {"cancelled"}
    (deed,) = await deeds(room, "messages.cancel")
    assert sorted(deed.after["messages"]) == sorted(late)


async def test_what_is_accepted_after_the_preview_is_left_alone(room: Room) -> None:
    early = await accept(room, sender="MINE")
    as_of = str(room.desk.clock.now())
    room.desk.clock.advance(5)
    await room.desk.ledger.accept(submission(numbers=[FIRST + 7], sender="MINE", at=room.desk.clock.now()))
    await order(room, f"action=cancel&{MINE}", as_of=as_of)
    rows = await room.desk.ledger.messages(1, MessageFilter(sender="MINE"), None, 10)
    assert [row["state"] for row in rows] == ["queued", "cancelled"]
    assert await states(room, early) == ["cancelled"]


async def test_dead_letters_are_marked_and_leave_the_list(room: Room) -> None:
    ids = await end(room, 2, Deferred("system error"), dead=True)
    page = text(await room.get("/console/unknown"))
    assert all(each in page for each in ids)
    done = await order(room, "action=deal&dead=1", reason="cured")
    assert done.status == 303
    page = text(await room.get("/console/unknown"))
    assert not any(each in page for each in ids)
    rows = [await row_of(room, each) for each in ids]
    assert {(row["state"], row["dealt_with"]) for row in rows} == {("rejected", True)}


async def way(room: Room) -> None:
    """Let the tenant send anew what a test accepted by hand."""
    await room.desk.ledger.add_sender(1, "MINE", "brandname")
    await room.desk.ledger.add_route(1, [1])


async def test_messages_are_sent_again_once_however_often_it_is_asked_for(room: Room) -> None:
    await way(room)
    ids = await end(room, 2, Refused("no such number", lasting=True))
    first = await order(room, f"action=again&state=rejected&{MINE}")
    errand = room.desk.errands.get(errand_of(first), 1)
    assert errand is not None
    assert (errand.counts["done"], len(errand.made)) == (2, 2)
    page = text(await room.get(first.headers["location"]))
    assert all(new in page for _old, new in errand.made)
    again = room.desk.errands.get(errand_of(await order(room, f"action=again&state=rejected&{MINE}")), 1)
    assert again is not None
    assert (again.counts["already"], again.counts["done"]) == (2, 0)
    rows = await room.desk.ledger.messages(1, MessageFilter(sender="MINE"), None, 100)
    assert len(rows) == 4
    fresh = [row for row in rows if row["request_id"]]
    assert {row["request_id"] for row in fresh} == {request_id_of(each) for each in ids}
    assert {row["destination"] for row in fresh} == {FIRST, FIRST + 1}
    whole = await room.desk.ledger.message(1, fresh[0]["id"])
    assert whole is not None
    assert (whole["text"], whole["class"], whole["encoding"]) == ("hello", "transactional", "gsm7")


async def test_a_dead_letter_that_is_sent_again_is_dealt_with(room: Room) -> None:
    await way(room)
    (public,) = await end(room, 1, Deferred("system error"), dead=True)
    await order(room, "action=again&dead=1&dealt=0")
    row = await row_of(room, public)
    (ruling,) = row["rulings"]
    assert (row["dealt_with"], ruling["what"], ruling["who"]) == (True, "dealt_with", "lan")
    assert ruling["reason"].startswith("sub_")


async def test_it_is_not_sent_twice_when_the_ledger_has_forgotten_the_request_id(room: Room) -> None:
    await way(room)
    await end(room, 1, Refused("no", lasting=True))
    await order(room, f"action=again&state=rejected&{MINE}")
    keep = dict.fromkeys(("parked", "content_otp", "content", "numbers", "receipts", "history"), 10**13)
    await room.desk.ledger.purge(1_000, MUCH_LATER + 10**9, {**keep, "request_ids": 1})
    errand = room.desk.errands.get(errand_of(await order(room, f"action=again&state=rejected&{MINE}")), 1)
    assert errand is not None
    assert errand.counts["already"] == 1


async def test_unknown_ones_are_sent_again_only_by_name_and_with_a_warning(room: Room) -> None:
    await way(room)
    (public,) = await lost(room)
    english = {"accept-language": "en"}
    assert "nothing to do this to" in text(await room.get(f"{ACT}?action=again&{MINE}", **english))
    page = text(await room.get(f"{ACT}?action=again&state=unknown&{MINE}", **english))
    assert "gets it twice" in page
    await order(room, f"action=again&id={public}")
    assert len(await room.desk.ledger.messages(1, MessageFilter(sender="MINE"), None, 10)) == 2


async def test_what_intake_refuses_is_counted_with_its_reason(room: Room) -> None:
    await end(room, 1, Refused("no", lasting=True))
    done = await order(room, f"action=again&state=rejected&{MINE}")
    page = text(await room.get(done.headers["location"], **{"accept-language": "en"}))
    assert "Refused" in page
    assert "1 messages: " in page


async def test_an_errand_can_be_stopped_and_gone_on_with(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = await lost(room, 250)
    query = f"action=settle&state=unknown&{MINE}"
    rule, reached, go_on = room.desk.ledger.rule, asyncio.Event(), asyncio.Event()

    async def held(*args: Any) -> Any:
        reached.set()
        await go_on.wait()
        return await rule(*args)

    monkeypatch.setattr(room.desk.ledger, "rule", held)
    done = await order(room, query, **SAYS, word="xacnhan")
    place = done.headers["location"]
    errand = room.desk.errands.get(errand_of(done), 1)
    assert errand is not None
    await reached.wait()
    page = text(await room.get(place))
    assert "Đang thực hiện" in page
    assert "hx-get" in page
    stopped = await room.post(place.replace("?", "/stop?"))
    assert (stopped.status, stopped.headers["location"]) == (303, place)
    go_on.set()
    await finished(room, errand)
    assert (errand.stage, errand.looked_at) == (Stage.STOPPED, 100)
    page = text(await room.get(place))
    assert f"{ACT}?action=settle" in page
    rest = await order(room, query, **SAYS, word="xacnhan")
    assert rest.status == 303
    later = room.desk.errands.get(errand_of(rest), 1)
    assert later is not None
    await finished(room, later)
    assert later.counts["done"] == 250 - errand.counts["done"]
    assert set(await states(room, ids)) == {"delivered"}


async def test_an_errand_that_nobody_knows_is_said_to_be_interrupted(room: Room) -> None:
    page = await room.get(f"{ACT}/gone?action=settle&state=unknown&{MINE}", **{"accept-language": "en"})
    assert page.status == 404
    assert "This was interrupted" in text(page)
    assert f"{ACT}?action=settle&amp;state=unknown&amp;{MINE}" in text(page)


async def test_nobody_sees_the_errand_of_another_tenant(room: Room) -> None:
    await lost(room)
    done = await order(room, f"action=cancel&{MINE}&state=queued")
    assert done.status == 200, "nothing is queued"
    errand = Errand(2, "settle", 1, more=False, begun_at=0)
    room.desk.errands.start(errand, _nothing)
    assert (await room.get(f"{ACT}/{errand.id}?action=settle")).status == 404


async def _nothing(_errand: Errand) -> None: ...


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.ANALYST, Role.AUDITOR])
async def test_other_roles_do_nothing_and_are_offered_nothing(room: Room, role: Role) -> None:
    (public,) = await lost(room)
    room.desk.visitor = visitor(role)
    for page in ("/console/messages", "/console/unknown", f"/console/messages/{public}"):
        assert ACT not in text(await room.get(page))
    assert (await room.get(f"{ACT}?action=settle&id={public}")).status == 403
    assert (await order(room, f"action=settle&id={public}", **SAYS)).status == 403
    assert await states(room, [public]) == ["unknown"]


async def test_there_is_no_other_action_and_no_endless_list_of_ids(room: Room) -> None:
    assert (await room.get(f"{ACT}?action=delete")).status == 404
    ids = await lost(room, TICKED_MAX + 20)
    page = text(await room.get(f"{ACT}?action=settle&" + urlencode([("id", each) for each in ids])))
    assert f"{TICKED_MAX}" in page
    assert 'name="word"' not in page


async def test_what_goes_out_once_more_by_itself_is_not_sent_again_beside_that(room: Room) -> None:
    wait = {"wait_until": MUCH_LATER + MINUTE, "after": OnUnknown.RESEND_ONCE}
    await way(room)
    (mine,) = await end(room, 1, Unknown("silence"), **wait)
    before = len(await room.ids())
    await order(room, f"action=again&id={mine}")
    assert len(await room.ids()) == before
    assert await states(room, [mine]) == ["unknown"]
