"""The API explained: all of it, in both languages, and laid out as the document says."""

import json
import shlex
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.console import Desk, fill, open_desk, visitor
from tests.support.native_api import Answer, call

from loa.app.api_book import read_api_book
from loa.console.api_book import ApiBook
from loa.console.catalogue import has
from loa.console.explorer import DIFFERENCES, VENDOR_STATUSES
from loa.console.operations import Operation, example_body, example_curl, operations
from loa.console.schema_rows import kind_of, rows_of
from loa.domain.roles import Role


@pytest.fixture
async def book() -> ApiBook:
    return await read_api_book()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("explorer")


@pytest.fixture
async def desk(folder: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    if not (folder / "loa.db").exists():
        await fill(folder / "loa.db")
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    opened = await open_desk(tmp_path / "loa.db")
    yield opened
    await opened.ledger.close()


async def get(desk: Desk, target: str, language: str = "en") -> Answer:
    return await call(desk.app(), "GET", target, {"accept-language": language, "host": "loa.example"}, b"")


def text(answer: Answer) -> str:
    return answer.body.decode()


def of(book: ApiBook, name: str) -> Operation:
    return next(each for each in operations(book.document) if each.id == name)


async def test_the_document_is_the_one_that_is_checked_in(book: ApiBook) -> None:
    checked_in = Path(__file__).parents[3] / "docs/reference/openapi.json"
    assert book.document == json.loads(checked_in.read_text("utf-8"))


async def test_everything_has_its_words(book: ApiBook) -> None:
    wanted = [f"op.{each.id}{part}" for each in operations(book.document) for part in ("", ".about")]
    wanted += [f"api.tag.{each['name']}" for each in book.document["tags"]]
    wanted += [f"{kind}.group.{each.group}" for each in book.faults for kind in ("api", "cure")]
    wanted += [f"differs.{each}{part}" for each in DIFFERENCES for part in ("", ".here")]
    wanted += [f"status.{each}{part}" for each in VENDOR_STATUSES for part in ("", ".cure")]
    assert [key for key in wanted if not has(key)] == []


async def test_every_code_stands_once_and_every_cure_belongs_to_one(book: ApiBook) -> None:
    codes = [each.code for each in book.faults]
    assert len(codes) == len(set(codes)) > 90
    catalogue = json.loads((Path(__file__).parents[3] / "src/loa/console/texts/en/explorer.json").read_text("utf-8"))
    cures = {key.removeprefix("cure.") for key in catalogue if key.startswith("cure.") and ".group." not in key}
    assert cures <= set(codes)


async def test_each_operation_has_its_page_and_its_curl(desk: Desk, book: ApiBook) -> None:
    for each in operations(book.document):
        page = await get(desk, f"/console/api/{each.id}")
        assert page.status == 200, each.id
        if each.hook:
            assert "data-try" not in text(page)
            continue
        words = shlex.split(example_curl(each, "https://loa.example", example_body(book.document, each)))
        address = next(word for word in words if word.startswith("https://loa.example/"))
        assert "{" not in address
        if each.body_example:
            assert json.loads(words[-1]) == json.loads(each.body_example)
        assert ("API-KEY: $LOA_API_KEY" in words) is each.keyed
    assert (await get(desk, "/console/api/nothing")).status == 404


async def test_what_changes_something_asks_first(book: ApiBook) -> None:
    asks = {each.id: each.asks for each in operations(book.document) if not each.hook}
    assert {name for name, ask in asks.items() if ask == "live"} == {"sendMessage"}
    assert {name for name, ask in asks.items() if ask == "always"} == {
        "takeReport",
        "cancelSubmission",
        "cancelMessage",
        "addEndpoint",
        "replayCallbacks",
    }


@pytest.mark.parametrize(
    ("asked", "language", "found"),
    [
        ("webhook-signature", "en", {"messageReport", "inboundEvent"}),
        ("HUY mot tin", "vi", {"cancelMessage"}),
        ("hủy", "vi", {"cancelMessage", "cancelSubmission"}),
        ("useunicode post", "en", {"sendMessage", "explain"}),
        ("nothing like this", "en", set()),
    ],
)
async def test_operations_are_found_by_their_words(desk: Desk, asked: str, language: str, found: set[str]) -> None:
    page = text(await get(desk, "/console/api?q=" + asked.replace(" ", "+").replace("ủ", "%E1%BB%A7"), language))
    shown = {each.id for each in operations((await read_api_book()).document) if f'"/console/api/{each.id}"' in page}
    assert shown == found


async def test_errors_are_found_in_either_language_and_can_be_pointed_at(desk: Desk) -> None:
    page = text(await get(desk, "/console/api/errors"))
    assert '<tr id="text_not_plain">' in page
    assert "Use useUnicode 2 to take diacritics away" in page
    some = text(await get(desk, "/console/api/errors?q=so+co+dinh"))
    assert '<tr id="number_fixed_line">' in some
    assert '<tr id="text_not_plain">' not in some


async def test_every_role_may_read_it(desk: Desk) -> None:
    for role in Role:
        desk.visitor = visitor(role)
        for path in ("", "/errors", "/vendor", "/sendMessage"):
            assert (await get(desk, f"/console/api{path}")).status == 200


async def test_what_somebody_looks_for_does_not_become_part_of_the_page(desk: Desk) -> None:
    for path in ("", "/errors"):
        page = text(await get(desk, f"/console/api{path}?q=%3Cscript%3Ewindow.hurt=1%3C/script%3E%22"))
        assert "<script>window" not in page


SCHEMA: dict[str, Any] = {
    "components": {
        "schemas": {
            "Node": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "maxLength": 5, "description": "Its name."},
                    "next": {"anyOf": [{"$ref": "#/components/schemas/Node"}, {"type": "null"}]},
                    "tags": {"type": "array", "items": {"enum": ["a", "b"], "type": "string"}},
                    "kind": {"type": ["integer", "null"], "enum": [1, None]},
                    "odd": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
                    "any": {},
                },
            }
        }
    }
}


def test_a_schema_becomes_rows_and_one_inside_itself_ends() -> None:
    rows = rows_of({"$ref": "#/components/schemas/Node"}, SCHEMA)
    assert [(each.depth, each.name, each.kind, each.required) for each in rows] == [
        (0, "name", "string", True),
        (0, "next", "object | null", False),
        (0, "tags", "string[]", False),
        (0, "kind", "integer | null", False),
        (0, "odd", "(string | integer)[]", False),
        (0, "any", "any", False),
    ]
    assert rows[0].limits == (("maxLength", "5"),)
    assert rows[0].about == "Its name."
    assert rows[3].values == ("1",)
    assert kind_of({"type": "array", "items": {"$ref": "#/components/schemas/Node"}}, SCHEMA) == "object[]"


async def test_members_stand_below_what_they_are_part_of(book: ApiBook) -> None:
    rows = {each.name: each.depth for each in of(book, "sendMessage").body}
    assert rows["ext"] == 0
    assert rows["callbackUrl"] == 1
    timeline = next(each for each in of(book, "readMessage").answers if each.status == "200")
    assert {each.name for each in timeline.rows if each.depth == 2} >= {"providerRef"}
