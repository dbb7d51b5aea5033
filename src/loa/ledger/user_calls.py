"""What a caller asks of a ledger about users, the same for both engines."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from loa.domain.roles import Role
from loa.ledger import users
from loa.ledger.users import SIGN_IN_COLUMNS, Maker, read_user
from loa.ports.users import Credentials, Deed, Entry, Link, Purpose, SignIn, User
from loa.seal.sealer import Sealer


class UserCalls(ABC):
    """The role Users. An engine says how a program is run: in a transaction that writes, or to read."""

    _sealer: Sealer

    @abstractmethod
    async def _call(self, kind: str, payload: Any) -> Any:
        """Have the work of one call done and committed. Errors: StorageError."""

    @abstractmethod
    async def _look_up(self, make: Maker, tenant_id: int | None = None) -> Any:
        """Run a program that only reads, as a tenant or for the house itself. Errors: StorageError."""

    async def _run(self, make: Maker) -> Any:
        return await self._call("users", make)

    async def users(self) -> list[User]:
        """See ports.users.Users."""
        return [read_user(self._sealer, row) for row in await self._look_up(users.users)]

    async def user(self, name: str) -> User | None:
        """See ports.users.Users."""
        rows = await self._look_up(lambda: users.user(users.clean(name)))
        return read_user(self._sealer, rows[0]) if rows else None

    async def add_user(self, name: str, role: Role, now: int) -> User:
        """See ports.users.Users."""
        row = await self._run(lambda: users.add_user(self._sealer, name, role, now))
        return read_user(self._sealer, row)

    async def set_role(self, user_id: int, role: Role) -> bool:
        """See ports.users.Users."""
        return await self._run(lambda: users.set_role(user_id, role))  # type: ignore[no-any-return]

    async def set_disabled(self, user_id: int, at: int | None) -> bool:
        """See ports.users.Users."""
        return await self._run(lambda: users.set_disabled(user_id, at))  # type: ignore[no-any-return]

    async def enrol(self, link_digest: str, name: str, credentials: Credentials, now: int) -> User | None:
        """See ports.users.Users."""
        row = await self._run(lambda: users.enrol(self._sealer, link_digest, name, credentials, now))
        return None if row is None else read_user(self._sealer, row)

    async def take_step(self, user_id: int, step: int) -> bool:
        """See ports.users.Users."""
        return await self._run(lambda: users.done("take_step", user_id, step))  # type: ignore[no-any-return]

    async def take_recovery(self, user_id: int, digest: str) -> bool:
        """See ports.users.Users."""
        return await self._run(lambda: users.done("take_recovery", user_id, digest))  # type: ignore[no-any-return]

    async def begin_sign_in(self, sign_in: SignIn, instead: str = "") -> None:
        """See ports.users.Users."""
        await self._run(lambda: users.begin_sign_in(sign_in, instead))

    async def sign_in(self, digest: str) -> tuple[SignIn, User] | None:
        """See ports.users.Users."""
        rows = await self._look_up(lambda: users.sign_in(digest))
        if not rows:
            return None
        row = tuple(rows[0])
        return SignIn(*row[:SIGN_IN_COLUMNS]), read_user(self._sealer, row[SIGN_IN_COLUMNS:])

    async def sign_ins(self, user_id: int) -> list[SignIn]:
        """See ports.users.Users."""
        return await self._look_up(lambda: users.sign_ins(user_id))  # type: ignore[no-any-return]

    async def see_sign_in(self, digest: str, now: int) -> None:
        """See ports.users.Users."""
        await self._run(lambda: users.done("see_sign_in", digest, now))

    async def end_sign_in(self, user_id: int, digest: str) -> bool:
        """See ports.users.Users."""
        return await self._run(lambda: users.done("end_sign_in", user_id, digest))  # type: ignore[no-any-return]

    async def end_sign_ins(self, user_id: int) -> int:
        """See ports.users.Users."""
        return await self._run(lambda: users.counted("end_sign_ins", user_id))  # type: ignore[no-any-return]

    async def add_link(self, link: Link, now: int) -> None:
        """See ports.users.Users."""
        await self._run(lambda: users.add_link(link, now))

    async def link(self, digest: str, now: int) -> Link | None:
        """See ports.users.Users."""
        return await self._look_up(lambda: users.link(digest, now))  # type: ignore[no-any-return]

    async def take_link(self, digest: str, purpose: Purpose, now: int) -> Link | None:
        """See ports.users.Users."""
        return await self._run(lambda: users.take_link(digest, purpose, now))  # type: ignore[no-any-return]

    async def take_try(self, subjects: Sequence[str], now: int, delays: Sequence[int]) -> int:
        """See ports.users.Users."""
        return await self._run(lambda: users.take_try(subjects, now, delays))  # type: ignore[no-any-return]

    async def forget_tries(self, subjects: Sequence[str]) -> None:
        """See ports.users.Users."""
        await self._run(lambda: users.forget_tries(subjects))

    async def add_deed(self, deed: Deed) -> Entry:
        """See ports.users.Users."""
        return await self._run(lambda: users.add_deed(deed))  # type: ignore[no-any-return]

    async def audit(self, before: int | None, limit: int) -> list[Entry]:
        """See ports.users.Users."""
        return await self._look_up(lambda: users.audit(before, limit))  # type: ignore[no-any-return]

    async def check_audit(self) -> int | None:
        """See ports.users.Users."""
        return await self._look_up(users.check_audit)  # type: ignore[no-any-return]
