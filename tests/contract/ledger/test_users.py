"""Users and what they did: links and codes are good once, tries wait, the audit log shows what was changed in it."""

import asyncio
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from loa.domain.roles import Role
from loa.errors import CallerError
from loa.ledger.postgres import users as on_server
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.sqlite import users as on_file
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.ledger import Ledger
from loa.ports.users import Credentials, Deed, Link, Purpose, SignIn, User
from tests.contract.ledger.conftest import Opener
from tests.support.fakes import EPOCH

MINUTE = 60_000
DELAYS = (0, 0, 1_000, 4_000)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


FIRST = Link(digest("first"), Purpose.FIRST_RUN, None, EPOCH + 15 * MINUTE)
CODES = (digest("code-1"), digest("code-2"))
GIVEN = Credentials("$argon2id$one", "SEEDSEEDSEEDSEED", 10, CODES)


async def owner(ledger: Ledger) -> User:
    await ledger.add_link(FIRST, EPOCH)
    made = await ledger.enrol(FIRST.digest, "mai", GIVEN, EPOCH + 1)
    assert made is not None
    return made


def signed_in(user: User, name: str = "one", at: int = EPOCH, **given: Any) -> SignIn:
    return replace(SignIn(digest(name), user.id, at, at, at + 720 * MINUTE, "203.0.113.9", "Firefox \0 🙂"), **given)


async def raw(ledger: Ledger, query: str) -> Any:
    """Do something to the tables behind the ledger's back."""
    if isinstance(ledger, SqliteLedger):
        return await ledger._writer.call("users", lambda: _plain(query))
    assert isinstance(ledger, PostgresLedger)
    return await ledger._call("users", lambda: _plain(query))


def _plain(query: str) -> Any:
    return (yield query, ())


class _Statements(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key


@pytest.fixture(autouse=True)
def any_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `raw` name a statement by its text."""

    for engine in (on_file, on_server):
        monkeypatch.setattr(engine, "QUERIES", _Statements(engine.QUERIES))


async def test_the_first_link_makes_the_owner_once(ledger: Ledger) -> None:
    await ledger.add_link(FIRST, EPOCH)
    assert await ledger.link(FIRST.digest, EPOCH) == FIRST
    made = await asyncio.gather(*(ledger.enrol(FIRST.digest, f"user{n}", GIVEN, EPOCH + 1) for n in range(5)))
    (user,) = [each for each in made if each is not None]
    assert (user.role, user.password, user.seed, user.step) == (Role.OWNER, GIVEN.password, GIVEN.seed, 10)
    assert await ledger.users() == [user] == [await ledger.user(user.name)]
    assert await ledger.link(FIRST.digest, EPOCH) is None
    await ledger.add_link(replace(FIRST, digest=digest("second")), EPOCH)
    assert await ledger.enrol(digest("second"), "late", GIVEN, EPOCH) is None, "there is an owner"


async def test_a_link_is_good_for_its_time_and_until_the_next(ledger: Ledger) -> None:
    await ledger.add_link(FIRST, EPOCH)
    assert await ledger.link(FIRST.digest, FIRST.expires_at) is None
    assert await ledger.enrol(FIRST.digest, "mai", GIVEN, FIRST.expires_at) is None
    assert await ledger.link(digest("unknown"), EPOCH) is None
    await ledger.add_link(replace(FIRST, digest=digest("second")), EPOCH)
    assert await ledger.link(FIRST.digest, EPOCH) == FIRST, "of several processes that start each shows one"
    user = await ledger.add_user("an", Role.ADMIN, EPOCH)
    for name in ("third", "fourth"):
        await ledger.add_link(Link(digest(name), Purpose.SET_UP, user.id, EPOCH + MINUTE), EPOCH)
    assert await ledger.link(digest("third"), EPOCH) is None, "another one was made for the same user"


async def test_a_link_to_enter_is_taken_once_and_is_good_for_nothing_else(ledger: Ledger) -> None:
    user = await ledger.add_user("demo", Role.OWNER, EPOCH)
    link = Link(digest("enter"), Purpose.ENTER, user.id, EPOCH + MINUTE)
    await ledger.add_link(link, EPOCH)
    assert await ledger.enrol(link.digest, "demo", GIVEN, EPOCH) is None
    assert await ledger.take_link(link.digest, Purpose.SET_UP, EPOCH) is None
    assert await ledger.take_link(link.digest, Purpose.ENTER, link.expires_at) is None
    taken = await asyncio.gather(*(ledger.take_link(link.digest, Purpose.ENTER, EPOCH) for _ in range(5)))
    assert [each for each in taken if each is not None] == [link]


async def test_a_link_gives_a_user_new_credentials_and_ends_what_was(ledger: Ledger) -> None:
    await owner(ledger)
    added = await ledger.add_user("an", Role.ANALYST, EPOCH)
    assert (added.password, added.seed) == ("", "")
    await ledger.begin_sign_in(signed_in(added))
    link = Link(digest("set-up"), Purpose.SET_UP, added.id, EPOCH + MINUTE)
    await ledger.add_link(link, EPOCH)
    assert await ledger.link(link.digest, EPOCH) == link
    user = await ledger.enrol(link.digest, "another", GIVEN, EPOCH + 1)
    assert user is not None
    assert (user.id, user.name, user.role, user.password) == (added.id, "an", Role.ANALYST, GIVEN.password)
    assert await ledger.sign_ins(user.id) == []
    assert await ledger.enrol(link.digest, "an", GIVEN, EPOCH + 2) is None


async def test_names_are_unique(ledger: Ledger) -> None:
    await ledger.add_user("an", Role.ADMIN, EPOCH)
    with pytest.raises(CallerError, match="already"):
        await ledger.add_user("an", Role.AUDITOR, EPOCH)
    assert await ledger.user("An") is None
    assert await ledger.user("\0") is None


async def test_no_secret_lies_open_and_all_is_there_after_a_restart(ledger: Ledger, open_ledger: Opener) -> None:
    user = await owner(ledger)
    rows = str(await raw(ledger, "SELECT totp_seed, password FROM console_user"))
    assert GIVEN.seed not in rows
    await ledger.begin_sign_in(signed_in(user))
    await ledger.close()
    again = await open_ledger()
    try:
        assert await again.users() == [user]
        found = await again.sign_in(digest("one"))
        assert found is not None
        assert found[1] == user
    finally:
        await again.close()


async def test_a_code_of_a_step_is_taken_once_and_none_of_an_earlier_one(ledger: Ledger) -> None:
    user = await owner(ledger)
    taken = await asyncio.gather(*(ledger.take_step(user.id, 11) for _ in range(5)))
    assert sorted(taken) == [False] * 4 + [True]
    assert not await ledger.take_step(user.id, 10)
    assert await ledger.take_step(user.id, 12)


async def test_a_recovery_code_is_taken_once(ledger: Ledger) -> None:
    user = await owner(ledger)
    taken = await asyncio.gather(*(ledger.take_recovery(user.id, CODES[0]) for _ in range(5)))
    assert sorted(taken) == [False] * 4 + [True]
    assert not await ledger.take_recovery(user.id + 1, CODES[1]), "another user's"
    assert await ledger.take_recovery(user.id, CODES[1])


async def test_a_sign_in_is_listed_seen_replaced_and_ended(ledger: Ledger) -> None:
    user = await owner(ledger)
    await ledger.begin_sign_in(signed_in(user))
    await ledger.begin_sign_in(signed_in(user, "two", EPOCH + 1))
    await ledger.see_sign_in(digest("one"), EPOCH + 5)
    await ledger.see_sign_in(digest("one"), EPOCH + 2)
    listed = await ledger.sign_ins(user.id)
    assert [(each.digest, each.seen_at) for each in listed] == [(digest("one"), EPOCH + 5), (digest("two"), EPOCH + 1)]
    assert listed[0].agent == "Firefox � 🙂"
    await ledger.begin_sign_in(signed_in(user, "three"), instead=digest("one"))
    assert await ledger.sign_in(digest("one")) is None
    assert not await ledger.end_sign_in(user.id + 1, digest("three")), "another user's"
    assert await ledger.end_sign_in(user.id, digest("three"))
    assert not await ledger.end_sign_in(user.id, digest("three"))
    assert await ledger.end_sign_ins(user.id) == 1
    assert await ledger.sign_ins(user.id) == []


async def test_what_is_over_is_forgotten_by_the_next(ledger: Ledger) -> None:
    user = await owner(ledger)
    first = signed_in(user)
    await ledger.begin_sign_in(first)
    await ledger.begin_sign_in(signed_in(user, "two", first.ends_at))
    assert await ledger.sign_in(first.digest) is None


async def test_another_role_and_being_shut_out_end_all_sign_ins(ledger: Ledger) -> None:
    await owner(ledger)
    user = await ledger.add_user("an", Role.ANALYST, EPOCH)
    await ledger.begin_sign_in(signed_in(user))
    assert await ledger.set_role(user.id, Role.AUDITOR)
    assert await ledger.sign_ins(user.id) == []
    await ledger.begin_sign_in(signed_in(user))
    await ledger.add_link(Link(digest("l"), Purpose.SET_UP, user.id, EPOCH + MINUTE), EPOCH)
    assert await ledger.set_disabled(user.id, EPOCH + 3)
    assert await ledger.user("an") == replace(user, role=Role.AUDITOR, disabled_at=EPOCH + 3)
    assert await ledger.sign_in(digest("one")) is None
    assert await ledger.enrol(digest("l"), "an", GIVEN, EPOCH) is None
    await ledger.add_link(Link(digest("m"), Purpose.SET_UP, user.id, EPOCH + MINUTE), EPOCH)
    assert await ledger.enrol(digest("m"), "an", GIVEN, EPOCH) is None, "shut out"
    assert await ledger.set_disabled(user.id, None)
    assert not await ledger.set_role(99, Role.ADMIN)
    assert not await ledger.set_disabled(99, EPOCH)


async def test_the_last_owner_stays(ledger: Ledger) -> None:
    first = await owner(ledger)
    await ledger.add_user("an", Role.OWNER, EPOCH)
    for change in (ledger.set_role(first.id, Role.ADMIN), ledger.set_disabled(first.id, EPOCH)):
        with pytest.raises(CallerError, match="last owner"):
            await change
    assert await ledger.user("mai") == first


async def test_tries_wait_longer_and_longer_for_each_subject(ledger: Ledger) -> None:
    subjects = ["user:mai", "from:203.0.113.9"]
    assert [await ledger.take_try(subjects, EPOCH, DELAYS) for _ in range(4)] == [0, 0, 0, 1_000]
    assert await ledger.take_try(["user:mai", "from:elsewhere"], EPOCH + 400, DELAYS) == 600
    assert await ledger.take_try(["user:an", "from:203.0.113.9"], EPOCH + 400, DELAYS) == 600
    assert await ledger.take_try(["user:an", "from:elsewhere"], EPOCH + 400, DELAYS) == 0
    assert await ledger.take_try(subjects, EPOCH + 1_000, DELAYS) == 0
    assert await ledger.take_try(subjects, EPOCH + 1_000, DELAYS) == 4_000
    await ledger.forget_tries(subjects)
    assert await ledger.take_try(subjects, EPOCH + 1_001, DELAYS) == 0


async def test_many_tries_at_once_are_each_counted(ledger: Ledger) -> None:
    waits = await asyncio.gather(*(ledger.take_try(["user:mai"], EPOCH, DELAYS) for _ in range(8)))
    assert sorted(waits) == [0, 0, 0, *[1_000] * 5]


async def test_tries_are_forgotten_in_a_day_and_a_clock_set_back_shuts_nobody_out(ledger: Ledger) -> None:
    for _ in range(3):
        await ledger.take_try(["user:mai"], EPOCH, DELAYS)
    assert await ledger.take_try(["user:mai"], EPOCH - 86_400_000, DELAYS) == 4_000
    assert [await ledger.take_try(["user:mai"], EPOCH + 86_400_000, DELAYS) for _ in range(2)] == [0, 0]


def deed(number: int, **given: Any) -> Deed:
    return replace(
        Deed(EPOCH + number, 1, "mai", "users.add", f"user{number} \0", {}, {"role": "quản trị"}, "::1"), **given
    )


async def test_the_audit_log_is_read_from_new_to_old(ledger: Ledger) -> None:
    kept = [await ledger.add_deed(deed(number)) for number in range(3)]
    assert [entry.id for entry in kept] == [1, 2, 3]
    assert await ledger.audit(None, 2) == [kept[2], kept[1]]
    assert await ledger.audit(2, 10) == [kept[0]]
    assert kept[0].deed == deed(0, subject="user0 �")
    assert await ledger.check_audit() is None


@pytest.mark.parametrize(
    ("done", "first"),
    [
        ("UPDATE audit SET who = 'an' WHERE id = 2", 2),
        ("UPDATE audit SET after = '{}' WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id = 2", 3),
        ("DELETE FROM audit WHERE id = 1", 2),
        ("UPDATE audit SET user_id = NULL WHERE id = 1", 1),
    ],
)
async def test_a_change_in_the_audit_log_is_found(ledger: Ledger, done: str, first: int) -> None:
    for each in await asyncio.gather(*(ledger.add_deed(deed(number)) for number in range(4))):
        assert each.digest
    await raw(ledger, done)
    assert await ledger.check_audit() == first


async def test_none_of_it_makes_every_process_read_the_directory_again(ledger: Ledger) -> None:
    before = await ledger.revision()
    await ledger.set_role((await owner(ledger)).id, Role.OWNER)
    assert await ledger.revision() == before
