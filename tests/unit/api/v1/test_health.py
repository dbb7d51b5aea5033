"""Health and metrics."""

import pytest
from tests.support.native_api import House

from loa.ledger.sqlite.ledger import SqliteLedger


async def test_alive_says_only_that(house: House) -> None:
    answer = await house.call("GET", "/livez", key=None)
    assert (answer.status, answer.json()) == (200, {"status": "ok", "version": "1.2.3"})


async def test_ready_while_the_ledger_takes_messages(house: House) -> None:
    answer = await house.call("GET", "/readyz", key=None)
    assert answer.status == 200
    assert answer.json()["status"] == "ready"


async def test_not_ready_while_draining(house: House) -> None:
    house.draining = True
    answer = await house.call("GET", "/readyz", key=None)
    assert answer.status == 503
    assert answer.json() == {
        "status": "not_ready",
        "checks": [{"name": "ledger_writable", "ok": True}, {"name": "not_draining", "ok": False}],
    }
    assert (await house.call("GET", "/livez", key=None)).status == 200


async def test_not_ready_while_the_ledger_cannot_write(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteLedger, "writable", lambda _: False)
    answer = await house.call("GET", "/readyz", key=None)
    assert answer.status == 503
    assert {"name": "ledger_writable", "ok": False} in answer.json()["checks"]


async def test_metrics_are_for_the_neighbours(house: House) -> None:
    await house.send()
    for near in ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"):
        answer = await house.call("GET", "/metrics", key=None, client=near)
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert b"loa_accepted_total{" in answer.body
    for far in ("192.0.2.1", "::2", "", "nonsense", None):
        assert (await house.call("GET", "/metrics", key=None, client=far)).status == 404
