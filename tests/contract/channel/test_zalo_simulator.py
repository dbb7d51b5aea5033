"""The Zalo channel against the simulated platform: messages, codes, lost answers, events, consent and renewals.

Neither was written from the other: both are held against tests/fixtures/zalo.
"""

import contextlib
import json
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from tests.contract.channel.rig import Rig, Token, attempt
from tests.contract.channel.zalo_rig import ORDER
from tests.support.zalo_payloads import WORLD, payloads_oa

from loa.channels.registry import OWN
from loa.channels.zalo.requests import tracking_id
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Deferred, Refused, Unknown
from loa.ports.channel import Asking, Described, Heard
from loa.ports.grants import Consent, Failed, Failure, Tokens
from loa.ports.records import ChannelRecord
from loa.simulators.receiver.server import CallbackReceiver
from loa.simulators.zalo.script import Fault, When, ZaloScript
from loa.simulators.zalo.script import Refused as Refusing
from loa.simulators.zalo.server import ZaloSimulator

PROVIDER = OWN["zalo"]
USER = -int(WORLD["user_id"])
HELLO = {"kind": "text", "text": "Chào anh, đơn hàng đã tới."}
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
NOW = WORLD["at"]
SOON = {"response_timeout_s": 0.05}


def settings_of(zalo, **changes):
    told = zalo.oa().told
    return {
        "app_id": told.app_id,
        "app_secret": told.app_secret,
        "oa_id": told.oa_id,
        "oa_secret_key": told.secret_key,
        "oauth_url": zalo.url,
        "openapi_url": zalo.url,
        "business_url": zalo.url,
        "response_timeout_s": 5,
        **changes,
    }


@contextlib.asynccontextmanager
async def at_work(*, changes=None, **script):
    """Run platform, receiver of its events and channel together."""
    receiver = CallbackReceiver()
    await receiver.start()
    script = ZaloScript(**{"events_url": receiver.url, **script})
    async with ZaloSimulator(script=script, oas=(payloads_oa(),)) as zalo:
        settings = settings_of(zalo, **(changes or {}))
        rig = Rig(PROVIDER, settings, tokens=Token(zalo.tokens()[0]))
        zalo.received = receiver
        try:
            yield zalo, await rig.start()
        finally:
            await rig.channel.stop(0)
            await receiver.stop()


def order(number=1, *, rich=None, **fields):
    return attempt(number, rich={**ORDER, **(rich or {})}, **fields)


async def heard(zalo, rig, count=1):
    """Read what the platform posted, as the channel's provider does."""
    await zalo.received.until(lambda counts: counts.requests == count)
    delivery = zalo.received.deliveries[-1]
    record = ChannelRecord(rig.context.channel_id, "zalo", "zalo", PROVIDER.check(settings_of(zalo)))
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    found = PROVIDER.hear([record], headers, delivery.body, rig.clock.now())
    assert isinstance(found, Heard)
    return found


@pytest.mark.parametrize(
    ("changes", "rich", "destination", "surface"),
    [
        ({}, ORDER, 84912345678, "number"),
        ({"number_form": "hashed"}, ORDER, 84912345678, "number"),
        ({}, ORDER, USER, "user"),
        ({}, HELLO, USER, "consultation"),
    ],
)
async def test_a_message_reaches_its_phone_and_its_receipt_finds_the_attempt(changes, rich, destination, surface):
    async with at_work(changes=changes) as (zalo, rig):
        one = attempt(1, rich=rich, destination=destination)
        outcome = await rig.outcome_of(one)
        (accepted,) = zalo.accepted
        assert outcome == Accepted((accepted.message_id,))
        assert accepted.surface == surface
        (receipt,) = (await heard(zalo, rig)).receipts
        assert receipt.state == State.DELIVERED
        assert accepted.message_id in receipt.refs
        assert zalo.counts.unknown_paths == zalo.counts.bad_tokens == 0


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (-108, Refused("zalo_-108", everywhere=True)),
        (-114, Refused("zalo_-114")),
        (-118, Refused("zalo_-118")),
        (-1122, Refused("zalo_-1122")),
        (-100, Deferred("zalo_-100")),
        (-99999, Refused("zalo_-99999: Error -99999", lasting=False)),
    ],
)
async def test_a_code_is_read_as_the_table_has_it(code, outcome):
    async with at_work(refuse=(Refusing(code, When("number")),)) as (zalo, rig):
        assert await rig.outcome_of(order()) == outcome
        assert zalo.counts.codes[code] == 1


async def test_a_number_without_zalo_is_refused_on_this_channel_only():
    async with at_work(off_zalo=("78",)) as (_, rig):
        outcome = await rig.outcome_of(order())
        assert outcome == Refused("zalo_-118")
        assert not outcome.everywhere


async def test_money_and_set_up_stop_the_channel_and_the_message_waits():
    async with at_work(refuse=(Refusing(-115, When("number")),)) as (_, rig):
        outcome = await rig.outcome_of(order())
        assert isinstance(outcome, Deferred)
        assert (outcome.reason, outcome.counts) == ("oa_stopped:-115", False)


async def test_a_token_that_was_taken_away_is_told_and_a_fresh_one_works():
    async with at_work() as (zalo, rig):
        old = rig.context.tokens.token
        zalo.acts.revoke()
        assert isinstance(await rig.outcome_of(order(1)), Deferred)
        assert rig.context.tokens.spoilt == [old]
        rig.context.tokens.token = zalo.tokens()[0]
        await rig.until_free()
        assert isinstance(await rig.outcome_of(order(2)), Accepted)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("silent", "response_timeout"), ("reset", "connection_lost"), ("truncated", "connection_lost")],
)
async def test_a_lost_answer_leaves_the_outcome_open_and_the_receipt_settles_it_by_our_own_id(fault, reason):
    changes = SOON if fault == "silent" else {}
    async with at_work(changes=changes, faults=(Fault(fault, When("number")),)) as (zalo, rig):
        one = order()
        assert await rig.outcome_of(one) == Unknown(reason, (tracking_id(one),))
        (receipt,) = (await heard(zalo, rig)).receipts
        assert tracking_id(one) in receipt.refs
        assert (receipt.state, receipt.destination) == (State.DELIVERED, one.destination)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault("page", When("number")), "answer_unreadable"),
        (Fault("page", When("number"), status=502), "http_502"),
        (Fault("status", When("number")), "http_500"),
        (Fault("shapeless", When("number")), "answer_unreadable"),
    ],
)
async def test_an_answer_that_is_none_leaves_the_outcome_open(fault, outcome):
    async with at_work(faults=(fault,)) as (_, rig):
        one = order()
        assert await rig.outcome_of(one) == Unknown(outcome, (tracking_id(one),))


async def test_a_rate_limit_puts_the_message_off_without_using_up_a_try():
    async with at_work(faults=(Fault("rate", When("number")),)) as (zalo, rig):
        outcome = await rig.outcome_of(order())
        assert isinstance(outcome, Deferred)
        assert (outcome.reason, outcome.counts, zalo.counts.accepted) == ("zalo_-32", False, 0)


async def test_what_a_user_writes_comes_in():
    async with at_work() as (zalo, rig):
        zalo.acts.say(WORLD["user_id"], "Còn hàng không? 👍")
        (inbound,) = (await heard(zalo, rig)).inbound
        assert (inbound.kind, inbound.subject) == ("user_send_text", USER)
        assert json.loads(inbound.raw)["message"]["text"] == "Còn hàng không? 👍"


async def test_templates_are_described_as_the_platform_has_them():
    async def pause(seconds):
        assert seconds < 1

    async with at_work() as (zalo, rig):
        found = await PROVIDER.describe(rig.context.settings, Asking(7, zalo.tokens()[0], (), pause))
        assert isinstance(found, Described)
        theirs = {each.told.template_id: each.told for each in zalo.oa().templates.values()}
        assert {each.template_id for each in found.templates} == set(theirs)
        for each in found.templates:
            told = theirs[each.template_id]
            assert (each.name, each.price, each.timeout_ms, each.tag) == (
                told.name,
                told.price,
                told.timeout_ms,
                told.tag,
            )
            assert [mine.name for mine in each.parameters] == [its.name for its in told.parameters]
        assert zalo.counts.unknown_paths == zalo.counts.refused == 0


# consent and renewals


@contextlib.asynccontextmanager
async def signed_in(changes=None, **script):
    async with ZaloSimulator(script=ZaloScript(**script), oas=(payloads_oa(),)) as zalo:
        yield zalo, PROVIDER.check(settings_of(zalo, **(changes or {})))


async def test_a_consent_brings_a_pair_and_each_renewal_the_next():
    async with signed_in() as (zalo, settings), aiohttp.ClientSession() as browser:
        consent = Consent(7, "state-of-the-test", VERIFIER, WORLD["redirect_uri"], NOW, NOW + 600_000)
        async with browser.get(PROVIDER.consent_link(settings, consent), allow_redirects=False) as sent_back:
            query = parse_qs(urlsplit(sent_back.headers["Location"]).query)
        assert query["state"] == ["state-of-the-test"]
        tokens = await PROVIDER.exchange(settings, query["code"][0], consent, NOW)
        for _ in range(3):
            assert isinstance(tokens, Tokens)
            tokens = await PROVIDER.renew(settings, tokens.refresh_token, NOW)
        assert (zalo.counts.exchanges, zalo.counts.refreshes, zalo.counts.double_refresh) == (1, 3, 0)


async def test_a_refresh_token_that_comes_twice_is_counted():
    async with signed_in() as (zalo, settings):
        assert isinstance(await PROVIDER.renew(settings, WORLD["refresh_token"], NOW), Tokens)
        again = await PROVIDER.renew(settings, WORLD["refresh_token"], NOW)
        assert again == Failed(Failure.REFUSED, "zalo_-14014")
        assert zalo.counts.double_refresh == 1


@pytest.mark.parametrize(
    ("fault", "failure", "spent"),
    [
        (Fault("silent"), Failed(Failure.DOUBTFUL, "timeout"), True),
        (Fault("reset"), Failed(Failure.DOUBTFUL, "connect"), True),
        (Fault("truncated"), Failed(Failure.DOUBTFUL, "protocol"), True),
        (Fault("page"), Failed(Failure.DOUBTFUL, "answer_unreadable"), False),
        (Fault("shapeless"), Failed(Failure.REFUSED, "error_without_code"), False),
        (Fault("status", status=503), Failed(Failure.UNSERVED, "http_503"), False),
    ],
)
async def test_a_renewal_that_goes_wrong_is_told_apart_by_what_may_have_happened(fault, failure, spent):
    async with signed_in(SOON if fault.does == "silent" else {}, faults=(fault,)) as (zalo, settings):
        assert await PROVIDER.renew(settings, WORLD["refresh_token"], NOW) == failure
        await zalo.until(lambda counts: counts.spoilt == 1)
        assert zalo.counts.refreshes == spent
