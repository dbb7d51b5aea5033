"""One message over two channels: a real gateway between the simulated Zalo platform and the simulated SMSC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.inside import Inside, Tenant, running_inside

from loa.domain import keys
from loa.domain.routes import RouteStep
from loa.domain.traffic import OnUnknown, TrafficClass
from loa.ports.grants import Tokens
from loa.ports.records import ApiKey
from loa.simulators.pick import ALL
from loa.simulators.smsc.server import SmscSimulator
from loa.simulators.zalo.script import Fault, When, ZaloScript
from loa.simulators.zalo.server import ZaloSimulator
from loa.stages.standstill import PATIENCE_S, STANDS_STILL

TEXT = "Mã xác thực của bạn là 482913."
DAY_MS = 86_400_000
NUMBER = 84_912_345_678
NOT_ON_ZALO = NUMBER + 21
WAIT_S = 600
"""Longer than any test takes: only the clock that is set brings it to its end."""
ANY_TEMPLATE = When("number")


@dataclass
class World:
    """A tenant whose messages go over Zalo first and over SMS then."""

    inside: Inside
    tenant: Tenant
    zalo: ZaloSimulator
    smsc: SmscSimulator

    async def send(self, number: int | str = NUMBER, **given: Any) -> str:
        """Send one message that reads like a registered template."""
        body = {"text": TEXT, "useUnicode": 1, "type": 0, **given}
        if isinstance(number, str):
            body["destinations"] = [number]
        (message_id,) = await self.tenant.send([NUMBER if isinstance(number, str) else number], **body)
        return message_id

    async def silent(self) -> None:
        """Let the time of Zalo's step be over, and have it looked at."""
        self.inside.set_by(WAIT_S)

    @property
    def over_sms(self) -> list[str]:
        return [shown.text for shown in self.smsc.taken]


@asynccontextmanager
async def _smsc() -> AsyncIterator[SmscSimulator]:
    smsc = SmscSimulator()
    await smsc.start()
    try:
        yield smsc
    finally:
        await smsc.stop()


@asynccontextmanager
async def world(path: Path, **script: Any) -> AsyncIterator[World]:
    plain = {"off_zalo": ("99",), "day_starts": 0, "day_ends": 24}
    async with (
        _smsc() as smsc,
        ZaloSimulator(script=ZaloScript(**{**plain, **script})) as zalo,
        running_inside(path) as inside,
    ):
        tenant = await _furnish(inside, zalo, smsc)
        try:
            yield World(inside, tenant, zalo, smsc)
        finally:
            await tenant.close()


async def _furnish(inside: Inside, zalo: ZaloSimulator, smsc: SmscSimulator) -> Tenant:
    ledger, oa, now = inside.gateway.ledger, zalo.oa().told, inside.clock.now()
    own = {"app_id": oa.app_id, "app_secret": oa.app_secret, "oa_secret_key": oa.secret_key, "oa_id": oa.oa_id}
    urls = dict.fromkeys(("oauth_url", "openapi_url", "business_url"), zalo.url)
    first = await _channel(inside, "zalo", "zalo", {**own, **urls, "response_timeout_s": 0.3})
    sms = {"host": "127.0.0.1", "port": smsc.port, "system_id": "loa", "price": 350}
    second = await _channel(inside, "sms", "smpp", sms)
    await ledger.keep(first, Tokens(*zalo.tokens(), now + DAY_MS, now + 60 * DAY_MS), now)
    owner = await ledger.add_tenant("shop", now)
    for name in ("LOA", "SHOP"):
        await ledger.add_sender(owner.id, name, "brandname")
    await ledger.add_route(owner.id, [RouteStep(first, WAIT_S), RouteStep(second)])
    minted = keys.mint(live=True)
    everything = frozenset(permission.value for permission in keys.Permission)
    await ledger.add_key(ApiKey(0, owner.id, "k", minted.digest, minted.display, True, everything, created_at=1))
    await inside.gateway.registry.refresh()
    await inside.until(lambda: all(_is_ready(inside, name) for name in ("zalo", "sms")))
    stages = inside.gateway._stages
    assert stages.dispatching is not None
    await stages.dispatching.templates.tick()
    for template in oa.templates:
        assert await ledger.set_template_text(first, template.template_id, template.text)
    await inside.gateway.registry.refresh()
    return Tenant(inside.gateway.url, minted.secret, inside.clock)


async def _channel(inside: Inside, name: str, provider: str, settings: dict[str, Any]) -> int:
    checked = inside.gateway.providers[provider].check(settings)
    return (await inside.gateway.ledger.add_channel(name, provider, checked)).id


def _is_ready(inside: Inside, name: str) -> bool:
    running = inside.running(name)
    return running is not None and running.channel.status().ready


async def test_a_text_that_is_a_template_goes_over_zalo_and_a_refusal_over_sms_at_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        on_zalo = await w.tenant.until(await w.send(), state="sent")
        (taken,) = w.zalo.accepted
        assert (on_zalo["channel"], taken.template_id, taken.destination) == ("zalo", "302119", str(NUMBER))
        elsewhere = await w.tenant.until(await w.send(NOT_ON_ZALO), state="delivered")
        assert (elsewhere["channel"], elsewhere["possibleDuplicate"], elsewhere["cost"]) == ("sms", False, 350)
        assert [attempt["reason"] for attempt in elsewhere["attempts"]] == ["zalo_-118", None]
        assert w.over_sms == [TEXT]


async def test_zalo_is_asked_before_a_silent_message_goes_over_sms(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        message_id = await w.send()
        await w.tenant.until(message_id, state="sent")
        await w.silent()
        arrived = await w.tenant.until(message_id, state="delivered")
        assert (arrived["channel"], arrived["cost"], w.over_sms) == ("zalo", 300, [])


async def test_what_zalo_did_not_deliver_in_its_time_goes_over_sms_flagged(tmp_path: Path) -> None:
    async with world(tmp_path, undelivered=(When(pick=ALL),)) as w:
        message_id = await w.send()
        await w.tenant.until(message_id, state="sent")
        await w.silent()
        arrived = await w.tenant.until(message_id, state="delivered")
        assert (arrived["channel"], arrived["possibleDuplicate"], arrived["cost"]) == ("sms", True, 350)


async def test_a_code_whose_zalo_step_is_unknown_is_never_sent_again_unless_its_class_allows_it(tmp_path: Path) -> None:
    async with world(tmp_path, faults=(Fault("silent", ANY_TEMPLATE),)) as w:
        message_id = await w.send(type=2)
        await w.tenant.until(message_id, state="unknown")
        w.inside.set_by(60)
        assert (await w.tenant.until(message_id, dueAt=None))["state"] == "unknown"
        ledger = w.inside.gateway.ledger
        (owner,) = [each for each in await ledger.tenants() if each.name == "shop"]
        await ledger.set_policies(owner.id, {"otp": {"on_unknown": OnUnknown.NEXT_STEP}})
        await w.inside.gateway.registry.refresh()
        allowed = await w.send(NUMBER + 1, type=2)
        await w.tenant.until(allowed, state="unknown")
        w.inside.set_by(60)
        arrived = await w.tenant.until(allowed, state="delivered")
        assert (arrived["channel"], arrived["possibleDuplicate"]) == ("sms", True)
        assert len(w.over_sms) == 1


async def test_a_channel_that_takes_nothing_keeps_no_code_that_can_go_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PATIENCE_S, TrafficClass.OTP, 0)
    async with world(tmp_path) as w:
        dispatch = w.inside.running("zalo").dispatch
        dispatch.paused = True
        alone = await w.send(type=2, ext={"enable_sms_on_zns_failure": False})
        passed = await w.tenant.until(await w.send(type=2), state="delivered")
        assert (passed["channel"], passed["possibleDuplicate"], passed["cost"]) == ("sms", False, 350)
        assert [attempt["reason"] for attempt in passed["attempts"]] == [STANDS_STILL, None]
        notice = await w.send(NUMBER + 1)
        assert [(await w.tenant.message(each))["attempts"] for each in (alone, notice)] == [[], []]
        dispatch.paused = False
        dispatch.wake()
        assert (await w.tenant.until(notice, state="sent"))["channel"] == "zalo"


async def test_a_code_whose_channel_has_no_token_any_more_goes_over_sms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PATIENCE_S, TrafficClass.OTP, 0)
    async with world(tmp_path) as w:
        w.zalo.acts.revoke()
        shown = await w.tenant.until(await w.send(type=2), state="delivered")
        assert (shown["channel"], shown["possibleDuplicate"]) == ("sms", False)


async def test_quota_is_spilt_before_the_wall_and_codes_keep_theirs(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.zalo.acts.set_quota(daily_quota=1_000, remaining=100)
        await w.tenant.until(await w.send(NUMBER + 30), state="sent")
        spilt = [await w.send(NUMBER + 40 + number) for number in range(3)]
        shown = [await w.tenant.until(each, state="delivered") for each in spilt]
        assert {each["attempts"][0]["reason"] for each in shown} == {"quota_forecast"}
        assert (await w.tenant.until(await w.send(NUMBER + 50, type=2), state="sent"))["channel"] == "zalo"


async def test_the_options_of_the_vendors_are_honoured(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        alone = await w.send(NOT_ON_ZALO, ext={"enable_sms_on_zns_failure": False})
        assert (await w.tenant.until(alone, state="rejected"))["error"] == "zalo_-118"
        sms = {"brandname": "SHOP", "message": "Ma OTP: 482913"}
        other = await w.send(NOT_ON_ZALO, ext={"enable_sms_on_zns_failure": "true", "sms": sms})
        await w.tenant.until(other, state="delivered")
        (shown,) = w.smsc.taken
        assert (shown.source, shown.text) == ("SHOP", "Ma OTP: 482913")


async def test_a_user_id_is_a_destination_of_its_own(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        user = w.zalo.oa().told.users[0].user_id
        message_id = await w.send(f"zalo:{user}", text="Chào bạn")
        shown = await w.tenant.until(message_id, state="sent")
        assert (shown["destination"], shown["channel"]) == (f"zalo:{user}", "zalo")
        assert [each.surface for each in w.zalo.accepted] == ["consultation"]
