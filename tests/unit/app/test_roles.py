"""A process does what its roles say and nothing else. One ledger file stands in for the one that many would share."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.support.fakes import QuietProbe

from loa.app.gateway import Gateway
from loa.domain import keys
from loa.observe import metrics
from loa.ports.ledger import Ledger
from loa.ports.records import ApiKey, MessageFilter
from loa.settings.tree import ROLES, Settings

SEND = "/api/vendor/v1/sms/send-message"
ONE = {"destinations": ["0912345678"], "from": "LOA", "text": "hello", "useUnicode": 0, "type": 0}


@pytest.fixture(autouse=True)
def _interpreter_as_it_was() -> Iterator[None]:
    """A gateway tunes the interpreter for itself; what it did is taken back."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)


@asynccontextmanager
async def running(path: Path, *roles: str, admin_port: int = 0) -> AsyncIterator[Gateway]:
    small = Settings(data_dir=path, roles=roles, drain_s=1)
    settings = replace(
        small,
        server=replace(small.server, listen_port=0, admin_port=admin_port),
        ledger=replace(small.ledger, reserve_bytes=0),
        limits=replace(small.limits, disk_free_min_bytes=0),
        sandbox=replace(small.sandbox, receipt_delay_ms=0),
    )
    path.mkdir(exist_ok=True)
    gateway = Gateway(settings, probe=QuietProbe())
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


async def a_key(ledger: Ledger) -> str:
    tenant = await ledger.add_tenant("t", 1)
    await ledger.add_sender(tenant.id, "LOA", "brandname")
    minted = keys.mint(live=False)
    kept = keys.keep(minted.secret)
    everything = frozenset(permission.value for permission in keys.Permission)
    await ledger.add_key(ApiKey(0, tenant.id, "t", kept.digest, kept.display, False, everything, created_at=1))
    return minted.secret


async def ask(gateway: Gateway, path: str, key: str = "", **body: Any) -> int:
    async with (
        aiohttp.ClientSession(headers={"API-KEY": key}) as session,
        session.request("POST" if body else "GET", gateway.url + path, json=body or None) as answer,
    ):
        return answer.status


async def state(ledger: Ledger) -> str:
    (row,) = await ledger.messages(1, MessageFilter(), None, 10)
    return str(row["state"])


async def test_without_the_api_the_listener_knows_health_and_metrics_only(tmp_path: Path) -> None:
    async with running(tmp_path, "dispatch", "callbacks", "receipts", "upkeep") as gateway:
        assert await ask(gateway, "/readyz") == 200
        assert await ask(gateway, "/livez") == 200
        assert await ask(gateway, "/metrics") == 200
        assert await ask(gateway, SEND, **ONE) == 404
        assert await ask(gateway, "/api/v1/messages") == 404
        assert await ask(gateway, "/openapi.json") == 404


async def test_the_api_alone_accepts_and_hands_nothing_over_and_dispatch_alone_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path, "api") as gateway:
        assert gateway.host is None
        key = await a_key(gateway.ledger)
        await gateway.registry.refresh()
        assert await ask(gateway, SEND, key, **ONE) == 201
        assert await state(gateway.ledger) == "queued"
    async with running(tmp_path, "dispatch") as gateway:
        assert gateway.host is not None
        async with asyncio.timeout(20):
            while await state(gateway.ledger) != "delivered":
                await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("roles", "loops"),
    [
        (("api",), {"ReceiptStage"}),
        (("dispatch",), {"Sharing", "TemplateStage", "ReceiptStage"}),
        (("callbacks",), {"CallbackStage"}),
        (("upkeep",), {"Upkeep", "Abandoned", "Counting"}),
        (("receipts",), {"Rematching"}),
        (("receipts", "upkeep"), {"Upkeep", "Abandoned", "Counting"}),
        (("console",), set()),
        (ROLES, {"Sharing", "TemplateStage", "ReceiptStage", "CallbackStage", "Upkeep", "Abandoned", "Counting"}),
    ],
)
async def test_each_role_has_its_loops(tmp_path: Path, roles: tuple[str, ...], loops: set[str]) -> None:
    async with running(tmp_path, *roles) as gateway:
        assert {type(loop.__self__).__name__ for loop in gateway._stages.loops()} == loops  # type: ignore[attr-defined]


async def test_whoever_scrapes_sees_which_roles_a_process_has(tmp_path: Path) -> None:
    async with running(tmp_path, "receipts", "upkeep") as gateway:
        async with asyncio.timeout(10):
            while not (shown := [line for line in metrics.render().decode().splitlines() if "receipts,upkeep" in line]):
                await asyncio.sleep(0)
        assert shown[0].startswith("loa_build_info{")
        assert gateway.ledger.engine == "sqlite"


async def test_a_hint_of_another_process_wakes_those_who_may_have_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, "dispatch", "callbacks") as gateway:
        woken: list[str] = []
        stages = gateway._stages
        assert stages.dispatching is not None
        assert stages.calling is not None
        monkeypatch.setattr(stages.dispatching.host, "wake", lambda: woken.append("dispatch"))
        monkeypatch.setattr(stages.calling.stage, "wake", lambda: woken.append("callbacks"))
        stages.wake()
        assert sorted(woken) == ["callbacks", "dispatch"]


@pytest.mark.parametrize("role", ["api", "dispatch"])
async def test_every_process_can_have_templates_looked_at_again(tmp_path: Path, role: str) -> None:
    async with running(tmp_path, role) as gateway:
        await gateway._stages.templates_changed(7)
        (look,) = await gateway.ledger.template_looks()
        assert (look.channel_id, look.begun_at) == (7, 0)
        assert look.asked_at > 0
