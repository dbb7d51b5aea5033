"""The first five minutes as people spend them: a real demo, its one-time link, the pasted curl, the knobs, the crash."""

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright
from tests.e2e.console.conftest import chromium
from tests.support.process import Running, loa_json

pytestmark = pytest.mark.xdist_group("console-first-minutes")


@dataclass
class Seat:
    """A browser on the demo's page. `ready`: what the demo said of itself."""

    page: Page
    ready: dict[str, Any]
    folder: Path

    def send(self, number: str, *, traffic_class: str = "transactional", via: str = "sms", text: str = "") -> str:
        """Fill in the form and press send; give the id of the message."""
        form = self.page.locator("#send form")
        form.get_by_label("Zalo" if via == "zalo" else "SMS", exact=True).check()
        form.get_by_label("Phone number").fill(number)
        form.get_by_label("Class").select_option(traffic_class)
        if text:
            form.get_by_label("Text").fill(text)
        before = self.page.locator("#send .note a").all_text_contents()
        form.get_by_role("button", name="Send").click()
        link = self.page.locator("#send .note a")
        if before:
            expect(link).not_to_have_text(before[0])
        return link.inner_text()

    def row(self, message_id: str) -> Locator:
        """Give the message's row in the tail, which changes only while nobody reads further down."""
        self.page.evaluate("scrollTo(0, 0)")
        return self.page.locator(f"#{message_id}")

    def turn(self, knob: str, on: str = "on") -> None:
        card = self.page.locator(f"#knob-{knob}")
        card.get_by_role("button").click()
        expect(card.locator(".mark")).to_have_text(on)

    def normal(self) -> None:
        self.page.get_by_role("button", name="All back to normal").click()
        expect(self.page.locator(".knob.warn")).to_have_count(0)

    def story(self, message_id: str) -> dict[str, Any]:
        """Read everything that the ledger knows of a message."""
        found: dict[str, Any] = loa_json("messages", "show", message_id, "--data", "data", cwd=self.folder)
        return found

    def bubbles(self, number: str) -> Locator:
        """Look at one handset, and give its texts."""
        self.page.goto(self.ready["url"] + "/console/phone")
        choice = self.page.get_by_label("Choose a phone")
        value = choice.locator("option", has_text=number).get_attribute("value")
        choice.select_option(value)
        self.page.wait_for_url(f"**handset={value}*")
        return self.page.locator(".bubble")


@pytest.fixture(scope="module")
def seat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seat]:
    folder = tmp_path_factory.mktemp("first-minutes")
    expect.set_options(timeout=30_000)
    with ExitStack() as stack:
        demo = stack.enter_context(Running("demo", "--json", "--port", 0, "--data", "data", cwd=folder))
        ready = demo.json()
        driver = stack.enter_context(sync_playwright())
        browser = chromium(driver)
        stack.callback(browser.close)
        context = browser.new_context(locale="en-GB", reduced_motion="reduce")
        context.set_default_timeout(30_000)
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(ready["console"])
        page.locator("main form button").click()
        page.wait_for_url("**/console/phone")
        yield Seat(page, ready, folder)
        assert [line for line in said if "Failed to load resource" not in line and "net::ERR" not in line] == []
        demo.signal(signal.SIGTERM)
        assert demo.ended() == 0, demo.said()


def test_the_pasted_curl_comes_by_the_tail_to_the_handset(seat: Seat) -> None:
    page = seat.page
    page.goto(seat.ready["url"] + "/console/phone")
    command = page.locator(".phone-code pre").first.inner_text()
    assert seat.ready["apiKey"] in command
    curl = shutil.which("curl")
    assert curl, "no curl; apt-get install curl"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stdout)["code"] == 201
    expect(page.locator("[data-tail-table] tbody tr").first).to_contain_text("Delivered")
    bubble = page.locator(".bubble.sms").last
    expect(bubble).to_contain_text("LOA-DEMO")
    expect(bubble).to_contain_text("Xin chao tu Loa")
    expect(bubble).to_contain_text("GSM-7 · 1 part")


def test_send_goes_over_both_networks_and_leads_to_the_message(seat: Seat) -> None:
    page = seat.page
    page.goto(seat.ready["url"] + "/console/phone")
    sent = seat.send("0912345671", text="Xin chào, đây là tiếng Việt " + "ơ" * 60)
    expect(seat.row(sent)).to_contain_text("Delivered")
    expect(page.locator(".bubble.sms").last).to_contain_text("UCS-2 · 2 parts")
    sent = seat.send("0912345671", via="zalo", traffic_class="otp", text="Mã xác thực của bạn là 482913.")
    expect(page.locator(".bubble.zalo").last).to_contain_text("Mã xác thực của bạn là 482913.")
    expect(seat.row(sent)).to_contain_text("Delivered")
    page.locator("#send .note a").click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    page.goto(seat.ready["url"] + "/console/phone")
    page.get_by_label("Zalo", exact=True).check()
    page.locator("#send").get_by_label("Text").fill("no template at all")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#send .wrong")).to_contain_text("No Zalo template fits")


def test_who_holds_the_handset_answers_and_the_receiver_hears_it(seat: Seat) -> None:
    page = seat.page
    page.goto(seat.ready["url"] + "/console/phone")
    seat.send("0912345678")
    expect(page.locator("[data-chosen] .mono")).to_have_text("84912345678")
    page.get_by_label("Answer the shop over Zalo").fill("Còn hàng không?")
    page.get_by_role("button", name="Answer", exact=True).click()
    expect(page.locator(".bubble.theirs").last).to_contain_text("Còn hàng không?")
    expect(page.locator(".bubble.theirs").last).to_contain_text("your endpoint has it")
    page.get_by_role("button", name="Follow the OA").click()
    expect(page.locator(".handset-top")).to_contain_text("follows the OA")


def test_a_lost_answer_leaves_a_code_unknown_and_repeats_a_notice_once(seat: Seat) -> None:
    seat.page.goto(seat.ready["url"] + "/console/phone")
    seat.turn("drop_response")
    code = seat.send("0912345602", traffic_class="otp")
    notice = seat.send("0912345603")
    expect(seat.row(notice)).to_contain_text("Possible duplicate", timeout=90_000)
    # The second answer is lost too, and there is no third try.
    expect(seat.row(notice)).to_contain_text("Unknown", timeout=90_000)
    expect(seat.row(code)).to_contain_text("Unknown")
    seat.normal()
    assert [each["outcome"] for each in seat.story(notice)["attempts"]] == ["unknown", "unknown"]
    assert [each["outcome"] for each in seat.story(code)["attempts"]] == ["unknown"]
    expect(seat.bubbles("84912345603")).to_have_count(2)
    expect(seat.bubbles("84912345602")).to_have_count(1)


def test_slow_answers_and_receipts_show_what_is_under_way(seat: Seat) -> None:
    seat.page.goto(seat.ready["url"] + "/console/phone")
    seat.turn("slow_answer")
    sent = seat.send("0912345604")
    expect(seat.row(sent)).to_contain_text("Sending")
    seat.normal()
    seat.turn("slow_receipt")
    sent = seat.send("0912345604")
    expect(seat.row(sent)).to_contain_text("Sent")
    seat.normal()
    expect(seat.row(sent)).to_contain_text("Delivered")


def test_throttling_delays_and_loses_nothing(seat: Seat) -> None:
    seat.page.goto(seat.ready["url"] + "/console/phone")
    seat.turn("throttle")
    sent = [seat.send(f"091234561{number}") for number in range(3)]
    for each in sent:
        expect(seat.row(each)).to_contain_text("Delivered", timeout=90_000)
    reasons = [attempt["reason"] for each in sent for attempt in seat.story(each)["attempts"]]
    assert any(reason and "throttled" in reason.lower() for reason in reasons), reasons
    seat.normal()


def test_a_refusal_is_final_and_a_number_without_zalo_gets_an_sms(seat: Seat) -> None:
    seat.page.goto(seat.ready["url"] + "/console/phone")
    seat.turn("refuse")
    sent = seat.send("0912345605")
    expect(seat.row(sent)).to_contain_text("Rejected")
    assert len(seat.story(sent)["attempts"]) == 1
    seat.normal()
    seat.turn("not_on_zalo")
    sent = seat.send("0912345606", via="zalo", traffic_class="otp", text="Mã xác thực của bạn là 482913.")
    expect(seat.row(sent)).to_contain_text("Delivered")
    assert [each["channel"] for each in seat.story(sent)["attempts"]] == ["demo-zalo", "demo-smsc"]
    seat.normal()


def test_a_receipt_that_comes_twice_counts_once(seat: Seat) -> None:
    seat.page.goto(seat.ready["url"] + "/console/phone")
    seat.turn("duplicate_receipt")
    sent = seat.send("0912345607")
    expect(seat.row(sent)).to_contain_text("Delivered")
    # The second one follows the first at once; each look takes the command line about a second.
    repeats = (seat.story(sent)["receipts"][0]["repeats"] for _ in range(20))
    assert 1 in repeats
    assert len(seat.story(sent)["callbacks"]) == 1
    seat.normal()


def test_messages_wait_for_a_link_that_is_down(seat: Seat) -> None:
    seat.page.goto(seat.ready["url"] + "/console/phone")
    seat.turn("link_down")
    sent = seat.send("0912345608")
    expect(seat.row(sent)).to_contain_text("Queued")
    seat.normal()
    expect(seat.row(sent)).to_contain_text("Delivered", timeout=90_000)


def test_crash_me_loses_nothing_and_says_what_became_unknown(seat: Seat) -> None:
    page = seat.page
    page.goto(seat.ready["url"] + "/console/phone")
    gateway = (seat.folder / "data" / "loa.db.lock").read_text()
    killed = page.locator("#aftermath time").all_text_contents()
    page.get_by_role("button", name="Send 50 and crash").click()
    expect(page.locator("#crash [role=alert]")).to_contain_text("Tick that you really want")
    page.get_by_label("Yes, kill the gateway").check()
    page.get_by_label("Class of the 50 messages").select_option("otp")
    page.get_by_role("button", name="Send 50 and crash").click()
    crash = page.locator("#crash")
    for earlier in killed:
        expect(crash.locator("#aftermath time")).not_to_have_text(earlier, timeout=90_000)
    expect(crash).to_contain_text(re.compile(r"back after [\d.,]+"), timeout=90_000)
    assert (seat.folder / "data" / "loa.db.lock").read_text() != gateway
    expect(crash.locator("[data-missing]")).to_have_attribute("data-missing", "0")
    expect(figure(crash, "accepted")).to_have_text("50")
    expect(figure(crash, "waiting")).to_have_text("0", timeout=90_000)
    expect(figure(crash, "delivered")).to_have_text("40")
    expect(figure(crash, "unknown")).to_have_text("10")
    expect(figure(crash, "handsets")).to_have_text("50")
    expect(crash.locator("[data-twice]")).to_have_attribute("data-twice", "0")
    expect(crash.locator("ul a").first).to_contain_text("msg_")
    figure(crash, "unknown").locator("a").click()
    expect(page.locator("tbody tr")).to_have_count(10)


def test_after_a_crash_notices_are_repeated_once_and_flagged(seat: Seat) -> None:
    page = seat.page
    page.goto(seat.ready["url"] + "/console/phone")
    page.get_by_label("Yes, kill the gateway").check()
    page.get_by_role("button", name="Send 50 and crash").click()
    crash = page.locator("#crash")
    expect(crash).to_contain_text("50 messages sent", timeout=90_000)
    expect(figure(crash, "delivered")).to_have_text("50", timeout=90_000)
    expect(crash.locator("[data-twice]")).to_have_attribute("data-twice", "10")
    expect(crash).to_contain_text("10 messages were in the air")
    expect(crash.locator("ul a").first).to_contain_text("Possible duplicate")
    # The tail went on by itself.
    sent = seat.send("0912345609")
    expect(seat.row(sent)).to_contain_text("Delivered")


def figure(crash: Locator, name: str) -> Locator:
    """Give what a figure says now."""
    return crash.locator(f"[data-figure={name}] td").last
