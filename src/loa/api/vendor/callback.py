"""`POST /api/vendor/v1/sms/callback`: a gateway of the same family reports what became of a message.

The report is answered 200 only when it is on disk, so that the reporting side sends it again otherwise.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_plus

from loa.api.auth import KEY_HEADER, Authenticator, require
from loa.api.bodies import read_json_body
from loa.api.boundary import Receive, Scope
from loa.api.texts import Language
from loa.api.vendor import envelope
from loa.api.vendor.body import REPORT_FIELDS, read_report
from loa.api.vendor.envelope import Reply
from loa.domain.keys import Permission
from loa.domain.receipt import Receipt
from loa.domain.rules import Finding, denial, refusal
from loa.errors import StorageUnavailable, Unauthorised
from loa.ports.channel import ReceiptSink
from loa.ports.clock import Clock
from loa.ports.records import ChannelRecord
from loa.stages.registry import Principal, Registry

REPORT_LIMIT = 64 * 1024
STORE_WAIT_S = 20.0

ReportReader = Callable[[int, Mapping[str, Any], int], Receipt | None]
"""Reads a report for a channel at a time, as `Provider.read_report` does."""


SignatureCheck = Callable[[str, Mapping[str, str], bytes, int], bool]
"""Tells whether a request was signed with a secret, from its headers and body, at a time."""

SIGNATURE, KEY = "webhook-signature", KEY_HEADER.decode()


def unsigned(_secret: str, _headers: Mapping[str, str], _body: bytes, _now: int) -> bool:
    """Trust no signature."""
    return False


class ReportCallback:
    """Handles reports. `readers`: for each provider that takes reports over HTTP, how it reads them.

    A report comes with a key of ours, or signed by an upstream whose secret the channel knows, which it names.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        registry: Registry,
        readers: Mapping[str, ReportReader],
        sink: ReceiptSink,
        clock: Clock,
        is_signed: SignatureCheck = unsigned,
    ) -> None:
        self._authenticator = authenticator
        self._registry = registry
        self._readers = readers
        self._sink = sink
        self._clock = clock
        self._is_signed = is_signed

    async def __call__(self, scope: Scope, receive: Receive, language: Language) -> Reply:
        """Store a report and answer it. Errors: those of the steps, all LoaError."""
        headers, client = scope["headers"], scope.get("client")
        named = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        if SIGNATURE in named and KEY not in named:
            body = await read_json_body(headers, receive, REPORT_LIMIT)
            channel = self._signing_channel(_named_channel(scope), named, body)
            fields = read_report(body)
        else:
            principal = self._authenticator.from_headers(headers, client[0] if client else None)
            require(principal, Permission.REPORT)
            fields = read_report(await read_json_body(headers, receive, REPORT_LIMIT))
            channel = self._reporting_channel(principal, _named_channel(scope))
        receipt = self._readers[channel.provider](channel.id, fields, self._clock.now())
        if receipt is None:
            raise refusal(Finding("body", "report_unreadable"))
        await self._store(receipt)
        return envelope.report_stored({name: fields.get(name) for name in REPORT_FIELDS}, language)

    def _signing_channel(self, name: str, headers: Mapping[str, str], body: bytes) -> ChannelRecord:
        """Give the named channel whose upstream signed the report. Errors: Unauthorised."""
        channel = self._registry.channel_named(name)
        if channel is None or channel.provider not in self._readers:
            raise Unauthorised
        secret = str(channel.settings.get("report_secret") or "")
        if not secret or not self._is_signed(secret, headers, body, self._clock.now()):
            raise Unauthorised
        return channel

    def _reporting_channel(self, principal: Principal, name: str) -> ChannelRecord:
        """Give the channel that a tenant's routes use and that takes reports; the named one where there are several."""
        used = {channel_id for route in principal.view.routes for channel_id in route.channels}
        known = (self._registry.channel(channel_id) for channel_id in sorted(used))
        candidates = [channel for channel in known if channel is not None and channel.provider in self._readers]
        if name:
            candidates = [channel for channel in candidates if channel.name == name]
        if not candidates:
            raise denial(Finding("channel", "no_reporting_channel"))
        if len(candidates) > 1:
            raise refusal(Finding("channel", "channel_choose"))
        return candidates[0]

    async def _store(self, receipt: Receipt) -> None:
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def done(on_disk: bool) -> None:
            if not stored.done():
                stored.set_result(on_disk)

        self._sink(receipt, done)
        try:
            async with asyncio.timeout(STORE_WAIT_S):
                on_disk = await stored
        except TimeoutError as late:
            raise StorageUnavailable("a report was not stored in time") from late
        if not on_disk:
            raise StorageUnavailable("a report could not be stored")


def _named_channel(scope: Scope) -> str:
    query: str = scope.get("query_string", b"").decode("latin-1")
    return next((unquote_plus(pair[8:]) for pair in query.split("&") if pair.startswith("channel=")), "")
