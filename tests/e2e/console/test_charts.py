"""The overview in a real Chromium: charts over the numbers of the page, which renews itself without a flicker."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.contract.ledger.values import submission
from tests.support.console import Desk
from tests.support.full_ledger import MUCH_LATER
from tests.support.stage import Stage, resize

from loa.console.streams import AT_MOST
from loa.domain.figures import Count, Kind

pytestmark = pytest.mark.xdist_group("console-charts")

HIDE = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true})"


def renew(page: Page) -> None:
    """Have the page renew itself now, and wait until it has."""
    with page.expect_response(lambda answer: answer.url.endswith("/console/")):
        page.evaluate("htmx.ajax('GET', location.href, {target: '#live', select: '#live', swap: 'outerMorph'})")


def test_charts_are_drawn_and_kept_when_the_page_renews_itself(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(stage.address("overview"))
    expect(page.locator(".uplot canvas")).to_have_count(4)
    page.locator("#numbers-accepted summary").click()
    page.evaluate("document.querySelectorAll('canvas').forEach((each, place) => { each.kept = place + 1 })")
    before = page.locator(".tile data").first.get_attribute("value")

    async def more(desk: Desk) -> None:
        await desk.ledger.note_queue_ages([Count(1, MUCH_LATER, Kind.ACCEPTED, 1, 0, 0, "", 7)])

    stage.served.do(more)
    renew(page)
    expect(page.locator(".tile data").first).to_have_attribute("value", str(int(before or 0) + 7))
    assert page.evaluate("[...document.querySelectorAll('canvas')].map((each) => each.kept)") == [1, 2, 3, 4]
    expect(page.locator("#numbers-accepted")).to_have_attribute("open", "")


def test_a_hidden_page_asks_for_nothing(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(stage.address("overview"))
    expect(page.locator(".uplot canvas")).to_have_count(4)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(HIDE % "true")
    page.evaluate("htmx.ajax('GET', location.href, {target: '#live', select: '#live', swap: 'outerMorph'})")
    page.evaluate(HIDE % "false")
    renew(page)
    assert len(asked) == 1


def test_charts_follow_the_width_and_the_theme(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page(theme="auto")
    page.goto(stage.address("overview"))
    expect(page.locator(".uplot canvas")).to_have_count(4)
    resize(page, 360)
    room = page.locator(".plot").first.evaluate("(each) => each.clientWidth")
    assert room < 340
    expect(page.locator(".uplot").first).to_have_js_property("clientWidth", room)
    page.emulate_media(color_scheme="light")
    page.evaluate("document.querySelector('canvas').drawnLight = true")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("canvas").first).not_to_have_js_property("drawnLight", True)


def test_the_range_stands_in_the_address_and_its_table_reads_without_scripts(
    stage: Stage, open_page: Callable[..., Page]
) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(stage.address("overview"))
    page.get_by_role("link", name="7 days").click()
    assert "range=7d" in page.url
    page.locator("#numbers-outcomes summary").click()
    assert page.locator("#numbers-outcomes tbody tr").count() == 7
    page.locator("#numbers-outcomes tbody a").first.click()
    assert page.locator("tbody tr").count() > 0


def more(stage: Stage, number: int, count: int = 120) -> None:
    """Have messages accepted, and let the stream look."""
    numbers = [84_904_000_000 + 1_000 * number + each for each in range(count)]
    stage.served.do(lambda desk: desk.ledger.accept(submission(numbers=numbers)))
    stage.served.look_again()


def test_rows_and_nodes_of_the_tail_stay_bounded(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.goto(stage.address("tail"))
    expect(page.locator("[data-tail-state=live]")).to_be_visible()
    nodes = []
    for number in range(12):
        more(stage, number)
        expect(page.locator("tbody tr").first).to_contain_text(str(84_904_000_119 + 1_000 * number))
        assert page.locator("tbody tr").count() == 50
        expect(page.locator("[data-tail-left-out]")).to_be_visible()
        session.send("HeapProfiler.collectGarbage")
        metrics = session.send("Performance.getMetrics")["metrics"]
        nodes.append(next(each["value"] for each in metrics if each["name"] == "Nodes"))
    assert max(nodes[6:]) <= 1.1 * max(nodes[:6])


def test_the_tail_holds_still_while_somebody_reads_further_down(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(stage.address("tail"))
    expect(page.locator("[data-tail-state=live]")).to_be_visible()
    more(stage, 20)
    expect(page.locator("tbody tr").first).to_contain_text("84904020119")
    page.evaluate("scrollTo(0, 900)")
    more(stage, 21)
    expect(page.locator("[data-tail-held]")).to_be_visible()
    expect(page.locator("tbody tr").first).to_contain_text("84904020119")
    page.get_by_role("button", name="Back to the newest").click()
    expect(page.locator("tbody tr").first).to_contain_text("84904021119")
    expect(page.locator("[data-tail-held]")).to_be_hidden()


def test_too_many_tails_are_refused_and_say_so(stage: Stage, open_page: Callable[..., Page]) -> None:
    streams = stage.served.desk.streams

    async def use_up(_desk: Desk) -> list[object]:
        held = [streams.held(1) for _ in range(AT_MOST)]
        for each in held:
            each.__enter__()
        return list(held)

    async def give_back(held: list[object]) -> None:
        for each in held:
            each.__exit__(None, None, None)  # type: ignore[attr-defined]

    held = stage.served.do(use_up)
    page = open_page()
    page.goto(stage.address("tail"))
    expect(page.locator("[data-tail-state=full]")).to_contain_text("too many windows")
    stage.served.do(lambda _desk: give_back(held))
