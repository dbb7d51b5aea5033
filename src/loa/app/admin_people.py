"""What an admin does with tenants, their API keys and their senders."""

import ipaddress
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from loa.domain import keys
from loa.domain.callback_body import utc_text
from loa.domain.rules import sender_fits
from loa.domain.traffic import OnUnknown
from loa.errors import CallerError, NotFound
from loa.ports.clock import Clock
from loa.ports.ledger import Directory
from loa.ports.records import ApiKey, Endpoint, Sender, Tenant

DEFAULT_TENANT: Final = "default"
"""The tenant of those who need only one; made when it is first needed."""
ALL_PERMISSIONS: Final = "all"
_NO_KEY: Final = "there is no such key that is still valid; see: loa keys list"

Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,100}$", strip_whitespace=True)]
ClassName = Literal["otp", "transactional", "advertising"]


class PolicyChange(BaseModel):
    """What changes in a class policy; null goes back to the installation's value. Units: seconds."""

    model_config = ConfigDict(extra="forbid")

    lifetime_s: Annotated[int, Field(ge=1, le=2_592_000)] | None = None
    on_unknown: OnUnknown | None = None
    evidence_wait_s: Annotated[int, Field(ge=0, le=86_400)] | None = None


Shown = dict[str, Any]
"""One thing as it is shown, ready for JSON, in camel case."""


def instant(at: int | None) -> str | None:
    """Write a time, null where there is none."""
    return None if at is None else utc_text(at)


async def tenant_named(ledger: Directory, name: str) -> Tenant:
    """Find a tenant. Errors: NotFound."""
    for tenant in await ledger.tenants():
        if tenant.name == name:
            return tenant
    raise NotFound(f"there is no tenant {name!r}; add it with: loa tenants add {name}")


async def tenant_to_change(ledger: Directory, clock: Clock, name: str) -> Tenant:
    """Find a tenant, making the default one when it is missing. Errors: NotFound."""
    known = {tenant.name: tenant for tenant in await ledger.tenants()}
    if name == DEFAULT_TENANT and name not in known:
        return await ledger.add_tenant(name, clock.now())
    return known.get(name) or await tenant_named(ledger, name)


async def tenant_names(ledger: Directory) -> dict[int, str]:
    """Give the names of all tenants by their ids."""
    return {tenant.id: tenant.name for tenant in await ledger.tenants()}


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, OnUnknown) else value


class People:
    """Tenants, keys and senders."""

    def __init__(self, ledger: Directory, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def add_tenant(self, *, name: Name) -> Shown:
        """Add a tenant. Errors: CallerError when the name is taken."""
        return _tenant(await self._ledger.add_tenant(name, self._clock.now()))

    async def list_tenants(self) -> list[Shown]:
        """List every tenant."""
        return [_tenant(tenant) for tenant in await self._ledger.tenants()]

    async def set_policies(self, *, name: Name, policies: dict[ClassName, PolicyChange]) -> Shown:
        """Change how a tenant's traffic classes are treated; a null goes back to the installation's value.

        Errors: NotFound; CallerError for values that no policy can have.
        """
        tenant = await tenant_to_change(self._ledger, self._clock, name)
        merged = {label: dict(values) for label, values in tenant.policies.items()}
        for label, change in policies.items():
            own = merged.setdefault(label, {})
            own.update(change.model_dump(exclude_unset=True))
            merged[label] = {key: _plain(value) for key, value in own.items() if value is not None}
        kept = {label: values for label, values in merged.items() if values}
        await self._ledger.set_policies(tenant.id, kept)
        return _tenant(replace(tenant, policies=kept))

    async def create_key(
        self,
        *,
        name: Name,
        tenant: Name = DEFAULT_TENANT,
        live: bool = True,
        permissions: tuple[str, ...] = (),
        senders: tuple[str, ...] = (),
        networks: tuple[str, ...] = (),
        expires_at: int | None = None,
        request_id_mode: Literal["off", "fingerprint", "strict"] = "fingerprint",
        success_code: int | None = None,
        endpoint: str = "",
        imported: str = "",
    ) -> Shown:
        """Create a key and show its secret this once; `imported` takes over a key of another gateway instead.

        Errors: NotFound, CallerError.
        """
        owner = await tenant_to_change(self._ledger, self._clock, tenant)
        await self._check_senders(owner, senders)
        reports_to = await self._endpoint(owner, endpoint) if endpoint else None
        minted = self._imported(imported) if imported else keys.mint(live=live)
        await self._check_new(minted.digest)
        wanted = ApiKey(
            id=0,
            tenant_id=owner.id,
            name=name,
            digest=minted.digest,
            display=minted.display,
            live=live,
            permissions=_permissions(permissions),
            senders=senders,
            networks=_networks(networks),
            request_id_mode=request_id_mode,
            success_code=success_code,
            endpoint_id=None if reports_to is None else reports_to.id,
            created_at=self._clock.now(),
            expires_at=self._future(expires_at),
        )
        added = await self._ledger.add_key(wanted)
        return {**_key(added, owner.name), "apiKey": minted.secret}

    async def list_keys(self, *, tenant: Name | None = None) -> list[Shown]:
        """List keys, without their secrets."""
        names = await tenant_names(self._ledger)
        wanted = None if tenant is None else (await tenant_named(self._ledger, tenant)).id
        held = await self._ledger.keys()
        return [_key(key, names.get(key.tenant_id, "")) for key in held if wanted in (None, key.tenant_id)]

    async def rotate_key(self, *, key: str, name: Name | None = None, expires_at: int | None = None) -> Shown:
        """Create a key with the rights of another and show its secret this once; the other stays valid.

        The other is named as `revoke_key` wants it; its expiry is not taken over. Errors: NotFound, CallerError.
        """
        old = await self._valid_key(key)
        minted = keys.mint(live=old.live)
        wanted = replace(
            old,
            id=0,
            name=name or old.name,
            digest=minted.digest,
            display=minted.display,
            created_at=self._clock.now(),
            expires_at=self._future(expires_at),
            last_used_at=None,
        )
        names = await tenant_names(self._ledger)
        added = await self._ledger.add_key(wanted)
        return {**_key(added, names.get(added.tenant_id, "")), "apiKey": minted.secret}

    async def revoke_key(self, *, key: str) -> Shown:
        """Revoke a key, named by its id, its display form or the key itself. Errors: NotFound."""
        names = await tenant_names(self._ledger)
        found, now = await self._valid_key(key), self._clock.now()
        if not await self._ledger.revoke_key(found.id, now):
            raise NotFound(_NO_KEY)
        return _key(replace(found, revoked_at=now), names.get(found.tenant_id, ""))

    async def _valid_key(self, key: str) -> ApiKey:
        found = [each for each in await self._ledger.keys() if key in (str(each.id), each.display)]
        found += [each for each in await self._ledger.keys() if each.digest == keys.digest(key)]
        valid = [each for each in found if each.revoked_at is None]
        if len(valid) > 1:
            raise CallerError("ambiguous_key", "several keys look like this; name one by its id: loa keys list")
        if not valid:
            raise NotFound(_NO_KEY)
        return valid[0]

    async def add_sender(
        self,
        *,
        name: Name,
        tenant: Name = DEFAULT_TENANT,
        kind: Literal["brandname", "short_code", "long_number"] = "brandname",
    ) -> Shown:
        """Add a sender of a tenant; adding it again changes nothing. Errors: CallerError, NotFound."""
        if not sender_fits(name, kind):
            form = "1 to 11 of A-Z a-z 0-9 . _ - and blanks" if kind == "brandname" else "2 to 15 digits"
            raise CallerError("sender_form", f"{name!r} cannot be a {kind.replace('_', ' ')}: it has {form}")
        owner = await tenant_to_change(self._ledger, self._clock, tenant)
        return _sender(await self._ledger.add_sender(owner.id, name, kind), owner.name)

    async def list_senders(self, *, tenant: Name | None = None) -> list[Shown]:
        """List senders."""
        names = await tenant_names(self._ledger)
        wanted = None if tenant is None else (await tenant_named(self._ledger, tenant)).id
        held = await self._ledger.senders()
        return [_sender(each, names.get(each.tenant_id, "")) for each in held if wanted in (None, each.tenant_id)]

    async def _check_senders(self, owner: Tenant, wanted: Iterable[str]) -> None:
        known = {sender.name for sender in await self._ledger.senders() if sender.tenant_id == owner.id}
        for name in wanted:
            if name not in known:
                raise NotFound(f"tenant {owner.name} has no sender {name!r}; add it with: loa senders add {name}")

    async def _endpoint(self, owner: Tenant, wanted: str) -> Endpoint:
        for endpoint in await self._ledger.endpoints(owner.id):
            if wanted in (str(endpoint.id), endpoint.url):
                return endpoint
        raise NotFound(f"tenant {owner.name} has no endpoint {wanted!r}; add it with: loa endpoints add {wanted}")

    async def _check_new(self, digest: bytes) -> None:
        if any(key.digest == digest for key in await self._ledger.keys()):
            raise CallerError("key_exists", "this key is known already")

    def _future(self, expires_at: int | None) -> int | None:
        if expires_at is not None and expires_at <= self._clock.now():
            raise CallerError("expires_in_the_past", f"{utc_text(expires_at)} is over: the key would never be valid")
        return expires_at

    @staticmethod
    def _imported(secret: str) -> keys.MintedKey:
        if not keys.importable(secret):
            message = "an imported key has 16 to 128 visible ASCII characters and does not begin like one of Loa's own"
            raise CallerError("key_form", message)
        return keys.keep(secret)


def _permissions(wanted: tuple[str, ...]) -> frozenset[str]:
    known = {permission.value for permission in keys.Permission}
    if wanted == (ALL_PERMISSIONS,):
        return frozenset(known)
    for each in wanted:
        if each not in known:
            raise CallerError("permission", f"there is no permission {each!r}; choose of: {', '.join(sorted(known))}")
    return frozenset(wanted) or keys.DEFAULT_PERMISSIONS


def _networks(wanted: tuple[str, ...]) -> tuple[str, ...]:
    read = []
    for text in wanted:
        try:
            read.append(str(ipaddress.ip_network(text)))
        except ValueError as wrong:
            raise CallerError("network", f"{wrong}; write for instance 203.0.113.0/24 or 192.0.2.7/32") from None
    return tuple(read)


def _tenant(tenant: Tenant) -> Shown:
    return {
        "id": tenant.id,
        "name": tenant.name,
        "policies": {name: dict(own) for name, own in tenant.policies.items()},
    }


def _key(key: ApiKey, tenant: str) -> Shown:
    return {
        "id": key.id,
        "tenant": tenant,
        "name": key.name,
        "display": key.display,
        "live": key.live,
        "permissions": sorted(key.permissions),
        "senders": list(key.senders),
        "networks": list(key.networks),
        "requestIdMode": key.request_id_mode,
        "successCode": key.success_code,
        "endpointId": key.endpoint_id,
        "createdAt": instant(key.created_at),
        "expiresAt": instant(key.expires_at),
        "revokedAt": instant(key.revoked_at),
        "lastUsedAt": instant(key.last_used_at),
    }


def _sender(sender: Sender, tenant: str) -> Shown:
    return {"id": sender.id, "tenant": tenant, "name": sender.name, "kind": sender.kind}
