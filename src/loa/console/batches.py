"""Batches: the list, one batch as it stands, and everything that is done with it."""

from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console import batch_files, batch_upload
from loa.console.batch_form import Wish, first_wish, preview, read_wish, wish_of
from loa.console.catalogue import said
from loa.console.formats import read_field_time
from loa.console.pages import link, render
from loa.console.parts import Parts
from loa.console.place import Place, place_of
from loa.console.refusals import said_of
from loa.console.screen import Screen, ask_again, is_fresh
from loa.domain.batch_plan import CLASSES, as_json, from_json
from loa.domain.roles import May
from loa.errors import CallerError, Forbidden, LoaError, NotFound
from loa.ports.batches import OVER, WORKED_ON, Batch, BatchState
from loa.ports.records import Tenant

PAGE: Final = 30
SURE_ABOVE: Final = 100
"""Messages above which somebody has to write how many they are before they go."""
COUNTED_AT_ONCE: Final = 5_000
"""Messages up to which their states are counted without being asked for."""
TO_PLAN: Final = (BatchState.DRAFT, BatchState.CHECKING, BatchState.CHECKED)
ID_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Found:
    """A batch that an address names, with its tenant."""

    place: Place
    tenant: Tenant
    batch: Batch

    @property
    def path(self) -> str:
        """The address of its page."""
        return link(f"/console/batches/{self.batch.id}", tenant=self.place.named)


async def batches(request: Request, parts: Parts) -> Response:
    """Show the batches of a tenant, newest first."""
    place = await place_of(request, parts)
    asked = request.query_params.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= ID_DIGITS else None
    found: list[Batch] = []
    if place.tenant is not None:
        found = await parts.ledger.batches(place.tenant.id, before, PAGE + 1)
    return render(
        request,
        "batches.html",
        **place.values(),
        batches=found[:PAGE],
        older=found[PAGE - 1].id if len(found) > PAGE else 0,
        paged=before is not None,
        moving=any(each.state in WORKED_ON for each in found),
    )


async def batch(request: Request, parts: Parts) -> Response:
    """Show one batch."""
    return await _page(request, parts, await _found(request, parts))


async def look(request: Request, parts: Parts) -> Response:
    """Show how the first rows would look by a form that is not taken yet."""
    found = await _found(request, parts)
    if found is None:
        return await _page(request, parts, found)
    if _must_say_again(request, parts, found):
        return ask_again(request, ONE)
    wish = read_wish(request.state.form, len(found.batch.columns))
    shown = await batch_files.may_see_rows(request, parts, found.batch)
    return await _page(request, parts, found, wish=wish, rows_shown=shown)


async def check(request: Request, parts: Parts) -> Response:
    """Take the form: every row is checked by it."""
    found = await _found(request, parts)
    if found is None:
        return await _page(request, parts, found)
    wish = read_wish(request.state.form, len(found.batch.columns))
    if wish.plan is None:
        return await _page(request, parts, found, wish=wish, status=422)
    return await _do(request, parts, found, "check", wish=wish, plan=as_json(wish.plan))


async def start(request: Request, parts: Parts) -> Response:
    """Let a batch run, if somebody is sure."""
    found = await _found(request, parts)
    if found is None:
        return await _page(request, parts, found)
    form = request.state.form
    wrong: dict[str, str] = {}
    language = request.state.language
    good = found.batch.counts.get("good", 0)
    if good > SURE_ABOVE and _digits(form.get("sure", "")) != str(good):
        wrong["sure"] = said(language, "form.not_the_word")
    rate = form.get("rate", "").strip() or "0"
    if not (rate.isascii() and rate.isdigit() and len(rate) <= ID_DIGITS):
        wrong["rate"] = said(language, "batches.wrong.rate")
    at = form.get("start_at", "")
    start_at = read_field_time(at) if at else 0
    if start_at is None:
        wrong["start_at"] = said(language, "batches.wrong.start_at")
    if wrong:
        return await _page(request, parts, found, wrong=wrong, status=422)
    return await _do(request, parts, found, "start", rate=int(rate), start_at=start_at)


async def pause(request: Request, parts: Parts) -> Response:
    """Let nothing more of a batch begin."""
    return await _do(request, parts, await _found(request, parts), "pause")


async def resume(request: Request, parts: Parts) -> Response:
    """Let a batch go on."""
    return await _do(request, parts, await _found(request, parts), "resume")


async def stop(request: Request, parts: Parts) -> Response:
    """End a batch, if somebody is sure."""
    return await _do_if_sure(request, parts, "stop")


async def remove(request: Request, parts: Parts) -> Response:
    """Delete a batch with its rows, if somebody is sure."""
    return await _do_if_sure(request, parts, "remove")


async def errors(request: Request, parts: Parts) -> Response:
    """Give the rows that cannot be sent, as a file."""
    found = await _found(request, parts)
    if found is None:
        return await _page(request, parts, found)
    if _must_say_again(request, parts, found):
        return ask_again(request, f"{ONE}/errors.csv")
    if not await batch_files.may_see_rows(request, parts, found.batch):
        return render(request, "refused.html", status=403)
    pieces = batch_files.bad_rows(parts, found.batch, request.state.language)
    return batch_files.attached(f"batch-{found.batch.id}-errors.csv", pieces)


async def report(request: Request, parts: Parts) -> Response:
    """Give what became of each row, as a file."""
    found = await _found(request, parts)
    if found is None or found.batch.forgotten:
        return await _page(request, parts, found)
    whole = batch_files.sees_numbers(request, found.batch)
    pieces = batch_files.outcomes(parts, found.batch, request.state.language, whole=whole)
    return batch_files.attached(f"batch-{found.batch.id}-report.csv", pieces)


def _must_say_again(request: Request, parts: Parts, found: Found) -> bool:
    """Tell whether rows of somebody else are asked for by one who signed in a while ago."""
    strange = batch_files.sees_rows_of_others(request) and not batch_files.is_own(request, found.batch)
    return strange and not is_fresh(request, parts.clock.now())


def _digits(text: str) -> str:
    return "".join(each for each in text if each not in " .,\u00a0")


async def _found(request: Request, parts: Parts) -> Found | None:
    place = await place_of(request, parts)
    asked = request.path_params["batch_id"]
    if place.tenant is None or not (asked.isascii() and asked.isdigit() and len(asked) <= ID_DIGITS):
        return None
    found = await parts.ledger.batch(place.tenant.id, int(asked))
    return None if found is None else Found(place, place.tenant, found)


async def _do(
    request: Request, parts: Parts, found: Found | None, verb: str, wish: Wish | None = None, **given: Any
) -> Response:
    if found is None:
        return await _page(request, parts, found)
    try:
        await parts.acts.do(request, f"batches.{verb}", tenant=found.tenant.name, batch=found.batch.id, **given)
    except (CallerError, Forbidden, NotFound) as error:
        return await _page(request, parts, await _found(request, parts), wish=wish, problem=error, status=422)
    home = link("/console/batches", tenant=found.place.named)
    return RedirectResponse(home if verb == "remove" else found.path, 303)


async def _do_if_sure(request: Request, parts: Parts, verb: str) -> Response:
    found = await _found(request, parts)
    word = said(request.state.language, f"batches.{verb}.word")
    if request.state.form.get("sure", "").strip().lower() == word.lower():
        return await _do(request, parts, found, verb)
    wrong = {verb: said(request.state.language, "form.not_the_word")}
    return await _page(request, parts, found, wrong=wrong, status=422)


async def _page(
    request: Request,
    parts: Parts,
    found: Found | None,
    *,
    wish: Wish | None = None,
    rows_shown: bool | None = None,
    wrong: dict[str, str] | None = None,
    problem: LoaError | None = None,
    status: int = 200,
) -> Response:
    if found is None:
        return render(request, "batches_missing.html", status=404, **(await place_of(request, parts)).values())
    own = found.batch
    shown = batch_files.is_own(request, own) if rows_shown is None else rows_shown
    return render(
        request,
        "batch.html",
        status=status,
        **found.place.values(),
        batch=own,
        path=f"/console/batches/{own.id}",
        moving=own.state in WORKED_ON,
        over=own.state in OVER,
        sure_above=SURE_ABOVE,
        wrong=wrong or {},
        problem=said_of(problem, request.state.language) if problem is not None else "",
        given=request.state.form,
        rows_shown=shown,
        back=found.path,
        **await _planned(request, parts, found, wish, rows_shown=shown),
        states=await _states(request, parts, own),
        reasons=await batch_files.reasons(parts, own, request.state.language),
    )


async def _planned(
    request: Request, parts: Parts, found: Found, wish: Wish | None, *, rows_shown: bool
) -> dict[str, Any]:
    """Give what the form is made of and how the first rows look by it."""
    own = found.batch
    if own.state not in TO_PLAN or own.forgotten:
        return {"wish": None}
    senders = sorted(each.name for each in await parts.ledger.senders() if each.tenant_id == found.tenant.id)
    chunk = await parts.ledger.batch_rows(own, 0)
    rows = () if chunk is None else chunk.rows
    if wish is None:
        fields = wish_of(from_json(own.plan)) if own.plan else first_wish(own, rows[0] if rows else (), senders, parts)
        # Nothing is wrong yet with a form that nobody has filled in.
        wish = Wish(fields, read_wish(fields, len(own.columns)).plan)
    lines: list[dict[str, Any]] = []
    if rows_shown and wish.plan is not None:
        lines = await preview(parts, found.tenant, own, wish.plan, rows, request.state.language)
    return {
        "wish": wish,
        "senders": senders,
        "classes": [each.label for each in CLASSES],
        "columns": list(enumerate(own.columns)),
        "lines": lines,
        "first_rows": [row[: len(own.columns)] for row in rows[:3]] if rows_shown else [],
    }


async def _states(request: Request, parts: Parts, own: Batch) -> dict[str, int] | None:
    """Count the messages by state, where they are few or somebody asks; None where they are not counted."""
    sent = own.counts.get("sent", 0)
    asked = request.query_params.get("states") == "1" or sent <= COUNTED_AT_ONCE
    return await batch_files.states_of(parts, own) if sent and asked and not own.forgotten else None


ONE: Final = "/console/batches/{batch_id}"
BATCHES: Final = (
    Screen("/console/batches", batches, May.SEND),
    Screen("/console/batches/new", batch_upload.new, May.SEND),
    Screen("/console/batches/new", batch_upload.upload, May.SEND, "POST"),
    Screen(ONE, batch, May.SEND),
    Screen(f"{ONE}/errors.csv", errors, May.SEND),
    Screen(f"{ONE}/report.csv", report, May.SEND),
    Screen(f"{ONE}/preview", look, May.SEND, "POST"),
    Screen(f"{ONE}/check", check, May.SEND, "POST"),
    Screen(f"{ONE}/start", start, May.SEND, "POST"),
    Screen(f"{ONE}/pause", pause, May.SEND, "POST"),
    Screen(f"{ONE}/resume", resume, May.SEND, "POST"),
    Screen(f"{ONE}/stop", stop, May.SEND, "POST"),
    Screen(f"{ONE}/remove", remove, May.SEND, "POST"),
)
