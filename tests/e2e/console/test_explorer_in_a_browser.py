"""Trying calls in a real Chromium: what is sent, what is kept of the key, and answers that mean harm."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Request, Route, expect
from tests.support.console import CORPUS
from tests.support.served import Served, serve
from tests.support.stage import Stage

pytestmark = pytest.mark.xdist_group("console-explorer")

LIVE, TEST = "loa_live_" + "a" * 30, "loa_test_" + "b" * 30


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("explorer-api")) as running:
        yield running


def open_operation(stage: Stage, page: Page, name: str) -> None:
    page.goto(f"{stage.served.url}/console/api/{name}")


def answer_with(page: Page, body: str, status: int = 200, **headers: str) -> list[Request]:
    """Have the API answer with this; give what it was asked."""
    asked: list[Request] = []

    def answer(route: Route) -> None:
        asked.append(route.request)
        route.fulfill(status=status, body=body, headers={"content-type": "text/html", **headers})

    page.route("**/api/v*/**", answer)
    return asked


def test_a_call_goes_to_the_real_api_and_its_answer_is_shown(
    stage: Stage, open_page: Callable[..., Page], api: Served
) -> None:
    page = open_page()
    open_operation(stage, page, "explain")
    page.route("**/api/v1/explain", lambda route: route.continue_(url=f"{api.url}/api/v1/explain"))
    page.get_by_label("API key").fill(api.house.key)
    page.get_by_role("button", name="Call").click()
    expect(page.locator("[data-status]")).to_have_text("200 OK")
    expect(page.locator("[data-shown]")).to_contain_text('"wouldBeAccepted": true')
    expect(page.locator("[data-time]")).to_contain_text("ms")
    page.get_by_text("Headers", exact=True).click()
    expect(page.locator("[data-headers]")).to_contain_text("x-request-id: req_")


def test_the_key_goes_with_the_call_and_nowhere_else(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_operation(stage, page, "listMessages")
    page.context.add_cookies([{"name": "loa", "value": "signed-in", "url": stage.served.url}])
    asked = answer_with(page, "[]")
    page.get_by_label("API key").fill(LIVE)
    page.locator('[data-name="state"]').fill("sent,unknown & more")
    page.get_by_role("button", name="Call").click()
    expect(page.locator("[data-status]")).to_have_text("200 OK")
    (request,) = asked
    assert request.url.endswith("/api/v1/messages?state=sent%2Cunknown+%26+more")
    headers = request.all_headers()
    assert headers["api-key"] == LIVE
    assert "cookie" not in headers
    assert LIVE not in page.url
    assert page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])").find(LIVE) < 0
    page.reload()
    expect(page.get_by_label("API key")).to_have_value("")


def test_sending_for_real_needs_a_tick_and_a_test_key_none(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_operation(stage, page, "sendMessage")
    asked = answer_with(page, "{}", 201)
    page.get_by_label("API key").fill(LIVE)
    page.get_by_role("button", name="Call").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was called")
    expect(page.get_by_label("I know that this really sends")).to_be_focused()
    assert asked == []
    page.keyboard.press("Space")
    page.get_by_role("button", name="Call").click()
    expect(page.locator("[data-status]")).to_have_text("201 Created")
    page.get_by_label("I know that this really sends").uncheck()
    page.get_by_label("API key").fill(TEST)
    page.get_by_role("button", name="Call").click()
    expect(page.get_by_role("alert")).to_be_hidden()
    assert len(asked) == 2
    assert json.loads(asked[0].post_data or "")["from"] == "LOA"
    open_operation(stage, page, "cancelMessage")
    page.get_by_label("API key").fill(TEST)
    page.get_by_role("button", name="Call").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert len(asked) == 2


def test_an_answer_that_means_harm_is_only_text(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_operation(stage, page, "readMessage")
    page.locator('[data-name="messageId"]').fill("../../console/sign-out?<x>")
    asked = answer_with(page, "".join(CORPUS) + "x" * 300_000, 500, **{"x-hurt": CORPUS[0]})
    page.get_by_role("button", name="Call").click()
    shown = page.locator("[data-shown]")
    expect(shown).to_contain_text(CORPUS[0])
    expect(page.locator("[data-cut]")).to_be_visible()
    assert len(shown.text_content() or "") == 200_000
    assert page.locator("[data-answer] :is(script, img, svg)").count() == 0
    assert page.evaluate("window.hurt") is None
    assert "/api/v1/messages/..%2F..%2Fconsole%2Fsign-out%3F%3Cx%3E" in asked[0].url


def test_a_call_that_does_not_go_through_is_said(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_operation(stage, page, "listEndpoints")
    page.route("**/api/v1/**", lambda route: route.abort())
    page.get_by_role("button", name="Call").click()
    expect(page.get_by_role("alert")).to_contain_text("The call did not go through")
    page.get_by_label("API key").fill("khóa")
    page.get_by_role("button", name="Call").click()
    expect(page.get_by_role("button", name="Call")).to_be_enabled()


def test_a_body_that_is_no_json_is_said_while_one_types(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_operation(stage, page, "explain")
    page.get_by_role("textbox", name="Body (JSON)").fill("{")
    expect(page.get_by_role("alert")).to_contain_text("not valid JSON")
    page.get_by_role("textbox", name="Body (JSON)").fill("{}")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_reading_and_searching_need_neither_script_nor_mouse(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(stage.address("api"))
    page.get_by_label("Search names, paths, fields").fill("cancel")
    page.keyboard.press("Enter")
    expect(page.locator(".operations a")).to_have_count(2)
    page.locator(".operations a").first.press("Enter")
    expect(page.get_by_text("Trying a call needs JavaScript")).to_be_visible()
    expect(page.locator("[data-try]")).to_be_hidden()
    expect(page.get_by_text("curl -sS -X DELETE")).to_be_visible()
