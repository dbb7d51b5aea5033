"""Callbacks in a real Chromium: an endpoint fails and is mended, its callbacks go again; and a walk by keys alone."""

import asyncio
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.contract.ledger.values import receipt, sent
from tests.support.console import Desk
from tests.support.fakes import QuietProbe
from tests.support.stage import Stage

from loa.console.troubles import Trouble
from loa.notify.guard import GuardPolicy
from loa.notify.poster import HttpCallbackSender
from loa.notify.signature import new_secret
from loa.ports.records import CallbackFilter
from loa.simulators.receiver.script import ReceiverScript
from loa.simulators.receiver.server import CallbackReceiver
from loa.stages.callbacks import CallbackRules, CallbackStage

pytestmark = pytest.mark.xdist_group("console-callbacks")

HERE = GuardPolicy(allow_http=True, ports=(), allow_networks=(ip_network("127.0.0.0/8"),))
RULES = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
NUMBER = 84_906_000_001


class Posting:
    """A receiver, and the stage that posts to it, on the loop of the screens."""

    receiver: CallbackReceiver
    stage: CallbackStage
    sender: HttpCallbackSender
    tasks: list[asyncio.Task[None]]
    endpoint_id: int

    async def begin(self, desk: Desk) -> None:
        """Have three callbacks owed to an endpoint that says it is gone."""
        secret = new_secret()
        self.receiver = CallbackReceiver(clock=desk.clock, secret=secret, script=ReceiverScript(status=410))
        await self.receiver.start()
        endpoint = await desk.ledger.add_endpoint(1, f"{self.receiver.url}/told", secret)
        self.endpoint_id = endpoint.id
        at = desk.clock.now() - 60_000
        for each in range(3):
            await sent(desk.ledger, f"R{each}", now=at, numbers=[NUMBER + each], endpoint_id=endpoint.id)
            await desk.ledger.store([receipt(f"R{each}", destination=NUMBER + each, received_at=at)])
        self.sender = HttpCallbackSender(HERE, version="9")
        rules = CallbackRules(concurrency=1, per_endpoint=1)
        self.stage = CallbackStage(desk.ledger, self.sender, clock=desk.clock, probe=QuietProbe(), rules=rules)
        self.tasks = [asyncio.create_task(loop()) for loop in self.stage.loops()]
        await self.receiver.until(lambda counts: counts.requests == 1)
        while not await desk.ledger.count_failed(1, endpoint.id, 0, 1) or not await self._is_off(desk):
            await asyncio.sleep(0)

    async def _is_off(self, desk: Desk) -> bool:
        return any(each.disabled_at for each in await desk.ledger.endpoints(1) if each.id == self.endpoint_id)

    async def mend(self, _desk: Desk) -> None:
        self.receiver.change(ReceiverScript())

    async def carry_on(self, desk: Desk, requests: int) -> None:
        """Have the stage hear that the endpoint is on, and wait for what it posts then."""
        self.stage.remember(await desk.ledger.endpoints())
        self.stage.wake()
        await self.receiver.until(lambda counts: counts.requests == requests)
        wanted = CallbackFilter(endpoint_id=self.endpoint_id, result="due")
        while (await desk.ledger.callbacks(1, wanted, None, 9)).rows:
            await asyncio.sleep(0)

    async def end(self, _desk: Desk) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.sender.close()
        await self.receiver.stop()


@pytest.fixture
def posting(stage: Stage) -> Iterator[Posting]:
    made = Posting()
    stage.served.do(made.begin)
    yield made
    stage.served.do(made.end)


def test_an_endpoint_that_failed_is_mended_and_gets_what_it_missed(
    stage: Stage, open_page: Callable[..., Page], posting: Posting
) -> None:
    page = open_page()
    page.goto(stage.served.url + "/console/callbacks")
    page.get_by_role("link", name=posting.receiver.url).click()
    expect(page.locator(".note.bad")).to_contain_text("410 Gone")
    stage.served.do(posting.mend)
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("status")).to_contain_text("The endpoint is on.")
    assert "done=" not in page.url
    page.get_by_role("link", name="Post failed ones again").click()
    expect(page.get_by_text("1 callbacks would be posted again.")).to_be_visible()
    page.get_by_role("button", name="Post them again").click()
    expect(page.get_by_role("status")).to_contain_text("1 callbacks are due again.")
    expect(page.locator("tbody tr")).to_have_count(3)
    stage.served.do(lambda desk: posting.carry_on(desk, 4))
    assert [each.verdict for each in posting.receiver.deliveries] == ["valid"] * 4
    page.goto(stage.served.url + f"/console/callbacks/deliveries?endpoint={posting.endpoint_id}&result=delivered")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.locator("tbody a").last.click()
    expect(page.get_by_text("HTTP 200")).to_be_visible()
    # What the page composes is what the receiver got, octet for octet.
    last = {each.callback_id: each for each in posting.receiver.deliveries}[page.locator("h1").inner_text()]
    assert f"webhook-signature: {last.headers['webhook-signature']}" in page.locator("#head").inner_text()
    assert last.body.decode() in page.locator("#snippet-1").inner_text()
    page.get_by_role("button", name="Post again").click()
    expect(page.get_by_role("status")).to_contain_text("The callback is due again.")
    stage.served.do(lambda desk: posting.carry_on(desk, 5))
    assert posting.receiver.deliveries[-1].callback_id == last.callback_id


def sound(page: Page) -> list[Any]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found]


def test_the_console_is_walked_by_keys_alone(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(stage.address("overview"))
    keys = page.keyboard
    keys.press("g")
    keys.press("m")
    page.wait_for_url("**/console/messages")
    for key in ("j", "j", "k", "j"):
        keys.press(key)
    expect(page.locator("tbody tr").nth(1).get_by_role("link")).to_be_focused()
    keys.press("Enter")
    page.wait_for_url("**/console/messages/msg_*")
    keys.press("Control+k")
    expect(page.get_by_role("combobox", name="Go to a page, or search")).to_be_focused()
    assert sound(page) == []
    keys.type("callb")
    expect(page.get_by_role("option", name="Callbacks")).to_have_attribute("aria-selected", "true")
    keys.press("Enter")
    page.wait_for_url("**/console/callbacks")
    keys.press("j")
    expect(page.locator("[data-row] a").first).to_be_focused()
    keys.press("Enter")
    page.wait_for_url("**/console/callbacks/1")
    keys.press("g")
    keys.press("c")
    page.wait_for_url("**/console/channels")


def test_the_palette_searches_for_what_is_no_page(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page(language="vi")
    page.route("**/console/search?*", lambda route: route.fulfill(body="", content_type="text/plain"))
    page.goto(stage.address("overview"))
    page.keyboard.press("Control+k")
    page.keyboard.type("kenh")
    expect(page.get_by_role("dialog").get_by_role("option").first).to_contain_text("Kênh")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#option-search")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/search?q=kenh")


def test_the_help_opens_by_key_and_by_button_and_closes(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page(theme="dark")
    page.goto(stage.address("overview"))
    shown = page.get_by_role("dialog", name="Keyboard shortcuts")
    page.keyboard.press("?")
    expect(shown).to_be_visible()
    assert sound(page) == []
    page.keyboard.press("Escape")
    expect(shown).to_be_hidden()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Single keys on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(shown).to_be_hidden()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Single keys on").check()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(shown).to_be_visible()


def test_nothing_fires_while_somebody_types(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(stage.served.url + "/console/messages?sender=x")
    field = page.get_by_label("Sender")
    field.fill("")
    field.press_sequentially("gm?j/k")
    assert field.input_value() == "gm?j/k"
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert page.url.endswith("?sender=x")


def test_what_is_copied_is_said(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page(permissions=("clipboard-read", "clipboard-write"))
    page.goto(stage.address("delivery"))
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("status")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#snippet-1").text_content()


def test_a_banner_leads_to_the_cause(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page(theme="dark")
    stage.served.desk.troubles.append(Trouble("channel_down", "bad", "viettel", "/console/channels"))
    try:
        page.goto(stage.address("callbacks"))
        assert sound(page) == []
        banner = page.get_by_role("region", name="What is wrong")
        banner.get_by_role("link", name="See why").click()
        page.wait_for_url("**/console/channels")
    finally:
        stage.served.desk.troubles.clear()
