"""What stands around every page: what a form has done, what is wrong, and the keys that lead on."""

import html
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.console import CORPUS, Desk, fill, open_desk
from tests.support.native_api import call

from loa.console.navigation import GROUPS
from loa.console.pages import redirect
from loa.console.troubles import Trouble


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    await fill(tmp_path / "loa.db")
    opened = await open_desk(tmp_path / "loa.db")
    yield opened
    await opened.ledger.close()


async def page_of(desk: Desk, target: str) -> str:
    answer = await call(desk.app(), "GET", target, {"cookie": "loa_language=en"}, b"")
    return html.unescape(answer.body.decode())


def test_every_letter_leads_to_one_page() -> None:
    keys = [entry.key for group in GROUPS for entry in group.entries if entry.key]
    assert sorted(keys) == sorted(set(keys))
    assert all(len(key) == 1 and key.isascii() and key.islower() for key in keys)
    # g begins a jump, j and k move: after g they may be letters all the same, g itself may not.
    assert "g" not in keys


async def test_what_a_form_has_done_is_said_once_and_only_what_there_is(desk: Desk) -> None:
    page = await page_of(desk, "/console/messages?state=sent&done=replayed&count=1200")
    assert "1,200 callbacks are due again." in page
    assert 'name="back" value="/console/messages?state=sent"' in page
    assert 'href="/console/messages?state=sent" data-dismiss' in page
    for odd in ("done=nonsense", "done=", "done=%3Cscript%3E", "count=5"):
        assert 'class="toast"' not in await page_of(desk, f"/console/messages?{odd}")
    odd_count = await page_of(desk, f"/console/messages?done=replayed&count={CORPUS[0]}")
    assert "<span> callbacks are due again.</span>" in odd_count


def test_a_form_leads_on_with_what_it_has_done() -> None:
    answer = redirect("/console/callbacks", done="replayed", count=3, tenant="acme", empty="")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/callbacks?tenant=acme&done=replayed&count=3"


async def test_what_is_wrong_stands_on_every_page_and_leads_to_its_cause(desk: Desk) -> None:
    assert 'class="banner"' not in await page_of(desk, "/console/")
    desk.troubles += [
        Trouble("channel_down", "bad", CORPUS[0], "/console/channels"),
        Trouble("disk_low", "warn", "80 MiB", "/console/nowhere"),
    ]
    for target in ("/console/", "/console/messages", "/console/callbacks", "/console/messages/msg_ZZZZ"):
        page = await page_of(desk, target)
        assert f"Channel {CORPUS[0]} is down." in page
        assert page.count("See why") == 1
        assert "80 MiB free." in page
    answer = await call(desk.app(), "GET", "/console/", {}, b"")
    assert CORPUS[0].encode() not in answer.body


async def test_the_help_lists_the_letters_and_the_palette_the_pages(desk: Desk) -> None:
    page = await page_of(desk, "/console/")
    for group in GROUPS:
        for entry in group.entries:
            assert f'data-to="{entry.path}"' in page
            if entry.key:
                assert f"<kbd>g</kbd><kbd>{entry.key}</kbd>" in page
                assert f'data-key="{entry.key}"' in page
