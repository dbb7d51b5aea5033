"""Batches over HTTP: a table comes in, is looked at, checked, started, followed and taken away; nobody else sees rows."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.support.batch_desk import rows
from tests.support.console import CORPUS, Desk, fill, open_desk, visitor
from tests.support.native_api import Answer, call

from loa.console.batch_form import first_wish, read_wish, wish_of
from loa.console.catalogue import has
from loa.console.screen import FRESH_MS
from loa.console.visitor import Visitor
from loa.domain.batch_plan import LEFT_OUT, RAGGED, REPEATED, STOPPED
from loa.domain.roles import Role
from loa.ports.batches import Batch, BatchState, NewBatch

EDGE = "----WebKitFormBoundaryx"
TABLE = "phone,name\n0912345678,Lan\n0912345679,=1+1\n12,Mai\n0912345678,Lan\n"
FIELDS = {
    "destination": "0",
    "text": "typed",
    "template": "Chao {name}",
    "sender": "same:LOA",
    "class": "same:transactional",
    "unicode": "0",
    "schedule": "",
    "request_id": "",
}


def multipart(table: bytes | str, name: str = "Tết.csv", **fields: str) -> tuple[dict[str, str], bytes]:
    parts = [
        f'--{EDGE}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()
    ]
    head = (
        f'--{EDGE}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
    )
    data = table.encode() if isinstance(table, str) else table
    body = "".join(parts).encode() + head.encode() + data + f"\r\n--{EDGE}--\r\n".encode()
    return {"Content-Type": f"multipart/form-data; boundary={EDGE}"}, body


class Room:
    """The screens, asked in-process by one visitor."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.stage = desk.batch_stage()

    async def get(self, target: str) -> Answer:
        return await call(self.desk.app(), "GET", target, {"Accept-Language": "en"}, b"")

    async def post(self, target: str, **fields: str) -> Answer:
        headers = {"Accept-Language": "en", "Content-Type": "application/x-www-form-urlencoded"}
        return await call(self.desk.app(), "POST", target, headers, urlencode(fields).encode())

    async def upload(self, table: bytes | str, **fields: str) -> Answer:
        headers, body = multipart(table, **fields)
        return await call(self.desk.app(), "POST", "/console/batches/new", {"Accept-Language": "en", **headers}, body)

    async def taken(self, table: str = TABLE, **fields: str) -> str:
        """Upload a table; give the address of its batch."""
        done = await self.upload(table, **fields)
        assert done.status == 303, text(done)
        return done.headers["location"]

    async def checked(self, table: str = TABLE, **fields: str) -> str:
        path = await self.taken(table)
        done = await self.post(f"{path}/check", **{**FIELDS, **fields})
        assert done.status == 303, text(done)
        await self.work()
        return path

    async def work(self) -> None:
        while await self.stage.tick():
            pass

    async def batch(self, path: str) -> Batch:
        found = await self.desk.ledger.batch(1, int(path.rpartition("/")[2]))
        assert found is not None
        return found


def text(answer: Answer) -> str:
    return answer.body.decode()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("console")
    asyncio.run(fill(folder / "loa.db"))
    return folder


@pytest.fixture
async def room(filled: Path, tmp_path: Path) -> AsyncIterator[Room]:
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    desk = await open_desk(tmp_path / "loa.db")
    await desk.ledger.add_sender(1, "LOASHOP", "brandname")
    await desk.ledger.add_route(1, [1], position=0)
    await desk.batch_stage().tick()
    yield Room(desk)
    await desk.ledger.close()


async def test_a_table_goes_from_the_file_to_the_report(room: Room) -> None:
    path = await room.taken(name="=Tết")
    page = text(await room.get(path))
    assert "0912345679" in page
    assert "{phone} {name}" in page
    looked = text(await room.post(f"{path}/preview", **FIELDS))
    assert "Chao Lan" in looked
    assert "short code" in looked
    assert (await room.batch(path)).state is BatchState.DRAFT, "a look changes nothing"
    assert (await room.post(f"{path}/check", **FIELDS)).status == 303
    await room.work()
    page = text(await room.get(path))
    assert "A repeat" in page
    errors = await room.get(f"{path}/errors.csv")
    assert errors.headers["content-type"] == "text/csv; charset=utf-8"
    lines = text(errors).splitlines()
    assert lines[0] == "\ufeffRow,Why,phone,name"
    assert [line.partition(",")[0] for line in lines[1:]] == ["3", "4"]
    assert (await room.post(f"{path}/start")).status == 303
    await room.work()
    page = text(await room.get(path))
    assert "Finished" in page
    report = text(await room.get(f"{path}/report.csv")).splitlines()
    assert report[1].startswith("1,84912345678,msg_")
    assert report[3].startswith("3,,,not sent,")
    verbs = [entry.deed.verb for entry in await room.desk.ledger.audit(None, 10)]
    assert [each for each in verbs if each.startswith("batches.")] == ["batches.start", "batches.check", "batches.add"]


async def test_no_cell_of_a_file_that_is_taken_away_is_a_formula(room: Room) -> None:
    path = await room.checked("phone,name\n12,=HYPERLINK(1)\n12,+1\n12,-1\n12,@x\n")
    lines = text(await room.get(f"{path}/errors.csv")).splitlines()[1:]
    assert [line.rpartition(",")[2] for line in lines] == ["'=HYPERLINK(1)", "'+1", "'-1", "'@x"]


async def test_many_messages_go_only_when_their_number_was_written(room: Room) -> None:
    table = "\n".join(["phone,name", *(",".join(row) for row in rows(101))])
    path = await room.checked(table)
    for wrong in ("", "100", "yes"):
        refused = await room.post(f"{path}/start", sure=wrong)
        assert refused.status == 422
        assert 'aria-invalid="true"' in text(refused)
    assert (await room.batch(path)).state is BatchState.CHECKED
    assert (await room.post(f"{path}/start", sure="101", rate="7")).status == 303
    assert (await room.batch(path)).rate == 7


async def test_it_is_paused_resumed_and_stopped_only_with_the_word(room: Room) -> None:
    path = await room.checked()
    await room.post(f"{path}/start")
    assert (await room.post(f"{path}/pause")).status == 303
    assert (await room.post(f"{path}/pause")).status == 422
    assert (await room.post(f"{path}/resume")).status == 303
    assert (await room.post(f"{path}/stop", sure="no")).status == 422
    assert (await room.batch(path)).state is BatchState.RUNNING
    assert (await room.post(f"{path}/stop", sure="Stop")).status == 303
    assert (await room.batch(path)).state is BatchState.STOPPED
    assert (await room.post(f"{path}/remove", sure="remove")).headers["location"] == "/console/batches"
    assert (await room.get(path)).status == 404


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"rate": "fast"}, "whole number"),
        ({"rate": "20000"}, "0 to 10000"),
        ({"start_at": "tomorrow"}, "time cannot be read"),
    ],
)
async def test_a_start_that_cannot_be_read_is_marked(room: Room, fields: dict[str, str], wrong: str) -> None:
    path = await room.checked()
    refused = await room.post(f"{path}/start", **fields)
    assert (refused.status, wrong in text(refused)) == (422, True)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"destination": "9"}, "Choose the column that holds the numbers"),
        ({"destination": "-1"}, "Choose the column that holds the numbers"),
        ({"template": "  "}, "Write the text"),
        ({"sender": ""}, "Choose a sender"),
        ({"class": "column:x"}, "Choose a class"),
        ({"text": "column:7"}, "Choose where the text comes from"),
        ({"template": "Chao {nobody}"}, "no column called “nobody”"),
        ({"template": "Chao {"}, "no column called"),
    ],
)
async def test_columns_that_cannot_be_are_marked(room: Room, fields: dict[str, str], wrong: str) -> None:
    path = await room.taken()
    refused = await room.post(f"{path}/check", **{**FIELDS, **fields})
    assert (refused.status, wrong in text(refused)) == (422, True)
    assert (await room.batch(path)).state is BatchState.DRAFT


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        (b"", "There are no rows"),
        (b"phone,name\n", "There are no rows"),
        (b"PK\x03\x04" + bytes(50), "workbook"),
        (b'a,b\n1,"x\n', "Line 2 cannot be read"),
        (b"a,b\n" + b"x" * 40_000, "Line 2 has more than 32768 characters"),
        (",".join(["a"] * 51).encode(), "more than 50 columns"),
        (b"a,b\n1,\x8a\n", "cannot be read as cp1258"),
    ],
)
async def test_a_file_that_is_no_table_is_refused_and_leaves_nothing(room: Room, table: bytes, wrong: str) -> None:
    before = len(await room.desk.ledger.batches(1, None, 100))
    refused = await room.upload(table)
    assert (refused.status, wrong in text(refused)) == (422, True)
    assert len(await room.desk.ledger.batches(1, None, 100)) == before


async def test_rows_can_be_pasted(room: Room) -> None:
    headers, body = multipart("", name="", pasted="0912345678\tLan\n0912345679\tMai", header="no", live="0")
    done = await call(room.desk.app(), "POST", "/console/batches/new", headers, body)
    batch = await room.batch(done.headers["location"])
    assert (batch.columns, batch.row_count, batch.live) == (("1", "2"), 2, False)


async def test_a_form_that_is_broken_is_refused(room: Room) -> None:
    headers, _ = multipart("")
    for body in (b"", b"--x\r\n", multipart("a" * 10)[1][:60]):
        refused = await call(room.desk.app(), "POST", "/console/batches/new", headers, body)
        assert refused.status == 422


async def test_what_somebody_else_handed_in_shows_no_rows(room: Room) -> None:
    path = await room.checked()
    await room.post(f"{path}/start")
    await room.work()
    again = await room.taken()
    for role, look, errors in ((Role.OPERATOR, 200, 403), (Role.DEVELOPER, 200, 403), (Role.ADMIN, 200, 200)):
        room.desk.visitor = visitor(role)
        room.desk.visitor = room.desk.visitor.__class__(2, "mai", role, "form-token")
        assert "0912345679" not in text(await room.get(again))
        told = len(room.desk.looks)
        looked = await room.post(f"{again}/preview", **FIELDS)
        assert looked.status == look
        assert ("Chao Lan" in text(looked)) is (errors == 200)
        assert (await room.get(f"{path}/errors.csv")).status == errors
        assert (len(room.desk.looks) > told) is (errors == 200), "a look is told, and only a look"
        whole = "84912345678" in text(await room.get(f"{path}/report.csv"))
        assert whole is (role is not Role.DEVELOPER)


@pytest.mark.parametrize("role", [Role.ANALYST, Role.AUDITOR])
async def test_who_may_not_send_finds_no_batches(room: Room, role: Role) -> None:
    room.desk.visitor = visitor(role)
    for target in ("/console/batches", "/console/batches/new", "/console/batches/2", "/console/batches/2/errors.csv"):
        assert (await room.get(target)).status == 403
    assert (await room.post("/console/batches/2/remove", sure="remove")).status == 403
    assert "/console/batches" not in text(await room.get("/console/messages"))


async def test_a_batch_of_another_tenant_is_not_there(room: Room) -> None:
    other = await room.desk.ledger.add_batch(NewBatch(2, "x", "lan", ("a",), True, 1))
    assert (await room.get(f"/console/batches/{other.id}")).status == 404
    for wrong in ("0", "x", "9" * 30, "²"):
        assert (await room.get(f"/console/batches/{wrong}")).status == 404


async def test_nothing_that_was_handed_in_is_markup(room: Room) -> None:
    for number in (2, 3, 4):
        page = text(await room.get(f"/console/batches/{number}"))
        for hurt in CORPUS:
            if "<" in hurt:
                assert hurt not in page


async def test_a_batch_whose_rows_are_forgotten_keeps_its_numbers(room: Room) -> None:
    path = await room.checked()
    await room.post(f"{path}/start")
    await room.work()
    day = 86_400_000
    keep = dict.fromkeys(("request_ids", "parked", "content_otp", "receipts", "content", "numbers"), day)
    await room.desk.ledger.purge(5_000, room.desk.clock.now() + 2 * day, {**keep, "history": 999 * day})
    assert (await room.batch(path)).forgotten
    page = await room.get(path)
    assert (page.status, "past their time" in text(page)) == (200, True)
    assert "report.csv" not in text(page)
    assert (await room.post(f"{path}/check", **FIELDS)).status == 422


async def test_lists_go_on_by_cursor(room: Room) -> None:
    for _ in range(31):
        await room.desk.ledger.add_batch(NewBatch(1, "x", "lan", ("a",), True, 1))
    page = text(await room.get("/console/batches"))
    assert "before=6" in page
    assert (await room.get("/console/batches?before=6")).status == 200
    assert (await room.get("/console/batches?before=x")).status == 200


async def test_columns_are_guessed_by_their_names_and_by_the_first_row(room: Room) -> None:
    def batch(*columns: str) -> Batch:
        return Batch(1, 1, "", "", BatchState.DRAFT, columns, True, 0)

    parts = room.desk.parts()
    guess = first_wish(batch("tên", "SĐT", "Nội dung", "requestId"), ("a", "b", "c", "d"), ["LOA"], parts)
    assert (guess["destination"], guess["text"], guess["request_id"]) == ("1", "column:2", "3")
    guess = first_wish(batch("a", "b"), ("x", "0912345678"), ["LOA"], parts)
    assert (guess["destination"], guess["text"]) == ("1", "typed")
    wish = read_wish(FIELDS, 2)
    assert wish.plan is not None
    assert wish_of(wish.plan) == FIELDS


def test_what_stands_against_a_row_has_words() -> None:
    assert all(has(f"row.{code}") for code in (RAGGED, REPEATED, LEFT_OUT, STOPPED))


async def test_rows_of_somebody_else_are_shown_to_who_signed_in_lately(room: Room) -> None:
    path = await room.checked()
    room.desk.password = "a hash"
    assert (await room.get(f"{path}/errors.csv")).status == 200
    room.desk.signed_in_at -= FRESH_MS
    assert (await room.get(f"{path}/errors.csv")).status == 200, "their own"
    room.desk.visitor = Visitor(7, "mai", Role.OWNER, "form-token")
    asked = await room.get(f"{path}/errors.csv")
    assert (asked.status, asked.headers["location"].startswith("/console/confirm?next=")) == (303, True)
    room.desk.signed_in_at += FRESH_MS
    assert (await room.get(f"{path}/errors.csv")).status == 200
