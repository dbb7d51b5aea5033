"""Templates as Zalo describes them: pages, details, and what is made of answers that are none."""

import copy
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from tests.support.zalo_payloads import WORLD, payload

from loa.channels.zalo.catalogue import read_catalogue
from loa.channels.zalo.described import read_detail, read_line
from loa.domain.template import Parameter, Tag, Template
from loa.ports.channel import Asking, Described, Undescribed

LINE = payload("template-all.answer").body["data"][0]
DETAIL = payload("template-info.answer").body["data"]
ORDER = Template(
    channel_id=7,
    template_id="302117",
    name="Xác nhận đơn hàng",
    status="enabled",
    tag=Tag.TRANSACTION,
    quality="high",
    price=300,
    price_to_user=220,
    timeout_ms=7_200_000,
    daily_quota=5_000,
    remaining_quota=4_999,
    parameters=(Parameter("customer_name", "string", max_length=30), Parameter("order_code", "string", max_length=30)),
    preview_url="https://account.zalo.cloud/preview/302117",
)


class Zalo:
    """Answers from tables; notes what it was asked."""

    def __init__(self) -> None:
        self.lines: list[Any] = [LINE]
        self.details: dict[str, Any] = {"302117": DETAIL}
        self.instead: dict[str, web.Response] = {}
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.origin = ""

    async def answer(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        self.asked.append((request.path, query, request.headers.get("access_token", "")))
        instead = self.instead.get(query.get("template_id", request.path))
        if instead is not None:
            return instead
        if request.path == "/template/all":
            start = int(query["offset"])
            return _said(self.lines[start : start + int(query["limit"])])
        return _said(self.details[query["template_id"]])


def _said(data: Any) -> web.Response:
    return web.json_response({"error": 0, "message": "Success", "data": data})


def _refused(code: int) -> web.Response:
    return web.json_response({"error": code, "message": "no"})


@pytest.fixture
async def zalo() -> AsyncIterator[Zalo]:
    made = Zalo()
    app = web.Application()
    app.router.add_get("/template/{rest:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def look(zalo: Zalo, *known: Template, pauses: list[float] | None = None) -> Described | Undescribed:
    async def pause(seconds: float) -> None:
        if pauses is not None:
            pauses.append(seconds)

    async with aiohttp.ClientSession() as session:
        return await read_catalogue(session, zalo.origin + "/", Asking(7, WORLD["access_token"], known, pause))


async def test_a_template_is_read_from_its_line_and_its_detail(zalo: Zalo) -> None:
    pauses: list[float] = []
    assert await look(zalo, pauses=pauses) == Described((ORDER,))
    wanted, detail = payload("template-all.request"), payload("template-info.request")
    query = {name: value for name, value in wanted["query"].items() if name != "status"}
    token = wanted["headers"]["access_token"]
    assert zalo.asked == [(wanted["path"], query, token), (detail["path"], detail["query"], token)]
    assert len(pauses) == 1, "one request does not follow the other at once"


async def test_pages_are_read_to_the_end(zalo: Zalo) -> None:
    zalo.lines = [{**LINE, "templateId": n, "status": "REJECT"} for n in range(1, 202)]
    zalo.details = {str(n): {} for n in range(1, 202)}
    found = await look(zalo)
    assert isinstance(found, Described)
    assert [each.template_id for each in found.templates] == [str(n) for n in range(1, 202)]
    assert [query["offset"] for path, query, _ in zalo.asked if path == "/template/all"] == ["0", "100", "200"]


async def test_what_may_not_be_sent_is_asked_for_again_only_when_its_line_has_changed(zalo: Zalo) -> None:
    zalo.lines = [{**LINE, "status": "REJECT"}]
    zalo.details["302117"] = {**DETAIL, "status": "REJECT", "reason": "logo"}
    first = await look(zalo)
    assert isinstance(first, Described)
    (rejected,) = first.templates
    assert (rejected.status, rejected.reason) == ("rejected", "logo")
    zalo.asked.clear()
    assert await look(zalo, rejected) == Described((rejected,))
    assert [path for path, _, _ in zalo.asked] == ["/template/all"]
    zalo.lines, zalo.details = [LINE], {"302117": DETAIL}
    assert await look(zalo, rejected) == Described((ORDER,))


async def test_one_that_cannot_be_read_stays_as_it_was(zalo: Zalo) -> None:
    zalo.lines = [LINE, {**LINE, "templateId": 5}]
    zalo.details["5"] = DETAIL
    zalo.instead["302117"] = _refused(-100)
    before = Template(7, "302117", "old", "pending", parameters=ORDER.parameters)
    found = await look(zalo, before)
    assert isinstance(found, Described)
    assert found.problem == "template 302117: zalo_-100"
    assert [(each.template_id, each.status) for each in found.templates] == [("302117", "enabled"), ("5", "enabled")]
    assert found.templates[0].parameters == ORDER.parameters


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (lambda: web.json_response(payload("error-124.answer").body), Undescribed("zalo_-124", token=True)),
        (lambda: _refused(-32), Undescribed("zalo_-32")),
        (lambda: web.Response(status=502, text="<html>"), Undescribed("http_502")),
        (lambda: web.Response(text="[" * 100_000), Undescribed("answer_unreadable")),
        (lambda: web.json_response({"error": 0}), Undescribed("answer_unreadable")),
        (lambda: web.json_response([]), Undescribed("answer_unreadable")),
    ],
)
async def test_what_is_no_answer_changes_nothing(
    zalo: Zalo, answer: Callable[[], web.Response], wanted: Undescribed
) -> None:
    zalo.instead["/template/all"] = answer()
    assert await look(zalo, ORDER) == wanted


async def test_a_token_that_ends_in_the_middle_ends_the_look(zalo: Zalo) -> None:
    zalo.instead["302117"] = _refused(-216)
    assert await look(zalo, ORDER) == Undescribed("zalo_-216", token=True)


async def test_nobody_at_home_is_said_in_a_word(zalo: Zalo) -> None:
    zalo.origin = "http://127.0.0.1:9"
    assert await look(zalo) == Undescribed("connect_failed")


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        (1, Tag.TRANSACTION),
        ("2", Tag.CARE),
        (3, Tag.PROMOTION),
        ("OTP", Tag.TRANSACTION),
        ("IN_TRANSACTION", Tag.TRANSACTION),
        ("POST_TRANSACTION", Tag.CARE),
        ("ACCOUNT_UPDATE", Tag.CARE),
        ("GENERAL_UPDATE", Tag.CARE),
        ("FOLLOW_UP", Tag.PROMOTION),
        ("other", None),
        (None, None),
    ],
)
def test_old_and_new_tags_are_known(written: object, tag: Tag | None) -> None:
    assert read_detail(ORDER, {"templateTag": written}).tag == tag


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("ENABLE", "enabled"),
        ("PENDING_REVIEW", "pending"),
        ("REJECT", "rejected"),
        ("DISABLE", "disabled"),
        ("DELETE", "deleted"),
        (4, "disabled"),
        ("NEW_WORD", "disabled"),
    ],
)
def test_a_status_that_nobody_knows_may_not_be_sent(written: object, status: str) -> None:
    assert read_line(7, {"templateId": "1", "status": written}).status == status


def test_lengths_come_from_the_kind_where_the_answer_has_none() -> None:
    rows = [
        {"name": "a", "type": "OTP"},
        {"name": "b", "type": "DATE", "maxLength": 16, "acceptNull": True},
        {"x": 1},
        2,
    ]
    found = read_detail(ORDER, {"listParams": rows}).parameters
    assert found == (Parameter("a", "otp", max_length=10), Parameter("b", "date", accepts_empty=True, max_length=16))


def test_a_quota_that_does_not_apply_is_unknown() -> None:
    detail = {**copy.deepcopy(DETAIL), "applyTemplateQuota": False, "price_sdt": None, "price": "250.0", "timeout": "x"}
    found = read_detail(ORDER, detail)
    assert (found.daily_quota, found.remaining_quota, found.price, found.timeout_ms) == (-1, -1, 250, 0)
