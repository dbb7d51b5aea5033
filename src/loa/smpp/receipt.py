"""Reading delivery receipts, however an SMSC spells them.

Parameters come first, then the text; each field of the text is found on its own, in any order, in any case,
with any separator. Whatever cannot be read stays empty; the raw octets are always kept. Never raises on any
input, because one bad receipt must not stop a link.

Times in a receipt have no time zone and minute precision: keep them, show them, never order by them.

Source: SMPP 3.4 appendix B, SMPP 5.0 section 4.8.4; peers as in `smpp-practice`, 2026.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loa.smpp import commands as c
from loa.smpp import tlv
from loa.smpp.payload import octets, split_header
from loa.smpp.pdu import DataSm, DeliverSm


@dataclass(frozen=True, slots=True)
class ReceiptText:
    """What a receipt says, uninterpreted but for the number of the state.

    `refs` holds the provider ref in every spelling found, parameter first; `state` is a message_state number;
    `error` is the word after `err:`; `network_error` is (network type, code) of the parameter.
    """

    raw: bytes
    refs: tuple[str, ...] = ()
    state: int | None = None
    stat: str = ""
    error: str = ""
    network_error: tuple[int, int] | None = None
    submitted: str = ""
    done: str = ""
    sub: str = ""
    delivered: str = ""
    text: str = ""
    flagged: bool = True

    @property
    def ref(self) -> str:
        """Give the provider ref to match by, or an empty text."""
        return self.refs[0] if self.refs else ""


# The order and spelling of the specification's own example, which nearly every SMSC keeps, with fields left out
# and separators exchanged: one pass. Whatever it does not match is read label by label, with the same result.
_GAP: Final = "[ ,;]+"
_USUAL: Final = re.compile(
    rf"id:([^\s,;|]+){_GAP}(?:sub:(\w*){_GAP})?(?:dlvrd:(\w*){_GAP})?(?:submit date:(\w*){_GAP})?"
    rf"(?:done date:(\w*){_GAP})?stat:(\w+)(?:{_GAP}err:(\w*))?(?:{_GAP}[Tt]ext:(.*))?\Z",
    re.DOTALL,
)
_USUAL_FIELDS: Final = ("id", "sub", "dlvrd", "submit", "done", "stat", "err", "text")
_NO_FIELDS: Final[dict[str, str]] = {}
_LABEL: Final = re.compile(
    r"(?<![^\s,;|])(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat(?:us)?|err(?:or)?|text)[ ]?[:=]",
    re.IGNORECASE | re.ASCII,
)
_FIELDS: Final = {
    "id": "id",
    "sub": "sub",
    "dlvrd": "dlvrd",
    "submit date": "submit",
    "submit_date": "submit",
    "submitdate": "submit",
    "done date": "done",
    "done_date": "done",
    "donedate": "done",
    "stat": "stat",
    "status": "stat",
    "err": "err",
    "error": "err",
    "text": "text",
}
_WHOLE: Final = frozenset({"text", "submit", "done"})
_WORD: Final = re.compile(r"[^\s,;|\0]+")
_STATES: Final = {
    "DELIVRD": c.STATE_DELIVERED,
    "ACCEPTD": c.STATE_ACCEPTED,
    "UNDELIV": c.STATE_UNDELIVERABLE,
    "REJECTD": c.STATE_REJECTED,
    "EXPIRED": c.STATE_EXPIRED,
    "ENROUTE": c.STATE_ENROUTE,
    "DELETED": c.STATE_DELETED,
    "UNKNOWN": c.STATE_UNKNOWN,
    "SKIPPED": c.STATE_SKIPPED,
}
# Longer spellings first where one begins another; what is shorter than these could mean two states.
_STATE_STEMS: Final = (
    ("DELI", c.STATE_DELIVERED),
    ("DLVR", c.STATE_DELIVERED),
    ("UND", c.STATE_UNDELIVERABLE),
    ("FAIL", c.STATE_UNDELIVERABLE),
    ("EXP", c.STATE_EXPIRED),
    ("REJ", c.STATE_REJECTED),
    ("DELE", c.STATE_DELETED),
    ("ACC", c.STATE_ACCEPTED),
    ("ENR", c.STATE_ENROUTE),
    ("BUFF", c.STATE_ENROUTE),
    ("UNK", c.STATE_UNKNOWN),
    ("SKIP", c.STATE_SKIPPED),
    ("SCH", c.STATE_SCHEDULED),
)
_FLAGS: Final = c.ESM_RECEIPT | c.ESM_INTERMEDIATE
_REF: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]{0,63}\Z")
_DATE: Final = re.compile(r"\d{10}(?:\d\d){0,2}\Z")
_SEPARATORS: Final = " \t\r\n,;|\0"


def read(message: DeliverSm | DataSm, *, allow_unflagged: bool = False) -> ReceiptText | None:
    """Read the receipt in a message, or None when it is none.

    A message is a receipt when its esm_class says so; with `allow_unflagged` also when it carries
    receipted_message_id, or `id:` and `stat:` in its text. One that is flagged but unreadable still comes back,
    with nothing but its raw octets.
    """
    flagged = bool(message.esm_class & _FLAGS)
    if not (flagged or allow_unflagged):
        return None
    raw = octets(message)
    fields = _fields(_text(raw, message), flagged=flagged) if raw else _NO_FIELDS
    ref, state, network_error = _parameters(message.tlvs) if message.tlvs else ("", None, None)
    if not (flagged or ref or ("id" in fields and "stat" in fields)):
        return None
    get = fields.get
    stat, written = get("stat", ""), get("id", "")
    return ReceiptText(
        raw,
        _refs(ref, written),
        state_of(stat) if state is None else state,
        stat,
        get("err", ""),
        network_error,
        get("submit", ""),
        get("done", ""),
        get("sub", ""),
        get("dlvrd", ""),
        get("text", ""),
        flagged,
    )


def state_of(stat: str) -> int | None:
    """Give the message_state number for a `stat` word, shortened or spelled out; None when it names none."""
    word = stat.upper()
    found = _STATES.get(word)
    if found is not None:
        return found
    if len(word) == 1 and word in "0123456789":
        return int(word)
    for stem, state in _STATE_STEMS:
        if word.startswith(stem):
            return state
    return None


def read_date(text: str) -> datetime | None:
    """Read a date of a receipt, 10, 12 or 14 digits, as a moment without time zone; None when it is none."""
    if not (text.isascii() and text.isdigit()):
        return None
    for layout in _DATE_LAYOUTS.get(len(text), ()):
        try:
            return datetime.strptime(text, layout)  # noqa: DTZ007 - a receipt names no time zone
        except ValueError:
            continue
    return None


_DATE_LAYOUTS: Final = {
    10: ("%y%m%d%H%M",),
    12: ("%y%m%d%H%M%S", "%Y%m%d%H%M"),
    14: ("%Y%m%d%H%M%S",),
}


def _text(raw: bytes, message: DeliverSm | DataSm) -> str:
    """Give the text; many SMSCs copy data_coding of the original while the receipt itself is ASCII."""
    if message.esm_class & c.ESM_UDHI:
        raw = split_header(raw)[1]
    if message.data_coding == c.CODING_UCS2 and b"\0" in raw[:2]:
        return raw.decode("utf-16-be", "replace")
    return raw.decode("latin-1")


def _fields(text: str, *, flagged: bool) -> dict[str, str]:
    usual = _USUAL.match(text)
    if usual is not None:
        return dict(zip(_USUAL_FIELDS, usual.groups(""), strict=True))
    found = _labelled(text)
    if flagged and "id" not in found and "stat" not in found:
        return _listed(text) or found
    return found


def _labelled(text: str) -> dict[str, str]:
    """Read every field by its own label; the first of each counts.

    A text that follows both id and stat reaches to the end, because it may hold anything.
    """
    found: dict[str, str] = {}
    labels = list(_LABEL.finditer(text))
    ends = [label.start() for label in labels[1:]]
    ends.append(len(text))
    for label, end in zip(labels, ends, strict=False):
        name = _FIELDS[label[1].lower()]
        if name == "text" and "id" in found and "stat" in found:
            found.setdefault(name, text[label.end() :])
            break
        if name in _WHOLE:
            found.setdefault(name, text[label.end() : end].strip(_SEPARATORS))
        else:
            word = _WORD.search(text, label.end(), end)
            found.setdefault(name, word[0] if word else "")
    return found


def _listed(text: str) -> dict[str, str]:
    """Read a list without labels, or with labels as items of their own: a ref, dates, a stat, an error."""
    items = [item.strip(_SEPARATORS) for item in re.split(r"[,;|]", text)]
    if items[0].lower() == "id":
        pairs = zip(items[::2], items[1::2], strict=False)
        names = ((_FIELDS.get(name.lower()), value) for name, value in pairs)
        return {name: value for name, value in names if name}
    found: dict[str, str] = {}
    for item in items:
        _place(item, found)
    return found if "stat" in found else {}


def _place(item: str, found: dict[str, str]) -> None:
    """Put one item of a list without labels where it fits best."""
    if "stat" not in found and item.isalpha() and state_of(item) is not None:
        found["stat"] = item
    elif "id" not in found and _REF.match(item):
        found["id"] = item
    elif _DATE.match(item):
        found["done" if "submit" in found else "submit"] = item
    elif "stat" in found and _REF.match(item):
        found.setdefault("err", item)


def _parameters(tlvs: tlv.Tlvs) -> tuple[str, int | None, tuple[int, int] | None]:
    """Read ref, state and network error (its kind, then the code) from the first parameter of each that has a value."""
    ref, state, network_error = "", None, None
    for tag, value in tlvs:
        if tag == tlv.RECEIPTED_MESSAGE_ID:
            ref = ref or value.partition(b"\0")[0].decode("latin-1")
        elif not value:
            continue
        elif tag == tlv.MESSAGE_STATE and state is None:
            state = int.from_bytes(value, "big")
        elif tag == tlv.NETWORK_ERROR_CODE and network_error is None:
            network_error = value[0], int.from_bytes(value[1:], "big")
    return ref, state, network_error


def _refs(ref: str, written: str) -> tuple[str, ...]:
    if ref and written and ref != written:
        return ref, written
    return (ref or written,) if ref or written else ()
