"""The form that says what becomes of the columns of a batch, and how its first rows would look by it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loa.console.catalogue import has, said
from loa.console.formats import destination as shown_destination
from loa.console.language import Language
from loa.console.parts import Parts
from loa.domain.batch_plan import CLASSES, BatchPlan, Line, Renderer, Source
from loa.domain.rules import Finding, findings_of
from loa.domain.traffic import VENDOR_TYPES
from loa.errors import CallerError, Forbidden
from loa.ports.batches import Batch
from loa.ports.records import Tenant

ROWS_SHOWN: Final = 5
UNICODE: Final = ("0", "1", "2")
SAME: Final = "same:"
COLUMN: Final = "column:"
TYPED: Final = "typed"
_NUMBERS: Final = re.compile(
    r"phone|mobile|msisdn|destination|tel\b|sđt|sdt|điện thoại|dien thoai|di động|số máy", re.IGNORECASE
)
_TEXTS: Final = re.compile(r"text|message|content|nội dung|noi dung|tin nhắn|tin nhan", re.IGNORECASE)
_IDS: Final = re.compile(r"request.?id|mã yêu cầu|ma yeu cau", re.IGNORECASE)
_TYPES: Final = {each: number for number, each in VENDOR_TYPES.items()}


@dataclass(frozen=True, slots=True)
class Wish:
    """The form as it was filled in, and the plan that follows; `wrong`: fields that say nothing that can be."""

    fields: Mapping[str, str]
    plan: BatchPlan | None
    wrong: frozenset[str] = frozenset()


def first_wish(batch: Batch, first: Sequence[str], senders: Sequence[str], parts: Parts) -> dict[str, str]:
    """Guess what becomes of the columns, by their names and by the first row."""
    names = batch.columns
    number = _named(names, _NUMBERS)
    if number is None:
        number = next((place for place, cell in enumerate(first) if parts.read_number(cell) is not None), 0)
    text, request_id = _named(names, _TEXTS), _named(names, _IDS)
    return {
        "destination": str(number),
        "text": TYPED if text is None else f"{COLUMN}{text}",
        "template": "",
        "sender": f"{SAME}{senders[0]}" if senders else "",
        "class": f"{SAME}{CLASSES[0].label}",
        "schedule": "",
        "request_id": "" if request_id is None else str(request_id),
        "unicode": "1",
    }


def wish_of(plan: BatchPlan) -> dict[str, str]:
    """Write a plan as the form holds it."""
    return {
        "destination": str(plan.destination),
        "text": TYPED if plan.text.column is None else f"{COLUMN}{plan.text.column}",
        "template": plan.text.value,
        "sender": _written(plan.sender),
        "class": _written(plan.traffic_class),
        "schedule": "" if plan.schedule.column is None else str(plan.schedule.column),
        "request_id": "" if plan.request_id is None else str(plan.request_id),
        "unicode": str(plan.use_unicode),
    }


def read_wish(form: Mapping[str, str], width: int) -> Wish:
    """Read the form. `width`: how many columns there are."""
    fields = {name: form.get(name, "") for name in (*_FIELDS, "template")}
    fields["template"] = fields["template"].replace("\r\n", "\n").strip()
    destination = _column(fields["destination"], width)
    text = Source(value=fields["template"]) if fields["text"] == TYPED else _source(fields["text"], width)
    sender, traffic_class = _source(fields["sender"], width), _source(fields["class"], width)
    schedule = _column(fields["schedule"], width)
    if destination is None or text is None or sender is None or traffic_class is None or text == Source():
        asked = {"destination": destination, "text": text, "sender": sender, "class": traffic_class}
        wrong = {name for name, value in asked.items() if value is None}
        return Wish(fields, None, frozenset(wrong | ({"template"} if text == Source() else set())))
    unicode = int(fields["unicode"]) if fields["unicode"] in UNICODE else 1
    request_id = _column(fields["request_id"], width)
    return Wish(fields, BatchPlan(destination, text, sender, traffic_class, Source(schedule), request_id, unicode))


_FIELDS: Final = ("destination", "text", "sender", "class", "schedule", "request_id", "unicode")


def _named(names: Sequence[str], pattern: re.Pattern[str]) -> int | None:
    return next((place for place, name in enumerate(names) if pattern.search(name)), None)


def _written(source: Source) -> str:
    return f"{SAME}{source.value}" if source.column is None else f"{COLUMN}{source.column}"


def _column(text: str, width: int) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text) < width else None


def _source(text: str, width: int) -> Source | None:
    if text.startswith(SAME) and len(text) > len(SAME):
        return Source(value=text.removeprefix(SAME))
    column = _column(text.removeprefix(COLUMN), width) if text.startswith(COLUMN) else None
    return None if column is None else Source(column)


async def preview(
    parts: Parts,
    tenant: Tenant,
    batch: Batch,
    plan: BatchPlan,
    rows: Sequence[Sequence[str]],
    language: Language,
) -> list[dict[str, Any]]:
    """Tell what would become of the first rows."""
    renderer = Renderer(plan, batch.columns)
    shown = []
    for number, row in enumerate(rows[:ROWS_SHOWN]):
        line = renderer.line(number, row)
        told = (
            {"why": why(parts, line, language)}
            if isinstance(line, Finding)
            else await _shown(parts, tenant, batch, plan, line, language)
        )
        shown.append({"row": number + 1, "destination": "", "text": "", "segments": 0, **told})
    return shown


async def _shown(
    parts: Parts, tenant: Tenant, batch: Batch, plan: BatchPlan, line: Line, language: Language
) -> dict[str, Any]:
    number = parts.read_number(line.destination)
    known = line.destination if number is None else shown_destination(int(number), whole=True)
    said: dict[str, Any] = {"destination": known, "text": line.text, "why": "", "segments": 0}
    body = {
        "destinations": [line.destination],
        "from": line.sender,
        "text": line.text,
        "useUnicode": plan.use_unicode,
        "type": _TYPES[line.traffic_class],
        "scheduled": line.schedule,
        "requestId": line.request_id,
    }
    try:
        told = await parts.sending.explain(tenant, body, live=batch.live)
    except (CallerError, Forbidden) as error:
        found = findings_of(error)
        return said | {"why": why(parts, found[0], language) if found else str(error)}
    against = [*told.denied, *told.findings]
    if told.text is not None:
        said |= {"text": told.text.text, "segments": told.text.segment_count}
    return said | {"why": why(parts, against[0], language) if against else ""}


def why(parts: Parts, finding: Finding, language: Language) -> str:
    """Say what stands against a row."""
    key = f"row.{finding.code}"
    if has(key):
        return said(language, key, **finding.values)
    return parts.sending.sentence(finding, language)
