"""The master keys of a ledger file: which one seals, and bringing values under another."""

from collections.abc import Callable, Collection
from typing import Any

import apsw

from loa.errors import CannotOpen
from loa.ledger.sealing import COLUMNS, KEY_STATES, META, current_of, key_states, pattern
from loa.ledger.sqlite.unit import Unit
from loa.ports.sealing import KeyState, KeyUse, Resealed
from loa.seal.sealer import Sealer, missing

Change = Callable[[Unit], Any]


def adopt(connection: apsw.Connection, sealer: Sealer) -> None:
    """Seal with the key that the ledger names; name the first one where it names none. Errors: ConfigError."""
    current = current_of(connection.execute(KEY_STATES).fetchall())
    if not current:
        current = sealer.source.make().ids[0]
        with connection:
            connection.execute("INSERT INTO meta VALUES (?, ?)", (META + current, int(KeyUse.CURRENT)))
    sealer.use(current)


def change(unit: Unit, calls: list[Change]) -> list[Any]:
    """Do what calls ask; readers of the directory need not read again for it."""
    return [call(unit) for call in calls]


def states(connection: apsw.Connection) -> dict[str, KeyState]:
    """Read the master keys."""
    return key_states(connection.execute(KEY_STATES).fetchall())


def counts(connection: apsw.Connection) -> dict[str, dict[str, int]]:
    """Count the values."""
    found: dict[str, Any] = {place: connection.execute(each.counts()).fetchall() for place, each in COLUMNS.items()}
    return {place: dict(rows) for place, rows in found.items()}


def use(key_id: str, now: int) -> Change:
    """Seal with another key from now on."""

    def run(unit: Unit) -> None:
        if not unit.sealer.has(key_id):
            raise missing(key_id, unit.sealer.source.where)
        unit.connection.execute(
            "UPDATE meta SET value = ? WHERE name LIKE 'seal:%' AND value >= ?",
            (int(KeyUse.REPLACED), int(KeyUse.CURRENT)),
        )
        unit.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (META + key_id, now))

    return run


def reseal(place: str, skip: int, limit: int) -> Change:
    """Bring the next values of a place under the current key."""
    column = COLUMNS[place]

    def run(unit: Unit) -> Resealed:
        done = damaged = 0
        values = (pattern(unit.sealer.current), limit, skip)
        rows: Any = unit.connection.execute(column.others(_mark), values).fetchall()
        for *key, stored in rows:
            try:
                fresh = unit.sealer.rewrap(column.place_of(*key), stored)
            except CannotOpen as error:
                if "key_id" in error.fields:
                    raise
                damaged += 1
                continue
            unit.connection.execute(column.change(_mark), (fresh, stored, *key))
            done += 1
        return Resealed(done, damaged)

    return run


def end_reseal(unit: Unit) -> None:
    """Note which keys have no values any more."""
    used = {key for each in counts(unit.connection).values() for key in each}
    for key_id, state in states(unit.connection).items():
        if state.use is KeyUse.REPLACED and key_id not in used:
            unit.connection.execute("UPDATE meta SET value = ? WHERE name = ?", (int(KeyUse.FORMER), META + key_id))


def abandon(key_ids: Collection[str]) -> Change:
    """Give up what lies under keys that are lost."""

    def run(unit: Unit) -> dict[str, list[str]]:
        gone: dict[str, list[str]] = {place: [] for place in COLUMNS}
        for place, column in COLUMNS.items():
            for key_id in key_ids:
                for *key, stored in unit.connection.execute(column.under(_mark), (pattern(key_id),)).fetchall():
                    if column.lost is None:
                        unit.connection.execute(column.remove(_mark), (stored, *key))
                    else:
                        empty = unit.sealer.seal(column.place_of(*key), column.lost)
                        unit.connection.execute(column.change(_mark), (empty, stored, *key))
                    gone[place].append(":".join(map(str, key)))
        unit.connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'revision'")
        return gone

    return run


def _mark(number: int) -> str:
    return f"?{number}"
