"""The messages of one submission."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from loa.console.messages import line
from loa.console.pages import render
from loa.console.parts import Parts, visitor_of
from loa.console.place import place_of
from loa.domain.ids import message_id_from
from loa.domain.roles import May, may

PATH: Final = "/console/submissions/{referent_id}"
PAGE: Final = 50


async def submission(request: Request, parts: Parts) -> Response:
    """Show a page of a submission's messages, in their order."""
    place = await place_of(request, parts)
    referent_id = request.path_params["referent_id"]
    found = None if place.tenant is None else await parts.ledger.submission(place.tenant.id, referent_id)
    if found is None or place.tenant is None:
        return render(request, "missing.html", status=404, **place.values())
    after = message_id_from(request.query_params.get("after", "")) or 0
    rows = await parts.ledger.submission_messages(place.tenant.id, referent_id, after, PAGE + 1)
    whole = may(visitor_of(request).role, May.SEE_NUMBERS)
    lines = [line(row, whole=whole) for row in rows[:PAGE]]
    return render(
        request,
        "submission.html",
        **place.values(),
        found=found,
        lines=lines,
        further=lines[-1]["id"] if len(rows) > PAGE else "",
        paged=after > 0,
    )
