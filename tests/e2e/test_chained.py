"""Two Loas in a row, the second one the upstream of the first: messages go down, receipts come back up."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from tests.support.inside import Inside, Tenant, running_inside

from loa.domain import keys
from loa.notify.signature import new_secret
from loa.ports.records import ApiKey
from loa.settings.tree import Settings

NUMBER = 84_912_345_600
ENDINGS = {0: "delivered", 90: "undelivered", 91: "rejected", 92: "expired"}
CHANNEL = "the other Loa"
CALLBACK = "/api/vendor/v1/sms/callback"


def to_this_machine(settings: Settings) -> Settings:
    own = settings.callbacks
    return replace(settings, callbacks=replace(own, allow_http=True, ports=(), allow_networks=("127.0.0.0/8",)))


async def upstream_key(upstream: Inside, report_url: str, secret: str) -> str:
    """Furnish the second Loa: a tenant whose messages go to a sandbox and whose reports go to the first."""
    ledger = upstream.gateway.ledger
    (sandbox,) = [each.id for each in await ledger.channels() if each.provider == "sandbox"]
    owner = await ledger.add_tenant("the first Loa", upstream.clock.now())
    await ledger.add_sender(owner.id, "LOA", "brandname")
    await ledger.add_route(owner.id, [sandbox])
    endpoint = await ledger.add_endpoint(owner.id, report_url, secret)
    minted = keys.mint(live=True)
    may = frozenset(permission.value for permission in keys.Permission)
    key = ApiKey(0, owner.id, "chain", minted.digest, minted.display, True, may, endpoint_id=endpoint.id, created_at=1)
    await ledger.add_key(key)
    await upstream.gateway.registry.refresh()
    return minted.secret


async def test_send_receipt_and_status_travel_both_ways(tmp_path: Path) -> None:
    secret = new_secret()
    async with running_inside(tmp_path / "a") as first, running_inside(tmp_path / "b", "", to_this_machine) as second:
        report_url = f"{first.gateway.url}{CALLBACK}?channel={quote(CHANNEL)}"
        key = await upstream_key(second, report_url, secret)
        settings = {"base_url": second.gateway.url, "api_key": key, "report_secret": secret}
        tenant = await first.tenant(CHANNEL, "vendor", settings)
        for ending, state in ENDINGS.items():
            (message_id,) = await tenant.send([NUMBER + ending])
            shown = await tenant.until(message_id, state=state)
            (attempt,) = shown["attempts"]
            (receipt,) = shown["receipts"]
            below = await below_of(second, key, attempt["segments"][0]["providerRef"])
            assert (below["state"], below["destination"]) == (state, str(NUMBER + ending))
            assert receipt["result"] == "applied"


async def below_of(second: Inside, key: str, referent_id: str) -> dict[str, str]:
    """Read what the second Loa says of a submission of the first."""
    asking = Tenant(second.gateway.url, key, second.clock)
    try:
        (message,) = (await asking.get(f"submissions/{referent_id}"))["messages"]
        return dict(message)
    finally:
        await asking.close()


@pytest.mark.parametrize("channel", [CHANNEL, "nobody", "sandbox"])
async def test_a_report_that_its_upstream_did_not_sign_is_not_taken(tmp_path: Path, channel: str) -> None:
    async with running_inside(tmp_path) as first:
        provider = first.gateway.providers["vendor"]
        settings = {"base_url": "http://127.0.0.1:9", "api_key": "k", "report_secret": new_secret()}
        await first.gateway.ledger.add_channel(CHANNEL, "vendor", provider.check(settings))
        await first.gateway.registry.refresh()
        headers = {"webhook-id": "cb_1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
        url = f"{first.gateway.url}{CALLBACK}?channel={quote(channel)}"
        report = {"status": 2, "referentId": "x"}
        async with aiohttp.ClientSession() as session, session.post(url, json=report, headers=headers) as answer:
            assert answer.status == 401
