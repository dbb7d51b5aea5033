"""A provider's statement about what became of a message or of one of its segments."""

from dataclasses import dataclass

from loa.domain.lifecycle import State


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt, raw and read.

    `refs`: the forms under which its provider reference may be stored, best first; the first is the one as received.
    `state`: the state it proves, or None where it only informs (en route, accepted, unknown).
    `destination`: the number it speaks of, digits only, or 0; a match under any but the first form needs it to agree.
    `detail`: the provider's own words or error code.
    Units: received_at and done_at in milliseconds, done_at 0 if unsaid.
    """

    channel_id: int
    refs: tuple[str, ...]
    state: State | None
    stat: str
    destination: int
    detail: str
    raw: bytes
    received_at: int
    done_at: int = 0
    sure: bool = False
    """Each of its forms is a reference on its own, and none a guess: then the number need not agree."""


def stored_form(ref: str) -> str:
    """Give the form under which a provider reference is stored and compared: lower case, no leading zeros.

    Source: peers answer with other case and padding than they report with; see docs/reference/channels/smpp.md.
    """
    return ref.strip().lower().lstrip("0") or "0"
