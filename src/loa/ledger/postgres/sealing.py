"""The master keys of a database: which one seals, and bringing values under another."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final

from loa.errors import CannotOpen
from loa.ledger.postgres.unit import Unit
from loa.ledger.sealing import COLUMNS, KEY_STATES, META, current_of, key_states, pattern
from loa.ports.sealing import KeyState, KeyUse, Resealed
from loa.seal.sealer import Sealer, missing

Change = Callable[[Unit], Awaitable[Any]]
_LOCK: Final = "SELECT pg_advisory_xact_lock(7603297, 4)"
_NAME: Final = "INSERT INTO meta VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


async def adopt(connection: Any, sealer: Sealer) -> None:
    """Seal with the key that the ledger names; name the first one where it names none.

    One process at a time, so that of several that start at once only one makes a key up. Errors: ConfigError; the
    driver's.
    """
    await look(connection, sealer)
    if sealer.current:
        return
    async with connection.transaction():
        await connection.execute(_LOCK)
        await look(connection, sealer)
        if not sealer.current:
            first = sealer.source.make().ids[0]
            await connection.execute(_NAME, META + first, int(KeyUse.CURRENT))
            sealer.use(first)


async def look(connection: Any, sealer: Sealer) -> None:
    """Seal with the key that the ledger names now: another process may have named another."""
    sealer.use(current_of(await connection.fetch(KEY_STATES)))


async def take_over(connection: Any, keys: Mapping[str, KeyState]) -> None:
    """Name the keys of another ledger, whose sealed values come here as they are, and no others."""
    await connection.execute("DELETE FROM meta WHERE name LIKE 'seal:%'")
    for key_id, state in keys.items():
        await connection.execute(_NAME, META + key_id, state.written())


async def change(unit: Unit, calls: list[Change]) -> list[Any]:
    """Do what calls ask, one process at a time."""
    await unit.connection.execute(_LOCK)
    return [await call(unit) for call in calls]


async def states(connection: Any) -> dict[str, KeyState]:
    """Read the master keys."""
    return key_states(await connection.fetch(KEY_STATES))


async def counts(connection: Any) -> dict[str, dict[str, int]]:
    """Count the values."""
    return {place: dict(await connection.fetch(column.counts())) for place, column in COLUMNS.items()}


def use(key_id: str, now: int) -> Change:
    """Seal with another key from now on, and have the other processes look."""

    async def run(unit: Unit) -> None:
        sealer = unit.shared.sealer
        if not sealer.has(key_id):
            raise missing(key_id, sealer.source.where)
        replaced = "UPDATE meta SET value = $1 WHERE name LIKE 'seal:%' AND value >= $2"
        await unit.connection.execute(replaced, int(KeyUse.REPLACED), int(KeyUse.CURRENT))
        await unit.connection.execute(_NAME, META + key_id, now)
        await unit.run("bump_revision")
        unit.wakes = True

    return run


def reseal(place: str, skip: int, limit: int) -> Change:
    """Bring the next values of a place under the current key."""
    column = COLUMNS[place]

    async def run(unit: Unit) -> Resealed:
        sealer = unit.shared.sealer
        await look(unit.connection, sealer)
        done = damaged = 0
        query = f"{column.others(_mark)} FOR UPDATE"
        for *key, stored in await unit.connection.fetch(query, pattern(sealer.current), limit, skip):
            try:
                fresh = sealer.rewrap(column.place_of(*key), stored)
            except CannotOpen as error:
                if "key_id" in error.fields:
                    raise
                damaged += 1
                continue
            await unit.connection.execute(column.change(_mark), fresh, stored, *key)
            done += 1
        return Resealed(done, damaged)

    return run


async def end_reseal(unit: Unit) -> None:
    """Note which keys have no values any more."""
    used = {key for each in (await counts(unit.connection)).values() for key in each}
    for key_id, state in (await states(unit.connection)).items():
        if state.use is KeyUse.REPLACED and key_id not in used:
            await unit.connection.execute(_NAME, META + key_id, int(KeyUse.FORMER))


def abandon(key_ids: Collection[str]) -> Change:
    """Give up what lies under keys that are lost."""

    async def run(unit: Unit) -> dict[str, list[str]]:
        await look(unit.connection, unit.shared.sealer)
        gone: dict[str, list[str]] = {place: [] for place in COLUMNS}
        for place, column in COLUMNS.items():
            for key_id in key_ids:
                for *key, stored in await unit.connection.fetch(column.under(_mark), pattern(key_id)):
                    if column.lost is None:
                        await unit.connection.execute(column.remove(_mark), stored, *key)
                    else:
                        empty = unit.shared.sealer.seal(column.place_of(*key), column.lost)
                        await unit.connection.execute(column.change(_mark), empty, stored, *key)
                    gone[place].append(":".join(map(str, key)))
        await unit.run("bump_revision")
        unit.wakes = True
        return gone

    return run


def _mark(number: int) -> str:
    return f"${number}"
