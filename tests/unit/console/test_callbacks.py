"""The screens of endpoints and callbacks without a browser: who may what, what is masked, and what is posted again."""

import asyncio
import html
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import QueryParams
from tests.contract.ledger.values import receipt, sent, tried
from tests.support.console import Desk, fill, open_desk, visitor
from tests.support.full_ledger import MUCH_LATER
from tests.support.native_api import Answer, call

from loa.app.console_exchanges import ConsoleExchanges
from loa.console.deliveries import read_filter, read_place
from loa.console.endpoints import health
from loa.console.verifying import snippet
from loa.domain.callback_body import callback_public_id
from loa.domain.roles import Role
from loa.notify.signature import is_signed, new_secret
from loa.ports.records import CallbackFilter

AT = MUCH_LATER - 600_000
NUMBER = 84_905_000_001


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("console")
    asyncio.run(fill(folder / "loa.db"))
    return folder


@pytest.fixture
async def desk(filled: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    opened = await open_desk(tmp_path / "loa.db")
    yield opened
    await opened.ledger.close()


async def get(desk: Desk, target: str) -> Answer:
    return await call(desk.app(), "GET", target, {}, b"")


async def post(desk: Desk, target: str, body: str = "") -> Answer:
    return await call(desk.app(), "POST", target, {}, body.encode())


def text(answer: Answer) -> str:
    return html.unescape(answer.body.decode())


class Told:
    """An endpoint with a secret that signs, and one callback of it that failed."""

    def __init__(self, endpoint_id: int, secret: str, number: int) -> None:
        self.endpoint_id, self.secret, self.number = endpoint_id, secret, number
        self.path = f"/console/callbacks/{endpoint_id}"
        self.public = callback_public_id(number)
        self.page = f"/console/callbacks/deliveries/{self.public}"


async def told(desk: Desk, excerpt: str = "no") -> Told:
    secret = new_secret()
    endpoint = await desk.ledger.add_endpoint(1, "https://shop.example.vn/told", secret)
    metadata = {"metadata": {"it's": "Bưu điện"}}
    await sent(desk.ledger, "T1", now=AT, numbers=[NUMBER], endpoint_id=endpoint.id, ext=metadata)
    await desk.ledger.store([receipt("T1", destination=NUMBER, received_at=AT)])
    page = await desk.ledger.callbacks(1, CallbackFilter(endpoint_id=endpoint.id), None, 10)
    number = page.rows[0]["id"]
    failed = tried(number, at=AT + 5_000, status=503, error="status", excerpt=excerpt, delivered=False, elapsed_ms=70)
    await desk.ledger.record_tries([failed])
    return Told(endpoint.id, secret, number)


async def deeds(desk: Desk) -> list[tuple[str, str]]:
    return [(each["verb"], each["subject"]) for each in (await desk.admin().do("users.audit.list", {}))["entries"]]


async def test_no_page_shows_a_secret_but_the_one_that_follows_its_making(desk: Desk) -> None:
    one = await told(desk)
    for target in ("/console/callbacks", one.path, one.page, "/console/callbacks/deliveries"):
        answer = await get(desk, target)
        assert answer.status == 200
        assert one.secret not in text(answer)
    shown = await post(desk, f"{one.path}/rotate")
    (endpoint,) = [each for each in await desk.ledger.endpoints(1) if each.id == one.endpoint_id]
    assert endpoint.secrets[0] in text(shown)
    assert endpoint.secrets[1] == one.secret
    assert shown.headers["cache-control"] == "no-store"
    assert f'name="back" value="{one.path}"' in text(shown)
    assert (await get(desk, f"{one.path}/rotate")).status == 405
    assert ("endpoints.rotate_secret", str(one.endpoint_id)) in await deeds(desk)


async def test_an_endpoint_is_added_changed_and_switched_on(desk: Desk) -> None:
    wrong = await post(desk, "/console/callbacks/add", "url=http%3A%2F%2Fshop.example.vn%2F&inbound=1")
    assert wrong.status == 422
    assert 'aria-invalid="true"' in text(wrong)
    assert "only https is allowed" in text(wrong)
    added = await post(desk, "/console/callbacks/add", "url=https%3A%2F%2Fnew.example.vn%2F&inbound=1")
    assert added.status == 200
    assert "whsec_" in text(added)
    endpoint = (await desk.ledger.endpoints(1))[-1]
    assert (endpoint.url, endpoint.every_step, endpoint.inbound) == ("https://new.example.vn/", False, True)
    changed = await post(desk, f"/console/callbacks/{endpoint.id}/change", "every_step=1")
    assert (changed.status, changed.headers["location"]) == (
        303,
        f"/console/callbacks/{endpoint.id}?done=endpoint_changed",
    )
    endpoint = (await desk.ledger.endpoints(1))[-1]
    assert (endpoint.every_step, endpoint.inbound) == (True, False)
    await desk.ledger.set_endpoint_health(endpoint.id, 1, 2, "the endpoint answered 410 Gone")
    assert "410 Gone" in text(await get(desk, "/console/callbacks"))
    assert (await post(desk, f"/console/callbacks/{endpoint.id}/enable")).status == 303
    assert (await desk.ledger.endpoints(1))[-1].disabled_at is None
    again = await post(desk, "/console/callbacks/add", "url=https%3A%2F%2Fnew.example.vn%2F")
    assert again.headers["location"].endswith("?done=endpoint_kept")


async def test_the_former_secret_is_retired_once(desk: Desk) -> None:
    one = await told(desk)
    await post(desk, f"{one.path}/rotate")
    assert (await post(desk, f"{one.path}/retire")).status == 303
    refused = await post(desk, f"{one.path}/retire")
    assert refused.status == 422
    assert "only one secret" in text(refused)


@pytest.mark.parametrize(
    ("role", "may_change", "may_replay"),
    [
        (Role.ANALYST, False, False),
        (Role.DEVELOPER, True, False),
        (Role.OPERATOR, False, True),
        (Role.ADMIN, True, True),
    ],
)
async def test_what_a_role_may_not_do_is_not_shown_and_refused(
    desk: Desk, role: Role, may_change: bool, may_replay: bool
) -> None:
    one = await told(desk)
    desk.visitor = visitor(role)
    page, delivery = text(await get(desk, one.path)), text(await get(desk, one.page))
    changes = ("change", "rotate", "test")
    assert [f"{one.path}/{each}" in page for each in changes] == [may_change] * 3
    assert (f"{one.path}/replay" in page, f"{one.page}/replay" in delivery) == (may_replay, may_replay)
    forbidden = [] if may_change else ["change", "rotate", "retire", "enable", "test"]
    statuses = [(await post(desk, f"{one.path}/{each}")).status for each in forbidden]
    assert statuses == [403] * len(forbidden)
    if not may_change:
        assert (await get(desk, "/console/callbacks/add")).status == 403
        assert (await post(desk, "/console/callbacks/add", "url=https%3A%2F%2Fnew.example.vn%2F")).status == 403
    if not may_replay:
        assert (await get(desk, f"{one.path}/replay")).status == 403
        assert (await post(desk, f"{one.path}/replay", "since=2020-01-01T00%3A00")).status == 403
        assert (await post(desk, f"{one.page}/replay")).status == 403
        assert await desk.ledger.count_failed(1, one.endpoint_id, 0, 10) == 1


async def test_what_is_another_tenant_s_is_not_there(desk: Desk) -> None:
    one = await told(desk)
    other = "?tenant=B%C6%B0u%20%C4%91i%E1%BB%87n"
    for target in (one.path, one.page, f"{one.path}/replay"):
        assert (await get(desk, target + other)).status == 404
    for verb in ("change", "enable", "rotate", "retire", "test", "replay"):
        assert (await post(desk, f"{one.path}/{verb}{other}")).status == 404
    assert (await post(desk, f"{one.page}/replay{other}")).status == 404
    assert (await get(desk, "/console/callbacks/deliveries/cb_ZZZZ")).status == 404
    assert (await get(desk, "/console/callbacks/deliveries/5")).status == 404


async def test_the_request_is_composed_as_it_was_posted_and_signed(desk: Desk) -> None:
    one = await told(desk)
    row = await desk.ledger.callback(1, one.number)
    assert row is not None
    exchange = ConsoleExchanges("9").composed(row["told"], AT + 5_000)
    headers = {name.lower(): value for name, value in exchange.headers}
    assert is_signed(one.secret, headers, exchange.body, AT + 5_000)
    assert (exchange.line, headers["host"]) == ("POST /told HTTP/1.1", "shop.example.vn")
    page = text(await get(desk, one.page))
    # The page shows the first try, which was no repeat.
    assert '"retryCount": 0' in page
    assert f"webhook-timestamp: {(AT + 5_000) // 1000}" in page
    assert one.public in page
    assert '"it\'s": "Bưu điện"' in page


async def test_a_callback_whose_secret_does_not_open_is_shown_without_signature(desk: Desk) -> None:
    page = text(await get(desk, "/console/callbacks/deliveries/cb_5"))
    assert "webhook-signature:" not in page
    assert "không thể ký" in page


async def test_numbers_are_masked_also_where_a_receiver_repeats_them(desk: Desk) -> None:
    one = await told(desk, excerpt=f"do not know {NUMBER}")
    assert text(await get(desk, one.page)).count(str(NUMBER)) >= 3
    desk.visitor = visitor(Role.DEVELOPER)
    page = text(await get(desk, one.page))
    assert str(NUMBER) not in page
    assert "do not know 84•••••••01" in page


async def test_what_a_user_wrote_is_left_out(desk: Desk) -> None:
    page = text(await get(desk, "/console/callbacks/deliveries/cb_D?tenant=B%C6%B0u%20%C4%91i%E1%BB%87n"))
    row = await desk.ledger.callback(2, 13)
    assert row is not None
    assert row["told"].inbound.body
    assert '"type": "inbound"' in page
    assert '"raw": null' in page
    for value in row["told"].inbound.body.values():
        assert f'": "{value}"' not in page


async def test_one_callback_is_posted_again_and_that_is_on_record(desk: Desk) -> None:
    one = await told(desk)
    answer = await post(desk, f"{one.page}/replay")
    assert (answer.status, answer.headers["location"]) == (303, f"{one.page}?done=replayed_one")
    page = await desk.ledger.callbacks(1, CallbackFilter(endpoint_id=one.endpoint_id, result="due"), None, 10)
    assert [row["id"] for row in page.rows] == [one.number]
    assert "callbacks.replay" in dict(await deeds(desk))


async def test_all_that_failed_since_is_counted_before_it_is_posted_again(desk: Desk) -> None:
    one = await told(desk)
    assert "<b>Sẽ gửi lại 1 callback.</b>" in text(await get(desk, f"{one.path}/replay?since=2020-01-01T00:00"))
    assert "/replay" in text(await get(desk, f"{one.path}/replay?since=2040-01-01T00:00"))
    assert (await get(desk, f"{one.path}/replay?since=x")).status == 422
    assert (await post(desk, f"{one.path}/replay", "since=x")).status == 422
    done = await post(desk, f"{one.path}/replay", "since=2020-01-01T00%3A00")
    assert done.status == 303
    assert "done=replayed" in done.headers["location"]
    assert "count=1" in done.headers["location"]
    assert await desk.ledger.count_failed(1, one.endpoint_id, 0, 10) == 0
    listed = text(await get(desk, done.headers["location"]))
    assert "1 callback sẽ được gửi lại." in listed
    assert one.public in listed


async def test_very_many_go_again_only_with_the_word(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loa.console.endpoints.ASKED_ABOVE", 0)
    one = await told(desk)
    since = "since=2020-01-01T00%3A00"
    assert 'name="word"' in text(await get(desk, f"{one.path}/replay"))
    refused = await post(desk, f"{one.path}/replay", f"{since}&word=yes")
    assert refused.status == 422
    assert await desk.ledger.count_failed(1, one.endpoint_id, 0, 10) == 1
    assert (await post(desk, f"{one.path}/replay", f"{since}&word=shop.example.vn")).status == 303


async def test_a_test_shows_what_went_out_and_that_nothing_answered(desk: Desk) -> None:
    endpoint = await desk.ledger.add_endpoint(1, "https://nowhere.invalid/x", new_secret())
    page = text(await post(desk, f"/console/callbacks/{endpoint.id}/test"))
    assert "POST /x HTTP/1.1" in page
    assert '{"type":"test","id":"test_' in page
    assert "resolve" in page


def test_a_filter_is_read_from_the_address() -> None:
    asked = read_filter(QueryParams("endpoint=7&result=failed&message=msg_1B4&since=2026-11-26T14:00&until=nonsense"))
    assert (asked.wanted.endpoint_id, asked.wanted.result) == (7, "failed")
    assert asked.wanted.message_id is not None
    assert asked.unreadable == {"until"}
    assert read_filter(QueryParams("endpoint=-1&result=odd")).narrowed is False
    assert read_filter(QueryParams(f"endpoint={2**63}")).endpoint is None
    assert (read_place("12-40"), read_place("12"), read_place("a-b")) == ((12, 40), None, None)


def test_the_health_of_an_endpoint_is_summed_up() -> None:
    def row(result: str, elapsed_ms: int, error: str = "", at: int = 0) -> dict[str, Any]:
        return {"result": result, "last": {"elapsed_ms": elapsed_ms, "error": error, "at": at, "status": 0}}

    rows = [row("delivered", each) for each in range(1, 20)]
    odd = [row("due", 900, "timeout", 5), row("failed", 20, "status", 9), {"result": "due", "last": None}]
    found = health([*rows, *odd])
    assert (found.tried, round(found.rate or 0, 1), found.p95_ms) == (21, 90.5, 20)
    assert found.last_error == odd[1]
    assert health([]).rate is None


@pytest.mark.parametrize("name", ["openssl", "Python"])
async def test_the_snippets_verify_what_is_posted(desk: Desk, tmp_path: Path, name: str) -> None:
    one = await told(desk)
    row = await desk.ledger.callback(1, one.number)
    assert row is not None
    exchange = ConsoleExchanges("9").composed(row["told"], AT)
    code = snippet(name, exchange, str).replace("whsec_…", one.secret)
    given = {each.lower(): value for each, value in exchange.headers}
    (tmp_path / "body").write_bytes(exchange.body)
    asks = f"\nprint(verify({one.secret!r}, {given!r}, open('body', 'rb').read(), 10**10))"
    command, program = (["bash"], code) if name == "openssl" else ([sys.executable], code + asks)
    ran = subprocess.run(command, input=program, capture_output=True, text=True, cwd=tmp_path, check=True)
    wanted = exchange.signatures[0].removeprefix("v1,") if name == "openssl" else "True"
    assert ran.stdout.strip() == wanted
