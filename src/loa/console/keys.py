"""API keys: those of a tenant, how long they are good, when they were used, and one of them alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from loa.console.pages import render
from loa.console.parts import Parts
from loa.console.place import place_of
from loa.ports.records import ApiKey, Endpoint

PATH: Final = "/console/keys"
DAY_MS: Final = 86_400_000
WARNINGS: Final = ((1, "bad"), (7, "warn"), (30, "plain"))
"""From how many days before its end a key's end is shown, and how."""
WORD_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class Standing:
    """How long a key is good. `name`: valid, ending, expired or revoked; `left`: until its end. Units: milliseconds."""

    name: str
    tone: str
    left: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A key as it is shown. `endpoint`: where its messages are reported, "" for nowhere of its own."""

    key: ApiKey
    standing: Standing
    endpoint: str

    @property
    def word(self) -> str:
        """What has to be typed before it is revoked: the last characters of the key."""
        return self.key.display[-WORD_LENGTH:]


def standing(key: ApiKey, now: int) -> Standing:
    """Tell how long a key is good."""
    if key.revoked_at is not None:
        return Standing("revoked", "plain")
    if key.expires_at is None:
        return Standing("valid", "good")
    left = key.expires_at - now
    if left <= 0:
        return Standing("expired", "bad")
    for days, tone in WARNINGS:
        if left <= days * DAY_MS:
            return Standing("ending", tone, left)
    return Standing("valid", "good", left)


def line(key: ApiKey, endpoints: Iterable[Endpoint], now: int) -> Line:
    """Put together what is shown of a key."""
    urls = {each.id: each.url for each in endpoints}
    own = "" if key.endpoint_id is None else urls.get(key.endpoint_id, str(key.endpoint_id))
    return Line(key, standing(key, now), own)


async def key_of(parts: Parts, wanted: str) -> ApiKey | None:
    """Give the key of an id as it stands in an address; None where there is none."""
    return next((each for each in await parts.ledger.keys() if str(each.id) == wanted), None)


async def keys(request: Request, parts: Parts) -> Response:
    """Show the keys of a tenant, those that are revoked only when asked for."""
    place = await place_of(request, parts)
    with_revoked = request.query_params.get("revoked") == "1"
    tenant = place.tenant.id if place.tenant is not None else None
    endpoints = await parts.ledger.endpoints(tenant) if tenant is not None else []
    own = [each for each in await parts.ledger.keys() if each.tenant_id == tenant]
    shown = [line(each, endpoints, parts.clock.now()) for each in own if with_revoked or each.revoked_at is None]
    return render(
        request,
        "keys.html",
        **place.values(),
        lines=shown,
        with_revoked=with_revoked,
        revoked=sum(each.revoked_at is not None for each in own),
    )


async def key(request: Request, parts: Parts) -> Response:
    """Show one key with all it may do, and the ways to another one and to its end."""
    return await show(request, parts)


async def show(request: Request, parts: Parts, wrong: str = "") -> Response:
    """Show the page of a key; `wrong`: why it could not be revoked."""
    found = await key_of(parts, request.path_params["key_id"])
    if found is None:
        return render(request, "missing.html", status=404)
    place = await place_of(request, parts)
    owner = next((each.name for each in place.tenants if each.id == found.tenant_id), "")
    shown = line(found, await parts.ledger.endpoints(found.tenant_id), parts.clock.now())
    return render(
        request, "key.html", status=422 if wrong else 200, **place.values(), line=shown, owner=owner, wrong=wrong
    )
