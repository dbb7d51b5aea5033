"""Events that providers post: believed by their signature, answered once they are on disk."""

import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.fakes import FakeClock, QuietProbe
from tests.support.native_api import Answer, call
from tests.support.zalo_payloads import WORLD, Payload, names, payload

from loa.api.hooks.router import BODY_LIMIT, PREFIX, build_hooks
from loa.api.texts import Language
from loa.channels.zalo.provider import ZaloProvider
from loa.domain.receipt import Receipt
from loa.errors import StorageUnavailable
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.observe import metrics
from loa.ports.records import InboundEvent, NewInbound
from loa.stages.hearing import Hearing
from loa.stages.registry import Registry

SETTINGS = {name: WORLD[name] for name in ("app_id", "app_secret", "oa_id", "oa_secret_key")}
WRITES = payload("user-send-text.event")
DELIVERED = payload("user-received-message.event")


class World:
    """A ledger with one Zalo channel, and the address that events are posted to."""

    def __init__(self, ledger: SqliteLedger) -> None:
        self.ledger, self.clock = ledger, FakeClock()
        self.registry = Registry(ledger, self.clock)
        self.receipts: list[Receipt] = []
        self.stored, self.away = True, False
        self.told, self.changed = 0, list[int]()
        self.hearing = Hearing(
            {"zalo": ZaloProvider()},
            self.registry,
            self,
            self.clock,
            receipts=self._receipt,
            told=self._tell,
            changed=self._change,
        )
        self.app = build_hooks(self.hearing, Language.ENGLISH)

    def _receipt(self, receipt: Receipt, done: Callable[[bool], None]) -> None:
        self.receipts.append(receipt)
        done(self.stored)

    def _tell(self) -> None:
        self.told += 1

    async def _change(self, channel_id: int) -> None:
        self.changed.append(channel_id)

    async def take_inbound(self, events: list[NewInbound]) -> int:
        if self.away:
            raise StorageUnavailable("the disk is gone")
        return await self.ledger.take_inbound(events)

    async def add(self, *tenants: str, **settings: Any) -> None:
        """Add a channel, and tenants with a route over it."""
        channel = await self.ledger.add_channel("shop", "zalo", {**SETTINGS, **settings})
        for name in tenants:
            tenant = await self.ledger.add_tenant(name, 1)
            await self.ledger.add_route(tenant.id, [channel.id])
        await self.registry.refresh()

    async def post(self, event: Payload, body: bytes | None = None, **headers: str) -> Answer:
        return await self.ask("POST", f"{PREFIX}/zalo", {**event["headers"], **headers}, body or event.raw)

    async def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        return await call(self.app, method, path, headers or {}, body)

    async def heard(self, tenant_id: int = 1) -> list[InboundEvent]:
        return [row["inbound"] for row in await self.ledger.events(tenant_id, 0, 100)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    ledger = await SqliteLedger.open(tmp_path / "loa.db", probe=QuietProbe())
    yield World(ledger)
    await ledger.close()


def counted(result: str) -> float:
    return metrics.heard_total.labels("zalo", result)._value.get()


async def test_what_a_user_writes_is_on_disk_when_it_is_answered_and_told_to_the_tenant(world: World) -> None:
    await world.add("one")
    before = counted("taken")
    answer = await world.post(WRITES)
    assert (answer.status, answer.json(), counted("taken") - before) == (200, {}, 1)
    (event,) = await world.heard()
    assert (event.kind, event.channel, event.raw) == ("user_send_text", "shop", WRITES.raw)
    assert event.body["raw"] == WRITES.body
    assert (world.told, world.receipts) == (1, [])


async def test_a_repeat_is_taken_and_not_told_again(world: World) -> None:
    await world.add("one")
    assert [(await world.post(WRITES)).status for _ in range(3)] == [200] * 3
    assert (len(await world.heard()), world.told) == (1, 1)


@pytest.mark.parametrize("name", names("event"))
async def test_every_event_that_is_signed_is_taken_and_no_other(world: World, name: str) -> None:
    await world.add("one")
    event = payload(name)
    told = len(await world.heard()) + len(world.receipts)
    assert (await world.post(event)).status == (401 if name.startswith("wrong-") else 200)
    told = len(await world.heard()) + len(world.receipts) - told
    assert (told > 0) == (not name.startswith("wrong-"))


async def test_a_receipt_goes_to_the_receipts(world: World) -> None:
    await world.add("one")
    assert (await world.post(DELIVERED)).status == 200
    (receipt,) = world.receipts
    assert (receipt.channel_id, receipt.raw) == (1, DELIVERED.raw)
    assert await world.heard() == []


@pytest.mark.parametrize(
    ("reason", "given"),
    [
        ("signature", {"x-zevent-signature": "mac=" + "0" * 64}),
        ("signature", {"x-zevent-signature": ""}),
        ("signature", {"body": WRITES.raw + b" "}),
        ("unreadable", {"body": b"{"}),
        ("unreadable", {"body": b'{"app_id":1e999}'}),
        ("unreadable", {"body": b'{"app_id":NaN}'}),
        ("unknown_app", {"body": b'{"app_id":"1"}'}),
        ("unknown_oa", {"body": WRITES.raw.replace(b"5797458635083528841", b"1")}),
    ],
)
async def test_what_is_not_signed_for_a_channel_here_is_401_and_counted(
    world: World, log_lines: io.StringIO, reason: str, given: dict[str, Any]
) -> None:
    await world.add("one")
    before = counted(reason)
    answer = await world.post(WRITES, **given)
    assert (answer.status, answer.json()["code"]) == (401, "event_not_believed")
    assert reason not in answer.body.decode()
    assert counted(reason) == before + 1
    assert (await world.heard(), world.receipts) == ([], [])
    assert WORLD["oa_secret_key"] not in log_lines.getvalue()


async def test_without_a_channel_nothing_is_believed(world: World) -> None:
    assert (await world.post(WRITES)).status == 401


async def test_what_could_not_be_stored_is_503_so_that_it_comes_again(world: World) -> None:
    await world.add("one")
    world.stored, world.away = False, True
    for event in (WRITES, DELIVERED):
        answer = await world.post(event)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["code"] == "storage_unavailable"
    assert world.told == 0


async def test_a_change_at_the_provider_has_its_templates_looked_at(world: World) -> None:
    await world.add("one")
    assert (await world.post(payload("zns-change-template-status.event"))).status == 200
    assert world.changed == [1]
    assert len(await world.heard()) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{PREFIX}/zalo", 405),
        ("POST", f"{PREFIX}/sandbox", 404),
        ("POST", f"{PREFIX}/zalo/", 404),
        ("POST", PREFIX, 404),
    ],
)
async def test_other_paths_and_methods_are_refused(world: World, method: str, path: str, status: int) -> None:
    assert (await world.ask(method, path)).status == status


async def test_a_body_that_no_event_has_is_not_read_to_its_end(world: World) -> None:
    await world.add("one")
    answer = await world.ask("POST", f"{PREFIX}/zalo", {}, b" " * (BODY_LIMIT + 1))
    assert (answer.status, answer.json()["code"]) == (413, "body_too_large")


async def test_what_is_nobody_s_is_stored_counted_and_said_once(world: World, log_lines: io.StringIO) -> None:
    await world.add("one", "two")
    before = metrics.inbound_unowned_total._value.get()
    for event in (WRITES, payload("follow.event")):
        assert (await world.post(event)).status == 200
    assert metrics.inbound_unowned_total._value.get() == before + 2
    assert (await world.heard(1), await world.heard(2), world.told) == ([], [], 0)
    assert log_lines.getvalue().count("told to nobody") == 1
    assert "loa channels set shop --set owner=TENANT" in log_lines.getvalue()


async def test_a_channel_may_name_its_owner(world: World) -> None:
    await world.add("one", "two", owner="two")
    assert (await world.post(WRITES)).status == 200
    assert (await world.heard(1), len(await world.heard(2))) == ([], 1)


async def test_who_owns_a_channel_follows_the_directory(world: World) -> None:
    await world.add("one", owner="nobody")
    await world.post(WRITES)
    assert await world.heard() == []
    await world.ledger.change_channel("shop", settings=SETTINGS)
    await world.registry.refresh()
    await world.post(payload("follow.event"))
    assert [event.kind for event in await world.heard()] == ["follow"]
