"""What the simulated platform tells whoever watches it, and what it counts."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message was accepted. `surface`: number, user or consultation. `destination`: number, hash or user id."""

    at: int
    surface: str
    oa_id: str
    destination: str
    template_id: str
    tracking_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Declined:
    """One request was refused with a code."""

    at: int
    surface: str
    destination: str
    template_id: str
    code: int


@dataclass(frozen=True, slots=True)
class Spoilt:
    """The answer to one request was spoilt as scripted. `done`: it took effect all the same."""

    at: int
    surface: str
    destination: str
    fault: str
    done: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A phone shows a message. `text`: as it reads there. `kind`: text, template or what else it is."""

    at: int
    oa_name: str
    destination: str
    kind: str
    text: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Granted:
    """A pair of tokens was given. `grant`: code or refresh."""

    at: int
    oa_id: str
    grant: str


@dataclass(frozen=True, slots=True)
class Posted:
    """An event was posted. `tries`: how often so far. `status`: of the answer, 0 for none."""

    at: int
    event: str
    tries: int
    status: int


ZaloEvent = Accepted | Declined | Spoilt | Shown | Granted | Posted
Watcher = Callable[[ZaloEvent], None]


@dataclass(slots=True)
class ZaloCounts:
    """What happened since the start; `connections` and `events_waiting` are what there is now.

    `accepted` counts messages, by whichever surface. `double_refresh`: refresh tokens that came although they had been
    spent. `bad_tokens`: requests with an access token that is not valid. `codes`: refusals by code.
    """

    connections: int = 0
    requests: int = 0
    accepted: int = 0
    refused: int = 0
    spoilt: int = 0
    answered: int = 0
    delivered: int = 0
    shown: int = 0
    consents: int = 0
    exchanges: int = 0
    refreshes: int = 0
    double_refresh: int = 0
    bad_tokens: int = 0
    uploads: int = 0
    unknown_paths: int = 0
    events: int = 0
    events_taken: int = 0
    events_retried: int = 0
    events_lost: int = 0
    events_waiting: int = 0
    addresses_off: int = 0
    codes: Counter[int] = field(default_factory=Counter)


def count_values(counts: ZaloCounts) -> dict[str, Any]:
    """Give the counts as plain values of a JSON document."""
    values = {each.name: getattr(counts, each.name) for each in fields(counts)}
    return {**values, "codes": {str(code): number for code, number in counts.codes.items()}}
