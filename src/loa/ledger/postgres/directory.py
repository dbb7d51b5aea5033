"""Tenants, keys, senders, channels, routes, endpoints: small tables, changed by people, read whole."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from loa.errors import CallerError
from loa.ledger.postgres.unit import Unit
from loa.ledger.rows import (
    CHANNELS,
    ENDPOINTS,
    KEY_COLUMNS,
    ROUTES,
    key_values,
    moved,
    read_channel,
    read_endpoint,
    read_key,
    read_route,
    steps_text,
    text,
    with_changes,
)
from loa.ledger.sealing import seal_secrets, seal_settings
from loa.ports.records import ApiKey, ChannelRecord, Endpoint, RouteRecord, Sender, Tenant
from loa.seal.sealer import Sealer

Change = Callable[[Any], Awaitable[Any]]


async def change(unit: Unit, calls: list[Change]) -> list[Any]:
    """Make changes of the directory, each a function of the connection, and let readers know."""
    results = [await call(unit.connection) for call in calls]
    unit.shared.every_step.clear()
    await unit.run("bump_revision")
    unit.wakes = True
    return results


def add_tenant(name: str, now: int) -> Change:
    """Add a tenant. Errors: CallerError when the name is taken."""

    async def run(connection: Any) -> Tenant:
        query = "INSERT INTO tenant (name, created_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING id"
        number = await connection.fetchval(query, name, now)
        if number is None:
            raise CallerError("tenant_exists", f"there is a tenant {name!r} already", name=name)
        return Tenant(number, name)

    return run


async def tenants(connection: Any) -> list[Tenant]:
    """Read every tenant."""
    rows = await connection.fetch("SELECT id, name, policies FROM tenant ORDER BY id")
    return [Tenant(row[0], row[1], json.loads(row[2])) for row in rows]


def set_policies(tenant_id: int, policies: Mapping[str, Mapping[str, Any]]) -> Change:
    """Replace a tenant's overrides of the class policies."""
    written = text({name: dict(values) for name, values in policies.items()})

    async def run(connection: Any) -> None:
        await connection.execute("UPDATE tenant SET policies = $1 WHERE id = $2", written, tenant_id)

    return run


def add_key(key: ApiKey) -> Change:
    """Store a key's digest and what it may do; gives the key with its id."""
    values = key_values(key)

    async def run(connection: Any) -> ApiKey:
        marks = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        query = f"INSERT INTO api_key ({KEY_COLUMNS}) VALUES ({marks}) RETURNING id"  # noqa: S608 - constants
        return read_key((await connection.fetchval(query, *values), *values))

    return run


async def keys(connection: Any) -> list[ApiKey]:
    """Read every key."""
    rows = await connection.fetch(f"SELECT id, {KEY_COLUMNS} FROM api_key ORDER BY id")  # noqa: S608 - constants
    return [read_key(row) for row in rows]


def revoke_key(key_id: int, now: int) -> Change:
    """Revoke a key; False when there is none that is still valid."""

    async def run(connection: Any) -> bool:
        query = "UPDATE api_key SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL RETURNING id"
        return await connection.fetchval(query, now, key_id) is not None

    return run


async def touch_keys(unit: Unit, calls: list[Mapping[int, int]]) -> list[None]:
    """Note when keys were last used; readers need not read again for it."""
    latest = {key_id: at for call in calls for key_id, at in call.items()}
    if latest:
        await unit.connection.execute(
            "UPDATE api_key k SET last_used_at = greatest(k.last_used_at, w.at)"
            " FROM unnest($1::bigint[], $2::bigint[]) AS w(id, at) WHERE k.id = w.id",
            list(latest),
            list(latest.values()),
        )
    return [None] * len(calls)


def add_sender(tenant_id: int, name: str, kind: str) -> Change:
    """Add a sender of a tenant; adding it again gives the one that is there."""

    async def run(connection: Any) -> Sender:
        statement = "INSERT INTO sender (tenant_id, name, kind) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
        await connection.execute(statement, tenant_id, name, kind)
        query = "SELECT id, tenant_id, name, kind FROM sender WHERE tenant_id = $1 AND name = $2"
        return Sender(*await connection.fetchrow(query, tenant_id, name))

    return run


async def senders(connection: Any) -> list[Sender]:
    """Read every sender."""
    return [Sender(*row) for row in await connection.fetch("SELECT id, tenant_id, name, kind FROM sender ORDER BY id")]


def add_channel(sealer: Sealer, name: str, provider: str, settings: Mapping[str, Any]) -> Change:
    """Add a channel. Errors: CallerError when the name is taken."""

    async def run(connection: Any) -> ChannelRecord:
        query = (
            "INSERT INTO channel (name, provider, settings) VALUES ($1, $2, $3)"
            " ON CONFLICT (name) DO NOTHING RETURNING id"
        )
        number = await connection.fetchval(query, name, provider, seal_settings(sealer, name, settings))
        if number is None:
            raise CallerError("channel_exists", f"there is a channel {name!r} already", name=name)
        return ChannelRecord(number, name, provider, dict(settings))

    return run


async def channels(connection: Any, sealer: Sealer) -> list[ChannelRecord]:
    """Read every channel."""
    return [read_channel(row, sealer) for row in await connection.fetch(f"{CHANNELS} ORDER BY id")]


def change_channel(sealer: Sealer, name: str, settings: Mapping[str, Any] | None, paused: bool | None) -> Change:
    """Change a channel; new settings give it a new version, so that the running ones are built again."""

    async def run(connection: Any) -> ChannelRecord | None:
        if settings is not None:
            statement = "UPDATE channel SET settings = $1, version = version + 1 WHERE name = $2"
            await connection.execute(statement, seal_settings(sealer, name, settings), name)
        if paused is not None:
            await connection.execute("UPDATE channel SET paused = $1 WHERE name = $2", paused, name)
        row = await connection.fetchrow(f"{CHANNELS} WHERE name = $1", name)
        return None if row is None else read_channel(row, sealer)

    return run


def add_route(record: RouteRecord, position: int | None) -> Change:
    """Add a rule at a position, or after the last one of the tenant."""

    async def run(connection: Any) -> RouteRecord:
        place = position
        if place is None:
            query = "SELECT coalesce(max(position), 0) + 10 FROM route WHERE tenant_id = $1"
            place = await connection.fetchval(query, record.tenant_id)
        traffic_class = None if record.traffic_class is None else int(record.traffic_class)
        number = await connection.fetchval(
            "INSERT INTO route (tenant_id, position, steps, sender, class, carrier) VALUES ($1, $2, $3, $4, $5, $6)"
            " RETURNING id",
            record.tenant_id,
            place,
            steps_text(record),
            record.sender,
            traffic_class,
            record.carrier,
        )
        return read_route(await connection.fetchrow(f"{ROUTES} WHERE id = $1", number))

    return run


async def routes(connection: Any) -> list[RouteRecord]:
    """Read every rule in the order in which rules are read."""
    return [read_route(row) for row in await connection.fetch(f"{ROUTES} ORDER BY tenant_id, position, id")]


def move_route(route_id: int, place: int) -> Change:
    """Put a rule at a place among its tenant's; False when there is none."""

    async def run(connection: Any) -> bool:
        query = (
            "SELECT id FROM route WHERE tenant_id = (SELECT tenant_id FROM route WHERE id = $1)"
            " ORDER BY position, id FOR UPDATE"
        )
        order = moved([row["id"] for row in await connection.fetch(query, route_id)], route_id, place)
        await connection.executemany("UPDATE route SET position = $1 WHERE id = $2", order)
        return bool(order)

    return run


def remove_route(route_id: int) -> Change:
    """Remove a rule; False when there is none."""

    async def run(connection: Any) -> bool:
        return await connection.fetchval("DELETE FROM route WHERE id = $1 RETURNING id", route_id) is not None

    return run


def add_endpoint(sealer: Sealer, tenant_id: int, url: str, secret: str, every_step: bool, inbound: bool) -> Change:
    """Add an endpoint of a tenant; one with the same address is switched on again and keeps its secrets, if any."""

    async def run(connection: Any) -> Endpoint:
        await connection.execute(
            "INSERT INTO endpoint (tenant_id, url, secrets, every_step, inbound) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (tenant_id, url) DO UPDATE SET every_step = excluded.every_step, inbound = excluded.inbound,"
            " disabled_at = NULL, disabled_reason = '', failing_since = NULL",
            tenant_id,
            url,
            seal_secrets(sealer, tenant_id, url, [secret]),
            every_step,
            inbound,
        )
        query = f"{ENDPOINTS} WHERE tenant_id = $1 AND url = $2"
        found = read_endpoint(await connection.fetchrow(query, tenant_id, url), sealer)
        if found.secrets:
            return found
        statement = "UPDATE endpoint SET secrets = $1 WHERE tenant_id = $2 AND id = $3"
        await connection.execute(statement, seal_secrets(sealer, tenant_id, url, [secret]), tenant_id, found.id)
        return replace(found, secrets=(secret,))

    return run


def change_endpoint(
    sealer: Sealer, endpoint_id: int, every_step: bool | None, inbound: bool | None, secrets: Sequence[str] | None
) -> Change:
    """Change what is given; gives the endpoint as it is then, None where there is none."""

    async def run(connection: Any) -> Endpoint | None:
        row = await connection.fetchrow(f"{ENDPOINTS} WHERE id = $1 FOR UPDATE", endpoint_id)
        if row is None:
            return None
        found = with_changes(read_endpoint(row, sealer), every_step, inbound, secrets)
        sealed = None if secrets is None else seal_secrets(sealer, found.tenant_id, found.url, secrets)
        statement = (
            "UPDATE endpoint SET every_step = $1, inbound = $2, secrets = coalesce($3, secrets)"
            " WHERE tenant_id = $4 AND id = $5"
        )
        await connection.execute(statement, found.every_step, found.inbound, sealed, found.tenant_id, endpoint_id)
        return found

    return run


async def endpoints(connection: Any, tenant_id: int | None, sealer: Sealer) -> list[Endpoint]:
    """Read every endpoint, or a tenant's."""
    query = f"{ENDPOINTS} WHERE $1::bigint IS NULL OR tenant_id = $1 ORDER BY id"
    return [read_endpoint(row, sealer) for row in await connection.fetch(query, tenant_id)]


def set_default_endpoint(key_id: int, endpoint_id: int | None) -> Change:
    """Set where a key's callbacks go."""

    async def run(connection: Any) -> None:
        await connection.execute("UPDATE api_key SET endpoint_id = $1 WHERE id = $2", endpoint_id, key_id)

    return run
