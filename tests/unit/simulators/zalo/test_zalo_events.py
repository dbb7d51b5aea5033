"""Events as the platform posts them: as the files have them, signed, retried, switched off, spoilt as scripted."""

import asyncio
import hashlib
import json

import pytest
from tests.support.zalo_payloads import WORLD, payload
from tests.unit.simulators.zalo.test_zalo_replay import shape

from loa.simulators.pick import Pick
from loa.simulators.receiver.script import ReceiverScript
from loa.simulators.zalo.script import EventFault, When

USER = WORLD["user_id"]
SEND, HASHED, TEXT = (payload(f"{name}.request") for name in ("template-send", "template-hashphone", "oa-text"))


def genuine(delivery):
    """Check a signature as any receiver would: by the sum over four parts."""
    body = json.loads(delivery.body)
    parts = WORLD["app_id"].encode(), delivery.body, body["timestamp"].encode(), WORLD["oa_secret_key"].encode()
    return delivery.headers["X-ZEvent-Signature"] == "mac=" + hashlib.sha256(b"".join(parts)).hexdigest()


async def one_event(platform, listener):
    await platform.until(lambda counts: counts.events_taken == 1)
    (delivery,) = listener.deliveries
    return delivery


async def number_sent(platform, client):
    await client.json(platform.url, SEND)


async def hash_sent(platform, client):
    await client.json(platform.url, HASHED)


async def text_sent(platform, client):
    await client.json(platform.url, TEXT)


ACTS = {
    "zns-user-received-message": number_sent,
    "zns-user-received-message-hash": hash_sent,
    "user-received-message": text_sent,
    "user-send-text": lambda platform, _: platform.acts.say(USER, "Cho hỏi"),
    "follow": lambda platform, _: platform.acts.follow(USER),
    "unfollow": lambda platform, _: platform.acts.unfollow(USER),
    "zns-change-template-status": lambda platform, _: platform.acts.change_template(
        "302117", status="DISABLE", reason="x"
    ),
    "zns-change-template-quality": lambda platform, _: platform.acts.change_template("302117", quality="LOW"),
    "zns-change-oa-daily-quota": lambda platform, _: platform.acts.set_quota(30_000),
}


@pytest.mark.parametrize("name", ACTS)
async def test_an_event_is_as_its_file_has_it(zalo, client, listener, name):
    platform = await zalo(events_url=listener.url + "/zalo")
    done = ACTS[name](platform, client)
    if asyncio.iscoroutine(done):
        await done
    delivery = await one_event(platform, listener)
    expected = payload(f"{name}.event")
    body = json.loads(delivery.body)
    assert shape(body) == shape(expected.body)
    assert (body["event_name"], delivery.path) == (expected.body["event_name"], "/zalo")
    assert {each: delivery.headers.get(each) for each in ("X-ZEvent-Server", "Content-Type")} == {
        each: expected["headers"].get(each) for each in ("X-ZEvent-Server", "Content-Type")
    }
    assert genuine(delivery)
    assert "num_retry" not in delivery.headers


async def test_a_receipt_names_message_and_tracking_id_as_they_were(zalo, client, listener):
    platform = await zalo(events_url=listener.url)
    sent = await client.json(platform.url, HASHED)
    body = json.loads((await one_event(platform, listener)).body)
    assert body["recipient"]["id"] == HASHED["json"]["hash_phone"]
    assert body["message"]["msg_id"] == sent["data"]["msg_id"]
    assert body["message"]["tracking_id"] == HASHED["json"]["tracking_id"]


async def test_an_event_that_is_not_taken_comes_again_and_says_so_until_the_address_is_off(
    zalo, client, listener, clock
):
    listener.change(ReceiverScript(status=500))
    platform = await zalo(events_url=listener.url)
    platform.acts.say(USER, "một")
    for number, wait in enumerate((30, 300, 900, 1_800, 3_600), 1):
        await platform.until(lambda counts, number=number: counts.events_retried == number)
        await clock.someone_sleeps()
        clock.advance(wait)
    await platform.until(lambda counts: counts.addresses_off == 1)
    assert [each.headers.get("num_retry") for each in listener.deliveries] == [None, "1", "2", "3", "4", "5"]
    assert len({each.headers["X-ZEvent-Signature"] for each in listener.deliveries}) == 1
    platform.acts.say(USER, "hai")
    assert (platform.counts.events_lost, platform.counts.events_waiting) == (2, 0)
    listener.change(ReceiverScript())
    platform.acts.switch_events_on()
    platform.acts.say(USER, "ba")
    await platform.until(lambda counts: counts.events_taken == 1)


async def test_only_200_within_two_seconds_is_taken(zalo, listener, clock):
    listener.change(ReceiverScript(status=204))
    platform = await zalo(events_url=listener.url)
    platform.acts.say(USER, "một")
    await platform.until(lambda counts: counts.events_retried == 1)
    listener.change(ReceiverScript(hang=Pick(first=1)))
    platform.acts.say(USER, "hai")
    await listener.until(lambda counts: counts.hanging == 1)
    await clock.someone_sleeps()
    clock.advance(2)
    await platform.until(lambda counts: counts.events_retried == 2)


async def test_an_address_where_nobody_is_is_tried_again(zalo):
    platform = await zalo(events_url="http://127.0.0.1:9/zalo", event_retries_s=())
    platform.acts.say(USER, "một")
    await platform.until(lambda counts: counts.addresses_off == 1)
    assert platform.counts.events_lost == 1


async def test_events_come_twice_late_wrongly_signed_or_never(zalo, listener, clock):
    faults = (
        EventFault("drop", pick=Pick(numbers=(1,))),
        EventFault("duplicate", pick=Pick(numbers=(2,)), copies=3),
        EventFault("wrong_signature", pick=Pick(numbers=(3,))),
        EventFault("delay", event="follow", seconds=60),
    )
    platform = await zalo(events_url=listener.url, event_faults=faults)
    for text in ("một", "hai", "ba"):
        platform.acts.say(USER, text)
    platform.acts.follow(USER)
    await platform.until(lambda counts: counts.events_taken == 4)
    texts = [json.loads(each.body)["message"]["text"] for each in listener.deliveries]
    assert sorted(texts) == ["ba", "hai", "hai", "hai"]
    assert [genuine(each) for each in listener.deliveries] == [text == "hai" for text in texts]
    assert platform.counts.events_lost == 1
    await clock.someone_sleeps()
    clock.advance(60)
    await platform.until(lambda counts: counts.events_taken == 5)
    assert json.loads(listener.deliveries[-1].body)["event_name"] == "follow"


@pytest.mark.parametrize(("order", "expected"), [("kept", "1234"), ("newest_first", "4321")])
async def test_events_that_are_due_together_come_in_the_scripts_order(zalo, listener, order, expected):
    platform = await zalo(events_url=listener.url, event_order=order, event_window=1)
    for text in "1234":
        platform.acts.say(USER, text)
    await platform.until(lambda counts: counts.events_taken == 4)
    assert "".join(json.loads(each.body)["message"]["text"] for each in listener.deliveries) == expected


async def test_only_events_that_are_ticked_are_posted(zalo, client, listener):
    platform = await zalo(events_url=listener.url, ticked=("follow",))
    await client.json(platform.url, SEND)
    platform.acts.follow(USER)
    assert json.loads((await one_event(platform, listener)).body)["event_name"] == "follow"
    assert platform.counts.events == 1


async def test_a_message_that_never_reaches_its_phone_makes_no_event(zalo, client, listener):
    platform = await zalo(events_url=listener.url, undelivered=(When(pick=Pick(destination="78")),))
    await client.json(platform.url, HASHED)
    await client.json(platform.url, SEND, json={**SEND["json"], "phone": "84912345670"})
    assert json.loads((await one_event(platform, listener)).body)["recipient"]["id"] == "84912345670"
    assert (platform.counts.accepted, platform.counts.shown) == (2, 1)


async def test_a_receipt_may_come_late_or_before_the_answer(zalo, client, listener, clock):
    platform = await zalo(events_url=listener.url, delivery_delay_s=30)
    await client.json(platform.url, SEND)
    await clock.someone_sleeps()
    assert platform.counts.events == 0
    clock.advance(30)
    await one_event(platform, listener)
    early = await zalo(events_url=listener.url, early_events=True, answer_delay_s=30)
    asking = asyncio.create_task(client.json(early.url, SEND))
    await early.until(lambda counts: counts.events_taken == 1)
    assert early.counts.answered == 0
    clock.advance(30)
    assert (await asking)["error"] == 0


async def test_echoes_and_seen_messages_are_told_where_the_script_says_so(zalo, client, listener):
    platform = await zalo(events_url=listener.url, echoes=True, seen=True)
    await client.json(platform.url, TEXT)
    await platform.until(lambda counts: counts.events_taken == 3)
    for delivery in listener.deliveries:
        body = json.loads(delivery.body)
        assert shape(body) == shape(payload(f"{body['event_name'].replace('_', '-')}.event").body)
        assert genuine(delivery)


async def test_a_rating_goes_with_its_message(zalo, client, listener):
    platform = await zalo(events_url=listener.url, ticked=("user_feedback",))
    sent = await client.json(platform.url, SEND)
    platform.acts.rate(sent["data"]["msg_id"], 5, "Rất tốt", ("Giao nhanh",))
    delivery = await one_event(platform, listener)
    assert shape(json.loads(delivery.body)) == shape(payload("zns-user-feedback.event").body)
    assert delivery.headers["X-ZEvent-Server"] == "ZNS"
