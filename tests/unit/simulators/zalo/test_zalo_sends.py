"""The platform's own rules for messages: data, hours, quotas, users, uploads, and what phones show."""

import pytest
from tests.support.zalo_payloads import WORLD, payload

from loa.simulators.zalo.world import PLAIN_TEMPLATES, Template, User

SEND, HASHED, UID, TEXT = (
    payload(f"{name}.request") for name in ("template-send", "template-hashphone", "template-uid", "oa-text")
)
HOUR_S = 3_600
MONTH_S = 30 * 24 * HOUR_S
NAMES = {"customer_name": "Nguyễn Văn A"}
PROMOTION = {**SEND["json"], "template_id": "302120", "template_data": NAMES}


def until_hour(hour):
    """Give the seconds from the payloads' time to an hour in Vietnam."""
    return (hour * HOUR_S - WORLD["at"] // 1000 - 7 * HOUR_S) % (24 * HOUR_S)


async def send(platform, client, request=SEND, **changes):
    return await client.json(platform.url, request, json={**request["json"], **changes})


async def promote(platform, client, phone="84912345678"):
    return (await send(platform, client, **{**PROMOTION, "phone": phone}))["error"]


async def test_a_phone_shows_what_was_sent_by_number_by_hash_and_by_user(zalo, client):
    platform = await zalo()
    for request in (SEND, HASHED, UID, TEXT):
        assert (await client.json(platform.url, request))["error"] == 0
    order = "Chào Nguyễn Văn A, đơn hàng DH-20261126 của bạn đã được xác nhận."
    seen = [(each.destination, each.kind, each.text) for each in platform.shown]
    assert seen == [
        (WORLD["phone"], "template", order),
        (WORLD["phone"], "template", order),
        (WORLD["user_id"], "template", order),
        (WORLD["user_id"], "text", TEXT["json"]["message"]["text"]),
    ]
    assert [each.surface for each in platform.accepted] == ["number", "number", "user", "consultation"]
    assert [each.tracking_id for each in platform.accepted] == [SEND["json"]["tracking_id"]] * 2 + ["", ""]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"phone": "0912345678"}, -108),
        ({"phone": "84212345678"}, -108),
        ({"template_id": "999"}, -109),
        ({"template_id": 302117}, -132),
        ({"tracking_id": ""}, -132),
        ({"tracking_id": "t" * 49}, -132),
        ({"sending_mode": "2"}, -132),
        ({"sending_mode": "3"}, -162),
        ({"template_data": {}}, -111),
        ({"template_data": NAMES}, -1122),
        ({"template_data": {**NAMES, "order_code": ""}}, -1122),
        ({"template_data": {**NAMES, "order_code": 5}}, -1124),
        ({"template_data": {**NAMES, "order_code": "x" * 31}}, -1121),
        ({"template_id": "302118"}, -148),
        ({"mode": "development", "phone": "84987654321"}, -127),
    ],
)
async def test_what_does_not_fit_is_refused_and_costs_nothing(zalo, client, changes, code):
    platform = await zalo()
    assert (await send(platform, client, **changes))["error"] == code
    assert (platform.oa().remaining, platform.counts.accepted, platform.counts.refused) == (20_000, 0, 1)


async def test_characters_are_counted_after_composition(zalo, client):
    platform = await zalo()
    thirty = "e\u0302\u0301" * 30
    assert (await send(platform, client, template_data={"customer_name": thirty, "order_code": "1"}))["error"] == 0


@pytest.mark.parametrize(
    ("status", "code"), [("PENDING_REVIEW", -131), ("REJECT", -131), ("DISABLE", -146), ("DELETE", -109)]
)
async def test_only_an_approved_template_is_sent(zalo, client, status, code):
    platform = await zalo()
    platform.acts.change_template("302117", status=status)
    assert (await send(platform, client))["error"] == code
    assert (await client.json(platform.url, UID))["error"] == -201


async def test_at_night_only_what_is_no_advertising_goes(zalo, client, clock):
    platform = await zalo(oa={"templates": (*PLAIN_TEMPLATES, Template("care", tag=2))}, token_life_s=MONTH_S)
    care = {"template_id": "care", "template_data": {"x": "y"}}
    clock.advance(until_hour(22) - 1)
    assert await promote(platform, client) == 0
    clock.advance(1)
    late = [await promote(platform, client, "84912345679"), (await send(platform, client, **care))["error"]]
    assert late == [-133, -133]
    assert (await send(platform, client))["error"] == 0
    assert (await client.json(platform.url, UID, json={**UID["json"], **care}))["error"] == -234
    clock.advance(9 * HOUR_S - 1)
    assert (await send(platform, client, **care))["error"] == -133
    clock.advance(1)
    assert (await send(platform, client, **care))["error"] == 0


async def test_the_daily_quota_ends_and_comes_back_at_midnight_in_vietnam(zalo, client, clock):
    platform = await zalo(oa={"daily_quota": 2}, token_life_s=MONTH_S)
    left = [(await send(platform, client))["data"]["quota"]["remainingQuota"] for _ in range(2)]
    assert left == ["1", "0"]
    assert (await send(platform, client))["error"] == -144
    assert (await client.json(platform.url, UID))["error"] == -211
    clock.advance(until_hour(24) - 1)
    assert (await send(platform, client))["error"] == -144
    clock.advance(1)
    assert (await send(platform, client))["error"] == 0


async def test_a_template_may_have_a_quota_of_its_own(zalo, client):
    template = Template("302117", daily_quota=1, tag=1)
    platform = await zalo(oa={"templates": (template,)})
    assert [(await send(platform, client))["error"] for _ in range(2)] == [0, -147]


async def test_advertising_has_limits_for_each_user_and_month(zalo, client, clock):
    platform = await zalo(oa={"promotion_quota": 3}, promotions_per_month=2, token_life_s=MONTH_S)
    assert [await promote(platform, client), await promote(platform, client)] == [0, -1472]
    clock.advance(24 * HOUR_S)
    assert await promote(platform, client) == 0
    clock.advance(24 * HOUR_S)
    assert await promote(platform, client) == -1471
    assert [await promote(platform, client, "84912345679"), await promote(platform, client, "84912345670")] == [
        0,
        -1441,
    ]


async def test_beyond_the_quota_goes_advertising_where_it_is_allowed(zalo, client):
    platform = await zalo(oa={"daily_quota": 0, "beyond_quota": True})
    sent = await send(platform, client, **{**PROMOTION, "sending_mode": "3"})
    assert (sent["error"], sent["data"]["sending_mode"]) == (0, "3")


async def test_trials_reach_admins_and_use_a_wallet_of_their_own(zalo, client):
    platform = await zalo(oa={"development_wallet": 1, "daily_quota": 0})
    sent = [(await send(platform, client, mode="development"))["error"] for _ in range(2)]
    assert sent == [0, -126]


async def test_numbers_without_zalo_are_refused_by_their_end_and_by_their_hash(zalo, client):
    platform = await zalo(off_zalo=("78", WORLD["phone"]))
    assert (await send(platform, client))["error"] == (await client.json(platform.url, HASHED))["error"] == -118
    assert (await send(platform, client, phone="84912345670"))["error"] == 0


async def test_a_user_is_written_to_for_seven_days_after_the_last_word(zalo, client, clock):
    platform = await zalo(oa={"consultation_quota": 1}, token_life_s=MONTH_S)
    free = await client.json(platform.url, TEXT)
    clock.advance(48 * HOUR_S + 1)
    charged = await client.json(platform.url, TEXT)
    assert [each["data"]["quota"]["remain"] for each in (free, charged)] == ["1", "0"]
    assert (await client.json(platform.url, TEXT))["error"] == -211
    clock.advance(5 * 24 * HOUR_S)
    assert (await client.json(platform.url, TEXT))["error"] == -230
    platform.acts.say(WORLD["user_id"], "Alo")
    assert (await client.json(platform.url, TEXT))["error"] == 0


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"text": ""}, -201),
        ({"text": "x" * 2_001}, -210),
        ({"attachment": {"type": "file", "payload": {"token": "none"}}}, -201),
        ({"attachment": {"type": "carrier pigeon", "payload": {}}}, -201),
        ({"attachment": {"type": "template", "payload": {"template_type": "media", "elements": []}}}, -201),
    ],
)
async def test_a_message_that_is_none_is_refused(zalo, client, message, code):
    platform = await zalo()
    assert (await send(platform, client, TEXT, message=message))["error"] == code


async def test_a_user_nobody_knows_is_refused(zalo, client):
    platform = await zalo()
    assert (await send(platform, client, TEXT, recipient={"user_id": "1"}))["error"] == -201
    assert (await send(platform, client, UID, user_id="1"))["error"] == -201
    platform.acts.add_user(User("1"))
    assert (await send(platform, client, TEXT, recipient={"user_id": "1"}))["error"] == 0


async def test_uploads_have_kinds_sizes_and_a_life(zalo, client, clock):
    platform = await zalo(uploads_per_month=2, token_life_s=MONTH_S)
    image = payload("upload-image.request")
    large = {**image["multipart"], "octets": bytes(1024 * 1024 + 1)}
    other = {**image["multipart"], "filename": "a.exe"}
    for multipart, code in ((large, -210), (other, -201)):
        assert (await client.json(platform.url, image, multipart=multipart))["error"] == code
    made = (await client.json(platform.url, image))["data"]["attachment_id"]
    message = payload("oa-image-attachment.request")["json"]["message"]
    element = {"media_type": "image", "attachment_id": made}
    attachment = {"type": "template", "payload": {"template_type": "media", "elements": [element]}}
    assert (await send(platform, client, TEXT, message={**message, "attachment": attachment}))["error"] == 0
    assert [(await client.json(platform.url, image))["error"] for _ in range(2)] == [0, -211]
    clock.advance(7 * 24 * HOUR_S)
    assert (await send(platform, client, TEXT, message={"attachment": attachment}))["error"] == -100


async def test_a_journey_is_for_one_number_and_one_kind_of_template(zalo, client, clock):
    platform = await zalo(token_life_s=MONTH_S)
    opened = await client.json(platform.url, payload("journey-get-token.request"))
    journey = payload("template-journey.request")

    async def sent(**changes):
        token = changes.pop("token", opened["token"])
        headers = {**journey["headers"], "journey_token": token}
        return (await client.json(platform.url, journey, headers=headers, json={**journey["json"], **changes}))["error"]

    assert await sent() == 0
    assert await sent(token="none") == -148
    assert await sent(phone="84987654321") == -149
    assert await sent(template_id="302117") == -1491
    clock.advance(7 * 24 * HOUR_S)
    assert await sent() == -150
