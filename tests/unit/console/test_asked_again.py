"""What each screen declares is looked at, and who signed in a while ago is asked again before secrets."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.support.browser import PASSWORD, Browser, Page
from tests.support.inside import Inside, running_inside

from loa.app.console import demo_link, first_link
from loa.console.screen import Screen
from loa.console.screens import SCREENS
from loa.domain.roles import May
from loa.ports.users import Deed

HOME, CONFIRM, SIGN_INS = "/console/", "/console/confirm", "/console/sign-ins"
SECRETS = {May.SEE_CONTENT, May.CHANGE_KEYS, May.CHANGE_USERS}
"""Whatever these allow to be done shows secrets, or says who may see them."""
LATER_S = 15 * 60 + 1
PART = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def loa(tmp_path: Path) -> AsyncIterator[Inside]:
    async with running_inside(tmp_path) as inside:
        yield inside


async def owner(loa: Inside) -> Browser:
    gateway = loa.gateway
    link = await first_link(gateway.ledger, gateway.clock, gateway.settings, gateway.url)
    assert link is not None
    own = Browser(gateway.url, loa.clock, {"Accept-Language": "en", "User-Agent": "Firefox"})
    assert (await own.enrol(link.removeprefix(gateway.url))).status == 200
    return own


@pytest.mark.parametrize("screen", SCREENS, ids=lambda each: f"{each.method} {each.path}")
def test_what_shows_or_changes_secrets_asks_again(screen: Screen) -> None:
    assert screen.method in {"GET", "POST"}
    if screen.method == "POST" and screen.needs in SECRETS:
        assert screen.asks_again
    if screen.form:
        assert screen.form in {each.path for each in SCREENS if each.method == "GET"}, "a page to come back to"
    elif screen.asks_again and screen.method == "POST":
        assert screen.path in {each.path for each in SCREENS if each.method == "GET"}


@pytest.mark.parametrize("screen", [each for each in SCREENS if each.asks_again], ids=lambda each: each.path)
async def test_a_screen_that_asks_again_leads_to_the_page_that_asks_and_back(loa: Inside, screen: Screen) -> None:
    own = await owner(loa)
    loa.clock.set_by(LATER_S)
    token = {"form_token": (await own.get(SIGN_INS)).field("form_token")}
    path = re.sub(r"\{[\w:]+\}", "7", screen.path)
    form = re.sub(r"\{[\w:]+\}", "7", screen.form or screen.path)
    asked = (
        await own.get(f"{path}?tenant=a%26b")
        if screen.method == "GET"
        else await own.post(f"{path}?tenant=a%26b", token)
    )
    assert asked.status == 303
    page = await own.get(asked.headers["Location"])
    assert (page.status, page.field("next")) == (200, f"{form}?tenant=a%26b")
    part = await own.ask(screen.method, path, token if screen.method == "POST" else None, PART)
    assert (part.status, part.headers["HX-Redirect"].startswith(CONFIRM)) == (401, True)


async def test_password_and_code_make_a_new_sign_in_in_the_place_of_the_old_one(loa: Inside) -> None:
    own = await owner(loa)
    before = dict(own.cookies)
    loa.clock.set_by(LATER_S)
    own.steps = 0
    wanted = f"{CONFIRM}?next=/console/messages/msg_1%3Ftenant%3Da"
    form = await own.get(wanted)
    fields = {"form_token": form.field("form_token"), "next": form.field("next")}
    wrong = await own.post(CONFIRM, {**fields, "password": "not the right one", "code": own.code()})
    assert (wrong.status, "Password or code is not right" in wrong.text) == (401, True)
    assert wrong.field("next") == "/console/messages/msg_1?tenant=a"
    assert own.cookies == before
    done = await own.post(CONFIRM, {**fields, "password": PASSWORD, "code": own.code()})
    assert (done.status, done.headers["Location"]) == (303, "/console/messages/msg_1?tenant=a")
    assert own.cookies["loa"] != before["loa"]
    assert len(await loa.gateway.ledger.sign_ins(1)) == 1
    old = Browser(own.url, loa.clock, cookies=before)
    assert (await old.get(SIGN_INS)).status == 303
    assert (await own.get(CONFIRM)).headers["Location"] == HOME, "who is known lately is led on"


async def test_tries_are_throttled_and_nobody_is_led_elsewhere(loa: Inside) -> None:
    own = await owner(loa)
    loa.clock.set_by(LATER_S)
    own.steps = 0
    token = (await own.get(CONFIRM)).field("form_token")
    wrong = {"form_token": token, "password": "no", "code": "000000"}
    answers = [await own.post(CONFIRM, wrong) for _ in range(6)]
    assert [each.status for each in answers] == [401] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "1"
    loa.clock.set_by(60)
    right = {"form_token": token, "password": PASSWORD, "code": own.code(), "next": "//evil.example/"}
    assert (await own.post(CONFIRM, right)).headers["Location"] == HOME


async def test_who_has_no_password_is_not_asked(loa: Inside) -> None:
    gateway = loa.gateway
    link = await demo_link(gateway.ledger, gateway.clock, gateway.settings, gateway.url)
    own = Browser(gateway.url, loa.clock)
    path = link.removeprefix(gateway.url)
    form = await own.get(path)
    assert (await own.post(path, {"form_token": form.field("form_token")})).status == 303
    loa.clock.set_by(LATER_S)
    token = {"form_token": (await own.get(SIGN_INS)).field("form_token")}
    assert (await own.post("/console/messages/msg_1/content", token)).status == 404
    assert (await own.get(CONFIRM)).status == 303


async def test_a_long_log_is_taken_out_whole(loa: Inside) -> None:
    own = await owner(loa)
    ledger = loa.gateway.ledger
    many = [(await ledger.add_deed(Deed(each, None, "hoa", "tests.b"))).id for each in range(1_100)]
    token = (await own.get(SIGN_INS)).field("form_token")
    taken = await own.post("/console/audit/export?verb=tests", {"form_token": token, "format": "jsonl"})
    assert [json.loads(each)["id"] for each in taken.text.splitlines()] == many[::-1]


async def test_a_key_made_in_the_console_sends_at_once_and_a_revoked_one_no_more(loa: Inside) -> None:
    own = await owner(loa)
    token = {"form_token": (await own.get(SIGN_INS)).field("form_token")}
    permission = {"permission.read:messages": "1"}
    old = secret_in(await own.post("/console/keys/new", {**token, "name": "shop", **permission}))
    assert await answered(loa, old) == 200
    fresh = secret_in(await own.post("/console/keys/1/rotate", token))
    assert [await answered(loa, each) for each in (old, fresh)] == [200, 200], "both are good"
    assert (await own.post("/console/keys/1/revoke", {**token, "word": old[-4:]})).status == 303
    assert [await answered(loa, each) for each in (old, fresh)] == [401, 200]


def secret_in(page: Page) -> str:
    found = re.search(r"loa_live_\w{38}", page.text)
    assert found is not None, page.text
    return found[0]


async def answered(loa: Inside, key: str) -> int:
    url = f"{loa.gateway.url}/api/v1/messages?limit=1"
    async with aiohttp.ClientSession(headers={"API-KEY": key}) as session, session.get(url) as answer:
        return answer.status
