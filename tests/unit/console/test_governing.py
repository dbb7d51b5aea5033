"""API keys, users, the audit log and the system over HTTP: what is shown to whom, done, refused, and written down."""

import asyncio
import csv
import io
import json
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import apsw
import pytest
from tests.support.console import CORPUS, Desk, fill, open_desk, visitor
from tests.support.full_ledger import MUCH_LATER
from tests.support.native_api import Answer, call

from loa.app.admin_audit import LOOKED_AT, AuditDesk
from loa.console.catalogue import has
from loa.console.formats import field_time
from loa.console.keys import DAY_MS, standing
from loa.console.system import size
from loa.domain.keys import Permission, digest
from loa.domain.roles import May, Role
from loa.ports.records import ApiKey
from loa.ports.users import Deed, Entry

NOW = MUCH_LATER


@dataclass
class Room:
    """A desk that is asked in-process, in English."""

    desk: Desk

    async def get(self, target: str) -> Answer:
        return await call(self.desk.app(), "GET", target, {"accept-language": "en"}, b"")

    async def post(self, target: str, **fields: str) -> Answer:
        headers, body = {"accept-language": "en"}, urlencode(fields).encode()
        return await call(self.desk.app(), "POST", target, headers, body, "192.0.2.7")

    async def keys(self) -> list[ApiKey]:
        return await self.desk.ledger.keys()

    async def deeds(self, limit: int = 10) -> list[Deed]:
        return [entry.deed for entry in await self.desk.ledger.audit(None, limit)]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("console")
    asyncio.run(fill(folder / "loa.db"))
    return folder


@pytest.fixture
async def room(filled: Path, tmp_path: Path) -> AsyncIterator[Room]:
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    desk = await open_desk(tmp_path / "loa.db")
    made = Room(desk)
    yield made
    await made.desk.ledger.close()


def text(answer: Answer) -> str:
    return answer.body.decode()


def secret_in(answer: Answer) -> str:
    found = re.search(r"loa_(?:live|test)_\w{38}", text(answer))
    assert found is not None
    return found[0]


# keys


async def test_a_key_is_shown_once_and_kept_as_a_digest(room: Room) -> None:
    form = {"name": "web", "live": "test", "permission.send:otp": "1", "networks": "203.0.113.0/24\n192.0.2.7/32"}
    made = await room.post("/console/keys/new", **form, expires="2027-01-01T08:00", success_code="0")
    assert (made.status, made.headers["cache-control"]) == (200, "no-store")
    secret = secret_in(made)
    (key,) = [each for each in await room.keys() if each.name == "web"]
    assert (key.digest, key.live, key.permissions) == (digest(secret), False, frozenset({"send:otp"}))
    assert (key.networks, key.success_code) == (("203.0.113.0/24", "192.0.2.7/32"), 0)
    assert key.expires_at == 1_798_765_200_000, "in Vietnam's time"
    assert "download" in text(made)
    assert f"LOA_CLIENT__API_KEY%3D{secret}" in text(made)
    for page in ("/console/keys", f"/console/keys/{key.id}"):
        shown = text(await room.get(page))
        assert secret not in shown
        assert key.display in shown
    (deed,) = await room.deeds(1)
    assert (deed.who, deed.verb, deed.subject) == ("lan", "keys.create", "web")
    assert secret not in json.dumps(dict(deed.after))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", " ", "Give it a name"),
        ("networks", "10.0.0.1/8", "is no network"),
        ("expires", "2001-01-01T00:00", "This time is over"),
        ("expires", "soon", "This is no time"),
        ("success_code", "none", "A whole number"),
        ("endpoint", "77", "has no endpoint"),
        ("request_id_mode", "sometimes", "request_id_mode"),
    ],
)
async def test_a_form_that_is_wrong_says_why_and_keeps_what_was_typed(
    room: Room, field: str, value: str, said: str
) -> None:
    before = await room.keys()
    form = {"name": "web & co", "networks": "203.0.113.0/24", field: value}
    answer = await room.post("/console/keys/new", **form)
    assert (answer.status, said in text(answer)) == (422, True), text(answer)
    assert field == "name" or 'value="web &amp; co"' in text(answer)
    assert await room.keys() == before


async def test_a_foreign_key_is_taken_over_and_never_shown(room: Room) -> None:
    short, foreign = "short-secret", "0123456789abcdef-foreign"
    refused = await room.post("/console/keys/import", name="old", imported=short)
    assert (refused.status, short in text(refused)) == (422, False)
    assert "16 to 128" in text(refused)
    taken = await room.post("/console/keys/import", name="old", imported=foreign)
    assert taken.status == 303
    page = await room.get(taken.headers["location"])
    assert (page.status, foreign in text(page)) == (200, False)
    assert any(each.digest == digest(foreign) for each in await room.keys())
    assert foreign not in json.dumps([dict(each.after) for each in await room.deeds()])


async def test_a_rotation_makes_a_key_with_the_same_rights_and_ends_the_old_one_by_its_last_characters(
    room: Room,
) -> None:
    old = (await room.keys())[0]
    made = await room.post(f"/console/keys/{old.id}/rotate", expires="")
    (fresh,) = [each for each in await room.keys() if each.digest == digest(secret_in(made))]
    same = ("tenant_id", "name", "live", "permissions", "senders", "networks", "request_id_mode", "endpoint_id")
    assert [getattr(fresh, name) for name in same] == [getattr(old, name) for name in same]
    place = f"/console/keys/{old.id}/rotate?new={fresh.id}"
    assert place.replace("&", "&amp;") in text(made)
    assert "was not used yet" in text(await room.get(place))
    await room.desk.ledger.touch_keys({fresh.id: NOW, old.id: NOW + 1})
    assert "some program still has it" in text(await room.get(place))
    await room.desk.ledger.touch_keys({fresh.id: NOW + 2})
    assert "was not used for" in text(await room.get(place))
    await _revoke(room, old)
    assert "this rotation is done" in text(await room.get(place))
    assert (await room.post(f"/console/keys/{old.id}/rotate")).status == 422, "it is no longer valid"
    assert (await room.get(f"/console/keys/{fresh.id}/rotate?new={fresh.id}")).status == 200


async def _revoke(room: Room, key: ApiKey) -> None:
    wrong = await room.post(f"/console/keys/{key.id}/revoke", word="nope")
    assert (wrong.status, "does not match" in text(wrong)) == (422, True)
    assert next(each for each in await room.keys() if each.id == key.id).revoked_at is None
    assert (await room.post(f"/console/keys/{key.id}/revoke", word=key.display[-4:])).status == 303
    assert next(each for each in await room.keys() if each.id == key.id).revoked_at is not None
    again = await room.post(f"/console/keys/{key.id}/revoke", word=key.display[-4:])
    assert again.status == 422


@pytest.mark.parametrize(
    ("left", "name", "tone"),
    [
        (31 * DAY_MS, "valid", "good"),
        (30 * DAY_MS, "ending", "plain"),
        (7 * DAY_MS, "ending", "warn"),
        (DAY_MS, "ending", "bad"),
        (0, "expired", "bad"),
    ],
)
def test_a_key_warns_before_it_ends(left: int, name: str, tone: str) -> None:
    key = ApiKey(1, 1, "web", b"", "", True, frozenset(), expires_at=NOW + left)
    assert (standing(key, NOW).name, standing(key, NOW).tone) == (name, tone)


@pytest.mark.parametrize("path", ["/console/keys/77", "/console/keys/x/rotate", "/console/users/77"])
async def test_what_is_not_there_is_said_to_be_missing(room: Room, path: str) -> None:
    assert (await room.get(path)).status == 404
    for end in ("/revoke", "/rotate") if "keys" in path else ("/role", "/disable", "/enable", "/reset-link"):
        assert (await room.post(path.removesuffix("/rotate") + end)).status == 404


# roles


PAGES = {
    "/console/keys": {Role.OWNER, Role.ADMIN, Role.DEVELOPER},
    "/console/users": {Role.OWNER},
    "/console/audit": {Role.OWNER, Role.ADMIN, Role.AUDITOR},
    "/console/system": {Role.OWNER, Role.ADMIN, Role.OPERATOR, Role.AUDITOR},
}


@pytest.mark.parametrize("role", Role)
async def test_a_page_is_open_to_its_roles_and_not_shown_to_others(room: Room, role: Role) -> None:
    room.desk.visitor = visitor(role)
    home = text(await room.get("/console/"))
    for path, roles in PAGES.items():
        assert ((await room.get(path)).status == 200) is (role in roles), path
        assert (f'href="{path}' in home) is (role in roles), path
    posts = {"/console/keys/new": "/console/keys", "/console/users/1/disable": "/console/users"}
    posts |= {"/console/audit/export": "/console/audit", "/console/system/bundle": "/console/system"}
    for path, page in posts.items():
        assert ((await room.post(path)).status == 403) is (role not in PAGES[page]), path


# users


async def test_whoever_changes_users_stands_in_the_audit_log_once(room: Room) -> None:
    made = await room.post("/console/users/new", name="binh", role="operator")
    assert made.headers["cache-control"] == "no-store"
    assert re.search(r"/console/set-up/[\w-]{43}", text(made))
    binh = await room.desk.ledger.user("binh")
    assert binh is not None
    place = f"/console/users/{binh.id}"
    assert (await room.post(f"{place}/role", role="auditor")).status == 303
    assert "/console/set-up/" in text(await room.post(f"{place}/reset-link"))
    wrong = await room.post(f"{place}/disable", word="lan")
    assert (wrong.status, "does not match" in text(wrong)) == (422, True)
    assert (await room.post(f"{place}/disable", word="binh")).status == 303
    assert "Let in again" in text(await room.get(place))
    assert (await room.post(f"{place}/reset-link")).status == 422
    assert (await room.post(f"{place}/enable")).status == 303
    told = [(deed.who, deed.verb, dict(deed.before), dict(deed.after)) for deed in reversed(await room.deeds(6))]
    assert told == [
        ("lan", "users.add", {}, {"role": "operator"}),
        ("lan", "users.role", {"role": "operator"}, {"role": "auditor"}),
        ("lan", "users.reset_link", {}, {}),
        ("lan", "users.disable", {"disabled": False}, {"disabled": True}),
        ("lan", "users.reset_link.refused", {}, {"error": "user_disabled"}),
        ("lan", "users.enable", {"disabled": True}, {"disabled": False}),
    ]
    assert {deed.address for deed in await room.deeds(6)} == {"192.0.2.7"}
    assert all(deed.user_id == 1 for deed in await room.deeds(6))


async def test_the_last_owner_stays_and_names_are_looked_at(room: Room) -> None:
    owners = [each for each in await room.desk.ledger.users() if each.role is Role.OWNER and each.password]
    assert len(owners) == 1
    place = f"/console/users/{owners[0].id}"
    for answer in (
        await room.post(f"{place}/role", role="analyst"),
        await room.post(f"{place}/disable", word=owners[0].name),
    ):
        assert (answer.status, "the last owner" in text(answer)) == (422, True)
    for name, said in (("Ă", "cannot be used"), (owners[0].name, "of this name already")):
        answer = await room.post("/console/users/new", name=name, role="analyst")
        assert (answer.status, said in text(answer)) == (422, True)
    assert (await room.post("/console/users/new", name="binh", role="king")).status == 422


async def test_users_are_listed_with_how_and_when_they_sign_in(room: Room) -> None:
    page = text(await room.get("/console/users"))
    assert "Set up" in page
    assert "Not set up" in page


# the audit log


async def entries(room: Room, query: str) -> list[int]:
    page = text(await room.get(f"/console/audit?{query}"))
    return [int(each) for each in re.findall(r'id="entry-(\d+)"', page)]


async def note(room: Room, at: int, who: str, verb: str, subject: str = "", **after: str) -> int:
    return (await room.desk.ledger.add_deed(Deed(at, None, who, verb, subject, {}, after))).id


async def test_the_log_is_filtered_by_who_what_on_whom_and_when(room: Room) -> None:
    day = 86_400_000
    made = [await note(room, NOW + n * day, "hoa", f"tests.{'ab'[n % 2]}", str(n)) for n in range(8)]
    await note(room, NOW + 9 * day, "tests.a", "other")
    assert await entries(room, "who=hoa") == made[::-1]
    assert await entries(room, "verb=tests") == made[::-1]
    assert await entries(room, "verb=tests.a") == made[::2][::-1]
    assert await entries(room, "verb=test") == []
    assert await entries(room, "who=hoa&subject=3") == [made[3]]
    first, second, third = (field_time(NOW + n * day) for n in (1, 2, 3))
    assert await entries(room, f"who=hoa&since={second}") == made[2:][::-1]
    assert await entries(room, f"who=hoa&until={second}") == made[:2][::-1]
    assert await entries(room, f"who=hoa&since={first}&until={third}") == [made[2], made[1]]
    assert (await room.get("/console/audit?since=never")).status == 422


async def test_pages_of_the_log_follow_each_other(room: Room) -> None:
    made = [await note(room, NOW, "hoa", "tests.a") for _ in range(120)]
    seen: list[int] = []
    query = "who=hoa"
    while query:
        seen += await entries(room, query)
        page = text(await room.get(f"/console/audit?{query}"))
        found = re.search(r'href="/console/audit\?(who=hoa&amp;before=\d+)"', page)
        query = found[1].replace("&amp;", "&") if found else ""
    assert seen == made[::-1]


async def test_a_log_that_was_changed_is_told(room: Room, tmp_path: Path) -> None:
    changed = await note(room, NOW, "hoa", "tests.a", "before")
    assert "The chain holds" in text(await room.get("/console/audit"))
    await room.desk.ledger.close()
    connection = apsw.Connection(str(tmp_path / "loa.db"))
    connection.execute("UPDATE audit SET subject = 'after' WHERE id = ?", (changed,))
    connection.close()
    room.desk = await open_desk(tmp_path / "loa.db")
    assert f"Entry {changed} does not fit" in text(await room.get("/console/audit"))


async def test_the_log_is_taken_out_as_a_file_and_that_is_told(room: Room) -> None:
    await note(room, NOW, "hoa", "tests.a", "=1+1", text=CORPUS[1])
    taken = await room.post("/console/audit/export?who=hoa", format="csv")
    assert taken.headers["content-disposition"] == 'attachment; filename="loa-audit.csv"'
    rows = list(csv.reader(io.StringIO(taken.body.decode("utf-8-sig"))))
    assert [rows[0][2], rows[1][2], rows[1][4]] == ["who", "hoa", "'=1+1"]
    (deed,) = await room.deeds(1)
    assert (deed.who, deed.verb, dict(deed.after)) == ("lan", "users.audit.export", {"who": "hoa"})
    assert (await room.post("/console/audit/export?since=never")).status == 422


class Log:
    """An audit log of so many entries that one look does not see them all."""

    def __init__(self, count: int, who: int) -> None:
        self.read, self._count, self._who = 0, count, who

    async def audit(self, before: int | None, limit: int) -> list[Entry]:
        top = self._count if before is None else min(before - 1, self._count)
        found = [self._entry(each) for each in range(top, max(0, top - limit), -1)]
        self.read += len(found)
        return found

    def _entry(self, number: int) -> Entry:
        return Entry(number, Deed(NOW + number * 60_000, None, "hoa" if number == self._who else "an", "x"), "")


async def test_a_filter_that_fits_little_reads_no_whole_log() -> None:
    log = Log(100_000, 3)
    desk = AuditDesk(log)  # type: ignore[arg-type]
    found = await desk.list_deeds(who="hoa", check=False)
    assert (found["entries"], found["next"]) == ([], 100_001 - LOOKED_AT)
    assert log.read <= LOOKED_AT + 1
    found = await desk.list_deeds(who="hoa", until=NOW + 60_000 * 10, check=False)
    assert [each["id"] for each in found["entries"]] == [3], "time leads there at once"
    assert found["next"] is None


# the system


async def test_the_system_shows_how_it_is_and_hides_secrets(room: Room) -> None:
    page = text(await room.get("/console/system"))
    for shown in ("sqlite", "1 of 1", "data_dir", "flag data_dir", "asyncpg", "htmx.org", "0BSD", "master.key"):
        assert shown in page, shown


async def test_a_support_bundle_holds_no_secret_number_or_text_and_is_told(room: Room) -> None:
    await room.desk.admin().do(
        "channels.add",
        {
            "name": "smsc",
            "provider": "smpp",
            "settings": {"host": "smsc.example", "system_id": "canary11", "password": "canary12"},
        },
    )
    taken = await room.post("/console/system/bundle")
    bundle = json.loads(taken.body)
    assert {"program", "ledger", "settings", "packages", "lanes", "seal", "channels"} <= bundle.keys()
    told = text(taken)
    for canary in ("canary11", "canary12", "84912345678", "Xin chào", *CORPUS[:1], "smsc.example"):
        assert canary not in told
    assert next(each for each in bundle["settings"] if each["name"] == "seal.keys")["value"] == "(not set)"
    assert [deed.verb for deed in await room.deeds(1)] == ["system.bundle"]


def test_a_size_stands_in_its_unit() -> None:
    assert [size(each) for each in (0, 1023, 1536, 3 * 2**30)] == [(0, "B"), (1023, "B"), (1.5, "KiB"), (3, "GiB")]


def test_every_permission_has_a_text() -> None:
    assert [each for each in Permission if not has(f"keys.permission.{each}")] == []
    assert [each for each in May if not has(f"may.{each}")] == []


async def test_a_role_that_sees_no_texts_hands_out_no_key_that_reads_them(room: Room) -> None:
    everything = await room.desk.ledger.keys()
    made = await room.post("/console/keys/new", **{"name": "reads", "permission.read:content": "1"})
    assert made.status == 200
    (reads,) = [each for each in await room.desk.ledger.keys() if each not in everything]
    room.desk.visitor = visitor(Role.DEVELOPER)
    assert "permission.read:content" not in text(await room.get("/console/keys/new"))
    forged = await room.post("/console/keys/new", **{"name": "forged", "permission.read:content": "1"})
    rotated = await room.post(f"/console/keys/{reads.id}/rotate")
    assert (forged.status, rotated.status) == (422, 422)
    assert len(await room.desk.ledger.keys()) == len(everything) + 1
