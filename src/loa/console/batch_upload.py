"""Taking a table in: a file or pasted text, in one form, with the scripts' progress bar or without."""

import asyncio
import io
from typing import IO, Final

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from loa.console.catalogue import said
from loa.console.multipart import TooLong, bounded
from loa.console.pages import link, render
from loa.console.parts import Parts, visitor_of
from loa.console.place import Place, place_of
from loa.console.refusals import said_of
from loa.domain.table_file import DELIMITERS, open_table
from loa.errors import CallerError

FILE_MAX: Final = 256 * 1024 * 1024
PASTED_MAX: Final = 4 * 1024 * 1024
"""Units: octets."""
FIELDS_MAX: Final = 12
MARKS: Final = {"comma": DELIMITERS[0], "semicolon": DELIMITERS[1], "tab": DELIMITERS[2], "bar": DELIMITERS[3]}
HEADERS: Final = {"yes": True, "no": False}
NAME_MAX: Final = 80


async def new(request: Request, parts: Parts) -> Response:
    """Show the form."""
    return _form(request, await place_of(request, parts), {})


async def upload(request: Request, parts: Parts) -> Response:
    """Take the form; the table becomes a draft."""
    place = await place_of(request, parts)
    language = request.state.language
    fields: dict[str, str] = {}
    try:
        reading = Request(request.scope, bounded(request.receive, FILE_MAX))
        async with reading.form(max_files=1, max_fields=FIELDS_MAX, max_part_size=PASTED_MAX) as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            return await _take(request, parts, place, form, fields)
    except TooLong:
        wrong = said(language, "batches.too_large", most=FILE_MAX // 1024 // 1024)
        return _form(request, place, fields, wrong, 413)
    except (MultiPartException, HTTPException):
        return _form(request, place, fields, said(language, "batches.unreadable_form"), 422)
    except CallerError as error:
        return _form(request, place, fields, said_of(error, language), 422)
    except ClientDisconnect:
        return Response(status_code=400)


async def _take(request: Request, parts: Parts, place: Place, form: FormData, fields: dict[str, str]) -> Response:
    if place.tenant is None:
        raise CallerError("no_tenant", "there is no tenant to send for")
    given = form.get("file")
    file, name = _file(given, fields)
    table = await asyncio.to_thread(
        open_table, file, delimiter=MARKS.get(fields.get("mark", ""), ""), header=HEADERS.get(fields.get("header", ""))
    )
    made = await parts.acts.do(
        request,
        "batches.add",
        tenant=place.tenant.name,
        name=(fields.get("name", "").strip() or name)[:NAME_MAX],
        who=visitor_of(request).name,
        columns=table.columns,
        rows=table.rows,
        live=fields.get("live") != "0",
    )
    return RedirectResponse(link(f"/console/batches/{made['batch']}", tenant=place.named), 303)


def _file(given: object, fields: dict[str, str]) -> tuple[IO[bytes], str]:
    """Give what was handed in, the file before the pasted text, and how it may be called."""
    if isinstance(given, UploadFile) and given.filename:
        return given.file, given.filename.rpartition("\\")[2].rpartition("/")[2].removesuffix(".csv")
    return io.BytesIO(fields.get("pasted", "").encode("utf-8", "replace")), ""


def _form(request: Request, place: Place, fields: dict[str, str], wrong: str = "", status: int = 200) -> Response:
    return render(
        request,
        "batches_new.html",
        status=status,
        **place.values(),
        fields=fields,
        wrong=wrong,
        marks=list(MARKS),
        most=FILE_MAX // 1024 // 1024,
    )
