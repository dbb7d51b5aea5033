"""A database that was restored elsewhere: where the ledger lives, how that shows, and the end of what waits in it.

`meta` keeps the identity of the cluster, of the database and of itself. pg_dump carries those rows to a place that has
others; a physical copy (a standby that is promoted, a base backup) has the same ones, so a fail-over is no restore.
"""

from collections import Counter
from typing import Any, Final

from loa.domain.standing import IN_DOUBT, end_in_doubt
from loa.domain.traffic import TrafficClass
from loa.errors import StorageUnavailable
from loa.ledger.postgres import standings
from loa.ledger.postgres.unit import CLASSES, Unit
from loa.ledger.settling import RESTORED

CLAIMS_AT_ONCE: Final = 50
_MAY_ASK: Final = "SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')"
_HERE: Final = {
    # A restore in place, into the same database, makes the tables anew.
    "home_table": "SELECT 'meta'::regclass::oid::bigint",
    "home_database": "SELECT oid::bigint FROM pg_database WHERE datname = current_database()",
    "home_system": "SELECT system_identifier FROM pg_control_system()",
}
_KEPT: Final = "SELECT name, value FROM meta WHERE name = ANY($1::text[])"
_LAST_BEAT: Final = "SELECT coalesce((extract(epoch FROM max(beat_at)) * 1000)::bigint, 0) FROM node"
_KEEP: Final = "INSERT INTO meta VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_MARK: Final = "INSERT INTO meta VALUES ('backup_at', $1) ON CONFLICT (name) DO NOTHING"

Home = dict[str, int]
"""What identifies the place where a ledger lives, by name; without the cluster where the role may not ask for it."""


async def may_ask_for_cluster(connection: Any) -> bool:
    """Tell whether the role may ask which cluster this is. Errors: those of the driver."""
    return bool(await connection.fetchval(_MAY_ASK))


async def home_of(connection: Any) -> Home:
    """Ask where this database is. Errors: those of the driver."""
    asked = _HERE if await may_ask_for_cluster(connection) else [name for name in _HERE if name != "home_system"]
    return {name: await connection.fetchval(_HERE[name]) for name in asked}


async def _kept(connection: Any) -> dict[str, int]:
    return dict(await connection.fetch(_KEPT, [*_HERE, "backup_at"]))


async def backup_at(connection: Any) -> int | None:
    """Give when a Loa last worked in what is restored here, 0 where none did; None when nothing was restored."""
    kept, here = await _kept(connection), await home_of(connection)
    if "backup_at" in kept:
        return kept["backup_at"]
    if any(kept.get(name, value) != value for name, value in here.items()):
        return int(await connection.fetchval(_LAST_BEAT))
    return None


async def mark(connection: Any, at: int) -> None:
    """Say that this is a copy, and since when; a copy of a copy is as old as that. Errors: those of the driver."""
    await connection.execute(_MARK, at)


async def remember(connection: Any) -> None:
    """Note where the ledger lives, or that it was restored: before this process adds its own beat to it."""
    async with connection.transaction():
        at = await backup_at(connection)
        if at is None:
            await _settle_down(connection)
        else:
            await mark(connection, at)


async def release(connection: Any) -> None:
    """Take the mark away: from now on the ledger lives here."""
    await _settle_down(connection)
    await connection.execute("DELETE FROM meta WHERE name = 'backup_at'")


async def _settle_down(connection: Any) -> None:
    kept = await _kept(connection)
    for name, value in (await home_of(connection)).items():
        if kept.get(name) != value:
            await connection.execute(_KEEP, name, value)


async def hold(unit: Unit, calls: list[tuple[int, int]]) -> list[dict[TrafficClass, int]]:
    """End messages that may have been sent by the original: on their way, queued, waiting as unknown, in this order."""
    return [await _hold(unit, limit, now) for limit, now in calls]


async def _hold(unit: Unit, limit: int, now: int) -> dict[TrafficClass, int]:
    # The original may have spent the refresh tokens too.
    await unit.run("doubt_grants", now)
    # And it may have gone on with its batches, or started those that were not.
    await unit.run("stop_batches", now)
    claims = await unit.rows("all_claims", CLAIMS_AT_ONCE)
    claimed: dict[tuple[int, int], Any] = {}
    ids: set[tuple[int, int]] = set()
    for row in claims:
        claimed.update(dict.fromkeys(zip(row["message_ids"], row["numbers"], strict=True), row))
        ids.update(zip(row["tenant_ids"], row["message_ids"], strict=True))
    for query in ("queued_anywhere", "waiting_unknown"):
        if len(ids) < limit:
            ids.update((row[0], row[1]) for row in await unit.rows(query, limit - len(ids)))
    ended = await _end_in_doubt(unit, ids, claimed, now)
    if ids and not ended:
        raise StorageUnavailable("what waits in the ledger has no messages: the restore is not whole, do it again")
    if claims:
        await unit.write("end_stale_claims", [[row["boot"], row["id"]] for row in claims])
    return ended


async def _end_in_doubt(
    unit: Unit, ids: set[tuple[int, int]], claimed: dict[tuple[int, int], Any], now: int
) -> dict[TrafficClass, int]:
    ended: Counter[TrafficClass] = Counter()
    closes: list[list[Any]] = []
    held = await standings.read(unit, ids)
    for message in held.messages.values():
        if message.state not in IN_DOUBT:
            continue
        row = claimed.get((message.id, message.attempts))
        if row is not None:
            attempt = [message.tenant_id, message.id, message.attempts, row["channel_id"], row["claimed_at"], now]
            closes.append([*attempt, "unknown", RESTORED, ""])
        end_in_doubt(message, RESTORED, now)
        ended[CLASSES[held.classes[message.id]]] += 1
    if closes:
        await unit.write("close_attempts", closes)
    await standings.write(unit, held, now)
    return dict(ended)
