"""Custody of grants: each call one statement or two, so that what it decides by is what it changes."""

from collections.abc import Callable
from typing import Any

import apsw

from loa.ledger.granting import Values
from loa.ledger.sqlite.unit import QUERIES, Unit

Change = Callable[[Unit], Any]


def change(unit: Unit, calls: list[Change]) -> list[Any]:
    """Do what calls ask; readers of the directory need not read again for it."""
    return [call(unit) for call in calls]


def read(connection: apsw.Connection, channel_id: int | None) -> list[Any]:
    """Read the rows of grants: of one channel, or all."""
    return connection.execute(QUERIES["read_grants"], (channel_id,)).fetchall()


def begin_renewal(channel_id: int, now: int, until: int) -> Change:
    """Take the right to renew; gives the grant's row with the fence, None while another has it."""
    return lambda unit: _row(unit, "begin_renewal", channel_id, now, until)


def mark_spent(channel_id: int, fence: int, version: int, now: int) -> Change:
    """Mark the refresh token; False when the right was lost."""
    return lambda unit: _row(unit, "mark_spent", channel_id, fence, version, now) is not None


def mark_unspent(channel_id: int, fence: int, version: int) -> Change:
    """Take the mark away; False when the right was lost."""
    return lambda unit: _row(unit, "mark_unspent", channel_id, fence, version) is not None


def keep_renewed(channel_id: int, version: int, values: Values, now: int) -> Change:
    """Keep the pair that another was spent on; False when that one was replaced already."""
    return lambda unit: _row(unit, "keep_renewed", channel_id, version, *values, now) is not None


def keep_consented(channel_id: int, values: Values, now: int) -> Change:
    """Keep a pair that does not come from the one before."""
    return lambda unit: _row(unit, "keep_consented", channel_id, *values, now) is not None


def need_consent(channel_id: int, fence: int | None, version: int | None, reason: str) -> Change:
    """Note that only a person can go on; False when the right was lost or there is no grant."""
    return lambda unit: _row(unit, "need_consent", channel_id, fence, version, reason) is not None


def end_renewal(channel_id: int, fence: int) -> Change:
    """Give the right back."""
    return lambda unit: unit.run("end_renewal", channel_id, fence)


def ask_consent(values: tuple[Any, ...]) -> Change:
    """Keep a consent that was asked for, and forget those whose time is over by then."""

    def run(unit: Unit) -> None:
        unit.run("forget_consents", values[4])
        unit.run("ask_consent", *values)

    return run


def take_consent(digest: str) -> Change:
    """Take a consent out; gives its row, None when there is none."""
    return lambda unit: _row(unit, "take_consent", digest)


def _row(unit: Unit, name: str, *values: Any) -> Any:
    rows = unit.connection.execute(QUERIES[name], values).fetchall()
    return rows[0] if rows else None
