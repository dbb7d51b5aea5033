"""Every screen in a real Chromium: both languages, both themes, on a phone and on a desk, with and without scripts."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.contract.ledger.values import submission
from tests.support.console import visitor
from tests.support.console_screens import SCREENS, needed
from tests.support.stage import Stage, resize

from loa.domain.roles import Role, may

pytestmark = pytest.mark.xdist_group("console")

LANGUAGES, THEMES, WIDTHS = ("vi", "en"), ("light", "dark"), (360, 768, 1440)
LOOKED_AT = {("vi", "light"): WIDTHS[0], ("en", "dark"): WIDTHS[-1]}
"""The width at which axe looks, once in each language and each theme: a look takes long."""
ROLES = [each for each in Role if each is not Role.OWNER]
SERIOUS = {"serious", "critical"}
RULES = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
CUT_OFF = """
  [...document.querySelectorAll("main .sheet")].filter((each) => each.scrollWidth > each.clientWidth + 1)
    .map((each) => each.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_sound(stage: Stage, open_page: Callable[..., Page], name: str, language: str, theme: str) -> None:
    page = open_page(language=language, theme=theme)
    looked_at = LOOKED_AT.get((language, theme))
    # Where axe does not look, the screen is looked at by another role, in turn.
    role = Role.OWNER if looked_at else ROLES[list(SCREENS).index(name) % len(ROLES)]
    stage.served.desk.visitor = visitor(role)
    answer = page.goto(stage.address(name))
    assert answer is not None
    assert answer.status == (SCREENS[name][1] if may(role, needed(SCREENS[name][0])) else 403)
    assert page.get_attribute("html", "lang") == language
    for width in WIDTHS:
        resize(page, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CUT_OFF) == []
        if width == looked_at:
            found = Axe().run(page, options=RULES).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in SERIOUS] == []
    assert page.evaluate("window.hurt") is None
    stage.served.desk.visitor = visitor(Role.OWNER)


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_reads_without_scripts(stage: Stage, open_page: Callable[..., Page], name: str) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(stage.address(name))
    expect(page.locator("h1")).to_be_visible()
    expect(page.get_by_role("navigation", name="Navigation")).to_be_visible()


def test_filter_message_and_content_work_without_scripts(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(stage.address("messages"))
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Delivered", exact=True).check()
    page.get_by_role("button", name="Apply").click()
    assert "state=delivered" in page.url
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    page.get_by_role("button", name="Show the content").click()
    expect(page.locator(".content")).to_contain_text("Xin chào")
    assert stage.served.desk.looks


def test_language_and_theme_change_where_one_stands(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page(language="vi", theme="auto")
    page.goto(stage.served.url + "/console/messages?state=sent")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.url.endswith("/console/messages?state=sent")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_another_tenant_is_chosen_with_the_keyboard(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(stage.address("overview"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_label("Tenant").select_option("new")
    page.wait_for_url("**/console/?tenant=new")
    expect(page.get_by_text("Getting started")).to_be_visible()


def test_the_tail_shows_what_happens_and_stays_small(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(stage.address("tail"))
    expect(page.locator("[data-tail-state=live]")).to_be_visible()
    stage.served.do(lambda desk: desk.ledger.accept(submission(numbers=list(range(84_902_000_000, 84_902_000_120)))))
    stage.served.look_again()
    expect(page.locator("tbody tr").first).to_contain_text("84902000119")
    assert page.locator("tbody tr").count() == 50
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status").filter(has_text="Paused")).to_be_visible()


def test_the_tail_lets_go_while_nobody_sees_it(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(stage.address("tail"))
    expect(page.locator("[data-tail-state=live]")).to_be_visible()
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    hide += "document.dispatchEvent(new Event('visibilitychange'))"
    with page.expect_event("requestfailed", lambda request: "/tail/events" in request.url):
        page.evaluate(hide % "true")
    with page.expect_request("**/tail/events?after=*"):
        page.evaluate(hide % "false")


def test_what_is_pointed_at_is_large_enough(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    resize(page, 360)
    for name in SCREENS:
        page.goto(stage.address(name))
        small = page.evaluate(
            """[...document.querySelectorAll("main a, button, select, summary, .choice, input:not([type=hidden])")]
            .filter((each) => each.offsetParent && !each.closest(".choice input"))
            .map((each) => [each.outerHTML.slice(0, 90), (each.closest("label") ?? each).getBoundingClientRect()])
            .filter(([, box]) => box.height < 24 || box.width < 24).map(([html]) => html)"""
        )
        assert small == [], name


def test_the_navigation_opens_on_a_phone_without_a_script(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False)
    resize(page, 360)
    page.goto(stage.address("overview"))
    link = page.get_by_role("link", name="Messages", exact=True)
    expect(link).to_be_hidden()
    page.get_by_role("link", name="Open the navigation").click()
    expect(link).to_be_visible()
    page.get_by_role("link", name="Close the navigation").click()
    expect(link).to_be_hidden()


def test_escape_closes_the_navigation_on_a_phone(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    resize(page, 360)
    page.goto(stage.address("overview") + "#side")
    link = page.get_by_role("link", name="Messages", exact=True)
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
