"""Adding a channel, pausing one and asking where a message would go, in a real Chromium; each by keyboard alone too."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.support.console import Desk
from tests.support.stage import Stage

from loa.domain.routes import RouteStep
from loa.domain.traffic import TrafficClass
from loa.ports.records import ChannelRecord
from loa.simulators.smsc.script import Script
from loa.simulators.smsc.server import SmscSimulator

pytestmark = pytest.mark.xdist_group("console-carrying")

PASSWORD = "right-one"


@pytest.fixture(scope="module")
def smsc(stage: Stage) -> Iterator[int]:
    """The port of a simulated SMSC that wants a password."""
    simulator = SmscSimulator(script=Script(system_id="loa", password=PASSWORD))

    async def start(_desk: Desk) -> int:
        await simulator.start()
        return simulator.port

    async def stop(_desk: Desk) -> None:
        await simulator.stop()

    yield stage.served.do(start)
    stage.served.do(stop)


def channel(stage: Stage, name: str) -> ChannelRecord | None:
    async def find(desk: Desk) -> Any:
        return next((each for each in await desk.ledger.channels() if each.name == name), None)

    found: ChannelRecord | None = stage.served.do(find)
    return found


def tab_to(page: Page, wanted: Locator) -> None:
    """Reach something with the Tab key alone."""
    handle = wanted.element_handle()
    for _ in range(120):
        if page.evaluate("(wanted) => document.activeElement === wanted", handle):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key does not reach {wanted}")


def type_in(page: Page, fields: dict[str, str]) -> None:
    """Fill fields in by the keyboard alone."""
    for name, text in fields.items():
        tab_to(page, page.locator(f"[name='{name}']"))
        page.keyboard.press("Control+A")
        page.keyboard.type(text)


def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    tab_to(page, wanted)
    page.keyboard.press(key)


def test_a_channel_is_added_with_a_wrong_password_first_then_the_right_one(
    stage: Stage, open_page: Callable[..., Page], smsc: int
) -> None:
    page = open_page()
    page.goto(stage.address("channels"))
    page.get_by_role("link", name="Add a channel").click()
    page.get_by_role("link", name="A carrier, over SMPP").click()
    page.get_by_role("button", name="Test").click()
    expect(page.locator("#trial")).to_contain_text("This is needed.")
    expect(page.get_by_label("host", exact=False).first).to_be_focused()
    expect(page.locator("[name='set.host']")).to_have_attribute("aria-invalid", "true")
    page.locator("[name='name']").fill("carrier-1")
    page.locator("[name='set.host']").fill("127.0.0.1")
    page.locator("[name='set.port']").fill(str(smsc))
    page.locator("[name='set.system_id']").fill("loa")
    page.locator("[name='set.password']").fill("wrong-one")
    page.get_by_role("button", name="Test").click()
    expect(page.locator("#trial .failed")).to_contain_text("Bind")
    expect(page.locator("#trial .failed")).to_contain_text("refused the bind")
    assert page.locator("[name='set.host']").get_attribute("aria-invalid") is None
    page.locator("[name='set.password']").fill(PASSWORD)
    page.get_by_role("button", name="Test").click()
    expect(page.locator("#trial")).to_contain_text("Every step worked.")
    assert channel(stage, "carrier-1") is None, "a test keeps nothing"
    page.get_by_role("button", name="Add the channel").click()
    expect(page.get_by_role("status").filter(has_text="What comes next")).to_be_visible()
    kept = channel(stage, "carrier-1")
    assert kept is not None
    assert kept.settings["password"] == PASSWORD
    assert PASSWORD not in page.content()
    page.get_by_role("button", name="Test").click()
    expect(page.locator("#trial")).to_contain_text("Every step worked.")


def test_a_channel_is_added_without_scripts(stage: Stage, open_page: Callable[..., Page], smsc: int) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(stage.address("add smpp"))
    page.locator("[name='name']").fill("carrier-2")
    page.locator("[name='set.host']").fill("127.0.0.1")
    page.locator("[name='set.port']").fill("no port")
    page.locator("[name='set.system_id']").fill("loa")
    page.locator("[name='set.password']").fill(PASSWORD)
    page.get_by_role("button", name="Add the channel").click()
    expect(page.locator("[name='set.port'][aria-invalid]")).to_have_value("no port")
    expect(page.locator("[id='wrong-set.port']")).to_have_text("Give a number, 1 to 65,535.")
    page.locator("[name='set.port']").fill(str(smsc))
    expect(page.locator("[name='set.password']")).to_have_value("")
    page.get_by_role("button", name="Test").click()
    expect(page.locator("#trial .failed")).to_contain_text("refused the bind")
    page.locator("[name='set.password']").fill(PASSWORD)
    page.get_by_role("button", name="Add the channel").click()
    expect(page.get_by_text("What comes next")).to_be_visible()


def test_a_channel_is_added_by_keyboard_alone(stage: Stage, open_page: Callable[..., Page], smsc: int) -> None:
    page = open_page()
    page.goto(stage.address("channels"))
    press(page, page.get_by_role("link", name="Add a channel"))
    page.wait_for_url("**/add-channel")
    press(page, page.get_by_role("link", name="A carrier, over SMPP"))
    page.wait_for_url("**/add-channel?provider=smpp")
    fields = {"name": "carrier-3", "set.host": "127.0.0.1", "set.port": str(smsc), "set.system_id": "loa"}
    type_in(page, {**fields, "set.password": "wrong-one"})
    # Enter in a field tests, and keeps nothing.
    page.keyboard.press("Enter")
    expect(page.locator("#trial .failed")).to_contain_text("refused the bind")
    assert channel(stage, "carrier-3") is None
    page.locator("[name='set.password']").focus()
    type_in(page, {"set.password": PASSWORD})
    press(page, page.get_by_role("button", name="Test"))
    expect(page.locator("#trial")).to_contain_text("Every step worked.")
    press(page, page.get_by_role("button", name="Add the channel"))
    expect(page.get_by_text("What comes next")).to_be_visible()


def test_a_channel_is_paused_once_it_is_clear_what_that_means(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(stage.address("zalo channel"))
    expect(page.get_by_role("button", name="Pause now")).to_be_hidden()
    page.locator("summary", has_text="Pause…").click()
    expect(page.get_by_text("Nothing is handed over here until it goes on.")).to_be_visible()
    page.get_by_role("button", name="Pause now").click()
    expect(page.get_by_text("The channel is paused.")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("summary", has_text="Pause…")).to_be_visible()


def test_a_channel_is_paused_and_goes_on_by_keyboard_alone(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(stage.address("channel"))
    press(page, page.locator("summary", has_text="Pause…"))
    press(page, page.get_by_role("button", name="Pause now"))
    expect(page.get_by_text("The channel is paused.")).to_be_visible()
    press(page, page.get_by_role("button", name="Resume"))
    expect(page.locator("summary", has_text="Pause…")).to_be_visible()


def test_where_a_message_would_go_is_shown_with_its_rule_and_steps(
    stage: Stage, open_page: Callable[..., Page]
) -> None:
    stage.served.do(lambda desk: desk.ledger.add_route(1, [RouteStep(5, 20, (TrafficClass.OTP,)), RouteStep(1)]))
    page = open_page()
    page.goto(stage.address("routes"))
    page.get_by_role("link", name="Where would this go, and why").click()
    page.locator("[name='destinations']").fill("0912345678\n0961234567")
    page.locator("[name='text']").fill("Mã của bạn là 123456.")
    page.locator("[name='class']").select_option("otp")
    page.get_by_role("button", name="Show its way").click()
    fate = page.locator("#fate")
    expect(fate).to_contain_text("It would be accepted.")
    expect(page.locator("section", has=page.get_by_role("heading", name="84961234567"))).to_contain_text("Rule 1")
    expect(page.locator("section", has=page.get_by_role("heading", name="84912345678"))).to_contain_text("Rule 2")
    page.locator("[name='sender']").fill("NOBODY")
    page.get_by_role("button", name="Show its way").click()
    expect(fate).to_contain_text("It would be refused.")


def test_where_a_message_would_go_is_asked_by_keyboard_alone(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(stage.address("where"))
    type_in(page, {"destinations": "0912345678", "text": "hello"})
    press(page, page.get_by_role("button", name="Show its way"))
    expect(page.locator("#fate")).to_contain_text("Vinaphone", ignore_case=True)


def test_rules_change_their_order(stage: Stage, open_page: Callable[..., Page]) -> None:
    stage.served.do(lambda desk: desk.ledger.add_route(1, [2], sender="LOA"))
    page = open_page()
    page.goto(stage.address("routes"))
    first, last = page.locator(".rules > li").first, page.locator(".rules > li").last
    expect(last.get_by_role("button", name="Move down rule")).to_have_count(0)
    words = last.locator(".way").inner_text()
    for _ in range(page.locator(".rules > li").count() - 1):
        page.locator(".rules > li").filter(has_text=words.split("\n")[0]).last.get_by_role(
            "button", name="Move up"
        ).click()
    expect(first).to_contain_text("spare")
    first.get_by_role("link", name="Remove rule 1").click()
    expect(page.get_by_text("Messages that were accepted keep their way.")).to_be_visible()
    before = stage.served.do(lambda desk: desk.ledger.routes())
    page.get_by_role("button", name="Remove the rule").click()
    page.wait_for_url("**/console/routes")
    assert len(stage.served.do(lambda desk: desk.ledger.routes())) == len(before) - 1
