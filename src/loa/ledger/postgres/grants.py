"""Custody of grants: each call one statement or two, so that what it decides by is what it changes."""

from collections.abc import Awaitable, Callable
from typing import Any

from loa.ledger.granting import Values
from loa.ledger.postgres.statements import QUERIES
from loa.ledger.postgres.unit import Unit

Change = Callable[[Unit], Awaitable[Any]]


async def change(unit: Unit, calls: list[Change]) -> list[Any]:
    """Do what calls ask; readers of the directory need not read again for it."""
    return [await call(unit) for call in calls]


async def read(connection: Any, channel_id: int | None) -> list[Any]:
    """Read the rows of grants: of one channel, or all."""
    return await connection.fetch(QUERIES["read_grants"], channel_id)  # type: ignore[no-any-return]


def begin_renewal(channel_id: int, now: int, until: int) -> Change:
    """Take the right to renew; gives the grant's row with the fence, None while another has it."""
    return _row("begin_renewal", channel_id, until - now)


def mark_spent(channel_id: int, fence: int, version: int, now: int) -> Change:
    """Mark the refresh token; False when the right was lost."""
    return _done("mark_spent", channel_id, fence, version, now)


def mark_unspent(channel_id: int, fence: int, version: int) -> Change:
    """Take the mark away; False when the right was lost."""
    return _done("mark_unspent", channel_id, fence, version)


def keep_renewed(channel_id: int, version: int, values: Values, now: int) -> Change:
    """Keep the pair that another was spent on; False when that one was replaced already."""
    return _told("keep_renewed", channel_id, version, *values, now)


def keep_consented(channel_id: int, values: Values, now: int) -> Change:
    """Keep a pair that does not come from the one before."""
    return _told("keep_consented", channel_id, *values, now)


def need_consent(channel_id: int, fence: int | None, version: int | None, reason: str) -> Change:
    """Note that only a person can go on; False when the right was lost or there is no grant."""
    return _done("need_consent", channel_id, fence, version, reason)


def end_renewal(channel_id: int, fence: int) -> Change:
    """Give the right back."""
    return _done("end_renewal", channel_id, fence)


def ask_consent(values: tuple[Any, ...]) -> Change:
    """Keep a consent that was asked for, and forget those whose time is over by then."""

    async def run(unit: Unit) -> None:
        await unit.run("forget_consents", values[4])
        await unit.run("ask_consent", *values)

    return run


def take_consent(digest: str) -> Change:
    """Take a consent out; gives its row, None when there is none."""
    return _row("take_consent", digest)


def _row(name: str, *values: Any) -> Change:
    async def run(unit: Unit) -> Any:
        rows = await unit.rows(name, *values)
        return tuple(rows[0]) if rows else None

    return run


def _done(name: str, *values: Any) -> Change:
    async def run(unit: Unit) -> bool:
        return bool(await unit.rows(name, *values))

    return run


def _told(name: str, *values: Any) -> Change:
    """As _done, and have the other processes look, which work with the same token."""

    async def run(unit: Unit) -> bool:
        unit.wakes = True
        return bool(await unit.rows(name, *values))

    return run
