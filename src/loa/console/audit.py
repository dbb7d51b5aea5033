"""The audit log: who did what to what, what was before, whether the chain of entries holds, and a copy to keep."""

import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from loa.console.formats import read_field_time
from loa.console.pages import render
from loa.console.parts import Parts
from loa.domain.table_file import harmless

PATH: Final = "/console/audit"
PAGE: Final = 50
EXPORT_PAGE: Final = 1_000
CHECKED_BY_ITSELF: Final = 5_000
"""A log of so many entries is checked with every look; a longer one when it is asked for."""
TEXTS: Final = ("who", "verb", "subject")
TIMES: Final = ("since", "until")
LONGEST: Final = 200
COLUMNS: Final = ("id", "at", "who", "verb", "subject", "before", "after", "address")


class Asked:
    """A filter as it stands in an address or a form: `texts` as they were given, `args` as the verbs want them."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self.texts = {name: given.get(name, "").strip()[:LONGEST] for name in (*TEXTS, *TIMES)}
        read = {name: read_field_time(self.texts[name]) if self.texts[name] else None for name in TIMES}
        self.wrong = frozenset(name for name in TIMES if self.texts[name] and read[name] is None)
        self.args: dict[str, Any] = {name: self.texts[name] for name in TEXTS if self.texts[name]}
        self.args |= {name: at for name, at in read.items() if at is not None}

    @property
    def narrowed(self) -> bool:
        """Whether anything was asked for."""
        return any(self.texts.values())


async def audit(request: Request, parts: Parts) -> Response:
    """Show a page of entries, newest first."""
    query = request.query_params
    asked = Asked(query)
    before = _number(query.get("before", ""))
    found: Mapping[str, Any] = {"entries": [], "next": None}
    if not asked.wrong:
        found = await parts.acts.read("users.audit.list", before=before, limit=PAGE, check=False, **asked.args)
    checked, broken, newest = await _chain(parts, wanted=query.get("check") == "1")
    return render(
        request,
        "audit.html",
        status=422 if asked.wrong else 200,
        asked=asked,
        entries=[_shown(each) for each in found["entries"]],
        following=found["next"],
        paged=before is not None,
        checked=checked,
        broken=broken,
        newest=newest,
    )


async def _chain(parts: Parts, *, wanted: bool) -> tuple[bool, int | None, int]:
    """Tell whether the chain was checked, the first entry that does not fit, and how many entries there are."""
    last = await parts.acts.read("users.audit.list", limit=1, check=False)
    newest = last["entries"][0]["id"] if last["entries"] else 0
    if not wanted and newest > CHECKED_BY_ITSELF:
        return False, None, newest
    return True, (await parts.acts.read("users.audit.list", limit=1))["broken"], newest


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _shown(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Give an entry with its time in milliseconds, and what changed: name, before, after."""
    before, after = entry["before"], entry["after"]
    changes = [
        (name, _plain(before[name]) if name in before else None, _plain(after[name]) if name in after else None)
        for name in dict.fromkeys((*before, *after))
    ]
    return {**entry, "at": read_field_time(entry["at"]), "changes": changes}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


async def export(request: Request, parts: Parts) -> Response:
    """Give all entries that a filter lets through as a file; that somebody took it is an entry itself."""
    asked = Asked(request.query_params)
    kind = "jsonl" if request.state.form.get("format") == "jsonl" else "csv"
    if asked.wrong:
        return await audit(request, parts)
    first = await parts.acts.do(request, "users.audit.export", **asked.args)
    written = _lines if kind == "jsonl" else _rows
    name, media = f"loa-audit.{kind}", {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}[kind]
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(written(_pages(parts, first, asked.args)), media_type=media, headers=headers)


async def _pages(parts: Parts, first: Mapping[str, Any], args: Mapping[str, Any]) -> AsyncIterator[list[Any]]:
    page = first
    yield page["entries"]
    while page["next"] is not None:
        page = await parts.acts.read("users.audit.list", before=page["next"], limit=EXPORT_PAGE, check=False, **args)
        yield page["entries"]


async def _lines(pages: AsyncIterator[list[Any]]) -> AsyncIterator[str]:
    async for page in pages:
        yield "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in page)


async def _rows(pages: AsyncIterator[list[Any]]) -> AsyncIterator[str]:
    # The mark tells spreadsheets that this is UTF-8.
    yield "\ufeff" + _csv([COLUMNS])
    async for page in pages:
        yield _csv([[_cell(each[name]) for name in COLUMNS] for each in page])


def _csv(rows: Any) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()


def _cell(value: Any) -> str:
    return harmless(_plain(value))
