"""The payload files themselves: complete, linked, and signed as they say."""

import hashlib
import json

import pytest
from tests.support.zalo_payloads import FOLDER, WORLD, names, payload


def test_every_payload_names_its_source_and_says_what_it_is() -> None:
    for path in FOLDER.glob("*.json"):
        parts = json.loads(path.read_text("utf-8"))
        assert parts["source"], path.name
        assert parts["says"], path.name


def test_every_request_names_an_answer_there_is() -> None:
    assert {payload(name)["answer"] for name in names("request")} <= set(names("answer"))


@pytest.mark.parametrize("name", names("event"))
def test_every_event_is_signed_with_the_plain_sum_unless_it_says_otherwise(name: str) -> None:
    event = payload(name)
    signed = event["signed"]
    assert signed["app_id"] == event.body.get("app_id", event.body.get("appId"))
    octets = signed["app_id"].encode() + event.raw + event.body["timestamp"].encode() + signed["secret"].encode()
    right = "mac=" + hashlib.sha256(octets).hexdigest()
    assert (event["headers"]["X-ZEvent-Signature"] == right) is event.get("genuine", True)


def test_the_hashed_number_is_the_sum_of_the_number() -> None:
    assert hashlib.sha256(WORLD["phone"].encode()).hexdigest() == WORLD["hash_phone"]
