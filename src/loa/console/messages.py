"""The list of messages: filters that stand in the address, pages by cursor, no counts."""

import shlex
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from loa.console.formats import destination, machine, read_field_time
from loa.console.pages import render
from loa.console.parts import Parts, visitor_of
from loa.console.place import place_of
from loa.domain.destination import USER_PREFIX, user_destination
from loa.domain.ids import message_id_from, message_public_id
from loa.domain.lifecycle import State
from loa.domain.roles import May, may
from loa.domain.traffic import TrafficClass
from loa.ports.records import Found, MessageFilter, Row

PAGE: Final = 50
REACH: Final = 50_000
"""How many messages one page looks through for those that match, where no index leads to them."""
STATES: Final = {state.label: state for state in State}
CLASSES: Final = {each.label: each for each in TrafficClass}
DEALT: Final = {"0": False, "1": True}
"""Of dead letters: whether somebody has dealt with them."""
TEXT_FIELDS: Final = ("destination", "sender", "channel", "error", "request_id", "since", "until")
LONGEST: Final = 200


@dataclass(slots=True)
class Asked:
    """A filter as it was asked for, as the ledger wants it, and which of its fields cannot be read."""

    states: tuple[str, ...] = ()
    traffic_class: str = ""
    dead: bool = False
    dealt: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    wanted: MessageFilter = field(default_factory=MessageFilter)
    unreadable: frozenset[str] = frozenset()

    @property
    def narrowed(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.states or self.traffic_class or self.dead or self.dealt or any(self.texts.values()))

    def query(self) -> dict[str, Any]:
        """Give what the address of this filter holds."""
        texts = {name: value for name, value in self.texts.items() if value}
        dead = "1" if self.dead else ""
        return {"state": list(self.states), "class": self.traffic_class, "dead": dead, "dealt": self.dealt, **texts}


def read_filter(query: QueryParams, read_number: Callable[[str], str | None]) -> Asked:
    """Read a filter from an address; a field that cannot be read is named and narrows nothing."""
    texts = {name: query.get(name, "").strip()[:LONGEST] for name in TEXT_FIELDS}
    number = _destination(texts["destination"], read_number)
    times = {name: read_field_time(texts[name]) if texts[name] else None for name in ("since", "until")}
    read = {"destination": number, **times}
    states = tuple(each for each in dict.fromkeys(query.getlist("state")) if each in STATES)
    traffic_class = query.get("class", "")
    traffic_class = traffic_class if traffic_class in CLASSES else ""
    dead = query.get("dead") == "1"
    dealt = query.get("dealt", "")
    dealt = dealt if dealt in DEALT else ""
    return Asked(
        states,
        traffic_class,
        dead,
        dealt,
        texts,
        MessageFilter(
            states=tuple(STATES[each] for each in states),
            traffic_class=CLASSES.get(traffic_class),
            destination=number,
            sender=texts["sender"],
            channel=texts["channel"],
            request_id=texts["request_id"],
            error=texts["error"],
            since=times["since"],
            until=times["until"],
            dead=True if dead else None,
            dealt_with=DEALT.get(dealt),
        ),
        frozenset(name for name, value in read.items() if texts[name] and value is None),
    )


def _destination(text: str, read_number: Callable[[str], str | None]) -> int | None:
    if text.startswith(USER_PREFIX):
        return user_destination(text.removeprefix(USER_PREFIX))
    known = read_number(text) if text else None
    return int(known) if known else None


async def every(
    parts: Parts, tenant_id: int, wanted: MessageFilter, before: int | None = None, at_once: int = 500
) -> AsyncIterator[list[Row]]:
    """Read all that a filter lets through, newest first; no single look takes the ledger's readers for long."""
    while True:
        found = await parts.ledger.find_messages(tenant_id, wanted, before, at_once, REACH)
        rows = list(found.rows)
        if rows:
            yield rows
        before = rows[-1]["id"] if len(rows) == at_once else found.further
        if before is None:
            return


async def messages(request: Request, parts: Parts) -> Response:
    """Show a page of messages, newest first."""
    place = await place_of(request, parts)
    asked = read_filter(request.query_params, parts.read_number)
    before = message_id_from(request.query_params.get("before", ""))
    found, reached = Found(()), None
    if place.tenant is not None and not asked.unreadable:
        found = await parts.ledger.find_messages(place.tenant.id, asked.wanted, before, PAGE + 1, REACH)
        if found.further is not None:
            reached = await parts.ledger.message(place.tenant.id, found.further)
    rows = found.rows
    whole = may(visitor_of(request).role, May.SEE_NUMBERS)
    shown = [line(row, whole=whole) for row in rows[:PAGE]]
    return render(
        request,
        "messages.html",
        **place.values(),
        asked=asked,
        lines=shown,
        older=shown[-1]["id"] if len(rows) > PAGE else "",
        paged=before is not None,
        reached=None if reached is None else {"id": message_public_id(reached["id"]), "at": reached["accepted_at"]},
        states=list(STATES),
        classes=list(CLASSES),
        channels=sorted(each.name for each in await parts.ledger.channels()),
        command_line=command_of(asked),
        status=422 if asked.unreadable else 200,
    )


def command_of(asked: Asked) -> str:
    """Write the filter as a command line."""
    given = {
        "state": ",".join(asked.states),
        "class": asked.traffic_class,
        **{name.replace("_", "-"): text for name, text in asked.texts.items()},
        "since": _instant(asked.wanted.since),
        "until": _instant(asked.wanted.until),
    }
    options = [f"--{name} {shlex.quote(text)}" for name, text in given.items() if text]
    return " ".join(["loa messages list", *options, *(["--dead"] if asked.dead else [])])


def _instant(at: int | None) -> str:
    return "" if at is None else machine(at)


def line(row: Row, *, whole: bool) -> dict[str, Any]:
    """Give what a list shows of a message; its destination whole or masked."""
    return {
        "id": message_public_id(row["id"]),
        "accepted_at": row["accepted_at"],
        "destination": destination(row["destination"], whole=whole),
        "sender": row["sender"],
        "class": row["class"],
        "state": row["state"],
        "channel": row["channel"],
        "error": row["error"],
        "segment_count": row["segment_count"],
        "possible_duplicate": row["possible_duplicate"],
        "dead": row["dead"],
        "dealt_with": row["dealt_with"],
    }
