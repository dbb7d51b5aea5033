"""What people are shown of what was sent: whole, read field by field, and without a secret."""

import json
from typing import Any

import pytest
from tests.unit.channels.window_rig import NOW, attempt

from loa.channels.registry import OWN
from loa.channels.smpp.provider import PROVIDER as SMPP
from loa.channels.vendor.provider import PROVIDER as VENDOR
from loa.channels.zalo.provider import PROVIDER as ZALO
from loa.ports.channel import Attempt, Exchange, Provider, Retells
from loa.smpp.codec import decode
from loa.smpp.pdu import SubmitSm

SECRET = "s3cret"
SMPP_SETTINGS = {"host": "smsc.example", "system_id": "loa", "password": SECRET}
VENDOR_SETTINGS = {"base_url": "https://up.example", "api_key": SECRET}
ZALO_SETTINGS = {"app_id": "1", "app_secret": SECRET, "oa_id": "2", "oa_secret_key": SECRET}
TEMPLATE = {"kind": "template", "template_id": "7", "data": {"code": "135790"}, "journey_token": SECRET}


def told(provider: Provider, settings: dict[str, Any], one: Attempt) -> list[Exchange]:
    assert isinstance(provider, Retells)
    exchanges = list(provider.retell(provider.check(settings), one, NOW))
    assert SECRET not in repr(exchanges)
    return exchanges


def test_every_provider_that_reaches_a_handset_retells() -> None:
    assert {name for name, each in OWN.items() if isinstance(each, Retells)} == {"smpp", "vendor", "zalo"}


@pytest.mark.parametrize("given", [{}, {"packed": "true"}, {"default_alphabet": "latin1"}, {"long_message": "sar"}])
def test_a_long_text_is_shown_segment_by_segment_as_pdus(given: dict[str, Any]) -> None:
    text = "0123456789" * 20
    exchanges = told(SMPP, SMPP_SETTINGS | given, attempt(text=text, segment_count=2))
    read = [dict(each.fields) for each in exchanges]
    assert [each["part"] for each in read] == ["1/2", "2/2"]
    assert "".join(each["text"] for each in read) == text
    for each in exchanges:
        pdu = decode(each.octets)
        assert isinstance(pdu, SubmitSm)
        assert (pdu.destination, pdu.source) == ("84912345678", "LOA")
        assert dict(each.fields)["destination"] == "84912345678"


def test_text_in_a_payload_parameter_is_shown_as_text() -> None:
    (one,) = told(SMPP, SMPP_SETTINGS | {"long_message": "payload"}, attempt(text="đ" * 100, encoding="ucs2"))
    assert dict(one.fields)["text"] == "đ" * 100


def test_what_cannot_be_written_is_no_pdu() -> None:
    assert told(SMPP, SMPP_SETTINGS, attempt(sender="A" * 40)) == []


def test_a_request_over_http_is_shown_with_address_and_body() -> None:
    (one,) = told(VENDOR, VENDOR_SETTINGS, attempt())
    assert one.name == "POST"
    assert dict(one.fields)["url"] == "https://up.example/api/vendor/v1/sms/send-message"
    assert json.loads(one.body)["destinations"] == ["84912345678"]


def test_a_template_over_zalo_is_shown_as_it_goes_to_a_number_and_to_a_user() -> None:
    (number,) = told(ZALO, ZALO_SETTINGS, attempt(rich=TEMPLATE))
    assert dict(number.fields)["url"].endswith("/message/template")
    assert json.loads(number.body)["template_data"] == {"code": "135790"}
    (user,) = told(ZALO, ZALO_SETTINGS, attempt(rich=TEMPLATE, destination=-186))
    assert dict(user.fields)["url"].endswith("/v3.0/oa/message/template")
    assert told(ZALO, ZALO_SETTINGS, attempt()) == []
