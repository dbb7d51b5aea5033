"""Registered templates: as small as the rest of the directory, but changed by their providers too."""

from collections.abc import Sequence
from typing import Any

import apsw

from loa.domain.template import Template
from loa.ledger.describing import TEMPLATES, compare, read_template
from loa.ledger.sqlite.directory import Change
from loa.ledger.sqlite.unit import Unit

_KEEP = (
    "INSERT INTO template (channel_id, template_id, described, daily_quota, remaining_quota, text, synced_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET described = excluded.described,"
    " daily_quota = excluded.daily_quota, remaining_quota = excluded.remaining_quota, synced_at = excluded.synced_at"
)


def put(unit: Unit, calls: list[tuple[int, Sequence[Template], int]]) -> list[int]:
    """Keep what providers have now; readers hear of it only where more than a quota changed."""
    changed = [_put(unit.connection, *call) for call in calls]
    if any(changed):
        unit.connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'revision'")
    return changed


def _put(connection: apsw.Connection, channel_id: int, templates: Sequence[Template], now: int) -> int:
    query = "SELECT template_id, described FROM template WHERE channel_id = ?"
    known: Any = connection.execute(query, (channel_id,)).fetchall()
    kept = compare(dict(known), templates)
    connection.executemany(_KEEP, [(channel_id, *row, now) for row in kept.rows])
    return kept.changed


def set_text(channel_id: int, template_id: str, text: str) -> Change:
    """Say how a template reads as plain text; False when there is no such template."""

    def run(connection: apsw.Connection) -> bool:
        statement = "UPDATE template SET text = ? WHERE channel_id = ? AND template_id = ?"
        connection.execute(statement, (text, channel_id, template_id))
        return connection.changes() > 0

    return run


def read(connection: apsw.Connection) -> list[Template]:
    """Read every template."""
    return [read_template(row) for row in connection.execute(f"{TEMPLATES} ORDER BY channel_id, template_id")]
