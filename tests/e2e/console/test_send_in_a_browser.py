"""Sending by hand in a real Chromium: live looks, one message and many, twice, refused, by keyboard, without scripts."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect
from tests.support.console import CORPUS, Desk
from tests.support.send_desk import prepare
from tests.support.stage import Stage, resize

from loa.ports.records import MessageFilter

pytestmark = pytest.mark.xdist_group("console-send")

RULES = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
LONG = "Chào bạn Hằng, đơn hàng của bạn đang trên đường tới, vui lòng giữ máy. Cảm ơn bạn đã chọn LOA!"


@pytest.fixture(scope="module", autouse=True)
def _prepared(stage: Stage) -> None:
    stage.served.do(prepare)


def texts(stage: Stage) -> list[str]:
    """Give the texts of the newest messages."""

    async def read(desk: Desk) -> list[str]:
        rows = await desk.ledger.messages(1, MessageFilter(), None, 20)
        found = [await desk.ledger.submission(1, row["referent_id"]) for row in rows]
        return [each["text"] for each in found if each is not None]

    found: list[str] = stage.served.do(read)
    return found


def to(page: Page) -> Locator:
    return page.get_by_role("textbox", name=re.compile("^To "))


def open_form(stage: Stage, page: Page) -> None:
    page.goto(stage.address("send"))


def test_what_would_become_of_it_stands_beside_the_form_while_one_types(
    stage: Stage, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    open_form(stage, page)
    page.get_by_role("textbox", name="Text").press_sequentially(LONG)
    looks = page.get_by_role("region", name="What would become of it")
    expect(looks.locator("mark").first).to_be_visible()
    expect(looks.get_by_text("Without diacritics: 1 segments, 1 fewer.")).to_be_visible()
    expect(looks.locator(".phone.sms")).to_have_count(0)
    to(page).fill("0912345678, 0981234567")
    expect(looks.get_by_role("status")).to_have_text("It would be accepted")
    page.get_by_label("For real").check()
    expect(looks.locator(".phone .bubble")).to_have_count(2)
    expect(looks.get_by_text("2,800 ₫").first).to_be_visible()
    page.get_by_role("radio", name="Python").check(force=True)
    expect(looks.get_by_text("urllib.request.urlopen")).to_be_visible()
    expect(looks.get_by_role("status")).to_be_hidden()


def test_an_answer_that_comes_late_does_not_replace_a_newer_one(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_form(stage, page)
    held: list[Callable[[], None]] = []
    page.route("**/console/send", lambda route: held.append(route.continue_) if not held else route.continue_())
    with page.expect_request("**/console/send"):
        page.get_by_role("textbox", name="Text").fill("the old text")
    page.get_by_role("textbox", name="Text").fill("the new text é")
    to(page).fill("0912345678")
    bubble = page.locator(".phone .bubble").first
    expect(bubble).to_have_text("the new text é")
    held[0]()
    page.get_by_role("radio", name="Python").check(force=True)
    page.get_by_role("radio", name="Preview").check(force=True)
    expect(bubble).to_have_text("the new text é")


def test_a_message_is_sent_and_stands_in_the_list(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_form(stage, page)
    to(page).fill("0912345678")
    page.get_by_role("textbox", name="Text").fill("sent by hand")
    page.get_by_label("For real").check()
    expect(page.get_by_role("button", name="Simulate")).to_be_hidden()
    page.get_by_role("button", name="Send for real").click()
    expect(page.get_by_role("heading", name="Accepted")).to_be_visible()
    row = page.locator("tbody tr")
    expect(row).to_contain_text("84912345678")
    page.get_by_role("link", name="Follow the message").click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    page.get_by_role("link", name="Messages", exact=True).first.click()
    expect(page.locator("tbody tr").first).to_contain_text("84912345678")
    assert texts(stage)[0] == "sent by hand"


def test_a_double_click_sends_once(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_form(stage, page)
    to(page).fill("0912345678")
    page.get_by_role("textbox", name="Text").fill("clicked twice")
    page.get_by_label("For real").check()
    page.get_by_role("button", name="Send for real").dblclick()
    # The second click breaks the first one's navigation off, so no navigation is waited for but where it ends.
    expect(page).to_have_url(re.compile("/console/send/sub_"))
    assert texts(stage).count("clicked twice") == 1


def test_many_are_confirmed_and_the_way_back_keeps_the_form(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_form(stage, page)
    to(page).fill("0912345678\n0981234567\n0901234567")
    page.get_by_role("textbox", name="Text").fill("to three")
    page.get_by_label("For real").check()
    page.get_by_role("button", name="Send for real").click()
    expect(page.get_by_text("You are about to send to 3 real destinations")).to_be_visible()
    expect(page.get_by_text("2,100 ₫")).to_be_visible()
    assert texts(stage).count("to three") == 0
    page.get_by_role("button", name="Back to the form").click()
    expect(page.get_by_role("textbox", name="Text")).to_have_value("to three")
    page.get_by_role("button", name="Send for real").click()
    page.get_by_role("button", name="Send for real to 3").click()
    expect(page.get_by_role("link", name="Follow the messages")).to_be_visible()
    assert texts(stage).count("to three") == 3


def test_a_rule_refuses_and_says_why_where_it_matters(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_form(stage, page)
    to(page).fill("0912345678")
    page.get_by_role("textbox", name="Text").fill("too long " * 210)
    rules = page.locator(".rules")
    expect(rules.get_by_text("The text needs 13 segments, at most 10 are allowed.")).to_be_visible()
    page.get_by_role("button", name="Simulate").click()
    field = page.get_by_role("textbox", name="Text")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#wrong-text")).to_contain_text("at most 10")
    assert not [each for each in texts(stage) if each.startswith("too long")]


def test_a_template_is_filled_in_and_shown_as_a_card(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_form(stage, page)
    page.get_by_label("For real").check()
    page.get_by_label("Zalo template").check()
    to(page).fill("0912345678")
    page.get_by_role("combobox", name="Template").select_option("302119")
    page.get_by_label("otp").fill("482913")
    page.get_by_label("SMS instead").fill("Ma OTP cua ban: 482913")
    expect(page.locator(".phone.card .bubble")).to_have_text("Ma OTP cua ban la 482913")
    expect(page.locator(".phone.sms .bubble")).to_have_text("Ma OTP cua ban: 482913")
    expect(page.get_by_text("300 ₫ – 1,000 ₫")).to_be_visible()


def test_it_is_done_with_the_keyboard_alone(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_form(stage, page)
    page.get_by_label("Simulate").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("For real")).to_be_checked()
    for key in ("Tab", "Tab", "Tab"):
        page.keyboard.press(key)
    page.keyboard.type("0912345678")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("by keyboard")
    really = page.get_by_role("button", name="Send for real")
    for _ in range(6):
        if really.evaluate("(each) => each === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(really).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Accepted")).to_be_visible()
    assert texts(stage)[0] == "by keyboard"


def test_enter_in_a_field_only_looks(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_form(stage, page)
    to(page).fill("0912345678")
    page.get_by_role("textbox", name="Text").fill("pressed enter")
    page.get_by_label("For real").check()
    page.get_by_text("Schedule, request id, bad numbers").click()
    with page.expect_navigation():
        page.get_by_label("Request id").press("Enter")
    expect(page.get_by_role("status").filter(has_text="It would be accepted")).to_be_visible()
    assert "pressed enter" not in texts(stage)


def test_it_works_without_scripts(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False)
    open_form(stage, page)
    to(page).fill("0912345678")
    page.get_by_label("Zalo template").check()
    page.get_by_role("combobox", name="Template").select_option("302119")
    page.get_by_role("button", name="Preview").click()
    page.get_by_label("otp").fill("482913")
    page.get_by_label("For real").check()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".phone.card")).to_contain_text("482913")
    page.get_by_role("radio", name="PHP").check(force=True)
    expect(page.get_by_text("curl_init")).to_be_visible()
    page.get_by_role("button", name="Send for real").click()
    expect(page.get_by_role("heading", name="Accepted")).to_be_visible()


@pytest.mark.parametrize(
    ("language", "theme", "width"), [("vi", "light", 360), ("en", "dark", 1440), ("vi", "dark", 768)]
)
def test_a_full_look_is_sound(
    stage: Stage, open_page: Callable[..., Page], language: str, theme: str, width: int
) -> None:
    page = open_page(language=language, theme=theme)
    resize(page, width)
    open_form(stage, page)
    page.locator("[name=destinations]").fill("0912345678, 12, 0912 345 678, 0981234567," + CORPUS[0])
    page.locator("[name=text]").fill(LONG + "".join(CORPUS))
    expect(page.locator("mark").first).to_be_visible()
    for view in range(5):
        page.locator("[name=view]").nth(view).check(force=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page, options=RULES).response["violations"]
        serious = [each for each in found if each["impact"] in {"serious", "critical"}]
        assert [(each["id"], each["nodes"][0]["html"]) for each in serious] == []
    assert page.evaluate("window.hurt") is None
