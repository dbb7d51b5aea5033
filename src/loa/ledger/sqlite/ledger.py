"""The embedded ledger: every role of loa.ports.ledger over one SQLite file.

Writing goes through the one writing thread, which joins what waits into shared commits; reading goes through read-only
connections apart. See docs/internals/ledger.md.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

import apsw

from loa.domain.latency import Wait
from loa.domain.template import Template
from loa.domain.traffic import TrafficClass
from loa.errors import LoaError, StorageFull
from loa.ledger.calls import Calls
from loa.ledger.granting import read_grant
from loa.ledger.reckoning import Reckoning
from loa.ledger.sqlite import (
    accept,
    batches,
    callbacks,
    claims,
    deliveries,
    directory,
    figures,
    grants,
    inbound,
    receipts,
    restoring,
    rulings,
    sealing,
    search,
    silence,
    templates,
    upkeep,
    users,
)
from loa.ledger.sqlite.connection import open_writer, take_ownership
from loa.ledger.sqlite.errors import translate
from loa.ledger.sqlite.migrate import migrate
from loa.ledger.sqlite.moved import refuse_moved
from loa.ledger.sqlite.readers import Readers
from loa.ledger.sqlite.reserve import Reserve
from loa.ledger.sqlite.unit import Handler, Unit, open_unit
from loa.ledger.sqlite.writer import Writer
from loa.ledger.users import Maker
from loa.ports.batches import SentMessage
from loa.ports.channel import Attempt, Question
from loa.ports.grants import Grant
from loa.ports.probe import Probe
from loa.ports.records import (
    AcceptResult,
    ApiKey,
    CallbackFilter,
    CallbackPage,
    ChannelRecord,
    Endpoint,
    Found,
    MessageFilter,
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

HANDLERS: dict[str, Handler] = {
    "accept": accept.accept,
    "cancel": accept.cancel,
    "cancel_message": accept.cancel_message,
    "record": claims.record,
    "receipts": receipts.store,
    "rule": rulings.rule,
    "inbound": inbound.take,
    "claim": claims.claim,
    "next_due": claims.next_due,
    "settle_stale": claims.settle_stale,
    "rematch": receipts.rematch,
    "claim_callbacks": callbacks.claim_due,
    "record_tries": callbacks.record_tries,
    "next_callback_due": callbacks.next_callback_due,
    "endpoint_health": callbacks.set_endpoint_health,
    "replay": callbacks.replay,
    "expire": upkeep.expire_queued,
    "settle_unknown": upkeep.settle_unknown,
    "purge": upkeep.purge,
    "hold": restoring.hold,
    "go_on": silence.go_on_with,
    "learn": silence.learn,
    "change": directory.change,
    "touch_keys": directory.touch_keys,
    "put_templates": templates.put,
    "template_look": templates.look,
    "grants": grants.change,
    "sealing": sealing.change,
    "users": users.change,
    "batches": users.change,
    "figures": figures.keep,
    "queue_ages": figures.note_ages,
    "ping": lambda _unit, calls: [None] * len(calls),
}


@dataclass(frozen=True, slots=True)
class SqliteOptions:
    """How the file is kept. Units: octets and milliseconds."""

    request_keep_ms: int = 24 * 3_600_000
    reserve_octets: int = 0
    free_floor_octets: int = 0
    checkpoint_pages: int = 4_000
    busy_ms: int = 5_000
    cache_kib: int = 64_000
    readers: int = 2
    vfs: str | None = None


def _open_unit(path: Path, probe: Probe, chosen: SqliteOptions, sealer: Sealer) -> Unit:
    """Open the writing connection on today's schema. Errors: StorageError, ConfigError; then nothing is left open."""
    connection = open_writer(path, busy_ms=chosen.busy_ms, cache_kib=chosen.cache_kib, vfs=chosen.vfs)
    try:
        migrate(connection)
        sealing.adopt(connection, sealer)
        return open_unit(connection, probe, chosen.request_keep_ms, sealer)
    except apsw.Error as error:
        connection.close()
        raise translate(error) from error
    except LoaError:
        connection.close()
        raise


class SqliteLedger(Calls):
    """One file, one writing thread, readers apart."""

    _directory: ClassVar[Any] = directory
    _templates: ClassVar[Any] = templates
    _grants: ClassVar[Any] = grants
    _sealing: ClassVar[Any] = sealing

    def __init__(
        self, path: Path, owner: IO[str], writer: Writer, readers: Readers, reserve: Reserve, sealer: Sealer
    ) -> None:
        self._path = path
        self._sealer = sealer
        self._owner = owner
        self._writer = writer
        self._readers = readers
        self._reserve = reserve
        self.depth_by_lane: dict[tuple[int, int], int] = {}

    @classmethod
    async def open(
        cls, path: Path, *, probe: Probe, options: SqliteOptions | None = None, sealer: Sealer | None = None
    ) -> "SqliteLedger":
        """Open a ledger, making or migrating its file; without a sealer its master key lies beside it.

        Errors: LedgerBusy, SchemaMismatch, StorageError, ConfigError.
        """
        chosen = options or SqliteOptions()
        sealer = sealer or Sealer(KeyFile(path.with_name(NAME)))
        reserve = Reserve(Path(f"{path}.reserve"), chosen.reserve_octets, chosen.free_floor_octets)
        owner = take_ownership(path)
        try:
            refuse_moved(path)
            try:
                unit = _open_unit(path, probe, chosen, sealer)
            except StorageFull:
                reserve.release()
                unit = _open_unit(path, probe, chosen, sealer)
        except LoaError:
            owner.close()
            raise
        reserve.fill()
        writer = Writer(unit, HANDLERS, reserve, chosen.checkpoint_pages)
        ledger = cls(path, owner, writer, Readers(path, chosen.readers, chosen.vfs), reserve, sealer)
        ledger.depth_by_lane = unit.depths
        return ledger

    @property
    def engine(self) -> str:
        """See ports.ledger.Ledger."""
        return "sqlite"

    @property
    def failed(self) -> asyncio.Event:
        """Set once the file is in doubt: the process must stop and start again."""
        return self._writer.failed

    def writable(self) -> bool:
        """Tell whether new messages can be accepted now."""
        return self._writer.failure is None and self._reserve.has_room()

    def disk_free(self) -> int | None:
        """See ports.ledger.Ledger."""
        return self._reserve.free()

    async def share(self, uses: Mapping[int, SlotUse]) -> Mapping[int, int]:
        """See ports.ledger.Members: the one process there is holds everything."""
        return {channel_id: use.total for channel_id, use in uses.items()}

    def listen(self, woken: Callable[[], None]) -> None:
        """See ports.ledger.Members: there is no other process to hear from."""

    async def _call(self, kind: str, payload: Any) -> Any:
        return await self._writer.call(kind, payload)

    async def close(self) -> None:
        """Finish what waits, then close the file and give it up."""
        self._readers.close()
        await self._writer.close()
        self._owner.close()

    # submissions

    async def accept(self, submission: NewSubmission) -> AcceptResult:
        """See ports.ledger.Submissions."""
        if not self._reserve.has_room():
            raise StorageFull("the ledger's disk is nearly full; what room is left is for results and receipts")
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
        return await self._call("claim", (channel_id, wanted, limit, now, until, waited_ms))  # type: ignore[no-any-return]

    # upkeep

    async def purge(self, limit: int, now: int, keep_ms: Mapping[str, int]) -> int:
        """See ports.ledger.Upkeep."""
        return await self._call("purge", (limit, now, keep_ms))  # type: ignore[no-any-return]

    # figures

    async def _reckon(self, limit: int) -> Reckoning:
        return await self._readers.read(lambda connection: figures.reckon(connection, limit))

    async def figure_series(self, tenant_id: int, grain_ms: int, since: int, until: int) -> list[Row]:
        """See ports.watching.Figures."""
        return await self._readers.read(lambda c: figures.series(c, tenant_id, grain_ms, since, until))

    async def figure_sums(self, tenant_id: int, grain_ms: int, since: int, until: int) -> list[Row]:
        """See ports.watching.Figures."""
        return await self._readers.read(lambda c: figures.sums(c, tenant_id, grain_ms, since, until))

    # restoring

    async def backup_at(self) -> int | None:
        """See ports.ledger.Restoring."""
        return await self._readers.read(restoring.backup_at)

    async def release(self) -> None:
        """See ports.ledger.Restoring."""
        await self._change(restoring.release)

    # silence

    async def silent_channels(self, now: int) -> list[int]:
        """See ports.ledger.Silence."""
        return await self._readers.read(lambda connection: silence.silent_channels(connection, now))

    async def silent(self, channel_id: int, limit: int, now: int) -> list[Question]:
        """See ports.ledger.Silence."""
        return await self._readers.read(lambda connection: silence.silent(connection, channel_id, limit, now))

    async def usual_waits(self) -> Mapping[Wait, int]:
        """See ports.ledger.Silence."""
        return await self._readers.read(silence.usual_waits)

    # directory

    async def revision(self) -> int:
        """See ports.ledger.Directory."""
        query = "SELECT value FROM meta WHERE name = 'revision'"
        return int(await self._readers.read(lambda connection: connection.execute(query).get))

    async def tenants(self) -> list[Tenant]:
        """See ports.ledger.Directory."""
        return await self._readers.read(directory.tenants)

    async def keys(self) -> list[ApiKey]:
        """See ports.ledger.Directory."""
        return await self._readers.read(directory.keys)

    async def senders(self) -> list[Sender]:
        """See ports.ledger.Directory."""
        return await self._readers.read(directory.senders)

    async def channels(self) -> list[ChannelRecord]:
        """See ports.ledger.Directory."""
        return await self._readers.read(lambda connection: directory.channels(connection, self._sealer))

    async def routes(self) -> list[RouteRecord]:
        """See ports.ledger.Directory."""
        return await self._readers.read(directory.routes)

    async def endpoints(self, tenant_id: int | None = None) -> list[Endpoint]:
        """See ports.ledger.Directory."""
        return await self._readers.read(lambda connection: directory.endpoints(connection, tenant_id, self._sealer))

    async def templates(self) -> list[Template]:
        """See ports.ledger.Templates."""
        return await self._readers.read(templates.read)

    async def template_looks(self) -> list[TemplateLook]:
        """See ports.ledger.Templates."""
        return await self._readers.read(templates.looks)

    # grants

    async def grant(self, channel_id: int) -> Grant | None:
        """See ports.grants.Grants."""
        rows = await self._readers.read(lambda connection: grants.read(connection, channel_id))
        return read_grant(self._sealer, rows[0]) if rows else None

    async def grants(self) -> list[Grant]:
        """See ports.grants.Grants."""
        rows = await self._readers.read(lambda connection: grants.read(connection, None))
        return [read_grant(self._sealer, row) for row in rows]

    # sealing

    async def master_keys(self) -> Mapping[str, KeyState]:
        """See ports.sealing.Sealing."""
        return await self._readers.read(sealing.states)

    async def sealed_counts(self) -> Mapping[str, Mapping[str, int]]:
        """See ports.sealing.Sealing."""
        return await self._readers.read(sealing.counts)

    # users

    async def _look_up(self, make: Maker, tenant_id: int | None = None) -> Any:  # noqa: ARG002 - no wall in a file
        return await self._readers.read(lambda connection: users.run(connection, make))

    # batches

    async def sent_messages(self, tenant_id: int, referent_ids: Sequence[str]) -> list[SentMessage]:
        """See ports.batches.BatchReading."""
        return await self._readers.read(lambda connection: batches.sent_messages(connection, tenant_id, referent_ids))

    # search

    async def submission(self, tenant_id: int, referent_id: str) -> Row | None:
        """See ports.ledger.Search."""
        return await self._readers.read(lambda connection: search.submission(connection, tenant_id, referent_id))

    async def submission_by_token(self, token: str) -> Row | None:
        """See ports.ledger.Search."""
        return await self._readers.read(lambda connection: search.submission_by_token(connection, token))

    async def submission_messages(self, tenant_id: int, referent_id: str, after: int, limit: int) -> list[Row]:
        """See ports.ledger.Search."""
        return await self._readers.read(
            lambda connection: search.submission_messages(connection, tenant_id, referent_id, after, limit)
        )

    async def message(self, tenant_id: int, message_id: int) -> Row | None:
        """See ports.ledger.Search."""
        return await self._readers.read(lambda connection: search.message(connection, tenant_id, message_id))

    async def timeline(self, tenant_id: int, message_id: int) -> Row | None:
        """See ports.ledger.Search."""
        return await self._readers.read(lambda connection: search.timeline(connection, tenant_id, message_id))

    async def attempt(self, tenant_id: int, message_id: int, number: int) -> Attempt | None:
        """See ports.ledger.Search."""
        return await self._readers.read(lambda connection: search.attempt(connection, tenant_id, message_id, number))

    async def messages_by_ref(self, tenant_id: int, ref: str, limit: int) -> list[int]:
        """See ports.ledger.Search."""
        return await self._readers.read(lambda connection: search.messages_by_ref(connection, tenant_id, ref, limit))

    async def unknown_by_channel(self, tenant_id: int) -> list[Row]:
        """See ports.ledger.Search."""
        return await self._readers.read(lambda connection: search.unknown_by_channel(connection, tenant_id))

    async def messages(self, tenant_id: int, wanted: MessageFilter, before: int | None, limit: int) -> list[Row]:
        """See ports.ledger.Search."""
        return await self._readers.read(
            lambda connection: search.messages(connection, tenant_id, wanted, before, limit)
        )

    async def find_messages(
        self, tenant_id: int, wanted: MessageFilter, before: int | None, limit: int, reach: int
    ) -> Found:
        """See ports.ledger.Search."""
        return await self._readers.read(lambda c: search.find(c, tenant_id, wanted, before, limit, reach))

    async def unknown_waiting(self, tenant_id: int, since: int, limit: int) -> int:
        """See ports.ledger.Search."""
        return await self._readers.read(lambda c: search.unknown_waiting(c, tenant_id, since, limit))

    async def events(self, tenant_id: int, after: int, limit: int) -> list[Row]:
        """See ports.ledger.Search."""
        return await self._readers.read(lambda connection: search.events(connection, tenant_id, after, limit))

    async def callbacks(
        self, tenant_id: int, wanted: CallbackFilter, after: tuple[int, int] | None, limit: int
    ) -> CallbackPage:
        """See ports.watching.Deliveries."""
        return await self._readers.read(lambda c: deliveries.callbacks(c, tenant_id, wanted, after, limit))

    async def callback(self, tenant_id: int, callback_id: int) -> Row | None:
        """See ports.watching.Deliveries."""
        return await self._readers.read(lambda c: deliveries.callback(c, self._sealer, tenant_id, callback_id))

    async def count_failed(self, tenant_id: int, endpoint_id: int, since: int, limit: int) -> int:
        """See ports.watching.Deliveries."""
        return await self._readers.read(lambda c: deliveries.count_failed(c, tenant_id, endpoint_id, since, limit))

    async def last_event(self, tenant_id: int) -> int:
        """See ports.ledger.Search."""
        return await self._readers.read(lambda connection: search.last_event(connection, tenant_id))

    async def warnings(self, tenant_id: int, limit: int) -> list[Row]:
        """See ports.ledger.Search."""
        return await self._readers.read(lambda connection: search.warnings(connection, tenant_id, limit))

    async def orphans(self) -> list[Row]:
        """See ports.ledger.Search."""
        return await self._readers.read(search.orphans)

    async def depths(self) -> list[Row]:
        """See ports.ledger.Search."""
        lanes = dict(self.depth_by_lane)
        return await self._readers.read(lambda connection: search.depths(connection, lanes))
