"""Which messages an action is about: those of a filter, or those that somebody ticked; and what can be done to them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from starlette.datastructures import QueryParams

from loa.console.messages import Asked, every, read_filter
from loa.console.parts import Parts
from loa.domain.ids import message_id_from, message_public_id
from loa.domain.lifecycle import State
from loa.ports.records import MessageFilter, Row

TICKED_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Action:
    """Something that is done to many messages. `states`: of which; `named`: also of these, where a filter names them.

    `dead`: only to dead letters that nobody has dealt with.
    """

    name: str
    states: tuple[State, ...] = ()
    named: tuple[State, ...] = ()
    dead: bool = False

    def narrow(self, wanted: MessageFilter, as_of: int) -> MessageFilter | None:
        """Narrow a filter to what this can be done to, accepted before a time; None where nothing is left."""
        until = as_of if wanted.until is None else min(as_of, wanted.until)
        if self.dead:
            return replace(wanted, dead=True, dealt_with=False, until=until)
        fitting = self.states
        if wanted.states:
            fitting = tuple(each for each in wanted.states if each in (*self.states, *self.named))
        return replace(wanted, states=fitting, until=until) if fitting else None

    def fits(self, row: Row) -> bool:
        """Tell whether this can be done to a message."""
        if self.dead:
            return bool(row["dead"]) and not row["dealt_with"]
        return State[row["state"].upper()] in (*self.states, *self.named)


ACTIONS: Final[Mapping[str, Action]] = {
    each.name: each
    for each in (
        Action("settle", (State.UNKNOWN,)),
        Action("cancel", (State.QUEUED,)),
        Action("again", (State.UNDELIVERED, State.REJECTED, State.EXPIRED), (State.UNKNOWN,)),
        Action("deal", dead=True),
    )
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Messages, ticked by id, else all of a filter."""

    ticked: tuple[str, ...]
    asked: Asked

    def query(self) -> dict[str, Any]:
        """Give what the address of this selection holds."""
        return {"id": list(self.ticked)} if self.ticked else self.asked.query()


def read_selection(query: QueryParams, parts: Parts) -> Selection:
    """Read a selection from an address."""
    ticked = tuple(dict.fromkeys(query.getlist("id")))[:TICKED_MAX]
    return Selection(ticked, read_filter(query, parts.read_number))


async def page(
    parts: Parts, tenant_id: int, action: Action, selection: Selection, *, as_of: int, before: int | None, limit: int
) -> list[Row]:
    """Read messages of a selection that the action can be done to, newest first; ticked ones come in one page."""
    if selection.ticked:
        return await _ticked(parts, tenant_id, action, selection.ticked) if before is None else []
    wanted = action.narrow(selection.asked.wanted, as_of)
    if wanted is None or selection.asked.unreadable:
        return []
    read: list[Row] = []
    async for rows in every(parts, tenant_id, wanted, before, limit):
        read += rows
        if len(read) >= limit:
            break
    return read[:limit]


async def _ticked(parts: Parts, tenant_id: int, action: Action, ticked: tuple[str, ...]) -> list[Row]:
    numbers = sorted({number for each in ticked if (number := message_id_from(each)) is not None}, reverse=True)
    rows = [await parts.ledger.message(tenant_id, number) for number in numbers]
    return [row for row in rows if row is not None and action.fits(row)]


def publics(rows: list[Row]) -> list[str]:
    """Give the public ids of messages."""
    return [message_public_id(row["id"]) for row in rows]
