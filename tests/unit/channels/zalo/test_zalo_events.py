"""Every event of the files, heard: who signed it, and what it says."""

import io
import json

import pytest
import structlog
from tests.support.fakes import EPOCH
from tests.support.zalo_payloads import WORLD, names, payload

from loa.channels.registry import OWN
from loa.channels.zalo.events import CHANGES, KEY_CHARS, signature_of
from loa.domain.destination import written
from loa.domain.lifecycle import State
from loa.observe.log import configure
from loa.ports.channel import Heard, Hears, Unheard
from loa.ports.records import ChannelRecord

SETTINGS = {name: WORLD[name] for name in ("app_id", "app_secret", "oa_id", "oa_secret_key")}
CHANNEL = ChannelRecord(7, "shop", "zalo", SETTINGS)
OTHER = ChannelRecord(8, "other", "zalo", SETTINGS | {"oa_id": "1"})
EVENTS = names("event")
GENUINE = [name for name in EVENTS if payload(name).get("genuine", True)]
RECEIPTS = ["user-received-message.event", "user-seen-message.event"]
RECEIPTS += ["zns-user-received-message.event", "zns-user-received-message-hash.event"]


def hear(name, channels=(OTHER, CHANNEL), **changes):
    provider = OWN["zalo"]
    assert isinstance(provider, Hears)
    file = payload(name)
    headers = {key.lower(): value for key, value in file["headers"].items()}
    return provider.hear(channels, headers | changes.get("headers", {}), changes.get("body", file.raw), EPOCH)


def signed(event, **headers):
    """Give an event of a test's own, as it is posted."""
    body = json.dumps(event, ensure_ascii=False).encode()
    app_id = str(event.get("app_id") or event.get("appId") or "")
    mark = signature_of(app_id, body, str(event.get("timestamp", "")), WORLD["oa_secret_key"])
    return OWN["zalo"].hear([CHANNEL], {"x-zevent-signature": mark, **headers}, body, EPOCH)


@pytest.mark.parametrize("name", GENUINE)
def test_every_genuine_event_is_heard_by_its_channel_and_loses_nothing(name):
    heard = hear(name)
    assert isinstance(heard, Heard)
    assert heard.channel_id == 7
    event = payload(name).body
    if name in RECEIPTS:
        assert heard.receipts
        assert not heard.inbound
        assert all(receipt.raw == payload(name).raw for receipt in heard.receipts)
        return
    (inbound,) = heard.inbound
    assert not heard.receipts
    assert inbound.kind == inbound.body["event"] == event["event_name"]
    assert inbound.body["raw"] == event
    assert inbound.raw == payload(name).raw
    assert inbound.at == int(event["timestamp"])
    assert inbound.tenant_id is None
    assert heard.changed is (event["event_name"] in CHANGES)
    assert json.loads(json.dumps(inbound.body)) == inbound.body


@pytest.mark.parametrize("name", sorted(set(EVENTS) - set(GENUINE)))
def test_an_event_that_is_signed_wrongly_is_not_heard(name):
    assert hear(name) == Unheard("signature")


def test_every_event_has_a_key_of_its_own_and_a_repeat_has_the_same():
    keys = {}
    for name in GENUINE:
        for inbound in hear(name).inbound:
            keys.setdefault(inbound.key, []).append(payload(name).body["event_name"])
    assert keys.pop("user_send_text:d3b4c5d6e7f8091a2b3c4d5e") == ["user_send_text"] * 3, (
        "once more, and spelt otherwise"
    )
    assert all(len(each) == 1 for each in keys.values())


def test_a_delivery_to_a_number_is_told_by_both_names_with_its_true_time():
    (receipt,) = hear("zns-user-received-message.event").receipts
    assert receipt.refs == ("f7a1b2c3d4e5f60718293a4b", "loa-176400000000000-1")
    assert receipt.state is State.DELIVERED
    assert (receipt.destination, receipt.done_at, receipt.received_at) == (84912345678, 1_795_480_001_500, EPOCH)
    (hashed,) = hear("zns-user-received-message-hash.event").receipts
    assert (hashed.refs, hashed.destination) == (receipt.refs, 0)


@pytest.mark.parametrize(
    ("to", "header", "message", "destination"),
    [
        ("84912345678", "", {"msg_id": "a"}, 84912345678),
        ("84912345678", "", {"tracking_id": "msg_1-1"}, 84912345678),
        (WORLD["hash_phone"], "", {"msg_id": "a"}, 0),
        (WORLD["user_id"], "", {"msg_id": "a"}, -int(WORLD["user_id"])),
        ("x", "ZNS", {"msg_id": "a"}, 0),
    ],
)
def test_a_delivery_of_a_template_is_told_apart_by_any_of_its_marks(to, header, message, destination):
    event = {**payload("zns-user-received-message.event").body, "recipient": {"id": to}, "message": message}
    (receipt,) = signed(event, **({"x-zevent-server": header} if header else {})).receipts
    assert receipt.destination == destination
    assert receipt.done_at == int(event["timestamp"])


def test_a_delivery_and_a_look_of_a_user_name_the_user():
    (receipt,) = hear("user-received-message.event").receipts
    assert written(receipt.destination) == f"zalo:{WORLD['user_id']}"
    assert receipt.state is State.DELIVERED
    seen = hear("user-seen-message.event").receipts
    assert [each.refs for each in seen] == [("d3b4c5d6e7f8091a2b3c4d5e",), ("c2a1b2c3d4e5f60718293a4b",)]
    assert {(each.state, each.stat, each.destination) for each in seen} == {(None, "seen", -int(WORLD["user_id"]))}


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("user-send-text.event", -int(WORLD["user_id"])),
        ("oa-send-text.event", -int(WORLD["user_id"])),
        ("follow.event", -int(WORLD["user_id"])),
        ("add-user-to-tag.event", -int(WORLD["user_id"])),
        ("zns-user-feedback.event", 84912345678),
        ("zns-change-template-status.event", 0),
        ("create-group.event", 0),
    ],
)
def test_an_event_is_about_whoever_is_there_beside_the_official_account(name, subject):
    (inbound,) = hear(name).inbound
    assert inbound.subject == subject


def test_what_can_be_read_has_names_of_our_own():
    (text,) = hear("user-send-text.event").inbound
    assert text.body["text"] == "Cho hỏi đơn hàng “DH-1”? \\ / 👍"
    assert text.body["userIdByApp"] == WORLD["user_id_by_app"]
    (rating,) = hear("zns-user-feedback.event").inbound
    assert (rating.body["rate"], rating.body["note"], rating.body["trackingId"]) == (
        5,
        "Rất tốt",
        "loa-176400000000000-1",
    )
    (status,) = hear("zns-change-template-status.event").inbound
    assert status.body["status"] == {"prev_status": "ENABLE", "new_status": "DISABLE"}


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (b"", "unreadable"),
        (b"[]", "unreadable"),
        (b"[" * 100_000, "unreadable"),
        (b"\xff", "unreadable"),
        (b"{}", "unknown_app"),
        (b'{"app_id": "1"}', "unknown_app"),
        (b'{"app_id": "4242424242424242424", "sender": {"id": "5"}}', "unknown_oa"),
        (b'{"app_id": "4242424242424242424", "sender": "5", "recipient": ["a"]}', "unknown_oa"),
    ],
)
def test_what_is_for_nobody_here_is_not_heard(event, reason):
    assert hear("user-send-text.event", body=event) == Unheard(reason)


def test_without_a_key_nothing_is_believed_not_even_a_sum_over_nothing():
    bare = ChannelRecord(7, "shop", "zalo", SETTINGS | {"oa_secret_key": ""})
    body = payload("user-send-text.event").raw
    mark = signature_of(WORLD["app_id"], body, "1795480000001", "")
    assert hear("user-send-text.event", channels=[bare], headers={"x-zevent-signature": mark}) == Unheard("signature")
    assert hear("user-send-text.event", headers={"x-zevent-signature": "mac=đ"}) == Unheard("signature")
    assert hear("user-send-text.event", headers={"x-zevent-signature": ""}) == Unheard("signature")


def test_one_octet_more_or_less_is_another_event():
    raw = payload("user-send-text.event").raw
    assert hear("user-send-text.event", body=raw + b" ") == Unheard("signature")
    assert hear("user-send-text.event", body=raw.replace(b"DH-1", b"DH-2")) == Unheard("signature")


@pytest.mark.parametrize(("name", "said"), [("wrong-secret.event", True), ("wrong-hmac.event", False)])
def test_the_log_says_whether_the_app_secret_would_have_fitted_and_shows_neither(name, said):
    log = io.StringIO()
    configure(json=True, stream=log)
    try:
        assert hear(name) == Unheard("signature")
    finally:
        structlog.reset_defaults()
    line = log.getvalue()
    assert ("app_secret fits" in line) is said
    for secret in (WORLD["app_secret"], WORLD["oa_secret_key"], WORLD["user_id"]):
        assert secret not in line


def test_events_that_lack_what_they_should_have_are_passed_on_as_they_are():
    base = {"app_id": WORLD["app_id"], "oa_id": WORLD["oa_id"], "timestamp": "x"}
    for event in (
        base,
        base | {"event_name": "user_received_message"},
        base | {"event_name": "user_seen_message", "message": {"msg_ids": [None, [], ""]}},
        base | {"event_name": ["odd"], "message": "text", "sender": 5, "user_id": {"a": 1}},
        base | {"event_name": "n" * 500, "message": {"msg_id": "m" * 500}},
    ):
        heard = signed(event)
        assert isinstance(heard, Heard)
        (inbound,) = heard.inbound
        assert inbound.body["raw"] == event
        assert inbound.kind
        assert 0 < len(inbound.key) <= KEY_CHARS
        assert (inbound.subject, inbound.at) == (0, 0)


def test_two_reactions_to_one_message_are_two_events():
    event = payload("user-reacted-message.event").body
    keys = {
        signed({**event, "message": {**event["message"], "react_icon": icon}}).inbound[0].key
        for icon in ("/-heart", ":>")
    }
    assert len(keys) == 2
