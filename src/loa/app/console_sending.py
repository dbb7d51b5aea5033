"""The console's way into intake."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from loa.api.problems import sentence
from loa.api.texts import Language as Spoken
from loa.api.vendor.body import read_send
from loa.app.console_keys import ConsoleKeys, console_key
from loa.console.http import address_of
from loa.console.language import Language
from loa.domain.roles import May, may
from loa.domain.rules import Finding
from loa.errors import Forbidden
from loa.ports.clock import Clock
from loa.ports.ledger import Directory
from loa.ports.records import Tenant
from loa.stages.explain import Explanation
from loa.stages.intake import Intake
from loa.stages.registry import Principal, Registry
from loa.stages.request import SendRequest, Taken, fingerprint
from loa.stages.signing_in import SigningIn


class ConsoleSending:
    """See loa.console.sending.Sending."""

    def __init__(
        self, intake: Intake, registry: Registry, directory: Directory, clock: Clock, signing: SigningIn
    ) -> None:
        self._intake = intake
        self._registry = registry
        self._clock = clock
        self._keys = ConsoleKeys(registry, directory, clock)
        self._signing = signing

    async def explain(self, tenant: Tenant, body: Mapping[str, Any], *, live: bool = True) -> Explanation:
        """See loa.console.sending.Sending."""
        wanted = _read(body)
        await self._registry.refresh()
        view = self._registry.snapshot.views[tenant.id]
        return self._intake.explain(Principal(console_key(tenant.id, self._clock.now(), live=live), view, None), wanted)

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
        principal = await self._keys.principal(tenant.id, live=live)
        return await self._intake.submit(principal, wanted, fingerprint(wanted) if wanted.request_id else b"")

    def sentence(self, finding: Finding, language: Language) -> str:
        """See loa.console.sending.Sending."""
        return sentence(finding.code, Spoken(language), finding.values)


def _read(body: Mapping[str, Any]) -> SendRequest:
    return read_send(json.dumps(body).encode())
