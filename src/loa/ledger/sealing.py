"""Which columns are sealed, the same in both engines, and how their values are closed and opened.

Another column comes in by a line in COLUMNS and by sealing what is written there: `place_of` names the row.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loa.errors import CannotOpen
from loa.ports.sealing import KeyState, KeyUse
from loa.seal.sealer import Sealer

META: Final = "seal:"
"""How rows of `meta` are named that say what is done with a master key; the id follows."""
KEY_STATES: Final = "SELECT name, value FROM meta WHERE name LIKE 'seal:%'"


@dataclass(frozen=True, slots=True)
class Column:
    """A sealed column. `key`: what names a row for ever. `lost`: what stands for a lost value; None: the row goes."""

    table: str
    name: str
    key: tuple[str, ...]
    lost: str | None = None

    @property
    def place(self) -> str:
        """Table and column."""
        return f"{self.table}.{self.name}"

    def place_of(self, *key: object) -> str:
        """Name the place of one row's value."""
        return ":".join((self.place, *map(str, key)))

    # Statements: constants of ours, and `mark` gives the engine's marks for values, by their number from 1.

    def counts(self) -> str:
        """Count the values by the id of their key."""
        return (
            f"SELECT CASE WHEN {self.name} LIKE 'sealed:1:%' THEN substr({self.name}, 10, 12)"  # noqa: S608
            f" WHEN {self.name} LIKE 'sealed:%' THEN '?' ELSE '' END AS key_id, count(*) FROM {self.table} GROUP BY 1"
        )

    def others(self, mark: Callable[[int], str]) -> str:
        """Read values that are not under a key: its pattern, how many, after how many."""
        keys = ", ".join(self.key)
        return (
            f"SELECT {keys}, {self.name} FROM {self.table} WHERE {self.name} NOT LIKE {mark(1)}"  # noqa: S608
            f" ORDER BY {keys} LIMIT {mark(2)} OFFSET {mark(3)}"
        )

    def under(self, mark: Callable[[int], str]) -> str:
        """Read values under a key: its pattern."""
        return f"SELECT {', '.join(self.key)}, {self.name} FROM {self.table} WHERE {self.name} LIKE {mark(1)}"  # noqa: S608

    def change(self, mark: Callable[[int], str]) -> str:
        """Replace a value, if it is still the same: the new one, the old one, the key of the row."""
        return f"UPDATE {self.table} SET {self.name} = {mark(1)} WHERE {self._same(mark, 2)}"  # noqa: S608

    def remove(self, mark: Callable[[int], str]) -> str:
        """Delete a row, if its value is still the same: the value, the key of the row."""
        return f"DELETE FROM {self.table} WHERE {self._same(mark, 1)}"  # noqa: S608

    def _same(self, mark: Callable[[int], str], first: int) -> str:
        names = (self.name, *self.key)
        return " AND ".join(f"{name} = {mark(number)}" for number, name in enumerate(names, start=first))


CHANNEL_SETTINGS: Final = Column("channel", "settings", ("name",), "{}")
ENDPOINT_SECRETS: Final = Column("endpoint", "secrets", ("tenant_id", "url"), "[]")
TOTP_SEED: Final = Column("console_user", "totp_seed", ("name",), "")
COLUMNS: Final = {
    column.place: column
    for column in (
        CHANNEL_SETTINGS,
        ENDPOINT_SECRETS,
        Column("channel_grant", "access_token", ("channel_id",)),
        Column("channel_grant", "refresh_token", ("channel_id",)),
        Column("consent", "verifier", ("state_digest",)),
        TOTP_SEED,
    )
}


def key_states(rows: Sequence[Any]) -> dict[str, KeyState]:
    """Read what the ledger does with master keys, from rows of KEY_STATES."""
    return {row[0].removeprefix(META): _state(row[1]) for row in rows}


def _state(value: int) -> KeyState:
    return KeyState(KeyUse.CURRENT, value) if value >= KeyUse.CURRENT else KeyState(KeyUse(value))


def current_of(rows: Sequence[Any]) -> str:
    """Give the key that seals, "" where there is none yet."""
    return next((key for key, state in key_states(rows).items() if state.use is KeyUse.CURRENT), "")


def pattern(key_id: str) -> str:
    """Give what values under a key are LIKE."""
    return f"sealed:1:{key_id}:%"


def seal_settings(sealer: Sealer, name: str, settings: Mapping[str, Any]) -> str:
    """Close the settings of a channel."""
    return sealer.seal(CHANNEL_SETTINGS.place_of(name), json.dumps(dict(settings), ensure_ascii=False))


def open_settings(sealer: Sealer, name: str, stored: str) -> dict[str, Any]:
    """Open the settings of a channel; damaged ones are empty, so that they can be set anew."""
    return json.loads(_open(sealer, CHANNEL_SETTINGS, stored, name))  # type: ignore[no-any-return]


def seal_secrets(sealer: Sealer, tenant_id: int, url: str, secrets: Sequence[str]) -> str:
    """Close the secrets of an endpoint."""
    return sealer.seal(ENDPOINT_SECRETS.place_of(tenant_id, url), json.dumps(list(secrets)))


def open_secrets(sealer: Sealer, tenant_id: int, url: str, stored: str) -> tuple[str, ...]:
    """Open the secrets of an endpoint; damaged ones are none, so that it can be added anew."""
    return tuple(json.loads(_open(sealer, ENDPOINT_SECRETS, stored, tenant_id, url)))


def _open(sealer: Sealer, column: Column, stored: str, *key: object) -> str:
    try:
        return sealer.open(column.place_of(*key), stored)
    except CannotOpen as error:
        # A key that is missing may come back, and this process must not take what it cannot read for empty.
        if "key_id" in error.fields:
            raise
        return str(column.lost)
