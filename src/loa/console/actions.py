"""Actions on many messages: a page that says how many and which first, then the work, then what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console.again import REFUSED, send_again
from loa.console.catalogue import said
from loa.console.errands import MADE_SHOWN, Errand, Stage
from loa.console.messages import line
from loa.console.pages import link, render
from loa.console.parts import Parts, visitor_of
from loa.console.place import Place, place_of
from loa.console.refusals import said_of
from loa.console.selection import ACTIONS, Action, Selection, page, publics, read_selection
from loa.domain.lifecycle import State
from loa.domain.roles import May, may
from loa.domain.ruling import Effect, Ruling
from loa.errors import LoaError
from loa.ports.records import Row, Tenant

PATH: Final = "/console/messages/act"
CAP: Final = 1_000
"""Nobody counts further before an action."""
FIRST: Final = 10
AT_ONCE: Final = 100
TYPED_ABOVE: Final = 100
REASON_LONGEST: Final = 300
SETTLED_AS: Final = (Ruling.DELIVERED, Ruling.UNDELIVERED)


@dataclass(slots=True)
class Order:
    """What somebody wants done, as they filled in the form. `wrong`: what stands against it, by field."""

    action: Action
    selection: Selection
    as_of: int
    ruling: str = ""
    reason: str = ""
    word: str = ""
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def takes_reason(self) -> bool:
        """Whether somebody has to say why."""
        return self.action.name in ("settle", "deal")


async def preview(request: Request, parts: Parts) -> Response:
    """Show what an action would touch, and ask for what it needs."""
    order = _order(request, parts)
    return await _missing(request, parts) if order is None else await _preview(request, parts, order)


async def start(request: Request, parts: Parts) -> Response:
    """Begin an action; what is small is done when this answers."""
    order, place = _order(request, parts), await place_of(request, parts)
    if order is None or place.tenant is None:
        return await _missing(request, parts)
    rows = await _read(parts, place.tenant, order, CAP + 1)
    order.wrong = _wrong(request, order, len(rows))
    if order.wrong or not rows:
        return await _preview(request, parts, order, rows)
    errand = Errand(place.tenant.id, order.action.name, min(len(rows), CAP), len(rows) > CAP, parts.clock.now())
    doer = _Doer(request, parts, place.tenant, order)
    try:
        task = parts.errands.start(errand, doer.work)
    except LoaError as error:
        order.wrong = {"": said_of(error, request.state.language)}
        return await _preview(request, parts, order, rows)
    if len(rows) <= AT_ONCE:
        await task
    return RedirectResponse(_result_of(errand, order, place, rows), 303)


def _result_of(errand: Errand, order: Order, place: Place, rows: list[Row]) -> str:
    """Say where to go on: to the message where it was one and that is done, else to what came of all."""
    if len(rows) == 1 and errand.action != "again" and errand.counts[Effect.DONE] == 1:
        return link(f"/console/messages/{publics(rows)[0]}", tenant=place.named)
    return link(f"{PATH}/{errand.id}", tenant=place.named, action=errand.action, **order.selection.query())


async def progress(request: Request, parts: Parts) -> Response:
    """Show how far an action is; one that this process does not know was broken off."""
    place, order = await place_of(request, parts), _order(request, parts)
    if order is None:
        return await _missing(request, parts)
    tenant_id = 0 if place.tenant is None else place.tenant.id
    errand = parts.errands.get(request.path_params["errand"], tenant_id)
    return render(
        request,
        "bulk_progress.html",
        **place.values(),
        order=order,
        errand=errand,
        running=errand is not None and errand.stage is Stage.RUNNING,
        effects=[*(each.value for each in Effect), REFUSED],
        why=_why(request, errand),
        query={"tenant": place.named, "action": order.action.name, **order.selection.query()},
        status=404 if errand is None else 200,
    )


def _why(request: Request, errand: Errand | None) -> str:
    error = None if errand is None else errand.error
    return said_of(error, request.state.language) if isinstance(error, LoaError) else ""


async def stop(request: Request, parts: Parts) -> Response:
    """Have an action end after the piece at hand."""
    place = await place_of(request, parts)
    errand = parts.errands.get(request.path_params["errand"], 0 if place.tenant is None else place.tenant.id)
    if errand is not None:
        errand.wants_stop = True
    return RedirectResponse(request.url.path.removesuffix("/stop") + f"?{request.url.query}", 303)


async def _missing(request: Request, parts: Parts) -> Response:
    return render(request, "missing.html", status=404, **(await place_of(request, parts)).values())


def _order(request: Request, parts: Parts) -> Order | None:
    """Read what is wanted; None where there is no such action."""
    action = ACTIONS.get(request.query_params.get("action", ""))
    if action is None:
        return None
    form: Mapping[str, str] = getattr(request.state, "form", {}) if request.method == "POST" else {}
    now, as_of = parts.clock.now(), form.get("as_of", "")
    return Order(
        action,
        read_selection(request.query_params, parts),
        min(int(as_of), now) if as_of.isascii() and as_of.isdigit() else now,
        form.get("ruling", ""),
        form.get("reason", "").strip(),
        form.get("word", "").strip(),
    )


def word_of(request: Request, action: Action) -> str:
    """Give the word that somebody types who means it."""
    return said(request.state.language, f"bulk.word.{action.name}")


def _wrong(request: Request, order: Order, count: int) -> dict[str, str]:
    language = request.state.language
    wrong = {}
    if order.action.name == "settle" and order.ruling not in SETTLED_AS:
        wrong["ruling"] = said(language, "bulk.wrong.ruling")
    if order.takes_reason and not 0 < len(order.reason) <= REASON_LONGEST:
        wrong["reason"] = said(language, "bulk.wrong.reason", limit=REASON_LONGEST)
    if count > TYPED_ABOVE and order.word.casefold() != word_of(request, order.action).casefold():
        wrong["word"] = said(language, "form.not_the_word")
    return wrong


async def _read(parts: Parts, tenant: Tenant, order: Order, limit: int, before: int | None = None) -> list[Row]:
    return await page(parts, tenant.id, order.action, order.selection, as_of=order.as_of, before=before, limit=limit)


async def _preview(request: Request, parts: Parts, order: Order, rows: list[Row] | None = None) -> Response:
    place = await place_of(request, parts)
    if rows is None:
        rows = [] if place.tenant is None else await _read(parts, place.tenant, order, CAP + 1)
    whole = may(visitor_of(request).role, May.SEE_NUMBERS)
    return render(
        request,
        "bulk.html",
        **place.values(),
        order=order,
        count=min(len(rows), CAP),
        more=len(rows) > CAP,
        lines=[line(row, whole=whole) for row in rows[:FIRST]],
        unknown_among=any(row["state"] == State.UNKNOWN.label for row in rows),
        word=word_of(request, order.action) if len(rows) > TYPED_ABOVE else "",
        rulings=[(each.value, said(request.state.language, f"ruling.{each.value}")) for each in SETTLED_AS],
        query={"tenant": place.named, **order.selection.query()},
        back=link(PATH, tenant=place.named, action=order.action.name, **order.selection.query()),
        status=422 if order.wrong else 200,
    )


class _Doer:
    """Does an order page by page; each message is looked at again when it is its turn."""

    def __init__(self, request: Request, parts: Parts, tenant: Tenant, order: Order) -> None:
        self._request, self._parts, self._tenant, self._order = request, parts, tenant, order

    async def work(self, errand: Errand) -> None:
        """Go through all. Errors: those of what is done."""
        before = None
        while not errand.wants_stop:
            rows = await _read(self._parts, self._tenant, self._order, AT_ONCE, before)
            if not rows:
                return
            before = rows[-1]["id"]
            await self._piece(errand, rows)

    async def _piece(self, errand: Errand, rows: list[Row]) -> None:
        if self._order.action.name == "again":
            for row in rows:
                await self._again(errand, row)
                if errand.wants_stop:
                    return
            return
        done = await self._act(publics(rows))
        errand.counts.update({effect.value: done[effect.value] for effect in Effect})

    async def _act(self, messages: list[str]) -> dict[str, Any]:
        order = self._order
        if order.action.name == "cancel":
            return await self._parts.acts.do(  # type: ignore[no-any-return]
                self._request, "messages.cancel", tenant=self._tenant.name, messages=messages
            )
        return await self._rule(
            messages, Ruling.DEALT_WITH if order.action.dead else Ruling(order.ruling), order.reason
        )

    async def _rule(self, messages: list[str], ruling: Ruling, reason: str) -> dict[str, Any]:
        return await self._parts.acts.do(  # type: ignore[no-any-return]
            self._request,
            "messages.settle",
            tenant=self._tenant.name,
            messages=messages,
            ruling=ruling.value,
            reason=reason,
            who=visitor_of(self._request).name,
        )

    async def _again(self, errand: Errand, row: Row) -> None:
        effect, detail = await send_again(self._request, self._parts, self._tenant, row["id"])
        errand.counts[effect] += 1
        if effect == Effect.DONE and row["dead"] and not row["dealt_with"]:
            # Nothing is left to do about a dead letter that goes out anew.
            await self._rule(publics([row]), Ruling.DEALT_WITH, detail)
        if effect == REFUSED:
            errand.problems[detail] += 1
        elif detail and len(errand.made) < MADE_SHOWN:
            errand.made.append((publics([row])[0], detail))
