"""Registered templates: as small as the rest of the directory, but changed by their providers too."""

from collections.abc import Sequence
from typing import Any

import apsw

from loa.domain.template import Template
from loa.ledger.describing import LOOKS, TEMPLATES, compare, read_template
from loa.ledger.sqlite.directory import Change
from loa.ledger.sqlite.unit import Unit
from loa.ports.records import TemplateLook

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


def look(unit: Unit, calls: list[Change]) -> list[Any]:
    """Note how looks at the provider's side begin and end; readers of the directory need not read again for it."""
    return [call(unit.connection) for call in calls]


def ask_look(channel_id: int, now: int) -> Change:
    """Note that the templates of a channel are to be read again."""
    statement = (
        "INSERT INTO template_look (channel_id, asked_at) VALUES (?, ?)"
        " ON CONFLICT DO UPDATE SET asked_at = excluded.asked_at"
    )
    return lambda connection: connection.execute(statement, (channel_id, now)).get


def begin_look(channel_id: int, now: int, until: int) -> Change:
    """Take the right to look; False while another process has it."""
    statement = (
        "INSERT INTO template_look (channel_id, begun_at, claimed_until) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
        " begun_at = excluded.begun_at, claimed_until = excluded.claimed_until"
        " WHERE template_look.claimed_until <= excluded.begun_at"
    )

    def run(connection: apsw.Connection) -> bool:
        connection.execute(statement, (channel_id, now, until))
        return connection.changes() > 0

    return run


def end_look(channel_id: int, now: int, problem: str) -> Change:
    """Note how a look went."""
    statement = (
        "UPDATE template_look SET claimed_until = 0, problem = ?1, done_at = iif(?1 = '', ?2, done_at)"
        " WHERE channel_id = ?3"
    )
    return lambda connection: connection.execute(statement, (problem, now, channel_id)).get


def looks(connection: apsw.Connection) -> list[TemplateLook]:
    """Read how the last look at each channel went."""
    rows: Any = connection.execute(f"{LOOKS} ORDER BY channel_id")
    return [TemplateLook(*row) for row in rows]
