"""Every screen for every role: what a role may not use is refused, and no page leads there."""

import asyncio
import re
import shutil
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.support.console import fill, open_desk, visitor
from tests.support.console_screens import SCREENS, needed
from tests.support.native_api import call

from loa.domain.ids import message_public_id
from loa.domain.roles import Role, may
from loa.ports.records import MessageFilter

LINK = re.compile(r'<a [^>]*href="(/console/[^"]*)"')
FORM = re.compile(r'<form [^>]*method="post"[^>]*action="(/console/[^"?]*)')


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("roles")
    asyncio.run(fill(folder / "loa.db"))
    return folder


@pytest.mark.parametrize("role", Role)
async def test_a_role_sees_what_it_may_and_is_led_nowhere_else(filled: Path, tmp_path: Path, role: Role) -> None:
    for file in filled.iterdir():
        shutil.copy(file, tmp_path / file.name)
    desk = await open_desk(tmp_path / "loa.db")
    try:
        desk.visitor = visitor(role)
        (row,) = await desk.ledger.messages(1, MessageFilter(), None, 1)
        names = {"newest": message_public_id(row["id"]), "submission": row["referent_id"]}
        wrong = []
        for address, status in SCREENS.values():
            path, mark, query = address.format(**names).partition("?")
            answer = await call(desk.app(), "GET", unquote(path) + mark + query, {}, b"")
            page = answer.body.decode()
            wanted = status if may(role, needed(address)) else 403
            if answer.status != wanted:
                wrong.append(f"{address}: {answer.status}, not {wanted}")
            links = {unescape(each).partition("#")[0] for each in LINK.findall(page)} - {"/console/", ""}
            wrong += [f"{address} leads to {each}" for each in links if not may(role, needed(each))]
            posts = {unescape(each) for each in FORM.findall(page)}
            wrong += [f"{address} posts to {each}" for each in posts if not may(role, needed(each, "POST"))]
        assert wrong == []
    finally:
        await desk.ledger.close()
