"""Whose messages a page is about."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from loa.console.parts import Parts
from loa.ports.records import Tenant


@dataclass(frozen=True, slots=True)
class Place:
    """The tenants there are, the one looked at, and its name where the address names it."""

    tenants: tuple[Tenant, ...]
    tenant: Tenant | None
    named: str

    def values(self) -> dict[str, Any]:
        """Give what the layout wants to know."""
        return {"tenants": self.tenants, "tenant": self.tenant, "tenant_named": self.named}


async def place_of(request: Request, parts: Parts) -> Place:
    """Read the tenant that the address names, else the first; None where there is none."""
    tenants = tuple(await parts.ledger.tenants())
    named = request.query_params.get("tenant", "")
    for each in tenants:
        if each.name == named:
            return Place(tenants, each, named)
    return Place(tenants, tenants[0] if tenants else None, "")
