"""The API explained: operations with a form to try each, errors with their cures, and the vendor's call beside ours."""

from collections.abc import Callable
from itertools import groupby
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from loa.console.api_book import Fault
from loa.console.catalogue import has, said
from loa.console.language import Language
from loa.console.operations import Operation, example_body, example_curl, operations
from loa.console.pages import render
from loa.console.parts import Parts
from loa.console.place import place_of
from loa.console.schema_rows import rows_of
from loa.console.send import SEND_CALL
from loa.text.fold import fold

QUERY_MAX: Final = 100
TO_PROVIDERS: Final = "event_not_believed"
"""Answered to providers that post events, by no operation that is described."""
VENDOR_STATUSES: Final = ("201", "200", "400", "401", "403", "404", "405", "500", "503")
DIFFERENCES: Final = (
    "bad",
    "repeat",
    "schedule",
    "plain",
    "delivered",
    "callbacks",
    "busy",
    "unknown",
    "code",
    "zalo",
)
"""What a program finds different that comes from a vendor of the family, as texts name it."""


async def api(request: Request, parts: Parts) -> Response:
    """Show all operations, or those that somebody looks for."""
    place = await place_of(request, parts)
    book = await parts.api()
    asked = request.query_params.get("q", "").strip()[:QUERY_MAX]
    found = [each for each in operations(book.document) if _holds(_words(each), asked)]
    groups = [(hook, tag, list(some)) for (hook, tag), some in groupby(found, key=lambda each: (each.hook, each.tag))]
    return render(request, "api.html", **place.values(), groups=groups, asked=asked)


async def operation(request: Request, parts: Parts) -> Response:
    """Show one operation, with what it takes to try it."""
    place = await place_of(request, parts)
    book = await parts.api()
    name = request.path_params["operation_id"]
    shown = next((each for each in operations(book.document) if each.id == name), None)
    if shown is None:
        return render(request, "api_missing.html", status=404, **place.values())
    origin = f"{request.url.scheme}://{request.url.netloc}"
    curl = "" if shown.hook else example_curl(shown, origin, example_body(book.document, shown))
    return render(
        request,
        "api_operation.html",
        **place.values(),
        operation=shown,
        curl=curl,
        faults=[each for each in book.faults if _may_answer(each, shown)],
        cure=_cure_in(request.state.language),
    )


async def errors(request: Request, parts: Parts) -> Response:
    """Show every code with its cause and its cure, or those that somebody looks for."""
    place = await place_of(request, parts)
    book = await parts.api()
    asked = request.query_params.get("q", "").strip()[:QUERY_MAX]
    cure = _cure_in(request.state.language)
    found = [each for each in book.faults if _holds(" ".join((each.code, *each.texts.values(), cure(each))), asked)]
    groups = [(name, list(some)) for name, some in groupby(found, key=lambda each: each.group)]
    return render(request, "api_errors.html", **place.values(), groups=groups, asked=asked, cure=cure)


async def vendor(request: Request, parts: Parts) -> Response:
    """Show what of the vendor's call is covered, and what differs."""
    place = await place_of(request, parts)
    book = await parts.api()
    schema = {"$ref": "#/components/schemas/SendMessage"}
    return render(
        request,
        "api_vendor.html",
        **place.values(),
        fields=rows_of(schema, book.document),
        statuses=VENDOR_STATUSES,
        differences=DIFFERENCES,
        call=SEND_CALL,
    )


def _words(each: Operation) -> str:
    names = [said(language, f"op.{each.id}") for language in Language if has(f"op.{each.id}")]
    return " ".join((each.words, *names))


def _holds(words: str, asked: str) -> bool:
    """Tell whether every word somebody looks for is there; diacritics and capitals do not count."""
    inside = fold(words).casefold()
    return all(fold(word).casefold() in inside for word in asked.split())


def _may_answer(fault: Fault, shown: Operation) -> bool:
    statuses = {each.status for each in shown.answers}
    return fault.group == "request" and str(fault.status) in statuses and fault.code != TO_PROVIDERS


def _cure_in(language: Language) -> Callable[[Fault], str]:
    def cure(fault: Fault) -> str:
        own = f"cure.{fault.code}"
        return said(language, own if has(own) else f"cure.group.{fault.group}")

    return cure
