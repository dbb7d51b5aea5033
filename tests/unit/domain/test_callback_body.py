"""The body of callbacks and of the event feed."""

from dataclasses import replace

import pytest

from loa.domain.callback_body import callback_body, callback_id_from, callback_public_id, utc_text
from loa.domain.ids import message_public_id
from loa.domain.lifecycle import FINAL, State
from loa.ports.records import DueCallback

DUE = DueCallback(
    id=9,
    tenant_id=1,
    endpoint_id=1,
    url="https://example.com/hook",
    secrets=("whsec_x",),
    tries=0,
    message_id=77,
    sequence=1,
    state=State.DELIVERED,
    error="",
    occurred_at=1_734_665_630_001,
    possible_duplicate=False,
    double_reach=False,
    cost=700,
    destination=84912345678,
    channel="vina",
    segment_count=2,
    referent_id="sub_01JFHC3W5XK3M0QZ8T4B6N7R2Y",
    request_id="order-1",
    sent_at=1_734_665_624_757,
    handed_over_at=1_734_665_625_000,
    metadata={"shop": 4},
)


def test_a_delivered_message_is_told_with_the_vendors_fields_and_ours() -> None:
    assert callback_body(DUE, retry_count=3) == {
        "msisdn": "84912345678",
        "requestId": "order-1",
        "sendTime": "2024-12-20T03:33:44.757Z",
        "responseTimeTelco": "2024-12-20T03:33:45.000Z",
        "status": 2,
        "referentId": "sub_01JFHC3W5XK3M0QZ8T4B6N7R2Y",
        "retryCount": 3,
        "state": "delivered",
        "sequence": 1,
        "occurredAt": "2024-12-20T03:33:50.001Z",
        "error": None,
        "channel": "vina",
        "messageId": message_public_id(77),
        "segmentCount": 2,
        "possibleDuplicate": False,
        "doubleReach": False,
        "cost": 700,
        "metadata": {"shop": 4},
    }


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (State.SENT, 1),
        (State.DELIVERED, 2),
        (State.UNDELIVERED, -2),
        (State.REJECTED, -1),
        (State.CANCELLED, -1),
        (State.EXPIRED, 6),
        (State.UNKNOWN, 0),
    ],
)
def test_every_reported_state_has_its_vendor_number(state: State, status: int) -> None:
    body = callback_body(replace(DUE, state=state))
    assert (body["status"], body["state"]) == (status, state.label)


def test_every_final_state_can_be_told() -> None:
    for state in FINAL:
        callback_body(replace(DUE, state=state))


def test_a_state_on_the_way_is_never_told() -> None:
    with pytest.raises(KeyError):
        callback_body(replace(DUE, state=State.QUEUED))


def test_what_did_not_happen_is_null() -> None:
    body = callback_body(replace(DUE, handed_over_at=0, channel="", error="", metadata=None))
    assert [body[name] for name in ("responseTimeTelco", "channel", "error", "metadata")] == [None] * 4


def test_the_vendors_seven_fields_come_first() -> None:
    vendor = ["msisdn", "requestId", "sendTime", "responseTimeTelco", "status", "referentId", "retryCount"]
    assert list(callback_body(DUE))[:7] == vendor


def test_an_error_is_passed_on() -> None:
    assert callback_body(replace(DUE, state=State.REJECTED, error="esme_rinvdstadr"))["error"] == "esme_rinvdstadr"


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (999, "1970-01-01T00:00:00.999Z"),
        (1_734_665_624_757, "2024-12-20T03:33:44.757Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_written_with_milliseconds_and_z(at: int, text: str) -> None:
    assert utc_text(at) == text


@pytest.mark.parametrize("number", [0, 1, 31, 32, 77, 2**63 - 1])
def test_a_callback_id_reads_back(number: int) -> None:
    public = callback_public_id(number)
    assert public.startswith("cb_")
    assert callback_id_from(public) == number


@pytest.mark.parametrize("public", ["", "cb_", "cb_!", "cb_007", "msg_7", "7", "cb_ZZZZZZZZZZZZZ", "cb_l"])
def test_what_is_no_callback_id_is_none(public: str) -> None:
    assert callback_id_from(public) is None
