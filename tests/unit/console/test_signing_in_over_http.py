"""Signing in over HTTP to a whole gateway: first run, cookies, forgery, fixation, throttle, and what every answer says."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from http.cookies import SimpleCookie
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest
from starlette.routing import Route
from tests.support.browser import SAME, Browser, Page
from tests.support.inside import Inside, running_inside

from loa.app.console import demo_link, first_link
from loa.console.headers import ALWAYS, POLICY
from loa.console.sign_in.pages import SignInPages, environment
from loa.domain.roles import Role
from loa.settings.tree import Settings
from loa.stages.signing_in import SigningIn

SIGN_IN = "/console/sign-in"
HOME, SIGN_INS = "/console/", "/console/sign-ins"


def behind_a_proxy(settings: Settings) -> Settings:
    return replace(settings, server=replace(settings.server, trusted_proxies=("127.0.0.1",)))


@pytest.fixture
async def loa(tmp_path: Path) -> AsyncIterator[Inside]:
    async with running_inside(tmp_path, change=behind_a_proxy) as inside:
        yield inside


def browser(loa: Inside, **headers: str) -> Browser:
    return Browser(loa.gateway.url, loa.clock, {"Accept-Language": "en", "User-Agent": "Firefox", **headers})


async def link_of(loa: Inside) -> str:
    gateway = loa.gateway
    link = await first_link(gateway.ledger, gateway.clock, gateway.settings, gateway.url)
    assert link is not None
    assert link.startswith(f"{gateway.url}/console/first-run/")
    return urlsplit(link).path


async def owner(loa: Inside) -> Browser:
    """Give the browser in which the owner was just made."""
    own = browser(loa)
    done = await own.enrol(await link_of(loa))
    assert done.status == 200, done.text
    return own


async def test_the_first_link_makes_the_owner_shows_recovery_codes_and_is_good_once(loa: Inside) -> None:
    own, path = browser(loa), await link_of(loa)
    form = await own.get(path)
    assert "<svg" in form.text
    assert f"otpauth://totp/Loa:console?secret={form.field('seed')}" in form.text
    done = await own.enrol(path)
    assert len(re.findall(r"<code>([a-z2-9]{5}(?:-[a-z2-9]{5}){4})</code>", done.text)) == 10
    assert [user.name for user in await loa.gateway.ledger.users()] == ["mai"]
    listed = await own.get(SIGN_INS)
    assert (listed.status, "this one" in listed.text, "Firefox" in listed.text) == (200, True, True)
    for page in (await own.get(path), await own.post(path, {"form_token": own.cookies["loa"]})):
        assert page.status in (403, 404)
    other = browser(loa)
    await other.get(SIGN_IN)
    assert (await other.get(path)).status == 404
    gateway = loa.gateway
    assert await first_link(gateway.ledger, gateway.clock, gateway.settings, gateway.url) is None


async def test_two_who_use_one_link_at_once_make_one_owner(loa: Inside) -> None:
    path = await link_of(loa)
    first, second = browser(loa), browser(loa)
    form, other_form = await first.get(path), await second.get(path)
    first.seed, second.seed = form.field("seed"), other_form.field("seed")
    assert (await first.post(path, first.wanted(form))).status == 200
    assert (await second.post(path, second.wanted(other_form, name="an"))).status == 404
    assert [user.name for user in await loa.gateway.ledger.users()] == ["mai"]


async def test_what_is_wrong_with_a_form_is_said_and_the_link_stays_good(loa: Inside) -> None:
    own, path = browser(loa), await link_of(loa)
    form = await own.get(path)
    own.seed = form.field("seed")
    wrong = own.wanted(form, name='"><script>alert(1)</script>', password="short", code="000000")
    shown = await own.post(path, wrong)
    assert shown.status == 422
    for text in ("12 to 256 characters", "two passwords differ", "6 digits are not right", "name cannot be used"):
        assert text in shown.text
    assert "<script>" not in shown.text
    assert shown.field("seed") == own.seed, "the app that has it need not take another"
    hostile = await own.post(path, own.wanted(form, seed="'><script>" + "A" * 5_000))
    assert (hostile.status, "<script>" in hostile.text) == (422, False)
    assert (await own.post(path, own.wanted(form))).status == 200


async def test_people_sign_in_come_to_what_they_wanted_and_sign_out(loa: Inside) -> None:
    await owner(loa)
    own = await owner_again(loa)
    asked = await own.get(f"{SIGN_INS}?page=2")
    assert (asked.status, asked.headers["Location"]) == (303, f"{SIGN_IN}?next=/console/sign-ins%3Fpage%3D2")
    done = await own.sign_in(path=asked.headers["Location"])
    assert (done.status, done.headers["Location"]) == (303, f"{SIGN_INS}?page=2")
    listed = await own.get(SIGN_INS)
    assert listed.status == 200
    assert (await own.get(SIGN_IN)).headers["Location"] == HOME
    assert (await own.get("/console")).headers["Location"] == HOME
    assert (await own.get(HOME)).status == 200
    out = await own.post("/console/sign-out", {"form_token": listed.field("form_token")})
    assert (out.status, out.headers["Location"], "loa" in own.cookies) == (303, SIGN_IN, False)


async def owner_again(loa: Inside, **headers: str) -> Browser:
    """Give a browser in which the owner has the app, and is not signed in."""
    own = browser(loa, **headers)
    own.seed = (await loa.gateway.ledger.users())[0].seed
    own.steps = 2
    return own


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/console/\\evil",
        "/console/\n",
        "javascript:alert(1)",
        "/api/v1",
        "",
        "/consolex",
    ],
)
async def test_nobody_is_led_elsewhere(loa: Inside, elsewhere: str) -> None:
    await owner(loa)
    done = await (await owner_again(loa)).sign_in(next=elsewhere)
    assert (done.status, done.headers["Location"]) == (303, HOME)


async def test_whatever_is_wrong_the_answer_is_the_same_and_then_it_waits(loa: Inside) -> None:
    await owner(loa)
    own = await owner_again(loa)
    known = await own.sign_in(password="not the right one")
    unknown = await own.sign_in(name="nobody", password="not the right one")
    shutting = await own.sign_in(code="000000")

    def without(page: Page) -> str:
        return re.sub(r'value="[^"]*"', "", page.text)

    assert [page.status for page in (known, unknown, shutting)] == [401] * 3
    assert without(known) == without(unknown) == without(shutting)
    for _ in range(3):
        last = await own.sign_in(password="not the right one", code="000000")
    # Each code is of a later time, so waits are over by then: now at once.
    again = await own.get(SIGN_IN)
    fields = {"form_token": again.field("form_token"), "name": "mai", "password": "x", "code": "000000"}
    waits = [await own.post(SIGN_IN, fields) for _ in range(2)]
    assert last.status == 401
    assert [page.status for page in waits].count(429) >= 1
    assert int(waits[-1].headers["Retry-After"]) >= 1
    assert "Too many tries" in waits[-1].text


async def test_an_id_that_was_planted_is_not_taken_over_and_each_sign_in_has_a_new_one(loa: Inside) -> None:
    await owner(loa)
    own = await owner_again(loa)
    own.cookies["loa"] = planted = "planted-by-somebody-else"
    await own.sign_in()
    first = own.cookies["loa"]
    assert first != planted
    thief = browser(loa)
    thief.cookies["loa"] = planted
    assert (await thief.get(SIGN_INS)).status == 303
    # Signed in once more in the same browser: the one before is over.
    del own.cookies["loa"]
    form = await own.get(SIGN_IN)
    own.cookies["loa"] = first
    fields = {"form_token": form.field("form_token"), "name": "mai", "password": "a long phrase that nobody guesses"}
    assert (await own.post(SIGN_IN, {**fields, "code": own.code()})).status == 303
    assert own.cookies["loa"] not in (first, planted)
    thief.cookies["loa"] = first
    assert (await thief.get(SIGN_INS)).status == 303
    assert (await own.get(SIGN_INS)).status == 200


UNSAFE = [
    SIGN_IN,
    "/console/sign-out",
    "/console/first-run/secret",
    "/console/set-up/secret",
    "/console/enter/secret",
    f"{SIGN_INS}/end-all",
    f"{SIGN_INS}/{'0' * 64}/end",
    "/console/no-such-page",
]


def test_every_unsafe_address_is_among_those() -> None:
    pages = SignInPages(cast("SigningIn", None), environment("", None), "").routes()
    unsafe = [each for each in pages if isinstance(each, Route) and "POST" in (each.methods or ())]
    assert len(unsafe) == 5
    assert all(any(each.path_regex.fullmatch(path) for path in UNSAFE) for each in unsafe)


FROM_ELSEWHERE: list[dict[str, str]] = [
    {},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "HERE"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("path", UNSAFE)
async def test_no_unsafe_request_is_done_that_comes_from_elsewhere_or_lacks_its_token(loa: Inside, path: str) -> None:
    own = await owner(loa)
    token = (await own.get(SIGN_INS)).field("form_token")
    stranger = browser(loa)
    strange = (await stranger.get(SIGN_IN)).field("form_token")
    own.cookies["loa-form"] = stranger.cookies["loa-form"]
    right = {"form_token": strange if path == SIGN_IN or path.endswith("/secret") else token}
    for headers in FROM_ELSEWHERE:
        filled = {name: value.replace("HERE", loa.gateway.url) for name, value in headers.items()}
        assert (await own.post(path, right, filled)).status == 403, filled
    wrong = token if right["form_token"] == strange else strange
    for fields in ({}, {"form_token": ""}, {"form_token": wrong}, {"form_token": token[:-1]}, {"token": token}):
        assert (await own.post(path, fields)).status == 403, fields
    for method in ("PUT", "PATCH", "DELETE"):
        assert (await own.ask(method, path)).status == 403, method
    assert (await own.get(SIGN_INS)).status == 200, "and nothing was done"
    for headers in (SAME, {"Origin": loa.gateway.url}):
        assert (await own.post(path, right, headers)).status != 403, headers
        own.cookies.setdefault("loa-form", stranger.cookies["loa-form"])


async def test_a_script_of_ours_sends_the_token_as_a_header(loa: Inside) -> None:
    own = await owner(loa)
    token = (await own.get(SIGN_INS)).field("form_token")
    headers = {**SAME, "X-Form-Token": token, "Content-Type": "application/json"}
    assert (await own.ask("POST", "/console/sign-out", headers=headers)).status == 303


async def test_a_form_that_is_too_long_is_refused(loa: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loa.console.gate.FORM_MAX", 1_000)
    own = browser(loa)
    await own.get(SIGN_IN)
    assert (await own.post(SIGN_IN, {"name": "x" * 1_001})).status == 413


async def test_every_answer_has_the_headers(loa: Inside) -> None:
    own = await owner(loa)
    stranger = browser(loa)
    pages = [
        await own.get(SIGN_INS),
        await own.get("/console/no-such-page"),
        await stranger.get(SIGN_IN),
        await stranger.get(SIGN_INS),
        await stranger.get("/console/first-run/unknown"),
        await stranger.post(SIGN_IN, {}),
        await stranger.ask("PUT", SIGN_IN, headers=SAME),
        await browser(loa, Host="sms.example.vn").get(SIGN_IN),
    ]
    assert [page.status for page in pages] == [200, 404, 200, 303, 404, 403, 403, 403]
    for page in pages:
        for name, value in ALWAYS.items():
            assert page.headers.getall(name.decode()) == [value.decode()]
        assert page.headers["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in page.headers
        assert page.headers["X-Request-Id"].startswith("req_")
    assert "unsafe" not in POLICY
    assert "style=" not in pages[0].text + pages[2].text


async def test_over_tls_cookies_are_bound_to_the_host(loa: Inside) -> None:
    path = await link_of(loa)
    tls = browser(loa, Host="sms.example.vn", **{"X-Forwarded-Proto": "https"})
    form = await tls.get(path)
    assert set(tls.cookies) == {"__Host-loa-form"}
    assert form.headers["Strict-Transport-Security"] == "max-age=31536000"
    tls.seed = form.field("seed")
    done = await tls.post(path, tls.wanted(form), {"Origin": "https://sms.example.vn"})
    assert set(tls.cookies) == {"__Host-loa"}
    (kept,) = [each for each in done.headers.getall("Set-Cookie") if each.startswith("__Host-loa=")]
    read = SimpleCookie(kept)["__Host-loa"]
    assert (read["path"], read["secure"], read["httponly"], read["samesite"], read["domain"], read["max-age"]) == (
        *("/", True, True, "Lax", "", ""),
    )
    assert (await tls.get(SIGN_INS)).status == 200


async def test_on_this_machine_cookies_go_without_tls_and_nowhere_else(loa: Inside) -> None:
    own = browser(loa)
    shown = await own.get(SIGN_IN)
    (kept,) = shown.headers.getall("Set-Cookie")
    assert re.fullmatch(r"loa-form=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax", kept)
    for host in ("localhost:8080", "127.0.0.1", "[::1]:8080"):
        assert (await browser(loa, Host=host).get(SIGN_IN)).status == 200, host
    for host in ("sms.example.vn", "10.0.0.5:8080", "localhost.evil.example", "evil-localhost", "127.0.0.1.nip.io"):
        refused = await browser(loa, Host=host).get(SIGN_IN)
        assert (refused.status, "Set-Cookie" in refused.headers) == (403, False), host
        assert "opens over HTTPS only" in refused.text


async def test_who_is_not_signed_in_sees_no_page(loa: Inside) -> None:
    own = browser(loa)
    for path in ("/console", "/console/", SIGN_INS, "/console/anything", "/console/sign-in/", "/console/sign-inx"):
        assert (await own.get(path)).status == 303, path
    part = await own.get(SIGN_INS, **{"HX-Request": "true"})
    assert (part.status, part.headers["HX-Redirect"]) == (401, SIGN_IN)
    assert (await own.post(SIGN_INS, {})).status == 401


async def test_a_sign_in_ends_idle_and_when_its_user_is_shut_out_or_has_another_role(loa: Inside) -> None:
    own = await owner(loa)
    ledger = loa.gateway.ledger
    loa.clock.set_by(29 * 60)
    assert (await own.get(SIGN_INS)).status == 200
    loa.clock.set_by(29 * 60)
    assert (await own.get(SIGN_INS)).status == 200
    loa.clock.set_by(30 * 60)
    assert (await own.get(SIGN_INS)).status == 303
    own.steps = 0
    assert (await own.sign_in()).status == 303
    await ledger.add_user("an", Role.OWNER, 1)
    await ledger.set_role(1, Role.OWNER)
    assert (await own.get(SIGN_INS)).status == 303, "who has another role signs in again"


async def test_people_see_where_they_are_signed_in_and_end_it(loa: Inside) -> None:
    own = await owner(loa)
    other = await owner_again(loa, **{"User-Agent": "<script>alert(1)</script>"})
    await other.sign_in()
    listed = await own.get(SIGN_INS)
    assert "<script>" not in listed.text
    assert "&lt;script&gt;alert(1)" in listed.text
    ends = re.findall(r'action="(/console/sign-ins/[0-9a-f]{64}/end)"', listed.text)
    assert len(ends) == 2
    token = {"form_token": listed.field("form_token")}
    mine = re.search(r"this one.*?action=\"([^\"]+)\"", listed.text, re.DOTALL)
    assert mine is not None
    (theirs,) = set(ends) - {mine[1]}
    assert (await own.post(theirs, token)).headers["Location"] == SIGN_INS
    assert (await other.get(SIGN_INS)).status == 303
    assert (await own.post(theirs, token)).status == 404
    assert (await own.post(f"{SIGN_INS}/end-all", token)).status == 303
    assert (await own.get(SIGN_INS)).status == 303
    verbs = [entry.deed.verb for entry in await loa.gateway.ledger.audit(None, 10)]
    assert verbs == ["sign_ins.end_all", "sign_ins.end", "sign_in", "sign_in", "users.enrol"]


async def test_both_languages(loa: Inside) -> None:
    own = browser(loa)
    assert '<html lang="en" ' in (await own.get(SIGN_IN)).text
    wished = await own.get(f"{SIGN_IN}?lang=vi")
    assert ('<html lang="vi" ' in wished.text, "Mật khẩu" in wished.text) == (True, True)
    plain = await browser(loa, **{"Accept-Language": "fr-FR"}).get(SIGN_IN)
    assert '<html lang="vi" ' in plain.text, "the setting, where the browser wishes for neither"
    assert (
        '<html lang="en" ' in (await browser(loa, **{"Accept-Language": "fr,en-US;q=0.8,vi;q=0.5"}).get(SIGN_IN)).text
    )


async def test_the_demos_link_signs_its_owner_in_once_and_only_by_the_button(loa: Inside) -> None:
    gateway = loa.gateway
    link = await demo_link(gateway.ledger, gateway.clock, gateway.settings, gateway.url)
    path = urlsplit(link).path
    own, other = browser(loa), browser(loa)
    forms = [await each.get(path) for each in (own, other, other)]
    assert [form.status for form in forms] == [200] * 3, "looking uses nothing up"
    for wrong in (path.replace("/enter/", "/set-up/"), path.replace("/enter/", "/first-run/"), f"{path}x"):
        assert (await own.get(wrong)).status == 404
    done = await own.post(path, {"form_token": forms[0].field("form_token")})
    assert (done.status, done.headers["Location"]) == (303, HOME)
    assert (await own.get(SIGN_INS)).status == 200
    assert (await other.post(path, {"form_token": forms[1].field("form_token")})).status == 404
    assert (await other.sign_in(name="demo", password="", code="000000")).status == 401
    again = await demo_link(gateway.ledger, gateway.clock, gateway.settings, gateway.url)
    assert again != link
    assert [user.name for user in await gateway.ledger.users()] == ["demo"]
    await gateway.ledger.set_disabled(1, 1)
    assert (await own.get(SIGN_INS)).status == 303


@pytest.mark.parametrize(("roles", "status"), [(("console",), 200), (("api", "console"), 200), (("api",), 404)])
async def test_the_console_is_where_its_role_is(tmp_path: Path, roles: tuple[str, ...], status: int) -> None:
    async with running_inside(tmp_path, change=lambda settings: replace(settings, roles=roles)) as inside:
        own = browser(inside)
        assert (await own.get(SIGN_IN)).status == status
        assert (await own.get("/livez")).status == 200
        gateway = inside.gateway
        link = await first_link(gateway.ledger, gateway.clock, gateway.settings, gateway.url)
        assert (link is not None) == ("console" in roles)
