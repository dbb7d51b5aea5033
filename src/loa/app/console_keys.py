"""The keys that the console sends with: a few for each tenant, made when they are first needed; nobody has their secrets."""

from enum import Enum
from typing import Final

from loa.domain import keys
from loa.domain.keys import Permission
from loa.ports.clock import Clock
from loa.ports.ledger import Directory
from loa.ports.records import ApiKey
from loa.stages.registry import Principal, Registry


class Use(Enum):
    """What a key is for: its mark, a permission that nobody can ask for, tells it from all others; its name."""

    PAGES = ("console", "console")
    BATCHES = ("console:batches", "console (batches)")
    """Strict about request ids: the same one with another body is refused, and so nothing is sent twice."""

    @property
    def mark(self) -> str:
        """The permission."""
        return self.value[0]

    def name(self, *, live: bool) -> str:
        """Give the name that people see."""
        return self.value[1] if live else f"{self.value[1]} (test)"


STRICT: Final = frozenset({Use.BATCHES})


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
            await self._directory.add_key(self.new(tenant_id, live=live, use=use))
            await self._registry.refresh()
            known = self._held(tenant_id, live, use)
        assert known is not None
        return known

    async def of_batches(self, tenant_id: int, live: bool) -> Principal:  # noqa: FBT001 - see stages.batches.Principals
        """Give who a tenant's batches are sent by. Errors: StorageError."""
        return self._held(tenant_id, live, Use.BATCHES) or await self.principal(tenant_id, live=live, use=Use.BATCHES)

    def new(self, tenant_id: int, *, live: bool, use: Use = Use.PAGES) -> ApiKey:
        """Make a key that is not kept yet."""
        minted = keys.mint(live=live)
        return ApiKey(
            id=0,
            tenant_id=tenant_id,
            name=use.name(live=live),
            digest=minted.digest,
            display=minted.display,
            live=live,
            permissions=frozenset({Permission.SEND.value, use.mark}),
            request_id_mode="strict" if use in STRICT else "fingerprint",
            created_at=self._clock.now(),
        )

    def _held(self, tenant_id: int, live: bool, use: Use) -> Principal | None:  # noqa: FBT001
        held = self._registry.snapshot.principals.values()
        fitting = (
            each for each in held if each.tenant_id == tenant_id and each.key.live is live and each.may(use.mark)
        )
        return next((each for each in fitting if each.key.revoked_at is None), None)
