"""What a request becomes over Zalo, and what is wrong with it."""

import unicodedata
from dataclasses import replace

import pytest
from tests.support.zalo_payloads import WORLD

from loa.api.texts import CATALOGUE, Language, say
from loa.channels.registry import OWN
from loa.domain.template import DISABLED, Parameter, Tag, Template
from loa.domain.traffic import TrafficClass
from loa.ports.channel import Composed, Composes, Unfit, Wish

ORDER = Template(
    7,
    "302117",
    "Xác nhận đơn hàng",
    "enabled",
    Tag.TRANSACTION,
    price=300,
    price_to_user=220,
    parameters=(Parameter("customer_name", "name", max_length=30), Parameter("order_code", "code", max_length=30)),
    text="Chào <customer_name>, đơn hàng <order_code> đã được xác nhận.",
)
OFFER = replace(
    ORDER, template_id="302120", name="Ưu đãi", tag=Tag.PROMOTION, text="", price_to_user=0, daily_quota=500
)
TEMPLATES = (ORDER, OFFER)
DATA = {"customer_name": "Nguyễn Văn A", "order_code": "DH-1"}
RICH = {"kind": "template", "template_id": "302117", "data": DATA, "tag": 1}
TEXT = "Chào Nguyễn Văn A, đơn hàng DH-1 đã được xác nhận."


def composed(text="x", templates=TEMPLATES, traffic=TrafficClass.TRANSACTIONAL, users=False, settings=None, **ext):
    provider = OWN["zalo"]
    assert isinstance(provider, Composes)
    return provider.compose(settings or {}, templates, Wish(text, traffic, ext, users=users))


def wrong(**wish):
    """Give what is wrong with what a caller asked for, as pairs of place and code; every code speaks both languages."""
    found = composed(**wish)
    assert isinstance(found, Unfit)
    assert found.wrong
    return said(found)


def said(unfit):
    for each in unfit.findings:
        assert each.code in CATALOGUE
        for language in Language:
            assert "?" not in say(each.code, language, each.values).replace("mean: ", "").rstrip("?")
    return [(each.where, each.code) for each in unfit.findings]


def test_a_template_with_its_values_costs_what_the_template_costs_when_it_is_delivered():
    found = composed(templateId=302117, templateData=DATA)
    assert found.rich == RICH
    assert (found.price, found.on_delivery) == (300, True)
    assert found.said["template"] == "302117"
    assert found.said["by"] == "templateId"


def test_to_a_user_it_costs_the_other_price():
    by_destination = composed(users=True, templateId="302117", templateData=DATA)
    assert (by_destination.rich, by_destination.price) == (RICH, 220)
    by_option = composed(templateId="302117", templateData=DATA, zalo={"userId": WORLD["user_id"]})
    assert (by_option.rich, by_option.price) == (RICH | {"user_id": WORLD["user_id"]}, 220)


def test_values_become_texts_in_nfc():
    loose = unicodedata.normalize("NFD", "Nguyễn Văn A")
    found = composed(templateId="302117", templateData={"customer_name": loose, "order_code": 17})
    assert found.rich["data"] == {"customer_name": "Nguyễn Văn A", "order_code": "17"}
    for given, text in ((2.5, "2.5"), (3.0, "3"), (10**20, str(10**20))):
        assert (
            composed(templateId="302117", templateData=DATA | {"order_code": given}).rich["data"]["order_code"] == text
        )


def test_lengths_are_counted_after_nfc():
    thirty = unicodedata.normalize("NFD", "ễ" * 30)
    assert isinstance(composed(templateId="302117", templateData=DATA | {"customer_name": thirty}), Composed)
    too_long = DATA | {"customer_name": thirty + "a"}
    assert wrong(templateId="302117", templateData=too_long) == [
        ("ext.templateData.customer_name", "parameter_too_long")
    ]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({}, [("customer_name", "parameter_missing"), ("order_code", "parameter_missing")]),
        ({**DATA, "order_code": " "}, [("order_code", "parameter_empty")]),
        ({**DATA, "order_code": None}, [("order_code", "parameter_empty")]),
        ({**DATA, "order_code": True}, [("order_code", "wrong_type")]),
        ({**DATA, "order_code": ["a"]}, [("order_code", "wrong_type")]),
        ({**DATA, "oder_code": "x"}, [("oder_code", "parameter_unknown")]),
    ],
)
def test_each_parameter_that_does_not_fit_is_named(data, found):
    assert wrong(templateId="302117", templateData=data) == [(f"ext.templateData.{name}", code) for name, code in found]


def test_a_name_that_is_none_is_answered_with_the_nearest():
    found = composed(templateId="302117", templateData={**DATA, "custmer_name": "x"})
    assert found.findings[0].values["known"] == "customer_name"
    far = composed(templateId="302117", templateData={**DATA, "zzz": "x"})
    assert far.findings[0].values["known"] == "customer_name, order_code"


@pytest.mark.parametrize(
    ("template", "wish", "found"),
    [
        ({"template_id": "1"}, {}, ("ext.templateId", "template_unknown")),
        ({"status": DISABLED}, {}, ("ext.templateId", "template_not_enabled")),
        ({"tag": Tag.PROMOTION}, {}, ("ext.templateId", "template_promotion")),
        ({"price_to_user": 0}, {"users": True}, ("ext.templateId", "template_not_to_users")),
        ({}, {"zalo": {"sendingMode": "3"}}, ("ext.zalo.sendingMode", "zalo_sending_mode")),
        ({}, {"users": True, "zalo": {"mode": "development"}}, ("ext.zalo", "zalo_numbers_only")),
        ({}, {"zalo": {"message": {"text": "a"}}}, ("ext.zalo.message", "zalo_one_content")),
    ],
)
def test_a_template_that_may_not_be_sent_so_is_refused(template, wish, found):
    assert wrong(templates=(replace(ORDER, **template),), templateId="302117", templateData=DATA, **wish) == [found]


def test_a_promotion_goes_with_advertising():
    found = composed(traffic=TrafficClass.ADVERTISING, templateId="302120", templateData=DATA, zalo={"sendingMode": 3})
    assert found.rich == RICH | {"template_id": "302120", "tag": 3, "sending_mode": "3", "own_quota": True}


def test_a_trial_a_journey_and_an_id_of_the_tenants_own():
    options = {"journeyToken": "token-of-a-journey", "mode": "development", "trackingId": "mine-1"}
    found = composed(templateId="302117", templateData=DATA, zalo=options)
    assert found.rich == RICH | {"journey_token": "token-of-a-journey", "mode": "development"}
    assert found.said["mode"] == "development"
    always = composed(templateId="302117", templateData=DATA, settings={"development": True})
    assert always.rich == RICH | {"mode": "development"}
    to_user = composed(users=True, templateId="302117", templateData=DATA, settings={"development": True})
    assert to_user.rich == RICH


@pytest.mark.parametrize(
    ("zalo", "found"),
    [
        ("x", ("ext.zalo", "wrong_type")),
        ({"user": "1"}, ("ext.zalo.user", "not_allowed")),
        ({"userId": "0912 345"}, ("ext.zalo.userId", "zalo_user_id")),
        ({"userId": ["1"]}, ("ext.zalo.userId", "wrong_type")),
        ({"journeyToken": "a\r\nb"}, ("ext.zalo.journeyToken", "zalo_journey_token")),
        ({"journeyToken": "a" * 513}, ("ext.zalo.journeyToken", "zalo_journey_token")),
        ({"mode": "production"}, ("ext.zalo.mode", "not_allowed")),
        ({"sendingMode": "2"}, ("ext.zalo.sendingMode", "not_allowed")),
        ({"message": "hello"}, ("ext.zalo.message", "wrong_type")),
        ({"trackingId": True}, ("ext.zalo.trackingId", "wrong_type")),
    ],
)
def test_options_that_cannot_be_read_are_named(zalo, found):
    assert wrong(zalo=zalo) == [found]


@pytest.mark.parametrize(
    ("message", "rich"),
    [
        ({"text": "Chào anh"}, {"kind": "text", "text": "Chào anh"}),
        ({"imageUrl": "https://shop.example/a.png"}, {"kind": "image", "url": "https://shop.example/a.png"}),
        ({"attachmentId": "a1"}, {"kind": "image", "attachment_id": "a1"}),
        ({"token": "t1"}, {"kind": "file", "token": "t1"}),
        ({"stickerId": 17823}, {"kind": "sticker", "sticker_id": "17823"}),
    ],
)
def test_a_message_of_the_official_account_goes_to_a_user_and_costs_nothing(message, rich):
    found = composed(users=True, zalo={"message": message})
    assert (found.rich, found.price, found.on_delivery) == (rich, 0, True)
    named = composed(zalo={"message": message, "userId": "8764230215434982221"})
    assert named.rich == rich | {"user_id": "8764230215434982221"}


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ({}, ("ext.zalo.message", "zalo_message_form")),
        ({"text": "a", "token": "b"}, ("ext.zalo.message", "zalo_message_form")),
        ({"video": "a"}, ("ext.zalo.message.video", "zalo_message_form")),
        ({"text": " "}, ("ext.zalo.message.text", "empty")),
        ({"text": "a" * 2_001}, ("ext.zalo.message.text", "too_long")),
        ({"token": 1.5}, ("ext.zalo.message.token", "wrong_type")),
        ({"imageUrl": "ftp://a"}, ("ext.zalo.message.imageUrl", "url_form")),
    ],
)
def test_a_message_has_one_form(message, found):
    assert wrong(users=True, zalo={"message": message}) == [found]


def test_a_message_of_the_official_account_goes_to_no_number():
    assert wrong(zalo={"message": {"text": "a"}}) == [("ext.zalo.message", "zalo_users_only")]


def test_a_text_that_is_a_template_goes_as_one():
    found = composed(TEXT)
    assert found.rich == RICH
    assert found.said["by"] == "text"


def test_a_text_that_is_none_leaves_the_step_out():
    found = composed("Xin chào")
    assert isinstance(found, Unfit)
    assert not found.wrong
    assert said(found) == [("text", "template_no_match")]
    idle = composed(TEXT, templates=(replace(ORDER, status=DISABLED), OFFER))
    assert (idle.wrong, said(idle)) == (False, [("text", "template_idle")])
    assert idle.findings[0].values == {"template": "Xác nhận đơn hàng"}


def test_a_text_that_is_several_templates_is_refused_with_their_names():
    other = replace(ORDER, template_id="9", name="Bản cũ")
    found = composed(TEXT, templates=(ORDER, other))
    assert found.wrong
    assert said(found) == [("text", "template_ambiguous")]
    assert set(found.findings[0].values["templates"].split(", ")) == {"Bản cũ", "Xác nhận đơn hàng"}


def test_a_text_that_is_a_promotion_is_left_out_unless_it_is_advertising():
    offer = replace(ORDER, tag=Tag.PROMOTION)
    found = composed(TEXT, templates=(offer,))
    assert isinstance(found, Unfit)
    assert not found.wrong
    assert isinstance(composed(TEXT, templates=(offer,), traffic=TrafficClass.ADVERTISING), Composed)


def test_to_a_user_a_text_that_is_no_template_goes_as_it_stands():
    found = composed("Xin chào", users=True)
    assert found.rich == {"kind": "text", "text": "Xin chào"}
    only_numbers = replace(ORDER, price_to_user=0)
    assert composed(TEXT, templates=(only_numbers,), users=True).rich == {"kind": "text", "text": TEXT}
    assert composed(TEXT, users=True).rich == RICH
    assert said(composed("a" * 2_001, users=True)) == [("text", "too_long")]
