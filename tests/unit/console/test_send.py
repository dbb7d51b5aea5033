"""Send: what the form becomes, what is shown before it is sent, and that nothing is sent twice."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.routing import Router
from tests.support.console import CORPUS, Desk, Known, fill, open_desk, visitor
from tests.support.native_api import Answer, call
from tests.support.send_desk import TEMPLATE, prepare

from loa.console.headers import Headers
from loa.console.screens import screens
from loa.console.send_form import LIVE, TEST, Filled, field_of, read_filled, separate
from loa.console.send_form import TEMPLATE as BY_TEMPLATE
from loa.console.sending import Sending
from loa.domain.roles import Role
from loa.errors import StorageUnavailable
from loa.ports.records import MessageFilter, Row
from loa.stages.destinations import Numbers, read_one
from loa.stages.request import Taken

FORM = {"nonce": "n-1", "mode": LIVE, "sender": "LOA", "destinations": "0912345678", "type": "0", "content": "text"}
FORM |= {"text": "Xin chao", "unicode": "1"}


def numbers(text: str) -> str | None:
    return read_one(text, Numbers())


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("send")

    async def make() -> None:
        await fill(folder / "loa.db")
        desk = await open_desk(folder / "loa.db")
        await prepare(desk)
        await desk.ledger.close()

    asyncio.run(make())
    return folder


@pytest.fixture
async def desk(filled: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    opened = await open_desk(tmp_path / "loa.db")
    yield opened
    await opened.ledger.close()


async def post(desk: Desk, do: str = "preview", *, headers: dict[str, str] | None = None, **given: str) -> Answer:
    body = urlencode({**FORM, "do": do, **given}).encode()
    return await call(desk.app(), "POST", "/console/send", {"accept-language": "en", **(headers or {})}, body)


async def get(desk: Desk, target: str) -> Answer:
    return await call(desk.app(), "GET", target, {"accept-language": "en"}, b"")


async def sent(desk: Desk) -> list[Row]:
    """Give the messages that the console sent; those that stood there before have other texts."""
    rows = await desk.ledger.messages(1, MessageFilter(), None, 500)
    known = {row["referent_id"]: await desk.ledger.submission(1, row["referent_id"]) for row in rows}
    return [row for row in rows if (known[row["referent_id"]] or {}).get("text") == FORM["text"]]


def text(answer: Answer) -> str:
    return answer.body.decode()


@pytest.mark.parametrize(
    ("pasted", "pieces"),
    [
        ("", ()),
        ("0912345678", ("0912345678",)),
        ("0912345678,0981234567;0901234567|+84 912 345 678", 4),
        ("0912345678\r\n\r\n 0981234567 \t0901234567", 3),
        ("0912 345 678", ("0912 345 678",)),
        ("0912345678 0981234567", ("0912345678", "0981234567")),
        ("0912345678 zalo:8764230215434982221", 2),
        ("0912345678 Lan", ("0912345678 Lan",)),
    ],
)
def test_pasted_numbers_are_told_apart(pasted: str, pieces: Any) -> None:
    found = separate(pasted, numbers)
    assert (len(found) if isinstance(pieces, int) else found) == pieces


def test_line_breaks_of_a_browser_are_one_character() -> None:
    assert read_filled({"text": "a\r\nb"}, numbers).text == "a\nb"


def test_a_form_becomes_the_body_of_the_send_call() -> None:
    filled = read_filled({**FORM, "scheduled": "2026-11-27T08:00", "request_id": "r-1", "skip": "1"}, numbers)
    assert filled.body(None) == {
        "destinations": ["0912345678"],
        "from": "LOA",
        "text": "Xin chao",
        "useUnicode": 1,
        "type": 0,
        "scheduled": "2026-11-27T08:00",
        "requestId": "r-1",
        "ext": {"onInvalid": "skip"},
    }


def test_a_template_goes_with_its_own_parameters_and_over_sms_only_with_a_text() -> None:
    given = {**FORM, "content": BY_TEMPLATE, "template": "302119", "param.otp": "482913", "param.other": "x"}
    without = read_filled(given, numbers).body(TEMPLATE)
    assert without["ext"] == {
        "templateId": "302119",
        "templateData": {"otp": "482913"},
        "enable_sms_on_zns_failure": False,
    }
    assert without["text"] == TEMPLATE.name
    instead = read_filled({**given, "fallback": "Ma: 482913"}, numbers).body(TEMPLATE)
    assert instead["text"] == "Ma: 482913"
    assert "enable_sms_on_zns_failure" not in instead["ext"]


def test_a_form_kept_hidden_is_the_same_form() -> None:
    form = {**FORM, "content": BY_TEMPLATE, "template": "302119", "param.otp": "1", "skip": "1", "request_id": "r"}
    filled = read_filled(form, numbers)
    assert read_filled(filled.hidden(), numbers) == filled


def test_the_id_follows_form_content_and_mode_and_a_given_one_is_kept_for_real_alone() -> None:
    filled = Filled(nonce="n", mode=LIVE, text="a")
    made = filled.sent_as(filled.body(None))
    assert made == filled.sent_as(filled.body(None))
    others = [
        Filled(nonce="m", mode=LIVE, text="a"),
        Filled(nonce="n", mode=LIVE, text="b"),
        Filled(nonce="n", text="a"),
    ]
    assert made not in [each.sent_as(each.body(None)) for each in others]
    assert len(made) <= 50
    given = Filled(nonce="n", mode=LIVE, request_id="order-1")
    assert given.sent_as(given.body(None)) == "order-1"
    simulated = Filled(nonce="n", mode=TEST, request_id="order-1")
    assert simulated.sent_as(simulated.body(None)) != "order-1"


@pytest.mark.parametrize(
    ("where", "field"),
    [
        ("from", "sender"),
        ("destinations[3]", "destinations"),
        ("ext.templateData.otp", "param.otp"),
        ("ext.zalo.userId", ""),
        ("body", ""),
    ],
)
def test_a_finding_is_shown_at_its_field(where: str, field: str) -> None:
    assert field_of(where) == field


async def test_the_page_is_for_those_who_may_send(desk: Desk) -> None:
    for role in (Role.ANALYST, Role.AUDITOR):
        desk.visitor = visitor(role)
        assert (await get(desk, "/console/send")).status == 403
        assert (await post(desk, "send")).status == 403
        assert 'href="/console/send"' not in text(await get(desk, "/console/messages"))
    assert await sent(desk) == []


async def test_looking_sends_nothing_and_says_it_all(desk: Desk) -> None:
    page = text(
        await post(desk, destinations="0912345678, 0981234567, 0912 345 678, 12", text="Chào bạn, tôi ở đây. " * 6)
    )
    for said in (
        "It would be refused",
        "shop-oa",
        "1,400 ₫",
        "84912345678",
        "Repeats, sent to once: 1",
        "cannot be reached: 1",
    ):
        assert said in page, said
    assert "Unicode (UCS-2)" in page
    assert "<mark>ạ</mark>" in page
    assert "Without diacritics: 1 segments, 1 fewer" in page
    assert "Chao ban, toi o day" in page
    assert await sent(desk) == []


async def test_a_text_that_is_a_template_is_shown_as_a_card_with_the_sms_after_it(desk: Desk) -> None:
    page = text(await post(desk, text="Ma OTP cua ban la 482913"))
    assert 'class="phone card"' in page
    assert "300 ₫ – 1,000 ₫" in page
    assert "when no receipt came for 20.0 s" in page


async def test_advertising_at_night_is_said_to_wait(desk: Desk) -> None:
    midnight = (desk.clock.now() // 86_400_000 + 1) * 86_400_000 - 7 * 3_600_000
    desk.clock.advance((midnight - desk.clock.now()) / 1000)
    page = text(await post(desk, type="1"))
    assert "Advertising waits for the allowed hours" in page
    assert "07:00:00" in page


async def test_what_is_typed_fast_is_looked_at_in_part_and_said_so(desk: Desk) -> None:
    many = "\n".join(f"09{12_000_000 + number}" for number in range(1_100))
    page = text(await post(desk, destinations=many, headers={"hx-request": "true"}))
    assert "only the first 1,000 of 1,100" in page
    assert "Only the first 20 of 1,100 destinations are written here" in page
    assert "only the first" not in text(await post(desk, destinations=many))


async def test_sending_leads_to_the_submission_and_a_second_click_sends_nothing(desk: Desk) -> None:
    first = await post(desk, "send")
    assert first.status == 303
    second = await post(desk, "send")
    assert second.headers["location"] == first.headers["location"] + "?repeated=1"
    assert len(await sent(desk)) == 1
    page = text(await get(desk, first.headers["location"]))
    assert "Accepted" in page
    assert "84912345678" in page
    assert "Nothing was sent again" in text(await get(desk, second.headers["location"]))
    desk.visitor = visitor(Role.DEVELOPER)
    assert "84912345678" not in text(await get(desk, first.headers["location"]))


async def test_more_than_one_is_confirmed_first_with_count_and_cost(desk: Desk) -> None:
    asked = await post(desk, "send", destinations="0912345678 0981234567")
    assert asked.status == 200
    assert "You are about to send to 2 real destinations" in text(asked)
    assert "1,400 ₫" in text(asked)
    assert await sent(desk) == []
    stale = await post(desk, "send", destinations="0912345678 0981234567 0901234567", confirmed="2:1400:1400")
    assert stale.status == 200
    done = await post(desk, "send", destinations="0912345678 0981234567", confirmed="2:1400:1400")
    assert done.status == 303
    assert len(await sent(desk)) == 2


async def test_a_simulation_leaves_the_id_to_the_real_thing(desk: Desk) -> None:
    simulated = await post(desk, "send", mode=TEST, request_id="order-1")
    real = await post(desk, "send", request_id="order-1")
    assert "repeated" not in simulated.headers["location"] + real.headers["location"]
    assert sorted(row["channel"] for row in await sent(desk)) == ["carrier", "main"]
    other = await post(desk, "send", request_id="order-1", text="Xin chao lan nua")
    assert "This request id was used with another content" in text(await get(desk, other.headers["location"]))


async def test_a_refusal_marks_the_field_and_keeps_what_was_typed(desk: Desk) -> None:
    answer = await post(desk, "send", destinations="12", text="Chào", unicode="0")
    page = text(answer)
    assert answer.status == 422
    assert 'id="wrong-destinations">12: ' in page
    assert 'class="phone' not in page
    assert 'id="wrong-text"' in page
    assert ">Chào</textarea>" in page
    assert await sent(desk) == []
    empty = await post(desk, "send", text="", destinations="")
    assert empty.status == 422
    assert "This must not be empty" in text(empty)


async def test_a_missing_parameter_is_marked_at_its_field(desk: Desk) -> None:
    page = text(await post(desk, "send", content=BY_TEMPLATE, template="302119"))
    assert 'id="wrong-param.otp"' in page
    assert "The parameter otp is missing" in page


async def test_nothing_that_people_write_becomes_part_of_the_page(desk: Desk) -> None:
    for hurt in CORPUS:
        page = text(await post(desk, text=hurt, destinations=hurt, sender=hurt, request_id=hurt, template=hurt))
        assert hurt not in page or "<" not in hurt
        assert "49" not in re.sub(r"/static/\w+/", "", page) or "{{7*7}}" not in hurt


async def test_an_address_fills_in_neither_text_nor_numbers(desk: Desk) -> None:
    page = text(await get(desk, "/console/send?text=secret&destinations=0912345678&type=2&mode=live"))
    assert "secret" not in page.partition("<main")[2]
    assert '<option value="2" selected>' in page
    assert 'value="live" checked' in page


async def test_a_submission_of_another_tenant_is_not_there(desk: Desk) -> None:
    where = (await post(desk, "send")).headers["location"]
    assert (await get(desk, where + "?tenant=B%C6%B0u%20%C4%91i%E1%BB%87n")).status == 404


class Unwritable:
    """Intake while the ledger cannot write."""

    def __init__(self, inner: Sending) -> None:
        self.explain, self.sentence = inner.explain, inner.sentence

    async def submit(self, *_: Any, **__: Any) -> Taken:
        raise StorageUnavailable


async def test_a_ledger_that_cannot_write_loses_nothing_of_what_was_typed(desk: Desk) -> None:
    parts = desk.parts()
    app = Headers(Known(Router(screens(replace(parts, sending=Unwritable(parts.sending)))), desk))
    body = urlencode({**FORM, "do": "send"}).encode()
    answer = await call(app, "POST", "/console/send", {"accept-language": "en"}, body)
    assert answer.status == 503
    assert "it is not sent twice" in text(answer)
    assert ">Xin chao</textarea>" in text(answer)
    assert 'name="nonce" value="n-1"' in text(answer)
