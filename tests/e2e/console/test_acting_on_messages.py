"""What people do to messages, in a real Chromium: with the keyboard alone, without scripts, and over a reload."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect
from tests.contract.ledger.values import MINUTE, claim, settlement, submission
from tests.e2e.console.test_in_a_browser import CUT_OFF, RULES, SERIOUS
from tests.support.console import Desk
from tests.support.full_ledger import MUCH_LATER
from tests.support.stage import Stage, resize

from loa.domain.ids import message_public_id
from loa.domain.outcome import Accepted, Unknown
from loa.ports.records import MessageFilter

pytestmark = pytest.mark.xdist_group("console-messages")

NUMBERS = itertools.count(84_940_000_000)
TABS = 80


async def _lose(desk: Desk, sender: str, count: int) -> list[str]:
    """Leave unknown messages of a sender; give their ids, newest first."""
    numbers = [next(NUMBERS) for _ in range(count)]
    await desk.ledger.accept(submission(numbers=numbers, sender=sender, at=MUCH_LATER - 2_000))
    attempts = [each for each in await claim(desk.ledger, MUCH_LATER, limit=10_000) if each.sender == sender]
    given = {"wait_until": MUCH_LATER + MINUTE}
    await desk.ledger.record([settlement(each, Unknown("silence"), MUCH_LATER, **given) for each in attempts])
    return [message_public_id(each.message_id) for each in reversed(attempts)]


def lose(stage: Stage, sender: str, count: int = 1) -> list[str]:
    found: list[str] = stage.served.do(lambda desk: _lose(desk, sender, count))
    return found


def states(stage: Stage, sender: str) -> set[str]:
    async def read(desk: Desk) -> set[str]:
        rows = await desk.ledger.messages(1, MessageFilter(sender=sender), None, 1_000)
        return {row["state"] for row in rows}

    found: set[str] = stage.served.do(read)
    return found


def tab_to(page: Page, wanted: Locator) -> None:
    """Go on with the Tab key until an element has the focus."""
    for _ in range(TABS):
        if wanted.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the Tab key does not lead there")


def test_a_message_is_settled_with_the_keyboard_alone(stage: Stage, open_page: Callable[..., Page]) -> None:
    (public,) = lose(stage, "KEYS")
    page = open_page()
    page.goto(stage.served.url + "/console/unknown")
    tab_to(page, page.get_by_label(f"Tick {public}"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("button", name="Settle what is ticked…"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="This touches 1 messages")).to_be_visible()
    tab_to(page, page.get_by_label("What became of them?"))
    page.keyboard.type("Undel")
    tab_to(page, page.get_by_label("Reason"))
    page.keyboard.type("the customer called")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=public)).to_be_visible()
    expect(page.get_by_text("lan settled it")).to_be_visible()
    expect(page.get_by_text("Undelivered · the customer called")).to_be_visible()
    assert states(stage, "KEYS") == {"undelivered"}


def test_messages_are_settled_without_scripts(stage: Stage, open_page: Callable[..., Page]) -> None:
    ids = lose(stage, "PLAIN", 3)
    page = open_page(java_script_enabled=False)
    page.goto(stage.served.url + "/console/unknown")
    for each in ids[:2]:
        page.get_by_label(f"Tick {each}").check()
    page.get_by_role("button", name="Settle what is ticked…").click()
    page.get_by_label("What became of them?").select_option("delivered")
    page.get_by_role("button", name="Settle 2").click()
    # The browser itself asks for what is required; a form that lacks it comes back marked all the same.
    page.get_by_label("Reason").fill("the carrier's list")
    page.get_by_role("button", name="Settle 2").click()
    expect(page.get_by_text("2 of 2 looked at")).to_be_visible()
    expect(page.locator("main .mark", has_text="Done")).to_be_visible()
    page.goto(stage.served.url + f"/console/messages/{ids[2]}")
    page.get_by_role("link", name="Settle").click()
    expect(page.get_by_role("heading", name="This touches 1 messages")).to_be_visible()
    assert states(stage, "PLAIN") == {"delivered", "unknown"}


def test_an_action_on_a_filter_goes_on_over_a_reload_until_it_is_done(
    stage: Stage, open_page: Callable[..., Page]
) -> None:
    lose(stage, "MANY", 230)
    held = stage.served.do(_hold)
    page = open_page()
    page.goto(stage.served.url + "/console/messages?state=unknown&sender=MANY")
    page.locator("summary", has_text="Actions").click()
    page.get_by_role("link", name="Settle unknown ones").click()
    expect(page.get_by_role("heading", name="This touches 230 messages")).to_be_visible()
    assert page.locator("tbody tr").count() == 10
    page.get_by_label("What became of them?").select_option("delivered")
    page.get_by_label("Reason").fill("a report")
    page.get_by_label("Type settle to go on").fill("deliver")
    page.get_by_role("button", name="Settle 230").click()
    expect(page.locator(".wrong")).to_contain_text("nothing was done")
    page.get_by_label("Type settle to go on").fill("settle")
    page.get_by_role("button", name="Settle 230").click()
    expect(page.locator("main .mark", has_text="Working")).to_be_visible()
    place = page.url
    page.reload()
    expect(page.locator("main .mark", has_text="Working")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()
    stage.served.do(lambda _desk: _let_go(held))
    expect(page.locator("main .mark", has_text="Done")).to_be_visible()
    expect(page.get_by_text("230 of 230 looked at")).to_be_visible()
    assert page.url == place
    assert states(stage, "MANY") == {"delivered"}


async def _hold(desk: Desk) -> asyncio.Event:
    """Have the ledger take nobody's word until the event is set."""
    go_on, rule = asyncio.Event(), desk.ledger.rule

    async def held(*args: Any) -> Any:
        await go_on.wait()
        return await rule(*args)

    desk.ledger.rule = held  # type: ignore[method-assign]
    return go_on


async def _let_go(go_on: asyncio.Event) -> None:
    go_on.set()


def test_a_page_of_messages_is_ticked_at_once(stage: Stage, open_page: Callable[..., Page]) -> None:
    lose(stage, "TICKS", 2)
    page = open_page()
    page.goto(stage.served.url + "/console/unknown")
    page.get_by_label("Tick the whole page").check()
    ticks = page.locator("input[name=id]")
    assert ticks.count() > 1
    assert page.locator("input[name=id]:checked").count() == ticks.count()
    ticks.first.uncheck()
    expect(page.get_by_label("Tick the whole page")).not_to_be_checked()


def test_a_list_is_downloaded(stage: Stage, open_page: Callable[..., Page]) -> None:
    ids = lose(stage, "FILE", 2)
    page = open_page()
    page.goto(stage.served.url + "/console/messages?sender=FILE")
    page.locator("summary", has_text="Actions").click()
    page.get_by_label("Format of the file").select_option("jsonl")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    read = waiting.value.path().read_text(encoding="utf-8")
    assert waiting.value.suggested_filename.endswith(".jsonl")
    assert all(each in read for each in ids)


def test_the_search_field_leads_from_every_page_to_a_message(stage: Stage, open_page: Callable[..., Page]) -> None:
    (public,) = lose(stage, "FOUND")
    page = open_page()
    page.goto(stage.served.url + "/console/channels")
    page.get_by_role("banner").get_by_role("searchbox").fill(public)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=public)).to_be_visible()


@pytest.mark.parametrize(("language", "theme"), [("vi", "light"), ("en", "dark")])
def test_a_message_with_everything_that_was_sent_is_sound(
    stage: Stage, open_page: Callable[..., Page], language: str, theme: str
) -> None:
    public = stage.served.do(_over_smpp)
    page = open_page(language=language, theme=theme)
    page.goto(stage.served.url + f"/console/messages/{public}")
    page.locator("form[action*='/content'] button").click()
    expect(page.get_by_text("submit_sm").first).to_be_visible()
    for width in (360, 1280):
        resize(page, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CUT_OFF) == []
        found = Axe().run(page, options=RULES).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in SERIOUS] == []


async def _over_smpp(desk: Desk) -> str:
    ledger = desk.ledger
    await ledger.change_channel("viettel", settings={"host": "h.example", "system_id": "loa", "password": "s3cret"})
    channel = next(each.id for each in await ledger.channels() if each.name == "viettel")
    text = "Mã xác nhận của bạn là 135790. " * 5
    given = {"text": text, "encoding": "ucs2", "segment_count": 3, "plan": (channel,), "at": MUCH_LATER}
    await ledger.accept(submission(numbers=[next(NUMBERS)], sender="LOA", endpoint_id=1, **given))
    (attempt,) = await claim(ledger, MUCH_LATER, channel=channel)
    await ledger.record([settlement(attempt, Accepted(("A1", "A2", "A3")), MUCH_LATER + 5)])
    return message_public_id(attempt.message_id)
