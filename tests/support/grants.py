"""A ledger of grants without a disk, and a server that gives pairs and counts what it should never see."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import apsw

from loa.domain.receipt import Receipt
from loa.ledger.calls import Calls
from loa.ledger.granting import read_grant
from loa.ledger.reckoning import Reckoning
from loa.ledger.sqlite import grants, users
from loa.ledger.sqlite.migrate import migrate
from loa.ledger.sqlite.unit import QUERIES
from loa.ledger.users import Maker
from loa.ports.channel import Channel, ChannelContext, ProviderInfo
from loa.ports.grants import Consent, Failed, Failure, Grant, Tokens
from tests.support.fakes import EPOCH
from tests.support.scripted import ScriptedChannel

HOUR = 3_600_000
LIFE = 25 * HOUR
REFRESH_LIFE = 90 * 24 * HOUR

Gate = Callable[[str], Awaitable[None]]


class Plain:
    """Seals nothing, and sees that what is opened was closed for the same place."""

    def seal(self, place: str, plain: str) -> str:
        return f"{place}|{plain}"

    def open(self, place: str, sealed: str) -> str:
        found, _, plain = sealed.partition("|")
        assert found == place
        return plain


async def open_gate(_name: str) -> None:
    """Let everything pass."""


class MemoryGrants(Calls):
    """The statements of the embedded engine over a ledger in memory. `gate` is passed before and after each call."""

    _grants: ClassVar[Any] = grants

    def __init__(self, connection: apsw.Connection, gate: Gate = open_gate) -> None:
        self._sealer = Plain()
        self.connection = connection
        self._gate = gate

    @classmethod
    def fresh(cls) -> "MemoryGrants":
        """Make an empty ledger."""
        connection = apsw.Connection(":memory:")
        migrate(connection)
        return cls(connection)

    def through(self, gate: Gate) -> "MemoryGrants":
        """Give the same ledger as another process sees it."""
        return MemoryGrants(self.connection, gate)

    async def _call(self, kind: str, payload: Any) -> Any:
        assert kind == "grants"
        await self._gate("write")
        unit: Any = SimpleNamespace(
            connection=self.connection,
            run=lambda name, *values: self.connection.execute(QUERIES[name], values),
        )
        (result,) = grants.change(unit, [payload])
        await self._gate("written")
        return result

    async def _reckon(self, limit: int) -> Reckoning:
        raise AssertionError("nothing is counted here")

    async def _look_up(self, make: Maker) -> Any:
        return users.run(self.connection, make)

    async def grant(self, channel_id: int) -> Grant | None:
        """See ports.grants.Grants."""
        await self._gate("read")
        rows = grants.read(self.connection, channel_id)
        return read_grant(self._sealer, rows[0]) if rows else None

    async def grants(self) -> list[Grant]:
        """See ports.grants.Grants."""
        await self._gate("read")
        return [read_grant(self._sealer, row) for row in grants.read(self.connection, None)]


def pair(number: int, at: int = EPOCH) -> Tokens:
    """Give the n-th pair."""
    return Tokens(f"access-{number}", f"refresh-{number}", at + LIFE, at + REFRESH_LIFE)


class Issuer:
    """Gives pairs as Zalo does: a refresh token is good once. A Grantor; `answer` decides how a request fares."""

    def __init__(self) -> None:
        self.newest = 1
        self.sent: list[str] = []
        self.double = 0
        self.answer: Callable[[str], Awaitable[Failed | None]] = self._well
        self.asked = asyncio.Event()
        self.held: asyncio.Event | None = None
        self.codes = 0

    async def _well(self, _when: str) -> Failed | None:
        return None

    def consent_link(self, settings: Mapping[str, Any], consent: Consent) -> str:
        """See ports.grants.Grantor."""
        return f"https://oauth.example/permission?state={consent.state}&challenge={consent.verifier}"

    async def exchange(self, settings: Mapping[str, Any], code: str, consent: Consent, now: int) -> Tokens | Failed:
        """See ports.grants.Grantor: the code `good` is good once."""
        if code != "good" or self.codes:
            return Failed(Failure.REFUSED, "code")
        self.codes += 1
        self.newest += 1
        return pair(self.newest, now)

    async def renew(self, settings: Mapping[str, Any], refresh_token: str, now: int) -> Tokens | Failed:
        """See ports.grants.Grantor."""
        self.asked.set()
        if self.held is not None:
            await self.held.wait()
        failed = await self.answer("before")
        if failed is not None and failed.failure is Failure.UNSENT:
            return failed
        self.double += refresh_token in self.sent
        self.sent.append(refresh_token)
        if failed is not None:
            if failed.failure is Failure.UNSERVED:
                self.sent.remove(refresh_token)
            return failed
        if refresh_token != f"refresh-{self.newest}":
            return Failed(Failure.REFUSED, "-14014")
        self.newest += 1
        given = pair(self.newest, now)
        return await self.answer("after") or given


class GrantedChannel(ScriptedChannel):
    """Is ready while it has a token."""

    def __init__(self, context: ChannelContext) -> None:
        super().__init__()
        self.context = context

    def token(self) -> str:
        assert self.context.tokens is not None
        return self.context.tokens.current()

    def free(self, now: int) -> int:
        return super().free(now) if self.token() else 0


class GrantedProvider(Issuer):
    """A provider whose channels work with grants that this same object gives."""

    info = ProviderInfo("granted", removes_duplicates=False, secrets=frozenset(), needs_grant=True)

    def __init__(self) -> None:
        super().__init__()
        self.built: list[GrantedChannel] = []

    def check(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """See ports.channel.Provider."""
        return settings

    def build(self, context: ChannelContext) -> Channel:
        """See ports.channel.Provider."""
        self.built.append(GrantedChannel(context))
        return self.built[-1]

    def read_report(self, channel_id: int, report: Mapping[str, Any], now: int) -> Receipt | None:
        """See ports.channel.Provider."""
        return None
