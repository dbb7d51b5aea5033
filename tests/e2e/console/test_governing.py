"""A whole gateway and a real Chromium: becoming the owner, rotating a key with the keyboard alone, being asked again."""

import asyncio
import os
import re
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from tests.support.inside import Inside, running_inside

from loa.app.console import first_link
from loa.stages.second_factor import STEP_MS

pytestmark = pytest.mark.xdist_group("console-governing")

PASSWORD = "a long phrase that nobody guesses"
SERIOUS = {"serious", "critical"}
RULES = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
TABS_MAX = 80


@dataclass
class Served:
    """A gateway on a thread of its own, and the owner's authenticator app."""

    inside: Inside
    loop: asyncio.AbstractEventLoop
    browser: Browser
    seed: str = ""

    @property
    def url(self) -> str:
        return self.inside.gateway.url.replace("127.0.0.1", "localhost")

    def link(self) -> str:
        gateway = self.inside.gateway

        async def made() -> Any:
            return await first_link(gateway.ledger, gateway.clock, gateway.settings, self.url)

        found = asyncio.run_coroutine_threadsafe(made(), self.loop).result(30)
        assert found is not None
        return str(found)

    def code(self) -> str:
        """Give a code of a step that no code was given of before."""
        self.inside.clock.set_by(2 * STEP_MS / 1000)
        return pyotp.TOTP(self.seed).generate_otp(self.inside.clock.now() // STEP_MS)

    def page(self, language: str = "en", theme: str = "light", width: int = 1280) -> Page:
        context = self.browser.new_context(viewport={"width": width, "height": 800}, reduced_motion="reduce")
        values = {"loa_language": language, "loa_theme": theme}
        context.add_cookies([{"name": n, "value": v, "url": self.url + "/console/"} for n, v in values.items()])
        return context.new_page()


@contextmanager
def gateway_on_a_thread(directory: Path) -> Iterator[tuple[Inside, asyncio.AbstractEventLoop]]:
    ready, running, stop = threading.Event(), [], asyncio.Event()

    async def life() -> None:
        async with running_inside(directory) as inside:
            running.append((inside, asyncio.get_running_loop()))
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(life())
        finally:
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait(30)
    assert running, "the gateway did not start"
    try:
        yield running[0]
    finally:
        running[0][1].call_soon_threadsafe(stop.set)
        thread.join(30)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "no Chromium; make test installs it, or: sudo apt-get install chromium"
    expect.set_options(timeout=20_000)
    with ExitStack() as stack:
        inside, loop = stack.enter_context(gateway_on_a_thread(tmp_path))
        driver = stack.enter_context(sync_playwright())
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=found, args=arguments)
        stack.callback(browser.close)
        yield Served(inside, loop, browser)


def is_sound(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in SERIOUS] == []


def tab_to(page: Page, wanted: Locator) -> None:
    """Come to something by the tabulator alone."""
    for _ in range(TABS_MAX):
        if wanted.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the keyboard does not lead there")


def become_owner(served: Served, page: Page) -> None:
    page.goto(served.link())
    served.seed = str(page.locator('input[name="seed"]').get_attribute("value"))
    for label, text in (("Name", "mai"), ("Password", PASSWORD), ("Password again", PASSWORD)):
        tab_to(page, page.get_by_label(label, exact=True))
        page.keyboard.type(text)
    tab_to(page, page.get_by_label("6 digits", exact=True))
    page.keyboard.type(served.code())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()


def answered(served: Served, key: str) -> int:
    asked = urllib.request.Request(f"{served.url}/api/v1/messages?limit=1", headers={"API-KEY": key})
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def shown_secret(page: Page) -> str:
    expect(page.locator("#secret")).to_be_visible()
    text = page.locator("#secret").inner_text().strip()
    assert re.fullmatch(r"loa_live_\w{38}", text)
    return text


def test_a_key_is_made_rotated_and_revoked_with_the_keyboard_alone(served: Served) -> None:
    page = served.page()
    become_owner(served, page)
    page.goto(served.url + "/console/keys/new")
    tab_to(page, page.locator('main [name="name"]'))
    page.keyboard.type("shop")
    page.keyboard.press("Enter")
    old = shown_secret(page)
    assert answered(served, old) == 200
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    tab_to(page, page.get_by_role("link", name="Download .env"))
    with page.expect_download() as taken:
        page.keyboard.press("Enter")
    assert f"LOA_CLIENT__API_KEY={old}\n" in taken.value.path().read_text()
    tab_to(page, page.get_by_role("link", name="I have put it away"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("link", name="Rotate this key"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Make the new key"))
    page.keyboard.press("Enter")
    fresh = shown_secret(page)
    assert [answered(served, each) for each in (old, fresh)] == [200, 200]
    tab_to(page, page.get_by_role("link", name="I have put it away"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Revoke the old key")).to_be_visible()
    tab_to(page, page.get_by_label(f"Type {old[-4:]} to go on"))
    page.keyboard.type(old[-4:])
    page.keyboard.press("Enter")
    expect(page.get_by_text("Revoked", exact=True).first).to_be_visible()
    assert [answered(served, each) for each in (old, fresh)] == [401, 200]


def test_who_signed_in_a_while_ago_is_asked_again_and_comes_back(served: Served) -> None:
    page = served.page()
    become_owner(served, page)
    served.inside.clock.set_by(16 * 60)
    page.goto(served.url + "/console/keys/new?tenant=")
    expect(page.get_by_role("heading", name="Is it still you?")).to_be_visible()
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(served.code())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New key")).to_be_visible()
    page.goto(served.url + "/console/audit")
    with page.expect_download() as taken:
        page.get_by_role("button", name="CSV").click()
    assert "users.enrol" in taken.value.path().read_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_pages_of_signing_in_are_sound_on_a_phone(served: Served, language: str, theme: str) -> None:
    page = served.page(language, theme, 360)
    link = served.link()
    for place in (link, f"{served.url}/console/sign-in", f"{served.url}/console/set-up/unknown"):
        page.goto(place)
        assert page.get_attribute("html", "lang") == language
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == theme
        is_sound(page)
    other = served.page()
    become_owner(served, other)
    page.context.add_cookies([{**each, "url": served.url} for each in _sign_in(other)])
    served.inside.clock.set_by(16 * 60)
    for path in ("/console/sign-ins", "/console/confirm?next=/console/keys"):
        page.goto(served.url + path)
        expect(page.locator("h1")).to_be_visible()
        is_sound(page)


def _sign_in(page: Page) -> list[Any]:
    return [{"name": each["name"], "value": each["value"]} for each in page.context.cookies() if each["name"] == "loa"]
