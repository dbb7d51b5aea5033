"""Batches in a real Chromium: from the file to the report, with scripts, by keyboard alone, and without scripts."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.support.console import Desk, visitor
from tests.support.stage import Stage

from loa.domain.roles import Role
from loa.stages.batches import BatchStage

pytestmark = pytest.mark.xdist_group("console-batches")

HEAD = "số điện thoại;họ tên\n"
ROWS = HEAD + "".join(f"09{12_345_000 + n};Ngọc {n}\n" for n in range(150)) + "12;Mai\n0912345000;Ngọc 0\n09\n"


class Work:
    """Works on batches when a test says so."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._works: BatchStage | None = None

    def some(self) -> None:
        """Do one piece of every batch, a quarter of a second later than the last."""

        async def piece(desk: Desk) -> None:
            if self._works is None:
                self._works = desk.batch_stage()
            desk.clock.advance(0.25)
            await self._works.tick()

        self._stage.served.do(piece)

    def all(self) -> None:
        for _ in range(60):
            self.some()


@pytest.fixture
def work(stage: Stage) -> Work:
    async def prepare(desk: Desk) -> None:
        desk.visitor = visitor(Role.OWNER)
        if all(each.name != "LOA" for each in await desk.ledger.senders()):
            await desk.ledger.add_sender(1, "LOA", "brandname")
        await desk.ledger.add_route(1, [1], position=0)

    stage.served.do(prepare)
    made = Work(stage)
    made.all()
    return made


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "Khuyến mãi.csv"
    file.write_bytes(ROWS.encode("utf-16"))
    return file


def fill(page: Page, text: str) -> None:
    page.locator("select[name=sender]").select_option("same:LOA")
    page.get_by_label("Text of the message").fill(text)


def test_from_the_file_to_the_report(
    stage: Stage, open_page: Callable[..., Page], work: Work, table: Path, tmp_path: Path
) -> None:
    page = open_page()
    page.goto(stage.address("batches"))
    page.get_by_role("link", name="New batch").click()
    page.get_by_label("CSV file").set_input_files(table)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="Khuyến mãi", exact=True)).to_be_visible()
    fill(page, "Chào {họ tên}!")
    expect(page.locator("#looks")).to_contain_text("Chào Ngọc 0!")
    page.get_by_label("Text of the message").fill("Xin chào {họ tên}!")
    expect(page.locator("#looks")).to_contain_text("Xin chào Ngọc 0!")
    page.get_by_role("button", name="Check all rows").click()
    expect(page.locator("#live")).to_contain_text("Checking")
    work.all()
    expect(page.locator("#live")).to_contain_text("What the check found")
    expect(page.locator("#live")).to_contain_text("A repeat")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download these rows").click()
    errors = tmp_path / "errors.csv"
    download.value.save_as(errors)
    assert [line.partition(",")[0] for line in errors.read_text("utf-8-sig").splitlines()] == [
        "Row",
        "151",
        "152",
        "153",
    ]
    page.get_by_label("Rate").fill("40")
    page.get_by_label("Type 150").fill("1")
    page.get_by_role("button", name="Send 150 messages").click()
    expect(page.get_by_text("do not match").or_(page.locator("#wrong-sure"))).to_be_visible()
    page.get_by_label("Type 150").fill("150")
    page.get_by_label("Rate").fill("40")
    page.get_by_role("button", name="Send 150 messages").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    work.some()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    bar = page.get_by_role("progressbar", name="Progress")
    value = bar.get_attribute("value")
    work.all()
    page.reload()
    assert bar.get_attribute("value") == value != "0"
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    work.all()
    expect(page.locator("#live")).to_contain_text("Finished")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the report").click()
    report = tmp_path / "report.csv"
    download.value.save_as(report)
    lines = report.read_text("utf-8-sig").splitlines()
    assert len(lines) == 154
    assert lines[1].startswith("1,84912345000,msg_")


def test_a_file_that_is_refused_says_why_on_the_spot(
    stage: Stage, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    file = tmp_path / "book.csv"
    file.write_bytes(b"PK\x03\x04" + bytes(100))
    page = open_page()
    page.goto(stage.address("new batch"))
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("This is a workbook")
    expect(page.get_by_role("button", name="Upload")).to_be_enabled()


def test_without_a_script(stage: Stage, open_page: Callable[..., Page], work: Work, table: Path) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(stage.address("new batch"))
    page.get_by_label("CSV file").set_input_files(table)
    page.get_by_role("button", name="Upload").click()
    fill(page, "Chào {họ tên}!")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#looks")).to_contain_text("Chào Ngọc 0!")
    page.get_by_role("button", name="Check all rows").click()
    work.all()
    page.reload()
    page.get_by_label("Type 150").fill("150")
    page.get_by_role("button", name="Send 150 messages").click()
    work.all()
    page.reload()
    expect(page.locator("#live")).to_contain_text("Finished")


def test_by_keyboard_alone(stage: Stage, open_page: Callable[..., Page], work: Work) -> None:
    page = open_page()
    page.goto(stage.address("new batch"))

    def reach(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            at = page.evaluate(
                "() => { const e = document.activeElement; return (e.labels?.[0]?.innerText || e.innerText || '').trim() }"
            )
            if at.startswith(name):
                return
        raise AssertionError(f"{name} cannot be reached")

    reach("Or paste it here")
    page.keyboard.type("phone\n0912345678\n0912345679")
    reach("Upload")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Check all rows")).to_be_visible()
    reach("Sender")
    page.keyboard.type("LOA")
    reach("Text of the message")
    page.keyboard.type("Chao ban")
    reach("Check all rows")
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_contain_text("Checking")
    work.all()
    expect(page.get_by_role("button", name="Send 2 messages")).to_be_visible()
    reach("Send 2 messages")
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_contain_text("Running")
    work.all()
    expect(page.locator("#live")).to_contain_text("Finished")
