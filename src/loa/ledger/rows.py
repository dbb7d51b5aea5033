"""How records lie in rows, where both engines keep them alike: lists as JSON text, columns in one order."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from loa.domain.routes import step_as_json, step_from_json
from loa.domain.traffic import TrafficClass
from loa.ledger.placing import as_json
from loa.ledger.sealing import open_secrets, open_settings
from loa.ports.records import ApiKey, ChannelRecord, Endpoint, NewSubmission, RouteRecord
from loa.seal.sealer import Sealer

KEY_COLUMNS: Final = (
    "tenant_id, name, digest, display, live, permissions, senders, networks, request_id_mode, success_code,"
    " endpoint_id, created_at, expires_at, revoked_at, last_used_at"
)
CHANNELS: Final = "SELECT id, name, provider, settings, paused, version FROM channel"
ROUTES: Final = "SELECT id, tenant_id, position, steps, sender, class, carrier FROM route"
ENDPOINTS: Final = (
    "SELECT id, tenant_id, url, secrets, every_step, disabled_at, disabled_reason, failing_since, inbound FROM endpoint"
)


def text(value: Any) -> str:
    """Write a value as it is stored."""
    return json.dumps(value, ensure_ascii=False)


def key_values(key: ApiKey) -> tuple[Any, ...]:
    """Give the columns of a key, in the order of KEY_COLUMNS."""
    return (
        key.tenant_id,
        key.name,
        key.digest,
        key.display,
        key.live,
        text(sorted(key.permissions)),
        text(key.senders),
        text(key.networks),
        key.request_id_mode,
        key.success_code,
        key.endpoint_id,
        key.created_at,
        key.expires_at,
        key.revoked_at,
        key.last_used_at,
    )


def read_key(row: Any) -> ApiKey:
    """Read a key: its id, then the columns of KEY_COLUMNS."""
    return ApiKey(
        id=row[0],
        tenant_id=row[1],
        name=row[2],
        digest=row[3],
        display=row[4],
        live=bool(row[5]),
        permissions=frozenset(json.loads(row[6])),
        senders=tuple(json.loads(row[7])),
        networks=tuple(json.loads(row[8])),
        request_id_mode=row[9],
        success_code=row[10],
        endpoint_id=row[11],
        created_at=row[12],
        expires_at=row[13],
        revoked_at=row[14],
        last_used_at=row[15],
    )


def read_channel(row: Any, sealer: Sealer) -> ChannelRecord:
    """Read a row of CHANNELS. Errors: CannotOpen."""
    return ChannelRecord(row[0], row[1], row[2], open_settings(sealer, row[1], row[3]), bool(row[4]), row[5])


def read_route(row: Any) -> RouteRecord:
    """Read a row of ROUTES."""
    traffic_class = None if row[5] is None else TrafficClass(row[5])
    return RouteRecord(
        row[0], row[1], row[2], tuple(map(step_from_json, json.loads(row[3]))), row[4], traffic_class, row[6]
    )


def moved(ids: list[int], route_id: int, place: int) -> list[tuple[int, int]]:
    """Give rules with new positions, one of them at a place among the others. Shapes: position and id."""
    order = [each for each in ids if each != route_id]
    if len(order) == len(ids):
        return []
    order.insert(place, route_id)
    return [(10 * number, each) for number, each in enumerate(order, 1)]


def steps_text(route: RouteRecord) -> str:
    """Write the steps of a route as they are stored."""
    return text([step_as_json(step) for step in route.steps])


def read_endpoint(row: Any, sealer: Sealer) -> Endpoint:
    """Read a row of ENDPOINTS. Errors: CannotOpen."""
    secrets = open_secrets(sealer, row[1], row[2], row[3])
    return Endpoint(row[0], row[1], row[2], secrets, bool(row[4]), row[5], row[6], row[7], bool(row[8]))


def submission_values(
    new: NewSubmission, first_message_id: int, count: int, endpoint_id: int | None, every_step: bool
) -> Sequence[Any]:
    """Give the columns of a submission after its id and tenant."""
    return [
        new.referent_id,
        new.token,
        new.request_id,
        new.key_id,
        new.sender,
        new.text,
        new.encoding,
        new.segment_count,
        int(new.traffic_class),
        new.accepted_at,
        new.due_at,
        new.expires_at,
        new.scheduled,
        first_message_id,
        count,
        endpoint_id,
        every_step,
        as_json(new.ext),
        as_json(new.answer),
        text({str(channel_id): content for channel_id, content in new.rich.items()}) if new.rich else "",
        new.brandname,
    ]


def with_changes(
    endpoint: Endpoint, every_step: bool | None, inbound: bool | None, secrets: Sequence[str] | None
) -> Endpoint:
    """Give an endpoint with those changes that are given."""
    return replace(
        endpoint,
        every_step=endpoint.every_step if every_step is None else every_step,
        inbound=endpoint.inbound if inbound is None else inbound,
        secrets=endpoint.secrets if secrets is None else tuple(secrets),
    )
