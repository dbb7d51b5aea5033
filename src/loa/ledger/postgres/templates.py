"""Registered templates: as small as the rest of the directory, but changed by their providers too."""

from collections.abc import Sequence
from typing import Any

from loa.domain.template import Template
from loa.ledger.describing import TEMPLATES, compare, read_template
from loa.ledger.postgres.directory import Change
from loa.ledger.postgres.unit import Unit

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
