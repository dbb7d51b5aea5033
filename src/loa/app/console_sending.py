"""The console's way into intake: each tenant has two keys of its own for it, whose secrets nobody has ever seen."""

import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request

from loa.api.problems import sentence
from loa.api.texts import Language as Spoken
from loa.api.vendor.body import read_send
from loa.api.vendor.send import fingerprint
from loa.console.http import address_of
from loa.console.language import Language
from loa.domain import keys
from loa.domain.keys import Permission
from loa.domain.roles import May, may
from loa.domain.rules import Finding
from loa.errors import Forbidden
from loa.ports.clock import Clock
from loa.ports.ledger import Directory
from loa.ports.records import ApiKey, Tenant
from loa.stages.explain import Explanation
from loa.stages.intake import Intake
from loa.stages.registry import Principal, Registry
from loa.stages.request import SendRequest, Taken
from loa.stages.signing_in import SigningIn

MARK: Final = "console"
"""A permission that nobody can ask for: it tells the console's keys from all others."""
NAMES: Final = {True: "console", False: "console (test)"}


class ConsoleSending:
    """See loa.console.sending.Sending."""

    def __init__(
        self, intake: Intake, registry: Registry, directory: Directory, clock: Clock, signing: SigningIn
    ) -> None:
        self._intake = intake
        self._registry = registry
        self._directory = directory
        self._clock = clock
        self._signing = signing

    async def explain(self, tenant: Tenant, body: Mapping[str, Any], *, live: bool = True) -> Explanation:
        """See loa.console.sending.Sending."""
        wanted = _read(body)
        await self._registry.refresh()
        view = self._registry.snapshot.views[tenant.id]
        return self._intake.explain(Principal(console_key(tenant, self._clock.now(), live=live), view, None), wanted)

    async def submit(self, request: Request, tenant: Tenant, body: Mapping[str, Any], *, live: bool = True) -> Taken:
        """See loa.console.sending.Sending."""
        user = request.state.user
        if not may(user.role, May.SEND):
            raise Forbidden("forbidden", f"the role {user.role} does not allow sending")
        wanted = _read(body)
        told = {
            "sender": wanted.sender,
            "class": wanted.traffic_class.label,
            "destinations": len(wanted.destinations),
            "live": live,
            "tenant": tenant.name,
        }
        address = address_of(request.scope)
        await self._signing.note(user, "messages.send", wanted.request_id, after=told, address=address)
        principal = await self._principal(tenant, live=live)
        return await self._intake.submit(principal, wanted, fingerprint(wanted) if wanted.request_id else b"")

    def sentence(self, finding: Finding, language: Language) -> str:
        """See loa.console.sending.Sending."""
        return sentence(finding.code, Spoken(language), finding.values)

    async def _principal(self, tenant: Tenant, *, live: bool) -> Principal:
        await self._registry.refresh()
        known = self._held(tenant, live=live)
        if known is None:
            await self._directory.add_key(console_key(tenant, self._clock.now(), live=live))
            await self._registry.refresh()
            known = self._held(tenant, live=live)
        assert known is not None
        return known

    def _held(self, tenant: Tenant, *, live: bool) -> Principal | None:
        held = self._registry.snapshot.principals.values()
        fitting = (each for each in held if each.tenant_id == tenant.id and each.key.live is live and each.may(MARK))
        return next((each for each in fitting if each.key.revoked_at is None), None)


def console_key(tenant: Tenant, now: int, *, live: bool) -> ApiKey:
    """Make a key for what the console sends for a tenant; its secret is forgotten at once."""
    minted = keys.mint(live=live)
    return ApiKey(
        id=0,
        tenant_id=tenant.id,
        name=NAMES[live],
        digest=minted.digest,
        display=minted.display,
        live=live,
        permissions=frozenset({Permission.SEND.value, MARK}),
        created_at=now,
    )


def _read(body: Mapping[str, Any]) -> SendRequest:
    return read_send(json.dumps(body).encode())
