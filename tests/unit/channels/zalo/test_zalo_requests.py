"""What is asked of Zalo is what the files of payloads hold, octet for octet where it matters."""

import json

import pytest
from tests.contract.channel.rig import attempt
from tests.support.zalo_payloads import WORLD, payload

from loa.channels.zalo import settings as own
from loa.channels.zalo.client import fits_header, request_of
from loa.channels.zalo.codes import Surface
from loa.channels.zalo.requests import letter_of, tracking_id

DATA = {"customer_name": "Nguyễn Văn A", "order_code": "DH-20261126"}
ORDER = {"kind": "template", "template_id": "302117", "data": DATA, "tag": 1}
JOURNEY = {**ORDER, "template_id": "302118", "journey_token": "journey-token-of-the-fixtures"}
USER = -int(WORLD["user_id"])


def settings(**changes):
    given = {name: WORLD[name] for name in ("app_id", "app_secret", "oa_id")}
    return own.read(given | changes)


CASES = [
    ("template-send", ORDER, {}, {}),
    ("template-send-mode", ORDER | {"sending_mode": "1"}, {}, {}),
    ("template-hashphone", ORDER, {}, {"number_form": "hashed"}),
    ("template-development", ORDER | {"mode": "development"}, {}, {}),
    ("template-development", ORDER, {}, {"development": True}),
    ("template-journey", JOURNEY, {}, {}),
    ("template-uid", ORDER, {"destination": USER}, {}),
    ("template-uid", ORDER | {"user_id": WORLD["user_id"]}, {}, {}),
    ("oa-text", {"kind": "text", "text": "Chào anh, đơn hàng đã tới."}, {"destination": USER}, {}),
    ("oa-image-url", {"kind": "image", "url": "https://shop.example/a.png"}, {"destination": USER}, {}),
    (
        "oa-image-attachment",
        {"kind": "image", "attachment_id": "attachment-of-the-fixtures"},
        {"destination": USER},
        {},
    ),
    ("oa-sticker", {"kind": "sticker", "sticker_id": "bfe458bf64fa8da4d4eb"}, {"destination": USER}, {}),
    ("oa-file", {"kind": "file", "token": "file-token-of-the-fixtures", "user_id": WORLD["user_id"]}, {}, {}),
]


@pytest.mark.parametrize(("name", "rich", "message", "changes"), CASES)
def test_a_message_is_written_as_the_file_has_it(name, rich, message, changes):
    wanted = payload(f"{name}.request")
    one = attempt(1, rich=rich, **message)
    letter = letter_of(one, settings(**changes))
    body = json.loads(letter.body)
    if "tracking_id" in wanted["json"]:
        assert body["tracking_id"] == tracking_id(one)
        body["tracking_id"] = wanted["json"]["tracking_id"]
    assert body == wanted["json"]
    assert letter.path == wanted["path"]
    host = "business.openapi.zalo.me" if letter.surface is Surface.NUMBER else "openapi.zalo.me"
    assert host == wanted["host"]
    assert letter.journey_token == wanted["headers"].get("journey_token", "")
    assert "Nguyễn".encode() in letter.body or "template" not in name


@pytest.mark.parametrize(
    "rich",
    [{}, {"kind": "text", "text": "x"}, {"kind": "song"}, {"kind": "template"}, {"kind": "template", "data": {}}],
)
def test_what_this_channel_does_not_carry_makes_no_request(rich):
    assert letter_of(attempt(1, rich=rich), settings()) is None


def test_a_tracking_id_is_short_and_of_one_attempt():
    longest = attempt(2**63 - 1, number=2**31)
    assert len(tracking_id(longest)) <= 31
    assert tracking_id(attempt(5)) == "msg_5-1"
    assert tracking_id(attempt(5, number=2)) == "msg_5-2"


def test_a_trial_and_what_goes_beyond_the_quota_are_known_as_such():
    letter = letter_of(
        attempt(1, rich=ORDER | {"mode": "development", "sending_mode": "3", "own_quota": True}), settings()
    )
    assert (letter.trial, letter.beyond, letter.own_quota) == (True, True, True)


class Somewhere:
    host, prefix = "h", "/p"


@pytest.mark.parametrize("value", ["a\r\nb", "", " a", "a ", "đ", "a\x7f", "a\nb"])
def test_no_value_ends_its_header(value):
    assert not fits_header(value)
    with pytest.raises(ValueError, match="access_token"):
        request_of(Somewhere, "GET", "/x", {"access_token": value})


def test_a_request_is_whole():
    assert request_of(Somewhere, "POST", "/x", {"a": "b c"}, b"{}") == (
        b"POST /p/x HTTP/1.1\r\nHost: h\r\nAccept-Encoding: identity\r\na: b c\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )


def test_half_a_surrogate_pair_breaks_nothing():
    letter = letter_of(attempt(1, rich={"kind": "text", "text": "a\ud800b", "user_id": "5"}), settings())
    assert json.loads(letter.body)["message"] == {"text": "a?b"}
