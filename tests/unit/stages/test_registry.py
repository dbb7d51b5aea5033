"""The registry: who may call, as the ledger says, a moment ago at most."""

import asyncio
from typing import Any

import pytest
from tests.support.fakes import EPOCH
from tests.support.intake_desk import Desk

from loa.domain.keys import digest, keep
from loa.domain.routes import RouteStep
from loa.domain.template import Template
from loa.domain.traffic import DEFAULT_POLICIES, OnUnknown, TrafficClass
from loa.errors import StorageUnavailable
from loa.stages.registry import Registry, class_policies


async def test_a_key_leads_to_its_tenant_with_routes_and_senders(desk: Desk) -> None:
    caller = desk.registry.principal(digest(desk.secret))
    assert caller is not None
    assert (caller.key.id, caller.tenant_id) == (desk.key.id, desk.tenant.id)
    assert set(caller.view.senders) == {"LOA", "Unrouted", "TwelveLetter"}
    assert caller.view.steps("LOA", TrafficClass.OTP, "viettel") == (RouteStep(desk.channels["fast"]),)
    assert caller.view.steps("Unrouted", TrafficClass.OTP, "viettel") == ()
    assert caller.may("report")
    assert not caller.may("nothing")


async def test_a_refresh_reads_only_what_has_changed(desk: Desk) -> None:
    before = desk.registry.snapshot
    assert await desk.registry.refresh() is False
    assert desk.registry.snapshot is before
    await desk.ledger.add_sender(desk.tenant.id, "New", "brandname")
    assert await desk.registry.refresh() is True
    assert "New" in desk.caller.view.senders


async def test_a_revoked_key_is_unknown_after_the_next_look(desk: Desk) -> None:
    await desk.ledger.revoke_key(desk.key.id, EPOCH)
    await desk.registry.refresh()
    assert desk.registry.principal(desk.key.digest) is None


async def test_a_key_expires_without_any_look(desk: Desk) -> None:
    key, _ = await desk.add_key(expires_at=EPOCH + 1_000)
    assert desk.registry.principal(key.digest) is not None
    desk.clock.advance(1)
    assert desk.registry.principal(key.digest) is None


async def test_the_watch_notices_a_change_within_a_second_and_ends_when_cancelled(desk: Desk) -> None:
    changed = asyncio.Event()
    desk.registry.on_change(lambda _: changed.set())
    watch = asyncio.create_task(desk.registry.watch())
    await asyncio.sleep(0)
    await desk.ledger.revoke_key(desk.key.id, EPOCH)
    desk.clock.advance(1)
    await asyncio.wait_for(changed.wait(), 5)
    assert desk.registry.principal(desk.key.digest) is None
    watch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watch


async def test_the_watch_outlives_a_directory_that_cannot_be_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [StorageUnavailable("away"), ValueError("not readable")]
    failed = asyncio.Event()
    real = desk.ledger.revision

    async def revision() -> int:
        if failures:
            failed.set()
            raise failures.pop()
        return await real()

    monkeypatch.setattr(desk.ledger, "revision", revision)
    changed = asyncio.Event()
    desk.registry.on_change(lambda _: changed.set())
    await desk.ledger.add_sender(desk.tenant.id, "New", "brandname")
    watch = asyncio.create_task(desk.registry.watch())
    async with asyncio.timeout(5):
        while not changed.is_set():
            await asyncio.sleep(0)
            desk.clock.advance(1)
    assert failed.is_set()
    assert "New" in desk.caller.view.senders
    watch.cancel()


async def test_the_last_use_of_a_key_is_written_down_in_groups(desk: Desk) -> None:
    desk.clock.advance(5)
    desk.registry.note_used(desk.key.id)
    await desk.registry.flush_used()
    assert [key.last_used_at for key in await desk.ledger.keys()] == [EPOCH + 5_000]
    assert await desk.registry.refresh() is False


class _Failing:
    """A directory that cannot be written to."""

    def __init__(self) -> None:
        self.broken = True
        self.seen: list[dict[int, int]] = []

    async def touch_keys(self, used: dict[int, int]) -> None:
        if self.broken:
            raise StorageUnavailable("away")
        self.seen.append(dict(used))


async def test_a_failed_flush_forgets_no_use(desk: Desk) -> None:
    directory: Any = _Failing()
    registry = Registry(directory, desk.clock)
    registry.note_used(1)
    with pytest.raises(StorageUnavailable):
        await registry.flush_used()
    desk.clock.advance(1)
    registry.note_used(2)
    directory.broken = False
    await registry.flush_used()
    assert directory.seen == [{1: EPOCH, 2: EPOCH + 1_000}]


async def test_a_network_that_cannot_be_read_lets_nobody_in(desk: Desk) -> None:
    key, _ = await desk.add_key(networks=("10.0.0.0/8", "nonsense"))
    lost, _ = await desk.add_key(networks=("nonsense",))
    assert [str(each) for each in desk.caller_of(key).networks or ()] == ["10.0.0.0/8"]
    assert desk.caller_of(lost).networks == ()
    assert desk.caller.networks is None


async def test_imported_keys_are_looked_for_only_where_there_are_some(desk: Desk) -> None:
    assert desk.registry.snapshot.takes_imported_keys is False
    kept = keep("key-from-another-gateway")
    await desk.add_key(digest=kept.digest, display=kept.display)
    assert desk.registry.snapshot.takes_imported_keys is True


async def test_a_tenant_changes_its_class_policies_and_keeps_the_other_defaults(desk: Desk) -> None:
    await desk.ledger.set_policies(desk.tenant.id, {"otp": {"lifetime_s": 60, "on_unknown": "resend_once"}})
    await desk.registry.refresh()
    policies = desk.registry.policies(desk.tenant.id)
    assert policies[TrafficClass.OTP].lifetime_s == 60
    assert policies[TrafficClass.OTP].on_unknown is OnUnknown.RESEND_ONCE
    assert policies[TrafficClass.ADVERTISING] == DEFAULT_POLICIES[TrafficClass.ADVERTISING]
    assert desk.registry.policies(999) == DEFAULT_POLICIES


async def test_policies_that_cannot_be_read_leave_the_defaults_and_all_other_tenants_alone(desk: Desk) -> None:
    with pytest.raises(ValueError):
        class_policies({"otp": {"on_unknown": "sometimes"}})
    await desk.ledger.set_policies(desk.tenant.id, {"otp": {"lifetime_s": "soon"}})
    await desk.registry.refresh()
    assert desk.registry.policies(desk.tenant.id) == DEFAULT_POLICIES


async def test_templates_are_known_by_their_channel(desk: Desk) -> None:
    channel_id = desk.channels["fast"]
    assert desk.registry.snapshot.templates == {}
    await desk.ledger.put_templates(channel_id, [Template(channel_id, "7", "offer", "enabled")], EPOCH)
    await desk.registry.refresh()
    assert [each.name for each in desk.registry.snapshot.templates[channel_id]] == ["offer"]
