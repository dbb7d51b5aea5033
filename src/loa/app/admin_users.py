"""What an admin does with the people who may sign in to the console. Each change stands in the audit log."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import StringConstraints

from loa.app.admin_people import Shown, instant
from loa.app.console import link_to, signing_in
from loa.domain.callback_body import utc_text
from loa.domain.roles import Role, user_name_fits
from loa.errors import CallerError, NotFound
from loa.ports.clock import Clock
from loa.ports.users import COMMAND_LINE, Actor, Deed, Purpose, SignIn, User, Users
from loa.stages.second_factor import STEP_MS
from loa.stages.signing_in import LINK_MS

UserName = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=64)]


class UserDesk:
    """Users. `url`: where people reach the console; `by`: who has it done, as the audit log names them."""

    def __init__(self, users: Users, clock: Clock, url: str, by: Actor = COMMAND_LINE) -> None:
        self._users = users
        self._clock = clock
        self._url = url
        self._by = by
        self._signing = signing_in(users, clock)

    def acted_by(self, by: Actor) -> Self:
        """Give the same for somebody else."""
        return type(self)(self._users, self._clock, self._url, by)

    async def add(self, *, name: UserName, role: Role) -> Shown:
        """Add a user, and give the link by which they choose a password. Errors: CallerError."""
        if not user_name_fits(name):
            raise CallerError(
                "user_name",
                f"{name!r} cannot be a user: 1 to 64 of a-z 0-9 . _ @ + -, the first a letter or digit",
            )
        user = await self._users.add_user(name, role, self._clock.now())
        await self._note("users.add", user, after={"role": role.value})
        return await self._with_link(user)

    async def list_users(self) -> list[Shown]:
        """List every user, with how they sign in and where they are signed in now."""
        return [
            {**_shown(user), **_seen(user, await self._signing.sign_ins(user))} for user in await self._users.users()
        ]

    async def set_role(self, *, name: UserName, role: Role) -> Shown:
        """Give a user another role; they have to sign in again. Errors: NotFound, CallerError."""
        user = await self._named(name)
        await self._users.set_role(user.id, role)
        await self._note("users.role", user, before={"role": user.role.value}, after={"role": role.value})
        return _shown(await self._named(name))

    async def disable(self, *, name: UserName) -> Shown:
        """Shut a user out at once. Errors: NotFound, CallerError for the last owner."""
        return await self._set_disabled("users.disable", name, self._clock.now())

    async def enable(self, *, name: UserName) -> Shown:
        """Let a user in again. Errors: NotFound."""
        return await self._set_disabled("users.enable", name, None)

    async def reset_link(self, *, name: UserName) -> Shown:
        """Give a link by which a user gets a new password and second factor. Errors: NotFound, CallerError."""
        user = await self._named(name)
        if user.disabled_at is not None:
            raise CallerError("user_disabled", f"{name} is shut out; let them in first: loa users enable {name}")
        await self._note("users.reset_link", user)
        return await self._with_link(user)

    async def _set_disabled(self, verb: str, name: str, at: int | None) -> Shown:
        user = await self._named(name)
        await self._users.set_disabled(user.id, at)
        is_out = {"disabled": user.disabled_at is not None}
        await self._note(verb, user, before=is_out, after={"disabled": at is not None})
        return _shown(await self._named(name))

    async def _named(self, name: str) -> User:
        user = await self._users.user(name)
        if user is None:
            raise NotFound(f"there is no user {name!r}; see: loa users list")
        return user

    async def _with_link(self, user: User) -> Shown:
        secret = await self._signing.link_for(user)
        expires = utc_text(self._clock.now() + LINK_MS)
        return {**_shown(user), "link": link_to(Purpose.SET_UP, secret, self._url), "linkExpiresAt": expires}

    async def _note(
        self,
        verb: str,
        user: User,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        by, now = self._by, self._clock.now()
        deed = Deed(now, by.user_id, by.name, verb, user.name, before or {}, after or {}, by.address)
        await self._users.add_deed(deed)


def _shown(user: User) -> Shown:
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role.value,
        "canSignIn": bool(user.seed) and user.disabled_at is None,
        "createdAt": instant(user.created_at),
        "disabledAt": instant(user.disabled_at),
    }


def _seen(user: User, sign_ins: list[SignIn]) -> Shown:
    """Say when somebody signed in last: with a code, whose time is kept, or where they are known still."""
    last = max([user.step * STEP_MS, *(each.created_at for each in sign_ins)])
    return {
        "secondFactor": bool(user.seed),
        "lastSignInAt": instant(last or None),
        "signIns": len(sign_ins),
    }
