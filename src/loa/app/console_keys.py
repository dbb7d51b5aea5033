"""The keys that the console sends with: made when they are first needed, and nobody has their secrets."""

from enum import StrEnum
from typing import Final

from loa.domain import keys
from loa.domain.keys import Permission
from loa.ports.clock import Clock
from loa.ports.ledger import Directory
from loa.ports.records import ApiKey
from loa.stages.registry import Principal, Registry


class Use(StrEnum):
    """What a key is for, and a permission that nobody can ask for: it tells the key from all others."""

    PAGES = "console"
    BATCHES = "console:batches"


NAMES: Final = {
    (Use.PAGES, True): "console",
    (Use.PAGES, False): "console (test)",
    (Use.BATCHES, True): "console (batches)",
    (Use.BATCHES, False): "console (batches, test)",
}
MODES: Final = {Use.PAGES: "fingerprint", Use.BATCHES: "strict"}
"""Batches refuse a request id that comes with another body, and so send nothing twice."""


class ConsoleKeys:
    """Gives the console's principals."""

    def __init__(self, registry: Registry, directory: Directory, clock: Clock) -> None:
        self._registry = registry
        self._directory = directory
        self._clock = clock

    async def principal(self, tenant_id: int, *, live: bool, use: Use = Use.PAGES) -> Principal:
        """Give a tenant's principal, with a key that is made where there is none. Errors: StorageError."""
        await self._registry.refresh()
        known = self._held(tenant_id, live, use)
        if known is None:
            await self._directory.add_key(console_key(tenant_id, self._clock.now(), live=live, use=use))
            await self._registry.refresh()
            known = self._held(tenant_id, live, use)
        assert known is not None
        return known

    async def of_batches(self, tenant_id: int, live: bool) -> Principal:
        """Give who a tenant's batches are sent by: see stages.batches.Principals. Errors: StorageError."""
        return self._held(tenant_id, live, Use.BATCHES) or await self.principal(tenant_id, live=live, use=Use.BATCHES)

    def _held(self, tenant_id: int, live: bool, use: Use) -> Principal | None:
        held = self._registry.snapshot.principals.values()
        fitting = (
            each for each in held if each.tenant_id == tenant_id and each.key.live is live and each.may(use.value)
        )
        return next((each for each in fitting if each.key.revoked_at is None), None)


def console_key(tenant_id: int, now: int, *, live: bool, use: Use = Use.PAGES) -> ApiKey:
    """Make a key for what the console sends for a tenant; its secret is forgotten at once."""
    minted = keys.mint(live=live)
    return ApiKey(
        id=0,
        tenant_id=tenant_id,
        name=NAMES[use, live],
        digest=minted.digest,
        display=minted.display,
        live=live,
        permissions=frozenset({Permission.SEND.value, use.value}),
        request_id_mode=MODES[use],
        created_at=now,
    )
