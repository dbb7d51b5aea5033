"""Which submissions of a commit are new, which repeat one that is known, and which clash with one.

Shared by the engines: they look the known ones up and write down what is placed here.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from loa.ports.records import AcceptResult, Clash, NewSubmission, Repeat, Stored


@dataclass(frozen=True, slots=True)
class _Known:
    fingerprint: str
    at: int
    referent_id: str
    token: str
    answer: str


@dataclass(slots=True)
class Placing:
    """The placing of one commit.

    `fresh`: what is to be written; `keyed`: those of them with a request id to keep; `warnings`: rows for the tenant.
    """

    keep_ms: int
    fresh: list[NewSubmission] = field(default_factory=list)
    keyed: list[NewSubmission] = field(default_factory=list)
    warnings: list[list[Any]] = field(default_factory=list)
    _known: dict[tuple[int, str], list[_Known]] = field(default_factory=dict)

    def know(self, rows: Iterable[Any]) -> None:
        """Take up submissions that are stored: tenant, request id, fingerprint, time, referent, token, answer."""
        for tenant_id, request_id, fingerprint, at, referent_id, token, answer in rows:
            entry = _Known(fingerprint.lower(), at, referent_id, token, answer)
            self._known.setdefault((tenant_id, request_id), []).append(entry)

    def place(self, new: NewSubmission) -> AcceptResult:
        """Say what becomes of a submission, also beside those of its own commit."""
        reused = False
        if new.request_id and new.fingerprint:
            key = (new.tenant_id, new.request_id)
            fingerprint = new.fingerprint.hex()
            entries = [e for e in self._known.get(key, ()) if e.at > new.accepted_at - self.keep_ms]
            for entry in entries:
                if entry.fingerprint == fingerprint:
                    return Repeat(entry.referent_id, entry.token, json.loads(entry.answer))
            reused = bool(entries)
            if reused and new.strict:
                return Clash()
            entry = _Known(fingerprint, new.accepted_at, new.referent_id, new.token, json.dumps(dict(new.answer)))
            self._known.setdefault(key, []).append(entry)
            self.keyed.append(new)
        if reused:
            self.warnings.append([new.tenant_id, new.accepted_at, "request_id_reused", new.request_id])
        self.fresh.append(new)
        return Stored(reused)


def wanted_keys(submissions: Iterable[NewSubmission]) -> set[tuple[int, str]]:
    """Name the (tenant, request id) pairs under which known submissions are to be looked up."""
    return {(s.tenant_id, s.request_id) for s in submissions if s.request_id and s.fingerprint}


def as_json(members: Any) -> str:
    """Write a mapping as it is stored."""
    return json.dumps(dict(members), ensure_ascii=False) if members else "{}"
