"""Grants in a whole gateway: kept where channels run, consented to where the API is, worked with by the channel."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from tests.support.grants import GrantedChannel, GrantedProvider, pair
from tests.support.inside import Inside, running_inside
from tests.unit.app.test_roles import running

from loa.app.admin_channels import ChannelDesk
from loa.app.admin_grants import GrantDesk
from loa.app.grants import charge_of
from loa.channels.registry import providers
from loa.errors import ConfigError
from loa.ports.records import ChannelRecord

DAY_MS = 86_400_000


async def a_channel(inside: Inside, provider: GrantedProvider) -> GrantedChannel:
    """Add a channel and wait until it is built."""
    await inside.gateway.ledger.add_channel("shop", "granted", {})
    await inside.gateway.registry.refresh()
    await inside.until(lambda: bool(provider.built))
    return provider.built[-1]


def desk(inside: Inside) -> GrantDesk:
    gateway = inside.gateway
    return GrantDesk(gateway.ledger, inside.clock, gateway.providers, gateway.url)


async def test_a_person_consents_and_the_channel_begins_to_work(tmp_path: Path) -> None:
    provider = GrantedProvider()
    async with running_inside(tmp_path, granted=provider) as inside:
        channel = await a_channel(inside, provider)
        assert channel.token() == ""
        asked = await desk(inside).connect(name="shop")
        (state,) = parse_qs(urlsplit(asked["link"]).query)["state"]
        async with (
            aiohttp.ClientSession() as session,
            session.get(asked["redirectUri"], params={"state": state, "code": "good"}) as page,
        ):
            assert page.status == 200
            assert page.headers["x-request-id"]
        assert inside.gateway._stages.dispatching is not None
        inside.gateway._stages.wake()
        await inside.until(lambda: channel.token() == "access-2")


async def test_what_is_due_is_renewed_where_the_channel_runs(tmp_path: Path) -> None:
    provider = GrantedProvider()
    async with running_inside(tmp_path, granted=provider) as inside:
        before = inside.clock.now() - DAY_MS
        channel = await inside.gateway.ledger.add_channel("shop", "granted", {})
        await inside.gateway.ledger.keep(channel.id, pair(1, before), before)
        await inside.gateway.registry.refresh()
        await inside.until(lambda: bool(provider.built) and provider.built[-1].token() == "access-2")
        assert provider.sent == ["refresh-1"]
        (row,) = await desk(inside).list_grants()
        assert (row["state"], row["version"]) == ("good", 2)


async def test_a_channel_that_is_tried_by_hand_has_its_token(tmp_path: Path) -> None:
    provider = GrantedProvider()
    async with running_inside(tmp_path, granted=provider) as inside:
        ledger, now = inside.gateway.ledger, inside.clock.now()
        channel = await ledger.add_channel("shop", "granted", {})
        await ledger.keep(channel.id, pair(1, now), now)
        await ChannelDesk(ledger, inside.clock, inside.gateway.providers, None).test(name="shop")
        tried = provider.built[-1]
        assert tried.context.tokens is not None
        tried.context.tokens.spoiled("access-1")
        assert tried.token() == "access-1"


@pytest.mark.parametrize("roles", [("api",), ("callbacks", "upkeep")])
async def test_a_process_without_channels_renews_nothing(tmp_path: Path, roles: tuple[str, ...]) -> None:
    async with running(tmp_path, *roles) as gateway:
        assert gateway._stages.dispatching is None


def test_a_channel_without_grant_settings_or_provider_has_nothing_to_keep() -> None:
    class Picky(GrantedProvider):
        def check(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
            raise ConfigError("app_id: is missing")

    record = ChannelRecord(1, "x", "granted", {}, False, 1)
    assert charge_of(record, {}) is None
    assert charge_of(record, {"granted": Picky()}) is None
    assert charge_of(record, {"granted": GrantedProvider()}) is not None
    assert charge_of(ChannelRecord(1, "x", "sandbox", {}, False, 1), {"sandbox": providers()["sandbox"]}) is None
