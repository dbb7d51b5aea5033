"""The story of a message, and the live view of a demo."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from loa.app.admin_reading import Reading
from loa.app.demo import Ready
from loa.app.demo_furnish import furnish
from loa.app.demo_state import DemoState
from loa.app.demo_zalo import example
from loa.app.probes import NoProbe
from loa.cli import timeline
from loa.cli.demo_banner import banner, curl, zalo_curl
from loa.cli.demo_view import QUEUE, DemoView
from loa.domain import keys
from loa.domain.routes import plan_of
from loa.domain.traffic import TrafficClass
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.observe.clock import SystemClock
from loa.ports.records import NewSubmission
from loa.simulators.receiver.server import Delivery
from loa.simulators.smsc.events import Shown, Taken, Told
from loa.simulators.zalo.server import ZaloSimulator

NOW = 1_795_000_000_000
STATE = DemoState(keys.mint(live=True).secret, keys.mint(live=False).secret, "whsec_" + "A" * 43 + "=")


def at(second: float) -> str:
    return f"2026-11-24T00:00:{second:06.3f}Z"


def message(**changed: Any) -> dict[str, Any]:
    return {
        "messageId": "msg_1",
        "sender": "ACME",
        "destination": "84912345678",
        "state": "delivered",
        "error": None,
        "text": "hello",
        "cost": 350,
        "class": "otp",
        "segmentCount": 1,
        "acceptedAt": at(0),
        "attempts": [
            {
                "number": 1,
                "channel": "viettel",
                "claimedAt": at(0.002),
                "doneAt": at(0.01),
                "outcome": "accepted",
                "reason": None,
                "segments": [{"providerRef": "77"}],
            }
        ],
        "receipts": [{"receivedAt": at(1.2), "stat": "DELIVRD", "detail": None, "result": "applied", "repeats": 2}],
        "events": [{"at": at(1.201), "state": "delivered", "error": None, "channel": "viettel"}],
        "callbacks": [
            {
                "state": "delivered",
                "url": "https://shop.example.vn/sms",
                "tries": [
                    {"number": 1, "at": at(1.3), "status": None, "error": "timeout", "elapsedMs": 15000},
                    {"number": 2, "at": at(20), "status": 200, "error": None, "elapsedMs": 12},
                ],
            }
        ],
        **changed,
    }


def test_everything_known_of_a_message_is_told_in_the_order_of_time() -> None:
    assert [(each.what, each.detail) for each in timeline.moments(message())] == [
        ("accepted", "otp, 1 segment"),
        ("attempt 1", "handed to viettel"),
        ("attempt 1", "accepted, ref 77"),
        ("receipt", "DELIVRD, applied, repeated 2 times"),
        ("delivered", "viettel"),
        ("callback try 1", "delivered to https://shop.example.vn/sms: timeout in 15000 ms"),
        ("callback try 2", "delivered to https://shop.example.vn/sms: HTTP 200 in 12 ms"),
    ]


def test_the_story_shows_how_long_after_acceptance_each_thing_was() -> None:
    out = io.StringIO()
    timeline.show(Console(file=out, width=200), message(text="[bold]hello"))
    lines = out.getvalue().splitlines()
    assert lines[0] == "msg_1  ACME to 84912345678  delivered"
    assert lines[1] == "  [bold]hello"
    assert lines[5].split()[:4] == [at(1.2), "+1.200", "s", "receipt"]


ZALO = (example("LOA-DEMO", "0912345678"), "0912345697")
LINK = "http://127.0.0.1:8080/console/enter/once"
READY = Ready(
    "http://127.0.0.1:8080",
    STATE.api_key,
    STATE.test_api_key,
    "LOA-DEMO",
    "s:1",
    "http://r/",
    Path(".loa"),
    *ZALO,
    LINK,
)


def test_the_curl_of_the_banner_has_every_field_of_the_vendors_call() -> None:
    body = curl(READY).partition("-d '")[2].removesuffix("'").replace("'$(date +%s)'", "7")
    assert json.loads(body) == {
        "destinations": ["0912345678"],
        "from": "LOA-DEMO",
        "text": "Xin chao tu Loa",
        "scheduled": "",
        "requestId": "demo-7",
        "useUnicode": 0,
        "type": 0,
        "ext": {},
    }


def test_the_banner_says_key_address_data_and_how_to_read_the_result() -> None:
    said = banner(READY)
    assert curl(READY) in said
    assert f"curl -sS {READY.url}/api/v1/submissions/REFERENT_ID -H 'API-KEY: {READY.api_key}'" in said
    assert READY.test_api_key in said
    assert "Ctrl-C stops it" in said
    assert f"another):\n\n{LINK}\n\nSend a message" in said
    assert "browser" not in banner(replace(READY, console=""))
    assert json.loads(zalo_curl(READY).partition("-d '")[2].removesuffix("'")) == ZALO[0]
    assert "--data" not in said
    elsewhere = replace(READY, data_dir=Path("/tmp/my loa"))
    assert "--wait --data '/tmp/my loa'" in banner(elsewhere)


def taken(coding: int) -> Taken:
    return Taken(NOW, 1, "1", "loa", "LOA-DEMO", "84912345678", "chào", None, 1, coding)


def delivery(verdict: Any, body: bytes) -> Delivery:
    return Delivery(NOW, 1, "POST", "/callbacks", "", {"webhook-id": "cb_1"}, body, verdict, 200)


class Look:
    """A view without a terminal, and what it wrote."""

    def __init__(self, *, terminal: bool = False) -> None:
        self._out = io.StringIO()
        self.view = DemoView(Console(file=self._out, width=200, force_terminal=terminal, no_color=True))

    def lines(self) -> list[str]:
        return [line.partition("  ")[2].strip() for line in self._out.getvalue().splitlines()]

    @property
    def text(self) -> str:
        return self._out.getvalue()


def test_the_view_shows_bubble_receipt_and_callback() -> None:
    look = Look()
    look.view.on_smsc(taken(8))
    look.view.on_smsc(Shown(NOW, "LOA-DEMO", "84912345678", "chào [b]", 2))
    look.view.on_smsc(Told(NOW, 1, "84912345678", "DELIVRD", 0))
    look.view.on_callback(delivery("valid", b'{"msisdn":"84912345678","state":"delivered","status":2}'))
    look.view.on_callback(delivery("invalid", b"not json"))
    look.view.show_queue()
    assert look.lines() == [
        "handset   84912345678  LOA-DEMO: 'chào [b]'  (UCS-2, 2 parts)",
        "receipt   84912345678  DELIVRD",
        "callback  84912345678  delivered (status 2)  signature valid, answered 200  cb_1",
        "callback  ?  ? (status ?)  signature invalid, answered 200  cb_1",
    ]


def test_on_a_terminal_the_handset_is_a_bubble() -> None:
    look = Look(terminal=True)
    look.view.on_smsc(taken(0))
    look.view.on_smsc(Shown(NOW, "LOA-DEMO", "84912345678", "hello", 1))
    look.view.show_queue()
    assert "╭─ LOA-DEMO" in look.text
    assert "│ hello" in look.text
    assert "(GSM 03.38, 1 part)" in look.text


def test_what_comes_too_fast_is_counted_instead_of_kept() -> None:
    look = Look()
    for _ in range(QUEUE + 7):
        look.view.on_smsc(Told(NOW, 1, "84912345678", "DELIVRD", 0))
    look.view.show_queue()
    assert len(look.lines()) == QUEUE + 1
    assert look.lines()[-1].startswith("…         7 more were not shown")


def submission(tenant_id: int, number: int, due_at: int) -> NewSubmission:
    return NewSubmission(
        tenant_id=tenant_id,
        key_id=1,
        referent_id=f"sub_{number:026}",
        token=f"{number:058}",
        request_id="",
        fingerprint=b"",
        strict=False,
        sender="LOA-DEMO",
        text="hello",
        encoding="gsm7",
        segment_count=2,
        traffic_class=TrafficClass.TRANSACTIONAL,
        accepted_at=NOW,
        due_at=due_at,
        expires_at=due_at + 60_000,
        plans=[(plan_of(1), [84912345678])],
    )


async def test_the_view_shows_what_was_accepted_since_it_began(tmp_path: Path) -> None:
    ledger = await SqliteLedger.open(tmp_path / "loa.db", probe=NoProbe())
    reading = Reading(ledger, SystemClock(), str, "")

    async def newest(limit: int) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = (await reading.messages(tenant="demo", limit=limit))["messages"]
        return found

    try:
        tenant = await furnish(ledger, SystemClock(), STATE, "http://127.0.0.1:1/callbacks", ZaloSimulator(port=9))
        await ledger.accept(submission(tenant.id, 1, NOW))
        look = Look()
        await look.view.begin(newest)
        await ledger.accept(submission(tenant.id, 2, NOW))
        await ledger.accept(submission(tenant.id, 3, NOW + 3_600_000))
        await look.view.look(newest)
        await look.view.look(newest)
    finally:
        await ledger.close()
    first, second = look.lines()
    assert first == f"accepted  84912345678  transactional  2 segments  msg_2  sub_{2:026}"
    assert f"sub_{3:026}  waits until 2026-11-18 " in second


async def test_furnishing_goes_on_wherever_it_was_cut_off(tmp_path: Path) -> None:
    ledger = await SqliteLedger.open(tmp_path / "loa.db", probe=NoProbe())
    clock, zalo = SystemClock(), ZaloSimulator(port=9)
    try:
        await ledger.add_tenant("demo", 1)
        for receiver in (
            "http://127.0.0.1:1/callbacks",
            "http://127.0.0.1:1/callbacks",
            "http://127.0.0.1:2/callbacks",
        ):
            await furnish(ledger, clock, STATE, receiver, zalo)
        moved = DemoState(STATE.api_key, STATE.test_api_key, STATE.callback_secret, smsc_port=4)
        await furnish(ledger, clock, moved, "http://127.0.0.1:2/callbacks", zalo)
        held = await ledger.keys()
        assert [(key.live, key.endpoint_id) for key in held] == [(True, 2), (True, 2), (False, 2), (False, 2)]
        assert [len(await rows) for rows in (ledger.tenants(), ledger.senders(), ledger.routes())] == [1, 1, 1]
        assert [channel.settings.get("port") for channel in await ledger.channels()] == [4, None]
    finally:
        await ledger.close()
