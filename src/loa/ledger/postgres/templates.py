"""Registered templates: as small as the rest of the directory, but changed by their providers too."""

from collections.abc import Sequence
from typing import Any

from loa.domain.template import Template
from loa.ledger.describing import LOOKS, TEMPLATES, compare, read_template
from loa.ledger.postgres.directory import Change
from loa.ledger.postgres.unit import Unit
from loa.ports.records import TemplateLook

_KEEP = (
    "INSERT INTO template (channel_id, template_id, described, daily_quota, remaining_quota, text, synced_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (channel_id, template_id) DO UPDATE SET"
    " described = excluded.described, daily_quota = excluded.daily_quota, remaining_quota = excluded.remaining_quota,"
    " synced_at = excluded.synced_at"
)


async def put(unit: Unit, calls: list[tuple[int, Sequence[Template], int]]) -> list[int]:
    """Keep what providers have now; readers hear of it only where more than a quota changed."""
    changed = [await _put(unit.connection, *call) for call in calls]
    if any(changed):
        await unit.run("bump_revision")
        unit.wakes = True
    return changed


async def _put(connection: Any, channel_id: int, templates: Sequence[Template], now: int) -> int:
    query = "SELECT template_id, described FROM template WHERE channel_id = $1"
    kept = compare(dict(await connection.fetch(query, channel_id)), templates)
    # In order of the key, so that two processes that write at once wait for each other instead of both.
    await connection.executemany(_KEEP, [(channel_id, *row, now) for row in sorted(kept.rows)])
    return kept.changed


def set_text(channel_id: int, template_id: str, text: str) -> Change:
    """Say how a template reads as plain text; False when there is no such template."""

    async def run(connection: Any) -> bool:
        query = "UPDATE template SET text = $1 WHERE channel_id = $2 AND template_id = $3 RETURNING template_id"
        return await connection.fetchval(query, text, channel_id, template_id) is not None

    return run


async def read(connection: Any) -> list[Template]:
    """Read every template."""
    return [read_template(row) for row in await connection.fetch(f"{TEMPLATES} ORDER BY channel_id, template_id")]


async def look(unit: Unit, calls: list[Change]) -> list[Any]:
    """Note how looks at the provider's side begin and end; readers of the directory need not read again for it."""
    return [await call(unit.connection) for call in calls]


def ask_look(channel_id: int, now: int) -> Change:
    """Note that the templates of a channel are to be read again."""
    statement = (
        "INSERT INTO template_look (channel_id, asked_at) VALUES ($1, $2)"
        " ON CONFLICT (channel_id) DO UPDATE SET asked_at = excluded.asked_at"
    )

    async def run(connection: Any) -> None:
        await connection.execute(statement, channel_id, now)

    return run


def begin_look(channel_id: int, now: int, until: int) -> Change:
    """Take the right to look; False while another process has it."""
    statement = (
        "INSERT INTO template_look AS l (channel_id, begun_at, claimed_until) VALUES ($1, $2, $3)"
        " ON CONFLICT (channel_id) DO UPDATE SET begun_at = excluded.begun_at, claimed_until = excluded.claimed_until"
        " WHERE l.claimed_until <= excluded.begun_at RETURNING true"
    )

    async def run(connection: Any) -> bool:
        return await connection.fetchval(statement, channel_id, now, until) is not None

    return run


def end_look(channel_id: int, now: int, problem: str) -> Change:
    """Note how a look went."""
    statement = (
        "UPDATE template_look SET claimed_until = 0, problem = $1,"
        " done_at = CASE WHEN $1 = '' THEN $2 ELSE done_at END WHERE channel_id = $3"
    )

    async def run(connection: Any) -> None:
        await connection.execute(statement, problem, now, channel_id)

    return run


async def looks(connection: Any) -> list[TemplateLook]:
    """Read how the last look at each channel went."""
    return [TemplateLook(*row) for row in await connection.fetch(f"{LOOKS} ORDER BY channel_id")]
