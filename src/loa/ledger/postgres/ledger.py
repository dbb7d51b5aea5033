"""The ledger on PostgreSQL: every role of loa.ports.ledger over one database, for any number of processes.

Writing goes through desks of tasks, which join what waits into shared commits; reading goes through connections apart.
See docs/internals/ledger-postgres.md.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from loa.domain.latency import Wait
from loa.domain.template import Template
from loa.domain.traffic import TrafficClass
from loa.errors import StorageError
from loa.ledger.calls import Calls
from loa.ledger.granting import read_grant
from loa.ledger.postgres import (
    batches,
    directory,
    figures,
    grants,
    restoring,
    sealing,
    silence,
    templates,
    users,
)
from loa.ledger.postgres.connection import READING, WRITING, Line, run_once
from loa.ledger.postgres.copying import refuse_unfinished
from loa.ledger.postgres.days import Days
from loa.ledger.postgres.deliveries import DeliveryReading
from loa.ledger.postgres.desks import DESKS, HANDLERS
from loa.ledger.postgres.errors import SERVER_ERRORS, translate
from loa.ledger.postgres.hints import Hints
from loa.ledger.postgres.marks import Marks
from loa.ledger.postgres.migrate import check, check_server, make_days, migrate, newest, read_state, role_of
from loa.ledger.postgres.nodes import Name, Node
from loa.ledger.postgres.readers import Readers
from loa.ledger.postgres.searching import SearchReading
from loa.ledger.postgres.statements import QUERIES
from loa.ledger.postgres.unit import Shared
from loa.ledger.postgres.writer import Desk
from loa.ledger.reckoning import Reckoning
from loa.ledger.users import Maker
from loa.ports.batches import SentMessage
from loa.ports.channel import Attempt, Question
from loa.ports.clock import Clock
from loa.ports.grants import Grant
from loa.ports.probe import Probe
from loa.ports.records import (
    AcceptResult,
    ApiKey,
    ChannelRecord,
    Endpoint,
    NewSubmission,
    RouteRecord,
    Row,
    Sender,
    SlotUse,
    TemplateLook,
    Tenant,
)
from loa.ports.sealing import KeyState
from loa.seal.keyfile import NAME, KeyFile
from loa.seal.sealer import Sealer


@dataclass(frozen=True, slots=True)
class PostgresOptions:
    """How the server is used. Units: seconds and milliseconds; the rest are counts."""

    request_keep_ms: int = 24 * 3_600_000
    connections: int = 8
    readers: int = 4
    waiting_max: int = 4_000
    timeout_s: float = 4.0
    dead_after_s: float = 8.0
    owner: str = ""
    """Address of the role that owns the tables, where it is not the one that works with them."""


class PostgresLedger(DeliveryReading, SearchReading, Calls):
    """One process's part in a ledger that many may share."""

    _directory: ClassVar[Any] = directory
    _templates: ClassVar[Any] = templates
    _grants: ClassVar[Any] = grants
    _sealing: ClassVar[Any] = sealing

    def __init__(self, node: Node, shared: Shared, desks: dict[str, Desk], readers: Readers, hints: Hints) -> None:
        self._node = node
        self._shared = shared
        self._sealer = shared.sealer
        self._desks = desks
        self._readers = readers
        self._hints = hints

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        folder: Path,
        probe: Probe,
        clock: Clock,
        options: PostgresOptions | None = None,
        sealer: Sealer | None = None,
    ) -> "PostgresLedger":
        """Open a ledger, making its schema where there is none; without a sealer its master key lies in the folder.

        Errors: SchemaMismatch, StorageUnavailable, ConfigError.
        """
        chosen = options or PostgresOptions()
        sealer = sealer or Sealer(KeyFile(folder / NAME))
        days = await _prepare(url, chosen, clock.now(), sealer)
        name = Name(folder)
        try:
            node = Node(name, _line(url, WRITING, chosen, "loa heart"), clock, chosen.dead_after_s)
            await node.join()
        except SERVER_ERRORS as error:
            name.release()
            raise translate(error) from error

        async def make_day(day: int) -> None:
            await run_once(
                url, WRITING, "loa days", chosen.timeout_s, lambda c: c.execute("SELECT ensure_day($1)", day)
            )

        known = Days(make_day, days, chosen.timeout_s / 4)
        shared = Shared(probe, node, known, Marks(), chosen.request_keep_ms, sealer)
        hints = Hints(_line(url, WRITING, chosen, "loa hints"), clock, lambda: node.boot)
        shared.told = hints.tell
        hints.start()
        readers = Readers(
            [_line(url, READING, chosen, "loa reader") for _ in range(chosen.readers)], chosen.waiting_max
        )
        return cls(node, shared, _desks(url, chosen, shared), readers, hints)

    @property
    def engine(self) -> str:
        """See ports.ledger.Ledger."""
        return "postgres"

    @property
    def failed(self) -> asyncio.Event:
        """Set once another process runs under this one's name: this one must stop."""
        return self._node.failed

    def writable(self) -> bool:
        """Tell whether new messages can be accepted now."""
        return self._node.up and not self.failed.is_set()

    def disk_free(self) -> int | None:
        """Give None: how much room the server has is not told to its clients."""
        return None

    async def close(self) -> None:
        """Finish what waits, say that this process ends, and close the connections."""
        for desk in dict.fromkeys(self._desks.values()):
            await desk.close()
        await self._hints.close()
        await self._readers.close()
        await self._node.leave()

    async def _call(self, kind: str, payload: Any) -> Any:
        return await self._desks[kind].call(kind, payload)

    # members

    async def share(self, uses: Mapping[int, SlotUse]) -> Mapping[int, int]:
        """See ports.ledger.Members."""
        return await self._call("share", uses)  # type: ignore[no-any-return]

    def listen(self, woken: Callable[[], None]) -> None:
        """See ports.ledger.Members."""
        self._hints.listen(woken)

    # submissions

    async def accept(self, submission: NewSubmission) -> AcceptResult:
        """See ports.ledger.Submissions."""
        # Before it waits with others: a day that is missing is made by a transaction apart.
        await self._shared.days.ensure((submission.accepted_at,))
        return await self._call("accept", submission)  # type: ignore[no-any-return]

    # claims

    async def claim(
        self,
        channel_id: int,
        wanted: Sequence[tuple[TrafficClass, int]],
        limit: int,
        now: int,
        until: int,
        *,
        waited_ms: int | None = None,
    ) -> list[Attempt]:
        """See ports.ledger.Claims."""
        attempts: list[Attempt] = await self._call("claim", (channel_id, wanted, limit, now, until, waited_ms))
        if attempts and not self._node.holds():
            # The others may have taken this process for dead meanwhile: nothing more leaves the house.
            self._shared.abandon(attempts)
            return []
        return attempts

    # upkeep

    async def purge(self, limit: int, now: int, keep_ms: Mapping[str, int]) -> int:
        """See ports.ledger.Upkeep."""
        gone: int = await self._call("purge", (limit, now, keep_ms))
        try:
            # Apart, and only if nobody holds up the lock it takes: a dump may read those days for hours.
            return gone + int(await self._call("drop_days", (now, keep_ms)))
        except StorageError:
            return gone

    # figures

    async def _reckon(self, limit: int) -> Reckoning:
        return await self._read(lambda c: figures.reckon(c, limit))  # type: ignore[no-any-return]

    async def figure_series(self, tenant_id: int, grain_ms: int, since: int, until: int) -> list[Row]:
        """See ports.watching.Figures."""
        return await self._read(lambda c: figures.series(c, tenant_id, grain_ms, since, until), tenant_id)  # type: ignore[no-any-return]

    async def figure_sums(self, tenant_id: int, grain_ms: int, since: int, until: int) -> list[Row]:
        """See ports.watching.Figures."""
        return await self._read(lambda c: figures.sums(c, tenant_id, grain_ms, since, until), tenant_id)  # type: ignore[no-any-return]

    # restoring

    async def backup_at(self) -> int | None:
        """See ports.ledger.Restoring."""
        return await self._read(restoring.backup_at)  # type: ignore[no-any-return]

    async def release(self) -> None:
        """See ports.ledger.Restoring."""
        await self._change(restoring.release)

    # silence

    async def silent_channels(self, now: int) -> list[int]:
        """See ports.ledger.Silence."""
        return await self._read(lambda c: silence.silent_channels(c, now))  # type: ignore[no-any-return]

    async def silent(self, channel_id: int, limit: int, now: int) -> list[Question]:
        """See ports.ledger.Silence."""
        return await self._read(lambda c: silence.silent(c, channel_id, limit, now))  # type: ignore[no-any-return]

    async def usual_waits(self) -> Mapping[Wait, int]:
        """See ports.ledger.Silence."""
        return await self._read(silence.usual_waits)  # type: ignore[no-any-return]

    # directory

    async def _read(self, query: Callable[[Any], Awaitable[Any]], tenant_id: int | None = None) -> Any:
        return await self._readers.read(query, tenant_id)

    async def revision(self) -> int:
        """See ports.ledger.Directory."""
        return int(await self._read(lambda connection: connection.fetchval(QUERIES["revision"])))

    async def tenants(self) -> list[Tenant]:
        """See ports.ledger.Directory."""
        return await self._read(directory.tenants)  # type: ignore[no-any-return]

    async def keys(self) -> list[ApiKey]:
        """See ports.ledger.Directory."""
        return await self._read(directory.keys)  # type: ignore[no-any-return]

    async def senders(self) -> list[Sender]:
        """See ports.ledger.Directory."""
        return await self._read(directory.senders)  # type: ignore[no-any-return]

    async def channels(self) -> list[ChannelRecord]:
        """See ports.ledger.Directory."""
        # Whoever names another master key bumps the revision, and so comes by here.
        await self._read(lambda connection: sealing.look(connection, self._sealer))
        return await self._read(lambda c: directory.channels(c, self._sealer))  # type: ignore[no-any-return]

    async def routes(self) -> list[RouteRecord]:
        """See ports.ledger.Directory."""
        return await self._read(directory.routes)  # type: ignore[no-any-return]

    async def endpoints(self, tenant_id: int | None = None) -> list[Endpoint]:
        """See ports.ledger.Directory."""
        return await self._read(lambda c: directory.endpoints(c, tenant_id, self._sealer), tenant_id)  # type: ignore[no-any-return]

    async def templates(self) -> list[Template]:
        """See ports.ledger.Templates."""
        return await self._read(templates.read)  # type: ignore[no-any-return]

    async def template_looks(self) -> list[TemplateLook]:
        """See ports.ledger.Templates."""
        return await self._read(templates.looks)  # type: ignore[no-any-return]

    # grants

    async def grant(self, channel_id: int) -> Grant | None:
        """See ports.grants.Grants."""
        rows = await self._read(lambda connection: grants.read(connection, channel_id))
        return read_grant(self._sealer, rows[0]) if rows else None

    async def grants(self) -> list[Grant]:
        """See ports.grants.Grants."""
        rows = await self._read(lambda connection: grants.read(connection, None))
        return [read_grant(self._sealer, row) for row in rows]

    # sealing

    async def master_keys(self) -> Mapping[str, KeyState]:
        """See ports.sealing.Sealing."""
        return await self._read(sealing.states)  # type: ignore[no-any-return]

    async def sealed_counts(self) -> Mapping[str, Mapping[str, int]]:
        """See ports.sealing.Sealing."""
        return await self._read(sealing.counts)  # type: ignore[no-any-return]

    # users

    async def _look_up(self, make: Maker, tenant_id: int | None = None) -> Any:
        return await self._read(lambda connection: users.run(connection, make), tenant_id)

    # batches

    async def sent_messages(self, tenant_id: int, referent_ids: Sequence[str]) -> list[SentMessage]:
        """See ports.batches.BatchReading."""
        return await self._read(lambda c: batches.sent_messages(c, tenant_id, referent_ids), tenant_id)  # type: ignore[no-any-return]


async def _prepare(url: str, options: PostgresOptions, now: int, sealer: Sealer) -> range:
    """See that the database has today's schema and days, and a master key; give the days.

    Errors: StorageError, ConfigError.
    """

    async def look(connection: Any) -> bool:
        await check_server(connection)
        return (await read_state(connection)).schema >= newest()

    if not await run_once(url, WRITING, "loa start", options.timeout_s, look):
        await migrate(options.owner or url, role=role_of(url))

    async def confirm(connection: Any) -> range:
        check(await read_state(connection), newest())
        await refuse_unfinished(connection)
        await restoring.remember(connection)
        await sealing.adopt(connection, sealer)
        return await make_days(connection, now)

    return await run_once(url, WRITING, "loa start", options.timeout_s, confirm)  # type: ignore[no-any-return]


def _line(url: str, settings: dict[str, str], options: PostgresOptions, name: str) -> Line:
    return Line(url, settings, name, options.timeout_s)


def _desks(url: str, options: PostgresOptions, shared: Shared) -> dict[str, Desk]:
    """Make the desks; connections beyond one each go where most calls wait."""
    extra = max(0, options.connections - sum(plan.lines for plan in DESKS))
    desks: dict[str, Desk] = {}
    for place, plan in enumerate(DESKS):
        count = plan.lines + (extra + 3 - place) // 4 if place < 4 else plan.lines
        lines = [_line(url, WRITING, options, f"loa {plan.kinds[0]}") for _ in range(count)]
        desk = Desk(plan, lines, HANDLERS, shared, options.waiting_max)
        desks.update(dict.fromkeys(plan.kinds, desk))
    return desks
