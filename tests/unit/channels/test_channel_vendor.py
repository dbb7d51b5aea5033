"""The upstream gateway: what is posted, what its answers mean, what its reports say."""

import json

import pytest
from tests.unit.channels.window_rig import attempt

from loa.channels.vendor import settings as own
from loa.channels.vendor.answers import read_answer, read_report
from loa.channels.vendor.channel import body, request_id
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Deferred, Refused, Unknown
from loa.domain.traffic import TrafficClass
from loa.errors import ConfigError

NOW = 1_800_000_000_000


def settings_of(**given):
    return own.read({"base_url": "https://up.test", "api_key": "k"} | given)


def answer(status, found=None, *, retry_after="", raw=None):
    octets = raw if raw is not None else json.dumps(found).encode()
    return read_answer(status, retry_after, octets, "rq", NOW)


@pytest.mark.parametrize(
    ("status", "found", "ref"),
    [
        (201, {"code": 201, "data": {"token": "t"}, "message": "", "referentId": "sub_1"}, "sub_1"),
        (200, {"code": 0, "data": {}, "referentId": 17}, "17"),
        (200, {"data": {"token": "only"}}, "only"),
        (202, {"code": "200", "referentId": " x "}, "x"),
    ],
)
def test_a_good_answer_accepts_under_the_reference_of_the_gateway(status, found, ref):
    assert answer(status, found) == Accepted((ref,))


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 422])
def test_a_request_that_stays_wrong_is_refused_for_good(status):
    assert answer(status, {}) == Refused(f"http_{status}")
    assert answer(200, {"code": status, "referentId": "x"}) == Refused(f"http_{status}")


def test_a_key_that_is_not_known_and_a_redirect_may_be_cured():
    assert answer(401, {}) == Refused("http_401", lasting=False)
    assert answer(302, {}) == Refused("http_302", lasting=False)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "wait_s"), [("7", 7), ("", 5), ("0", 1), ("99999999", 3600), ("Wed, 21 Oct 2026 07:28:00 GMT", 5)]
)
def test_a_gateway_that_asks_to_come_again_is_given_its_time(status, asked, wait_s):
    assert answer(status, {}, retry_after=asked) == Deferred("throttled", until=NOW + wait_s * 1000, counts=False)


@pytest.mark.parametrize("status", [408, 500, 502, 504, 599])
def test_an_answer_after_which_it_may_have_been_taken_leaves_it_unknown(status):
    assert answer(status, {}) == Unknown(f"http_{status}", ("rq",))


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[1]", b'"x"', b"\xff\xfe", b"[" * 5_000])
def test_a_good_status_with_an_unreadable_body_leaves_it_unknown(raw):
    assert answer(200, raw=raw) == Unknown("answer_unreadable", ("rq",))


@pytest.mark.parametrize("found", [{}, {"code": 200}, {"referentId": True}, {"referentId": ""}, {"data": []}])
def test_a_good_answer_without_a_reference_leaves_it_unknown(found):
    assert answer(200, found) == Unknown("answer_without_reference", ("rq",))


def test_the_body_is_the_vendors_and_the_same_at_every_attempt():
    first = attempt(5, "Mã: 1", encoding="ucs2")
    again = attempt(5, "Mã: 1", encoding="ucs2", number=2, possible_duplicate=True, expires_at=1)
    assert body(first, settings_of()) == body(again, settings_of())
    assert json.loads(body(first, settings_of())) == {
        "destinations": ["84912345678"],
        "from": "LOA",
        "text": "Mã: 1",
        "scheduled": "",
        "requestId": request_id(first),
        "useUnicode": 1,
        "type": 2,
        "ext": {},
    }


def test_request_ids_tell_messages_of_one_submission_apart_and_are_short():
    ids = {request_id(attempt(number)) for number in (1, 2, 2**63 - 1)}
    assert len(ids) == 3
    assert max(map(len, ids)) <= 50


def test_fields_are_written_as_the_gateway_wants_them():
    settings = settings_of(number_form="0", type_otp=7, plain_mode=2, type_advertising=-1)
    written = json.loads(body(attempt(), settings))
    assert (written["destinations"], written["type"], written["useUnicode"]) == (["0912345678"], 7, 2)
    assert json.loads(body(attempt(traffic_class=TrafficClass.ADVERTISING), settings))["type"] == -1
    assert settings_of(number_form="+84").written(84912345678) == "+84912345678"
    assert settings_of(number_form="0").written(6591234567) == "6591234567"


@pytest.mark.parametrize(
    "given",
    [
        {"base_url": "ftp://up.test"},
        {"base_url": "up.test:8080"},
        {"base_url": "https://user:word@up.test"},
        {"base_url": "https://up.test?x=1"},
        {"base_url": "https://up.test:port"},
        {"api_key": "a\nb"},
    ],
)
def test_an_address_or_key_that_cannot_work_is_refused(given):
    with pytest.raises(ConfigError) as wrong:
        settings_of(**given)
    assert wrong.value.fields["field"] in given


def test_the_address_of_messages_keeps_a_path_before_it():
    assert settings_of(base_url="https://up.test/gw/").url == "https://up.test/gw/api/vendor/v1/sms/send-message"


REPORT = {
    "msisdn": "84912345678",
    "requestId": "rq-1",
    "sendTime": "2026-11-23T10:00:00",
    "responseTimeTelco": "",
    "status": 2,
    "referentId": "up-1",
    "retryCount": 0,
}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (2, State.DELIVERED),
        ("2", State.DELIVERED),
        (-2, State.UNDELIVERED),
        ("-2", State.UNDELIVERED),
        (-1, State.REJECTED),
        (6, State.EXPIRED),
        (0, None),
        (1, None),
        (77, None),
    ],
)
def test_a_report_proves_what_its_status_says(status, state):
    receipt = read_report(7, REPORT | {"status": status}, NOW)
    assert receipt.state is state
    assert receipt.stat == str(status)


def test_a_report_is_matched_by_its_reference_or_by_our_request():
    receipt = read_report(7, REPORT, NOW)
    assert receipt.refs == ("up-1", "rq-1")
    assert (receipt.channel_id, receipt.destination, receipt.received_at) == (7, 84912345678, NOW)
    assert json.loads(receipt.raw) == REPORT
    assert read_report(7, REPORT | {"referentId": None}, NOW).refs == ("rq-1",)
    assert read_report(7, REPORT | {"requestId": "up-1"}, NOW).refs == ("up-1",)


@pytest.mark.parametrize(
    ("written", "number"),
    [("0912345678", 84912345678), ("+84 912 345 678", 84912345678), ("0084912345678", 84912345678), ("x", 0), ("", 0)],
)
def test_the_number_of_a_report_is_read_in_its_forms(written, number):
    assert read_report(7, REPORT | {"msisdn": written}, NOW).destination == number


def test_the_words_of_the_gateway_are_kept():
    assert read_report(7, REPORT | {"errorInfo": "no route", "status": -2}, NOW).detail == "no route"
    assert read_report(7, REPORT | {"error": "x" * 999, "status": -2}, NOW).detail == "x" * 255


@pytest.mark.parametrize(
    "wrong",
    [{"status": None}, {"status": "done"}, {"status": True}, {"status": 1.5}, {"referentId": "", "requestId": []}],
)
def test_a_report_without_message_or_status_gives_nothing(wrong):
    assert read_report(7, REPORT | wrong, NOW) is None


def test_a_report_with_odd_characters_is_kept():
    assert read_report(7, REPORT | {"extra": "\ud800", "n": object}, NOW).raw
