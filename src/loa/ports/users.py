"""Users: the people who may sign in to the console, what they are known by, and what they did.

No secret lies open: passwords come here hashed, ids of sign-ins, links and recovery codes as digests, the seed of the
second factor is sealed. Digests are SHA-256 in hex of values with 128 random bits or more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

from loa.domain.roles import Role


@dataclass(frozen=True, slots=True)
class User:
    """One person. `password`: its hash; `seed`: of the second factor; "" before the first one-time link was used.

    `step`: the last time step of which a code was taken. Units: milliseconds; steps of 30 s.
    """

    id: int
    name: str
    role: Role
    password: str = field(repr=False)
    seed: str = field(repr=False)
    step: int
    created_at: int
    disabled_at: int | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a user is known by from now on. `recovery`: digests of the recovery codes."""

    password: str = field(repr=False)
    seed: str = field(repr=False)
    step: int
    recovery: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignIn:
    """One browser in which a user is known. `digest`: of its id; `ends_at`: over then, however often it is seen."""

    digest: str
    user_id: int
    created_at: int
    seen_at: int
    ends_at: int
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who has something done: a user with their address, or nobody known by name at the command line."""

    user_id: int | None
    name: str
    address: str = ""


COMMAND_LINE: Final = Actor(None, "command line")


class Purpose(StrEnum):
    """What a one-time link is for."""

    FIRST_RUN = "first_run"
    """Makes the owner; good only while there is no user."""
    SET_UP = "set_up"
    """Gives a user that exists a new password and second factor."""
    ENTER = "enter"
    """Signs a user in without either: for the demo alone, which makes such links."""


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time link that was not used yet. `user_id`: None where it makes the user."""

    digest: str
    purpose: Purpose
    user_id: int | None
    expires_at: int


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done that the audit log keeps.

    `before`, `after`: JSON values without secrets. `user_id`: None for a person at the command line.
    """

    at: int
    user_id: int | None
    who: str
    verb: str
    subject: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    address: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed in its place in the audit log. `digest`: over it and the digest of the entry before."""

    id: int
    deed: Deed
    digest: str


class Users(Protocol):
    """Users, their sign-ins and one-time links, tries at signing in, and the audit log. Every call is one commit."""

    async def users(self) -> list[User]:
        """Give all users, in the order in which they were added."""
        ...

    async def user(self, name: str) -> User | None:
        """Give a user by name."""
        ...

    async def add_user(self, name: str, role: Role, now: int) -> User:
        """Add a user, who can sign in once a link of theirs was used. Errors: CallerError when the name is taken."""
        ...

    async def set_role(self, user_id: int, role: Role) -> bool:
        """Give a user another role and end their sign-ins. False when there is no such user.

        Errors: CallerError for the last owner.
        """
        ...

    async def set_disabled(self, user_id: int, at: int | None) -> bool:
        """Shut a user out, or with None let them in again; sign-ins and links end. Otherwise as `set_role`."""
        ...

    async def enrol(self, link_digest: str, name: str, credentials: Credentials, now: int) -> User | None:
        """Use a one-time link up: make the owner of this name, or give the link's user new credentials.

        Sign-ins of the user end. None, and nothing done, when the link is used, over or unknown, its user is shut
        out, or there is an owner already.
        """
        ...

    async def take_step(self, user_id: int, step: int) -> bool:
        """Note that a code of a time step was given; False when one of it, or of a later one, was before."""
        ...

    async def take_recovery(self, user_id: int, digest: str) -> bool:
        """Use a recovery code up; False when there is none such."""
        ...

    async def begin_sign_in(self, sign_in: SignIn, instead: str = "") -> None:
        """Keep a sign-in, in the place of another that ends; those that are over are forgotten."""
        ...

    async def sign_in(self, digest: str) -> tuple[SignIn, User] | None:
        """Give a sign-in and its user, None where there is none or the user is shut out."""
        ...

    async def sign_ins(self, user_id: int) -> list[SignIn]:
        """Give the sign-ins of a user, the one seen last first."""
        ...

    async def see_sign_in(self, digest: str, now: int) -> None:
        """Note that a sign-in is in use."""
        ...

    async def end_sign_in(self, user_id: int, digest: str) -> bool:
        """End a sign-in of a user; False when there is none such."""
        ...

    async def end_sign_ins(self, user_id: int) -> int:
        """End all sign-ins of a user. Give how many."""
        ...

    async def add_link(self, link: Link, now: int) -> None:
        """Keep a link; others of the same purpose and user, and those whose time is over, are good no more.

        Links that make the owner stay good beside each other: each process that starts shows one.
        """
        ...

    async def link(self, digest: str, now: int) -> Link | None:
        """Give a link that can still be used."""
        ...

    async def take_link(self, digest: str, purpose: Purpose, now: int) -> Link | None:
        """Use a link of this purpose up; None when it is used, over, unknown or for something else."""
        ...

    async def take_try(self, subjects: Sequence[str], now: int, delays: Sequence[int]) -> int:
        """Count a try of each subject before it is made, so that many at once gain nothing.

        After the n-th try in a row the next has to wait for `delays[n - 1]`, or the last of them. Give how long this
        one still has to wait, 0 when it was counted and may be made. Units: milliseconds.
        """
        ...

    async def forget_tries(self, subjects: Sequence[str]) -> None:
        """Forget the tries of subjects: one went well."""
        ...

    async def add_deed(self, deed: Deed) -> Entry:
        """Append to the audit log."""
        ...

    async def audit(self, before: int | None, limit: int) -> list[Entry]:
        """Give entries from new to old, those below an id."""
        ...

    async def check_audit(self) -> int | None:
        """Give the id of the first entry that does not fit to those before it, None when all do.

        That the newest entries were taken away cannot be seen from those left.
        """
        ...
