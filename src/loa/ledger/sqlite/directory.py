"""Tenants, keys, senders, channels, routes, endpoints: small tables, changed by people, read whole."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import apsw

from loa.errors import CallerError
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
from loa.ledger.sqlite.unit import Unit
from loa.ports.records import ApiKey, ChannelRecord, Endpoint, RouteRecord, Sender, Tenant
from loa.seal.sealer import Sealer

Change = Callable[[apsw.Connection], Any]


def change(unit: Unit, calls: list[Change]) -> list[Any]:
    """Make changes of the directory, each a function of the connection, and let readers know."""
    results = [call(unit.connection) for call in calls]
    unit.every_step.clear()
    unit.connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'revision'")
    return results


def add_tenant(name: str, now: int) -> Change:
    """Add a tenant. Errors: CallerError when the name is taken."""

    def run(connection: apsw.Connection) -> Tenant:
        if connection.execute("SELECT 1 FROM tenant WHERE name = ?", (name,)).get:
            raise CallerError("tenant_exists", f"there is a tenant {name!r} already", name=name)
        connection.execute("INSERT INTO tenant (name, created_at) VALUES (?, ?)", (name, now))
        return Tenant(connection.last_insert_rowid(), name)

    return run


def tenants(connection: apsw.Connection) -> list[Tenant]:
    """Read every tenant."""
    rows = connection.execute("SELECT id, name, policies FROM tenant ORDER BY id")
    return [Tenant(row[0], row[1], json.loads(row[2])) for row in rows]


def set_policies(tenant_id: int, policies: Mapping[str, Mapping[str, Any]]) -> Change:
    """Replace a tenant's overrides of the class policies."""
    written = text({name: dict(values) for name, values in policies.items()})
    return lambda connection: (
        connection.execute("UPDATE tenant SET policies = ? WHERE id = ?", (written, tenant_id)).get
    )


def add_key(key: ApiKey) -> Change:
    """Store a key's digest and what it may do; gives the key with its id."""
    values = key_values(key)

    def run(connection: apsw.Connection) -> ApiKey:
        marks = ", ".join("?" * len(values))
        connection.execute(f"INSERT INTO api_key ({KEY_COLUMNS}) VALUES ({marks})", values)  # noqa: S608 - constants
        return read_key((connection.last_insert_rowid(), *values))

    return run


def keys(connection: apsw.Connection) -> list[ApiKey]:
    """Read every key."""
    rows = connection.execute(f"SELECT id, {KEY_COLUMNS} FROM api_key ORDER BY id")  # noqa: S608 - constants
    return [read_key(row) for row in rows]


def revoke_key(key_id: int, now: int) -> Change:
    """Revoke a key; False when there is none that is still valid."""

    def run(connection: apsw.Connection) -> bool:
        statement = "UPDATE api_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
        connection.execute(statement, (now, key_id))
        return connection.changes() > 0

    return run


def touch_keys(unit: Unit, calls: list[Mapping[int, int]]) -> list[None]:
    """Note when keys were last used; readers need not read again for it."""
    latest = {key_id: at for call in calls for key_id, at in call.items()}
    unit.connection.execute(
        "UPDATE api_key SET last_used_at = j.at FROM (SELECT value ->> 0 AS id, value ->> 1 AS at FROM json_each(?)) j"
        " WHERE api_key.id = j.id",
        (text([list(pair) for pair in latest.items()]),),
    )
    return [None] * len(calls)


def _sender(row: Any) -> Sender:
    return Sender(row[0], row[1], row[2], row[3])


def add_sender(tenant_id: int, name: str, kind: str) -> Change:
    """Add a sender of a tenant; adding it again gives the one that is there."""

    def run(connection: apsw.Connection) -> Sender:
        statement = "INSERT INTO sender (tenant_id, name, kind) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        connection.execute(statement, (tenant_id, name, kind))
        query = "SELECT id, tenant_id, name, kind FROM sender WHERE tenant_id = ? AND name = ?"
        return _sender(connection.execute(query, (tenant_id, name)).fetchall()[0])

    return run


def senders(connection: apsw.Connection) -> list[Sender]:
    """Read every sender."""
    return [_sender(row) for row in connection.execute("SELECT id, tenant_id, name, kind FROM sender ORDER BY id")]


def add_channel(sealer: Sealer, name: str, provider: str, settings: Mapping[str, Any]) -> Change:
    """Add a channel. Errors: CallerError when the name is taken."""

    def run(connection: apsw.Connection) -> ChannelRecord:
        if connection.execute("SELECT 1 FROM channel WHERE name = ?", (name,)).get:
            raise CallerError("channel_exists", f"there is a channel {name!r} already", name=name)
        connection.execute(
            "INSERT INTO channel (name, provider, settings) VALUES (?, ?, ?)",
            (name, provider, seal_settings(sealer, name, settings)),
        )
        return ChannelRecord(connection.last_insert_rowid(), name, provider, dict(settings))

    return run


def channels(connection: apsw.Connection, sealer: Sealer) -> list[ChannelRecord]:
    """Read every channel."""
    return [read_channel(row, sealer) for row in connection.execute(f"{CHANNELS} ORDER BY id")]


def change_channel(sealer: Sealer, name: str, settings: Mapping[str, Any] | None, paused: bool | None) -> Change:
    """Change a channel; new settings give it a new version, so that the running one is built again."""

    def run(connection: apsw.Connection) -> ChannelRecord | None:
        if settings is not None:
            statement = "UPDATE channel SET settings = ?, version = version + 1 WHERE name = ?"
            connection.execute(statement, (seal_settings(sealer, name, settings), name))
        if paused is not None:
            connection.execute("UPDATE channel SET paused = ? WHERE name = ?", (int(paused), name))
        rows = connection.execute(f"{CHANNELS} WHERE name = ?", (name,)).fetchall()
        return read_channel(rows[0], sealer) if rows else None

    return run


def add_route(record: RouteRecord, position: int | None) -> Change:
    """Add a rule at a position, or after the last one of the tenant."""

    def run(connection: apsw.Connection) -> RouteRecord:
        place = position
        if place is None:
            query = "SELECT coalesce(max(position), 0) + 10 FROM route WHERE tenant_id = ?"
            place = connection.execute(query, (record.tenant_id,)).get
        traffic_class = None if record.traffic_class is None else int(record.traffic_class)
        connection.execute(
            "INSERT INTO route (tenant_id, position, steps, sender, class, carrier) VALUES (?, ?, ?, ?, ?, ?)",
            (record.tenant_id, place, steps_text(record), record.sender, traffic_class, record.carrier),
        )
        return read_route(connection.execute(f"{ROUTES} WHERE id = ?", (connection.last_insert_rowid(),)).fetchall()[0])

    return run


def routes(connection: apsw.Connection) -> list[RouteRecord]:
    """Read every rule in the order in which rules are read."""
    return [read_route(row) for row in connection.execute(f"{ROUTES} ORDER BY tenant_id, position, id")]


def move_route(route_id: int, place: int) -> Change:
    """Put a rule at a place among its tenant's; False when there is none."""

    def run(connection: apsw.Connection) -> bool:
        query = (
            "SELECT id FROM route WHERE tenant_id = (SELECT tenant_id FROM route WHERE id = ?) ORDER BY position, id"
        )
        order = moved([number for (number,) in connection.execute(query, (route_id,))], route_id, place)
        connection.executemany("UPDATE route SET position = ? WHERE id = ?", order)
        return bool(order)

    return run


def remove_route(route_id: int) -> Change:
    """Remove a rule; False when there is none."""

    def run(connection: apsw.Connection) -> bool:
        connection.execute("DELETE FROM route WHERE id = ?", (route_id,))
        return connection.changes() > 0

    return run


def add_endpoint(sealer: Sealer, tenant_id: int, url: str, secret: str, every_step: bool, inbound: bool) -> Change:
    """Add an endpoint of a tenant; one with the same address is switched on again and keeps its secrets, if any."""

    def run(connection: apsw.Connection) -> Endpoint:
        connection.execute(
            "INSERT INTO endpoint (tenant_id, url, secrets, every_step, inbound) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET every_step = excluded.every_step, inbound = excluded.inbound,"
            " disabled_at = NULL, disabled_reason = '',"
            " failing_since = NULL",
            (tenant_id, url, seal_secrets(sealer, tenant_id, url, [secret]), int(every_step), int(inbound)),
        )
        query = f"{ENDPOINTS} WHERE tenant_id = ? AND url = ?"
        found = read_endpoint(connection.execute(query, (tenant_id, url)).fetchall()[0], sealer)
        if found.secrets:
            return found
        statement = "UPDATE endpoint SET secrets = ? WHERE id = ?"
        connection.execute(statement, (seal_secrets(sealer, tenant_id, url, [secret]), found.id))
        return replace(found, secrets=(secret,))

    return run


def change_endpoint(
    sealer: Sealer, endpoint_id: int, every_step: bool | None, inbound: bool | None, secrets: Sequence[str] | None
) -> Change:
    """Change what is given; gives the endpoint as it is then, None where there is none."""

    def run(connection: apsw.Connection) -> Endpoint | None:
        rows = connection.execute(f"{ENDPOINTS} WHERE id = ?", (endpoint_id,)).fetchall()
        if not rows:
            return None
        found = with_changes(read_endpoint(rows[0], sealer), every_step, inbound, secrets)
        sealed = None if secrets is None else seal_secrets(sealer, found.tenant_id, found.url, secrets)
        statement = "UPDATE endpoint SET every_step = ?, inbound = ?, secrets = coalesce(?, secrets) WHERE id = ?"
        connection.execute(statement, (int(found.every_step), int(found.inbound), sealed, endpoint_id))
        return found

    return run


def endpoints(connection: apsw.Connection, tenant_id: int | None, sealer: Sealer) -> list[Endpoint]:
    """Read every endpoint, or a tenant's."""
    rows = connection.execute(f"{ENDPOINTS} WHERE ?1 IS NULL OR tenant_id = ?1 ORDER BY id", (tenant_id,))
    return [read_endpoint(row, sealer) for row in rows]


def set_default_endpoint(key_id: int, endpoint_id: int | None) -> Change:
    """Set where a key's callbacks go."""
    statement = "UPDATE api_key SET endpoint_id = ? WHERE id = ?"
    return lambda connection: connection.execute(statement, (endpoint_id, key_id)).get
