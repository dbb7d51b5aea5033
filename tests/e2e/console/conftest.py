"""A real Chromium in front of the console's screens."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
from tests.support.console import Desk, serve_desk
from tests.support.fakes import EPOCH
from tests.support.stage import Stage

from loa.domain.ids import message_public_id
from loa.ports.records import MessageFilter


def chromium(driver: Playwright) -> Browser:
    """Start the system's Chromium."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "no Chromium; make test installs it, or: sudo apt-get install chromium"
    return driver.chromium.launch(executable_path=found, args=["--no-sandbox"] if os.geteuid() == 0 else [])


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    expect.set_options(timeout=20_000)
    with ExitStack() as stack:
        served = stack.enter_context(serve_desk(tmp_path_factory.mktemp("console")))
        newest, submission = served.do(_prepare)
        driver = stack.enter_context(sync_playwright())
        browser = chromium(driver)
        stack.callback(browser.close)
        yield Stage(served, browser, newest, submission)


async def _prepare(desk: Desk) -> tuple[str, str]:
    await desk.ledger.add_tenant("new", EPOCH)
    (row,) = await desk.ledger.messages(1, MessageFilter(), None, 1)
    return message_public_id(row["id"]), row["referent_id"]


@pytest.fixture
def open_page(stage: Stage) -> Iterator[Callable[..., Page]]:
    pages: list[Page] = []
    said: list[str] = []

    def make(**given: Any) -> Page:
        page = stage.context(**given).new_page()
        page.on("console", lambda line: said.append(line.text) if line.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        pages.append(page)
        return page

    yield make
    for page in pages:
        page.close()
    # A page that is answered with 404 or 422 on purpose is said to have failed to load.
    assert [line for line in said if "Failed to load resource" not in line] == []
