"""What the simulated platform does with requests, each as the script says; and what becomes of messages."""

import json
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from loa.simulators.alarms import Alarms
from loa.simulators.journal import Journal
from loa.simulators.waits import Waits
from loa.simulators.zalo import notices, oauth
from loa.simulators.zalo.exchange import Connection, Exchange, answer
from loa.simulators.zalo.judge import Fate, Subject
from loa.simulators.zalo.mail import Mail
from loa.simulators.zalo.platform import Case, Platform
from loa.simulators.zalo.routes import CONSENT_PATH, ROUTES, Route
from loa.simulators.zalo.script import Fault, ZaloScript
from loa.simulators.zalo.state import Message
from loa.simulators.zalo.watch import Accepted, Declined, Granted, Shown, Spoilt, Watcher

HTML: Final = b"text/html;charset=UTF-8"
PAGE: Final = b"<!DOCTYPE html><html><head><title>Zalo</title></head><body><h1>Zalo</h1></body></html>"
_RATE: Final = json.dumps({"error": -32, "message": "Request rate limit of the app is exceeded"}).encode()
_SHAPELESS: Final = json.dumps(
    {
        "error_name": "Internal error",
        "error_reason": "try again",
        "error_description": "try again",
        "ref_doc": "",
    }
).encode()


class Desk:
    """The owner of all connections: everything the simulator does, without its socket."""

    def __init__(self, platform: Platform, journal: Journal, emit: Watcher, keep: int) -> None:
        self.platform = platform
        self._clock = platform.clock
        self._journal = journal
        self._emit = emit
        self._alarms = Alarms(platform.clock)
        self.counts = platform.counts
        self.waits = Waits(self.counts)
        self.connections: set[Connection] = set()
        self.accepted: deque[Accepted] = deque(maxlen=keep)
        self.shown: deque[Shown] = deque(maxlen=keep)
        self.mail = Mail(platform, self._alarms, journal, emit, self.waits)

    def change(self, script: ZaloScript, *, recount: bool) -> None:
        """Put another script in force."""
        self.platform.judge.change(script, recount=recount)
        self.mail.change(recount=recount)

    async def close(self) -> None:
        """Cut every connection and forget what was still to come."""
        self._alarms.clear()
        await self.mail.poster.close()
        for connection in tuple(self.connections):
            connection.cut()

    # --- what connections tell ---

    def opened(self, connection: Connection) -> None:
        """Note a new connection."""
        self.connections.add(connection)
        self.counts.connections += 1
        self.waits.changed()

    def lost(self, connection: Connection) -> None:
        """Forget a connection."""
        self.connections.discard(connection)
        self.counts.connections -= 1
        self.waits.changed()

    def requested(self, exchange: Exchange) -> None:
        """Do what a client asks."""
        self.counts.requests += 1
        route = ROUTES.get((exchange.method, exchange.path))
        if route is not None:
            self._serve(exchange, route)
        elif exchange.method == b"GET" and exchange.path == CONSENT_PATH:
            self._consent(exchange)
        else:
            self.counts.unknown_paths += 1
            self._write(exchange, answer(PAGE, 404, HTML))
        self.waits.changed()

    def _consent(self, exchange: Exchange) -> None:
        way_back, failure = oauth.consent(self.platform, exchange)
        self._write(exchange, way_back or self._failed(failure))

    def _failed(self, failure: Mapping[str, Any]) -> bytes:
        return answer(_json(failure), self.platform.script.oauth_failure_status)

    # --- one request ---

    def _serve(self, exchange: Exchange, route: Route) -> None:
        case = route.read(self.platform, exchange)
        fate = self.platform.judge.fate(case.subject, self._clock.monotonic())
        if route.limited and case.oa is not None:
            fate = self._limited(case, fate)
        fault = fate.fault
        if fault is not None and not fault.takes_effect:
            payload: Mapping[str, Any] = {}
        elif code := case.code or fate.code:
            case.code = code
            payload = route.error(code, case.detail)
            if case.subject.surface != "reading":
                case.line = self._refused_line(case)
        else:
            payload = case.commit()
        self._journal.append(case.line, partial(self._settle, exchange, case, fate, payload))

    def _limited(self, case: Case, fate: Fate) -> Fate:
        """Count a call against the app's rate, and say so in the headers of its answer."""
        limit = self.platform.script.oa_rate_per_minute
        if limit <= 0 or case.oa is None:
            return fate
        left = self.platform.judge.oa_calls_left(case.oa.told.app_id, self._clock.now())
        case.headers = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remain": str(max(left, 0))}
        return Fate(fault=Fault("rate")) if left < 0 else fate

    def _refused_line(self, case: Case) -> dict[str, Any]:
        subject = case.subject
        return {
            "kind": "refused",
            "at": self._clock.now(),
            "surface": subject.surface,
            "destination": subject.destination,
            "templateId": subject.template_id,
            "key": subject.key if subject.surface != "oauth" else "",
            "code": case.code,
        }

    def _settle(self, exchange: Exchange, case: Case, fate: Fate, payload: Mapping[str, Any]) -> None:
        """Go on with a request that is on disk."""
        fault, message = fate.fault, case.message
        if case.code:
            self._decline(case)
        if message is not None:
            self._accept(message)
        elif case.line is not None and case.line["kind"] == "tokens":
            self._grant(case.line)
        early = message if self.platform.script.early_events else None
        if early is not None:
            self._deliver(early)
        after = partial(self._answer, exchange, case, fate, payload)
        self._alarms.after(fate.delay_s + (fault.seconds if fault is not None else 0.0), after)
        self.waits.changed()

    def _decline(self, case: Case) -> None:
        subject = case.subject
        self.counts.refused += 1
        self.counts.codes[case.code] += 1
        self._emit(Declined(self._clock.now(), subject.surface, subject.destination, subject.template_id, case.code))

    def _accept(self, message: Message) -> None:
        told = Accepted(
            message.at,
            message.surface,
            message.oa.told.oa_id,
            message.destination,
            message.template_id,
            message.tracking_id,
            message.message_id,
        )
        self.counts.accepted += 1
        self.accepted.append(told)
        self._emit(told)

    def _grant(self, line: Mapping[str, Any]) -> None:
        if line["grant"] == "code":
            self.counts.exchanges += 1
        else:
            self.counts.refreshes += 1
        self._emit(Granted(line["at"], line["oaId"], line["grant"]))

    def _answer(self, exchange: Exchange, case: Case, fate: Fate, payload: Mapping[str, Any]) -> None:
        if fate.fault is None:
            status = self.platform.script.oauth_failure_status if case.code and case.subject.surface == "oauth" else 200
            self._write(exchange, answer(_json(payload), status, headers=case.headers))
        else:
            self._spoil(exchange, case, fate.fault, payload)
        message = case.message
        if message is not None and not self.platform.script.early_events:
            self._deliver(message)
        for body, marked in case.events:
            if case.oa is not None:
                self.mail.post(case.oa, body, marked=marked)
        self.waits.changed()

    def _spoil(self, exchange: Exchange, case: Case, fault: Fault, payload: Mapping[str, Any]) -> None:
        self.counts.spoilt += 1
        subject, done = case.subject, fault.takes_effect
        self._emit(Spoilt(self._clock.now(), subject.surface, subject.destination, fault.does, done))
        raw = answer(_json(payload))
        match fault.does:
            case "silent":
                pass
            case "reset":
                exchange.reset()
            case "truncated":
                exchange.break_off(raw[: len(raw) - 10])
            case "page":
                self._write(exchange, answer(PAGE, fault.status or 200, HTML))
            case "status":
                self._write(exchange, answer(PAGE, fault.status or 500, HTML))
            case "rate":
                headers = case.headers or {"X-RateLimit-Limit": "4000", "X-RateLimit-Remain": "0"}
                self._write(exchange, answer(_RATE, headers={**headers, "X-RateLimit-Remain": "0"}))
            case "shapeless":
                self._write(exchange, answer(_SHAPELESS, fault.status or 200))
            case "slow":
                self._write(exchange, raw)

    def _write(self, exchange: Exchange, raw: bytes) -> None:
        self.counts.answered += 1
        exchange.answer(raw)

    # --- what becomes of messages ---

    def _deliver(self, message: Message) -> None:
        key = f"{message.destination}/{message.tracking_id or message.message_id}"
        destination = message.oa.msisdn_of(message.destination)
        if self.platform.judge.delivers(Subject(message.surface, destination, message.template_id, key)):
            self._alarms.after(self.platform.script.delivery_delay_s, partial(self._reach, message))

    def _reach(self, message: Message) -> None:
        """Let a message reach its phone."""
        now = self._clock.now()
        message.delivered_at = now
        self.counts.delivered += 1
        self.counts.shown += 1
        destination = message.oa.msisdn_of(message.destination)
        shown = Shown(now, message.oa.told.name, destination, message.kind, message.text, message.message_id)
        self.shown.append(shown)
        self._emit(shown)
        self.mail.post(message.oa, notices.received(message, now), marked=message.surface == "number")
        if self.platform.script.seen and message.surface != "number":
            self._alarms.after(self.platform.script.seen_delay_s, partial(self._see, message))
        self.waits.changed()

    def _see(self, message: Message) -> None:
        seen = {"msg_ids": [message.message_id]}
        body = notices.from_oa(message.oa, message.destination, "user_seen_message", self._clock.now(), message=seen)
        self.mail.post(message.oa, body, marked=False)
        self.waits.changed()


def _json(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
