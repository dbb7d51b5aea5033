"""Furnishes a demo's ledger: one tenant with its keys, sender, channels, route and endpoint.

Every step looks first whether it is done already, so a start goes on wherever an earlier one was killed.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from loa.app.admin_people import tenant_named
from loa.app.console_keys import Use, console_key
from loa.app.demo_state import DEMO_SENDER, DemoState
from loa.app.demo_zalo import ANSWER_S, ZALO_CHANNEL, channel_settings, furnish_zalo
from loa.domain import keys
from loa.domain.routes import RouteStep
from loa.errors import NotFound
from loa.ports.clock import Clock
from loa.ports.ledger import Directory, Ledger
from loa.ports.records import ApiKey, Tenant
from loa.simulators.zalo.server import ZaloSimulator

TENANT: Final = "demo"
SMSC_CHANNEL: Final = "demo-smsc"
ZALO_WAIT_S: Final = 20
RECONNECT_S: Final = 2.0


async def furnish(ledger: Ledger, clock: Clock, state: DemoState, receiver_url: str, zalo: ZaloSimulator) -> Tenant:
    """Bring the ledger to what the demo needs. Errors: StorageError."""
    tenant = await _tenant(ledger, clock)
    await ledger.add_sender(tenant.id, DEMO_SENDER, "brandname")
    endpoint = await ledger.add_endpoint(tenant.id, receiver_url, state.callback_secret, inbound=True)
    for secret, live in ((state.api_key, True), (state.test_api_key, False)):
        await _key(ledger, clock, tenant, secret, live, endpoint.id)
        await _console_key(ledger, clock, tenant, live, endpoint.id)
    settings = {
        "host": "127.0.0.1",
        "port": state.smsc_port,
        "system_id": "loa",
        "window": 100,
        "response_timeout_s": ANSWER_S,
        "reconnect_longest_s": RECONNECT_S,
    }
    smsc = await _channel(ledger, SMSC_CHANNEL, "smpp", settings)
    first = await _channel(ledger, ZALO_CHANNEL, "zalo", channel_settings(zalo))
    await furnish_zalo(ledger, clock, first, zalo)
    if not any(route.tenant_id == tenant.id for route in await ledger.routes()):
        await ledger.add_route(tenant.id, [RouteStep(first, ZALO_WAIT_S), RouteStep(smsc)])
    return tenant


async def _tenant(ledger: Directory, clock: Clock) -> Tenant:
    try:
        return await tenant_named(ledger, TENANT)
    except NotFound:
        return await ledger.add_tenant(TENANT, clock.now())


async def _key(ledger: Directory, clock: Clock, tenant: Tenant, secret: str, live: bool, endpoint_id: int) -> None:
    kept = keys.keep(secret)
    for known in await ledger.keys():
        if known.digest == kept.digest:
            if known.endpoint_id != endpoint_id:
                await ledger.set_default_endpoint(known.id, endpoint_id)
            return
    wanted = ApiKey(
        id=0,
        tenant_id=tenant.id,
        name="demo" if live else "demo test",
        digest=kept.digest,
        display=kept.display,
        live=live,
        permissions=frozenset(permission.value for permission in keys.Permission),
        endpoint_id=endpoint_id,
        created_at=clock.now(),
    )
    await ledger.add_key(wanted)


async def _console_key(ledger: Directory, clock: Clock, tenant: Tenant, live: bool, endpoint_id: int) -> None:
    """Have what the console sends reported to the endpoint as well."""
    for known in await ledger.keys():
        if known.tenant_id == tenant.id and known.live is live and Use.PAGES.value in known.permissions:
            if known.endpoint_id != endpoint_id:
                await ledger.set_default_endpoint(known.id, endpoint_id)
            return
    await ledger.add_key(replace(console_key(tenant.id, clock.now(), live=live), endpoint_id=endpoint_id))


async def _channel(ledger: Directory, name: str, provider: str, settings: Mapping[str, Any]) -> int:
    for known in await ledger.channels():
        if known.name == name:
            if any(known.settings.get(each) != value for each, value in settings.items()):
                await ledger.change_channel(name, settings={**known.settings, **settings})
            return known.id
    return (await ledger.add_channel(name, provider, settings)).id
