"""The body that tells of an inbound event."""

import json
from dataclasses import replace

from loa.domain.callback_body import inbound_body, inbound_bytes, inbound_public_id
from loa.ports.records import InboundEvent

TOLD = InboundEvent(
    id=77,
    kind="user_send_text",
    channel="shop",
    subject=-8_764_230_215_434_982_221,
    body={"provider": "zalo", "event": "theirs", "at": 5, "text": "chào 👍", "raw": {"event_name": "user_send_text"}},
    raw=b"{}",
    received_at=1_734_665_624_757,
    at=1_734_665_624_001,
)


def test_ours_come_first_theirs_beside_them_and_the_event_as_it_came() -> None:
    assert inbound_body(TOLD) == {
        "type": "inbound",
        "id": inbound_public_id(77),
        "event": "user_send_text",
        "channel": "shop",
        "from": "zalo:8764230215434982221",
        "receivedAt": "2024-12-20T03:33:44.757Z",
        "at": "2024-12-20T03:33:44.001Z",
        "provider": "zalo",
        "text": "chào 👍",
        "raw": {"event_name": "user_send_text"},
    }


def test_what_is_not_known_or_forgotten_is_null() -> None:
    shown = inbound_body(replace(TOLD, channel="", subject=0, at=0, body={}))
    assert {name for name, value in shown.items() if value is None} == {"channel", "from", "at", "raw"}
    assert inbound_body(replace(TOLD, subject=84_912_345_678))["from"] == "84912345678"


def test_the_bytes_are_the_body_as_compact_json() -> None:
    assert json.loads(inbound_bytes(TOLD)) == inbound_body(TOLD)
    assert "chào 👍".encode() in inbound_bytes(TOLD)
    assert b": " not in inbound_bytes(TOLD)


def test_ids_begin_with_what_they_are() -> None:
    assert [inbound_public_id(number) for number in (0, 31, 32)] == ["in_0", "in_Z", "in_10"]
