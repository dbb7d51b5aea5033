"""Signing in: one answer to everything that is wrong, each code once, tries that wait, and nothing that lasts."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pyotp
import pytest
from tests.support.fakes import EPOCH, FakeClock, QuietProbe

from loa.domain.roles import Role
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.users import Purpose, SignIn, User
from loa.stages import second_factor
from loa.stages.passwords import _HASHER, NOBODYS, Passwords
from loa.stages.signing_in import (
    ADDRESS_DELAYS,
    IDLE_MS,
    LASTS_MS,
    LINK_MS,
    USER_DELAYS,
    Claim,
    Enrolled,
    Problem,
    Refused,
    SignedIn,
    SigningIn,
    Wanted,
)

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORD = "mười hai chữ số"
HERE = "203.0.113.9"


def code(clock: FakeClock, ahead: int = 0, seed: str = SEED) -> str:
    return pyotp.TOTP(seed).generate_otp(clock.now() // second_factor.STEP_MS + ahead)


class Door:
    def __init__(self, ledger: SqliteLedger, clock: FakeClock) -> None:
        self.ledger, self.clock = ledger, clock
        self.signing = SigningIn(ledger, clock, Passwords())
        self.recovery: tuple[str, ...] = ()

    def wanted(self, **given: str) -> Wanted:
        return replace(Wanted("mai", PASSWORD, PASSWORD, SEED, code(self.clock), HERE), **given)

    def claim(self, **given: str) -> Claim:
        return replace(Claim("mai", PASSWORD, code(self.clock), HERE, "Firefox"), **given)

    async def enrol(self) -> User:
        """Make the owner, end the sign-in that comes with it, and let the code that this took be over."""
        link = await self.signing.first_link()
        assert link is not None
        made = await self.signing.enrol(link, self.wanted())
        assert isinstance(made, Enrolled)
        self.recovery = made.recovery
        known = await self.signing.recognise(made.id)
        assert known is not None
        assert known[1] == made.user
        await self.ledger.end_sign_ins(made.user.id)
        self.clock.advance(31)
        return made.user

    async def signed_in(self) -> str:
        answer = await self.signing.sign_in(self.claim())
        assert isinstance(answer, SignedIn)
        self.clock.advance(31)
        return answer.id

    async def verbs(self) -> list[str]:
        return [entry.deed.verb for entry in await self.ledger.audit(None, 100)][::-1]


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    ledger = await SqliteLedger.open(tmp_path / "loa.db", probe=QuietProbe())
    yield Door(ledger, FakeClock())
    await ledger.close()


async def test_the_owner_is_made_by_the_first_link_and_signs_in(door: Door) -> None:
    user = await door.enrol()
    assert (user.name, user.role) == ("mai", Role.OWNER)
    assert await door.signing.first_link() is None
    known = await door.signing.recognise(await door.signed_in())
    assert known is not None
    assert (known[1].id, known[0].address, known[0].agent) == (user.id, HERE, "Firefox")
    assert await door.verbs() == ["users.enrol", "sign_in", "sign_in"]


async def test_nothing_that_people_know_is_kept_as_they_know_it(door: Door) -> None:
    await door.enrol()
    made = await door.signed_in()
    dump = repr(
        await door.ledger._readers.read(
            lambda c: [
                c.execute(f"SELECT * FROM {table}").fetchall()
                for table in ("console_user", "recovery_code", "sign_in", "one_time_link", "sign_in_try", "audit")
            ]
        )
    )
    for secret in (PASSWORD, SEED, made, *door.recovery, *(code.replace("-", "") for code in door.recovery)):
        assert secret not in dump
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in dump


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"name": "Mai Anh"}, Problem.NAME),
        ({"password": "short", "again": "short"}, Problem.PASSWORD_LENGTH),
        ({"again": "another one entirely"}, Problem.PASSWORDS_DIFFER),
        ({"name": "maianh", "password": "xx-maianh-xx", "again": "xx-maianh-xx"}, Problem.PASSWORD_IS_NAME),
        ({"code": "000000"}, Problem.CODE),
        ({"code": "１２３４５６"}, Problem.CODE),
        ({"seed": "AAAA"}, Problem.CODE),
    ],
)
async def test_a_problem_leaves_the_link_good(door: Door, given: dict[str, str], problem: Problem) -> None:
    link = await door.signing.first_link()
    assert link is not None
    assert await door.signing.enrol(link, door.wanted(**given)) == {problem}
    assert isinstance(await door.signing.enrol(link, door.wanted()), Enrolled)
    assert await door.signing.enrol(link, door.wanted()) == {Problem.LINK}


async def test_a_link_is_over_after_a_quarter_of_an_hour(door: Door) -> None:
    link = await door.signing.first_link()
    assert link is not None
    door.clock.advance(LINK_MS / 1000)
    assert await door.signing.link(link) is None
    assert await door.signing.enrol(link, door.wanted()) == {Problem.LINK}


async def test_a_link_sets_a_user_up_again_and_ends_the_sign_ins_before(door: Door) -> None:
    user = await door.enrol()
    before = await door.signed_in()
    link = await door.signing.link_for(user)
    found = await door.signing.link(link)
    assert found is not None
    assert (found[0].purpose, found[1]) == (Purpose.SET_UP, (await door.ledger.users())[0])
    other = "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU"
    wanted = door.wanted(name="", password="a wholly new one", again="a wholly new one", seed=other)
    made = await door.signing.enrol(link, replace(wanted, code=code(door.clock, seed=other)))
    assert isinstance(made, Enrolled)
    assert await door.signing.recognise(before) is None
    assert await door.signing.sign_in(door.claim()) == Refused()


@pytest.mark.parametrize(
    "wrong", [{"name": "nobody"}, {"password": "wrong password"}, {"code": "000000"}, {"code": ""}, {"password": ""}]
)
async def test_whatever_is_wrong_the_answer_is_the_same(door: Door, wrong: dict[str, str]) -> None:
    await door.enrol()
    assert await door.signing.sign_in(door.claim(**wrong)) == Refused()


async def test_who_was_shut_out_or_has_no_second_factor_is_refused_alike(door: Door) -> None:
    await door.enrol()
    await door.ledger.add_user("an", Role.ADMIN, EPOCH)
    assert await door.signing.sign_in(door.claim(name="an", password="")) == Refused()
    other = await door.ledger.add_user("owner2", Role.OWNER, EPOCH)
    link = await door.signing.link_for(other)
    assert isinstance(await door.signing.enrol(link, door.wanted()), Enrolled)
    door.clock.advance(31)
    made = await door.signed_in()
    await door.ledger.set_disabled(1, door.clock.now())
    assert await door.signing.recognise(made) is None
    assert await door.signing.sign_in(door.claim()) == Refused()


async def test_a_code_is_never_taken_twice(door: Door) -> None:
    await door.enrol()
    claim = door.claim()
    assert isinstance(await door.signing.sign_in(claim), SignedIn)
    assert await door.signing.sign_in(claim) == Refused()
    assert await door.signing.sign_in(door.claim(code=code(door.clock, -1))) == Refused(), "nor an older one"
    assert isinstance(await door.signing.sign_in(door.claim(code=code(door.clock, 1))), SignedIn)
    assert await door.signing.sign_in(door.claim(code=code(door.clock, 2))) == Refused()


async def test_a_wrong_password_uses_no_code_up(door: Door) -> None:
    await door.enrol()
    assert await door.signing.sign_in(door.claim(password="wrong password")) == Refused()
    assert isinstance(await door.signing.sign_in(door.claim()), SignedIn)
    lost = door.recovery[0]
    assert await door.signing.sign_in(door.claim(password="wrong password", code=lost)) == Refused()
    assert isinstance(await door.signing.sign_in(door.claim(code=f" {lost.upper()} ")), SignedIn)
    assert await door.signing.sign_in(door.claim(code=lost)) == Refused(), "once"


async def test_a_sign_in_ends_when_it_is_idle_and_after_half_a_day(door: Door) -> None:
    await door.enrol()
    made = await door.signed_in()
    for _ in range(LASTS_MS // IDLE_MS - 1):
        door.clock.advance((IDLE_MS - 60_000) / 1000)
        assert await door.signing.recognise(made) is not None
    idle = await door.signed_in()
    door.clock.advance(IDLE_MS / 1000)
    assert await door.signing.recognise(idle) is None
    for _ in range(LASTS_MS // IDLE_MS):
        door.clock.advance((IDLE_MS - 60_000) / 1000)
        await door.signing.recognise(made)
    assert await door.signing.recognise(made) is None


async def test_a_sign_in_ends_after_half_a_day_however_often_it_is_seen(door: Door) -> None:
    await door.enrol()
    made = await door.signed_in()
    known = await door.signing.recognise(made)
    assert known is not None
    door.clock.set_by((known[0].ends_at - door.clock.now()) / 1000 - 1)
    await door.ledger.see_sign_in(known[0].digest, door.clock.now())
    assert await door.signing.recognise(made) is not None
    door.clock.advance(1)
    assert await door.signing.recognise(made) is None


async def test_each_sign_in_has_a_new_id_and_the_one_before_of_that_browser_ends(door: Door) -> None:
    user = await door.enrol()
    first = await door.signed_in()
    answer = await door.signing.sign_in(door.claim(), instead=first)
    assert isinstance(answer, SignedIn)
    assert answer.id != first
    assert await door.signing.recognise(first) is None
    assert len(await door.signing.sign_ins(user)) == 1


async def test_people_see_and_end_their_own_sign_ins(door: Door) -> None:
    user = await door.enrol()
    first, second = await door.signed_in(), await door.signed_in()
    listed = await door.signing.sign_ins(user)
    assert len(listed) == 2
    mine: SignIn = next(each for each in listed if each.created_at == listed[0].created_at)
    assert not await door.signing.end(replace(user, id=9), mine.digest, HERE)
    await door.signing.sign_out(second, HERE)
    await door.signing.sign_out(second, HERE)
    assert await door.signing.recognise(second) is None
    assert await door.signing.end_all(user, HERE) == 1
    assert await door.signing.recognise(first) is None
    assert (await door.verbs())[-2:] == ["sign_out", "sign_ins.end_all"]


async def test_tries_of_one_user_wait_longer_and_longer_and_a_right_one_ends_that(door: Door) -> None:
    await door.enrol()
    wrong = [door.claim(password="wrong password", address=f"198.51.100.{n}") for n in range(8)]
    for claim in wrong[:5]:
        assert await door.signing.sign_in(claim) == Refused()
    assert await door.signing.sign_in(door.claim()) == Refused(USER_DELAYS[4]), "even with the right password"
    door.clock.advance(USER_DELAYS[4] / 1000)
    assert await door.signing.sign_in(wrong[5]) == Refused()
    assert await door.signing.sign_in(wrong[6]) == Refused(USER_DELAYS[5])
    door.clock.advance(USER_DELAYS[5] / 1000)
    assert isinstance(await door.signing.sign_in(door.claim()), SignedIn)
    assert await door.signing.sign_in(wrong[7]) == Refused()


@pytest.mark.parametrize(("one", "other"), [("198.51.100.7", "198.51.100.7"), ("2001:db8::1", "2001:db8::2:3")])
async def test_tries_from_one_place_wait_however_many_names_they_use(door: Door, one: str, other: str) -> None:
    free = ADDRESS_DELAYS.count(0) + 1
    for number in range(free):
        assert await door.signing.sign_in(door.claim(name=f"u{number}", password="", address=one)) == Refused()
    assert await door.signing.sign_in(door.claim(name="u", address=other)) == Refused(1_000)
    assert await door.signing.sign_in(door.claim(name="v", address="2001:db8:1::1")) == Refused()


async def test_a_refusal_of_somebody_known_is_in_the_audit_log(door: Door) -> None:
    await door.enrol()
    await door.signing.sign_in(door.claim(password="wrong password"))
    await door.signing.sign_in(door.claim(name="wrong password"))
    assert await door.verbs() == ["users.enrol", "sign_in", "sign_in.refused"]


async def test_passwords_are_the_same_however_they_are_typed_and_of_the_asked_strength() -> None:
    passwords = Passwords()
    kept = await passwords.hashed("mật khẩu dài")
    assert await passwords.fits(kept, "mật khẩu dài")
    assert not await passwords.fits("", "")
    assert not await passwords.fits("not a hash", "x")
    assert not _HASHER.check_needs_rehash(NOBODYS), "nobody's takes as long as anybody's"


def test_codes_and_links_have_the_form_that_apps_read() -> None:
    seed = second_factor.new_seed()
    assert second_factor.app_link(seed, "mai@x") == f"otpauth://totp/Loa:mai%40x?secret={seed}&issuer=Loa"
    at = EPOCH
    now = pyotp.TOTP(seed).generate_otp(at // 30_000)
    assert second_factor.step_of(seed, f"{now[:3]} {now[3:]}", at) == at // 30_000
    assert second_factor.step_of(seed, now, at + 60_000) is None
    codes = second_factor.new_recovery_codes()
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert second_factor.recovery_digest(codes[0]) == second_factor.recovery_digest(codes[0].replace("-", " ").upper())
