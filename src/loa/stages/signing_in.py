"""Signing in to the console: who somebody is, for how long that is believed, and what it takes to become somebody.

Ids of sign-ins and links are random and kept as digests. A wrong name, password or code is answered alike, in the same
time. Tries are counted before they are made, and those of one user or from one address wait longer and longer; nobody
is ever locked out.
"""

import hashlib
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from loa.domain.roles import Role, user_name_fits
from loa.observe.log import get_logger
from loa.ports.clock import Clock
from loa.ports.users import Credentials, Deed, Link, Purpose, SignIn, User, Users
from loa.stages import second_factor
from loa.stages.passwords import Passwords, length_fits

IDLE_MS: Final = 30 * 60_000
LASTS_MS: Final = 12 * 3_600_000
LINK_MS: Final = 15 * 60_000
SEEN_EVERY_MS: Final = 60_000
"""How exactly it is kept when a sign-in was seen last: each note is a commit."""
AGENT_LENGTH: Final = 200
ID_OCTETS: Final = 32

_GROWING: Final = tuple(1_000 * 2**power for power in range(10))
USER_DELAYS: Final = (*(0,) * 4, *(delay for delay in _GROWING if delay < 60_000), 60_000)
ADDRESS_DELAYS: Final = (*(0,) * 19, *_GROWING, 900_000)
"""How long the next try waits after so many in a row, of one user and from one address. Units: milliseconds."""

log = get_logger("loa.stages.signing_in")


@dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody says to be. `code`: of the app, or a recovery code."""

    name: str
    password: str = field(repr=False)
    code: str = field(repr=False)
    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody is known now. `id`: what their browser has to bring each time."""

    id: str = field(repr=False)
    user: User


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody is not known. `wait_ms`: how long until the next try may be made, 0: it was made and was wrong."""

    wait_ms: int = 0


class Problem(StrEnum):
    """What is wrong with what somebody wants to be known by."""

    LINK = "link"
    """It was used before, is over, or was never ours."""
    NAME = "name"
    PASSWORD_LENGTH = "password_length"  # noqa: S105 - a code
    PASSWORD_IS_NAME = "password_is_name"  # noqa: S105 - a code
    PASSWORDS_DIFFER = "passwords_differ"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to be known by. `name`: counts where the link makes the user."""

    name: str
    password: str = field(repr=False)
    again: str = field(repr=False)
    seed: str = field(repr=False)
    code: str = field(repr=False)
    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Somebody is known now, and can sign in from now on. `id`: as `SignedIn`; `recovery`: codes to show this once."""

    id: str = field(repr=False)
    user: User
    recovery: tuple[str, ...] = field(repr=False)


def digest_of(secret: str) -> str:
    """Give what an id of a sign-in or link is kept as."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class SigningIn:
    """Signs people in and out. Errors of every call: StorageError."""

    def __init__(self, users: Users, clock: Clock, passwords: Passwords) -> None:
        self._users = users
        self._clock = clock
        self._passwords = passwords

    # signing in

    async def sign_in(self, claim: Claim, instead: str = "") -> SignedIn | Refused:
        """Sign somebody in under a new id; that of the browser before, `instead`, ends."""
        name = claim.name.strip().lower()
        waiting = await self._take_try(name, claim.address)
        if waiting:
            return Refused(waiting)
        user = await self._users.user(name)
        if not await self._is_right(user, claim) or user is None:
            log.warning("a sign-in was refused", result="known user" if user is not None else "unknown user")
            if user is not None:
                await self.note(user, "sign_in.refused", name, address=claim.address)
            return Refused()
        await self._users.forget_tries([_of_user(name), _of_address(claim.address)])
        return await self._begin(user, claim.address, claim.agent, instead)

    async def _take_try(self, name: str, address: str) -> int:
        now = self._clock.now()
        waiting = await self._users.take_try([_of_user(name)], now, USER_DELAYS)
        return waiting or await self._users.take_try([_of_address(address)], now, ADDRESS_DELAYS)

    async def _is_right(self, user: User | None, claim: Claim) -> bool:
        """Compare everything in any case, so that the time tells nothing; a code is used up by the right user only."""
        is_open = user is not None and user.disabled_at is None and bool(user.seed)
        fits = await self._passwords.fits(user.password if user is not None and is_open else "", claim.password)
        step = second_factor.step_of(user.seed if user is not None else "", claim.code, self._clock.now())
        user_id = user.id if user is not None and fits else 0
        if step is not None:
            return await self._users.take_step(user_id, step)
        return await self._users.take_recovery(user_id, second_factor.recovery_digest(claim.code))

    async def _begin(self, user: User, address: str, agent: str, instead: str) -> SignedIn:
        made = secrets.token_urlsafe(ID_OCTETS)
        now = self._clock.now()
        kept = SignIn(digest_of(made), user.id, now, now, now + LASTS_MS, address, agent[:AGENT_LENGTH])
        await self._users.begin_sign_in(kept, digest_of(instead) if instead else "")
        await self.note(user, "sign_in", user.name, address=address)
        return SignedIn(made, user)

    # being known

    async def recognise(self, given: str) -> tuple[SignIn, User] | None:
        """Give the sign-in and the user of an id, None when it is unknown, idle for too long or over."""
        found = await self._users.sign_in(digest_of(given))
        if found is None:
            return None
        kept, now = found[0], self._clock.now()
        if now >= kept.ends_at or now - kept.seen_at >= IDLE_MS:
            await self._users.end_sign_in(kept.user_id, kept.digest)
            return None
        if now - kept.seen_at >= SEEN_EVERY_MS:
            await self._users.see_sign_in(kept.digest, now)
        return found

    async def lasts(self, kept: SignIn, role: Role) -> bool:
        """Tell whether a sign-in is still good, and for the same role; this does not count as being seen."""
        found = await self._users.sign_in(kept.digest)
        return found is not None and self._clock.now() < found[0].ends_at and found[1].role is role

    async def sign_out(self, given: str, address: str) -> None:
        """End a sign-in; one that is none is no error."""
        found = await self._users.sign_in(digest_of(given))
        if found is not None and await self._users.end_sign_in(found[1].id, found[0].digest):
            await self.note(found[1], "sign_out", found[1].name, address=address)

    async def sign_ins(self, user: User) -> list[SignIn]:
        """Give the sign-ins of a user that are not over."""
        now = self._clock.now()
        return [
            each for each in await self._users.sign_ins(user.id) if now < each.ends_at and now - each.seen_at < IDLE_MS
        ]

    async def end(self, user: User, digest: str, address: str) -> bool:
        """End one of a user's own sign-ins; False when there is none such."""
        ended = await self._users.end_sign_in(user.id, digest)
        if ended:
            await self.note(user, "sign_ins.end", user.name, address=address)
        return ended

    async def end_all(self, user: User, address: str) -> int:
        """End all of a user's own sign-ins. Give how many."""
        ended = await self._users.end_sign_ins(user.id)
        await self.note(user, "sign_ins.end_all", user.name, after={"ended": ended}, address=address)
        return ended

    # becoming known

    async def first_link(self) -> str | None:
        """Make the one-time link's secret by which the owner is made, None where there are users already."""
        if await self._users.users():
            return None
        return await self._new_link(Purpose.FIRST_RUN, None)

    async def link_for(self, user: User) -> str:
        """Make the secret of a link by which a user gets a new password and second factor."""
        return await self._new_link(Purpose.SET_UP, user.id)

    async def enter_link(self, user: User) -> str:
        """Make the secret of a link that signs a user in as it is: for the demo alone."""
        return await self._new_link(Purpose.ENTER, user.id)

    async def enter(self, secret: str, address: str, agent: str, instead: str = "") -> SignedIn | None:
        """Sign the user of such a link in; None when it cannot be used any more."""
        taken = await self._users.take_link(digest_of(secret), Purpose.ENTER, self._clock.now())
        if taken is None:
            return None
        user = next((each for each in await self._users.users() if each.id == taken.user_id), None)
        if user is None or user.disabled_at is not None:
            return None
        return await self._begin(user, address, agent, instead)

    async def _new_link(self, purpose: Purpose, user_id: int | None) -> str:
        made = secrets.token_urlsafe(ID_OCTETS)
        now = self._clock.now()
        await self._users.add_link(Link(digest_of(made), purpose, user_id, now + LINK_MS), now)
        return made

    async def link(self, secret: str) -> tuple[Link, User | None] | None:
        """Give a link that can still be used, with its user where it has one."""
        link = await self._users.link(digest_of(secret), self._clock.now())
        if link is None:
            return None
        users = {user.id: user for user in await self._users.users()}
        if link.user_id is None:
            return None if users else (link, None)
        user = users.get(link.user_id)
        return None if user is None or user.disabled_at is not None else (link, user)

    async def enrol(self, secret: str, wanted: Wanted) -> Enrolled | frozenset[Problem]:
        """Use a link up; with any problem nothing is done and the link is still good."""
        found = await self.link(secret)
        if found is None or found[0].purpose is Purpose.ENTER:
            return frozenset({Problem.LINK})
        name = found[1].name if found[1] is not None else wanted.name.strip().lower()
        step = second_factor.step_of(wanted.seed, wanted.code, self._clock.now())
        problems = _problems(name, wanted)
        if step is None:
            problems |= {Problem.CODE}
        if problems or step is None:
            return problems
        codes = second_factor.new_recovery_codes()
        hashed = await self._passwords.hashed(wanted.password)
        digests = tuple(second_factor.recovery_digest(code) for code in codes)
        made = Credentials(hashed, wanted.seed, step, digests)
        user = await self._users.enrol(digest_of(secret), name, made, self._clock.now())
        if user is None:
            return frozenset({Problem.LINK})
        await self._users.forget_tries([_of_user(name)])
        await self.note(user, "users.enrol", name, after={"role": user.role.value}, address=wanted.address)
        made_id = (await self._begin(user, wanted.address, wanted.agent, "")).id
        return Enrolled(made_id, user, codes)

    async def note(
        self, user: User, verb: str, subject: str, *, after: Mapping[str, Any] | None = None, address: str = ""
    ) -> None:
        """Write into the audit log what a user did."""
        await self._users.add_deed(Deed(self._clock.now(), user.id, user.name, verb, subject, {}, after or {}, address))


def _problems(name: str, wanted: Wanted) -> frozenset[Problem]:
    checks = {
        Problem.NAME: user_name_fits(name),
        Problem.PASSWORD_LENGTH: length_fits(wanted.password),
        Problem.PASSWORD_IS_NAME: name not in wanted.password.lower() or len(name) < 4,
        Problem.PASSWORDS_DIFFER: wanted.password == wanted.again,
    }
    return frozenset(problem for problem, is_fine in checks.items() if not is_fine)


def _of_user(name: str) -> str:
    # Somebody may have typed a password here.
    return f"user:{digest_of(name)}"


def _of_address(address: str) -> str:
    try:
        read = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return f"address:{digest_of(address)}"
    # Who has one address of IPv6 has a whole network of them.
    network = read if read.version == 4 else ipaddress.ip_network((int(read), 64), strict=False)
    return f"address:{digest_of(str(network))}"
