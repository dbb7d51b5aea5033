"""The Zalo channel against a scripted Zalo: requests, tokens, stops, hours, quotas, pauses, drains, the trial."""

import asyncio
import contextlib
import json
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.contract.channel.peers import Watch
from tests.contract.channel.rig import SECRET, Rig, Token, attempt
from tests.contract.channel.zalo_rig import ORDER, LateInTheMinute, Zalo, settle_connections, zalo_settings
from tests.support.fakes import EPOCH, FakeClock
from tests.support.zalo_payloads import WORLD, payload

from loa.channels.registry import OWN
from loa.channels.zalo import opening
from loa.channels.zalo.looks import QUOTA_EVERY_S, TICK_S
from loa.channels.zalo.requests import tracking_id
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Deferred, Refused, Unknown
from loa.domain.traffic import TrafficClass
from loa.ports.channel import Asking, Asks, Described, Describes, Question
from loa.ports.probe import Point

OTP, CARE, ADS = TrafficClass.OTP, TrafficClass.TRANSACTIONAL, TrafficClass.ADVERTISING
USER = -int(WORLD["user_id"])
HELLO = {"kind": "text", "text": "Chào anh, đơn hàng đã tới."}


def order(number=1, *, rich=None, **fields):
    return attempt(number, rich=ORDER | (rich or {}), **fields)


@contextlib.asynccontextmanager
async def at_work(*, clock=None, tokens=None, ready=True, probe=None, **changes):
    zalo = await Zalo().start()
    rig = Rig(OWN["zalo"], zalo_settings(zalo.port) | changes, clock=clock, tokens=tokens or Token(SECRET), probe=probe)
    try:
        yield zalo, await rig.start(ready=ready)
    finally:
        await rig.channel.stop(0)
        await zalo.close()


async def looked(zalo, clock, count, path):
    """Let time pass until Zalo was asked so often, and the answer was taken in."""

    def asked():
        return sum(path in look["line"] for look in zalo.looks)

    while asked() < count or not clock._sleepers:
        if clock._sleepers:
            clock.advance(TICK_S)
        await asyncio.sleep(0)


async def until(holds):
    """Let the loop turn until something holds; the time limit of the test is the only clock."""
    while not holds():
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("name", "rich", "destination"),
    [
        ("template-send", ORDER, 84912345678),
        (
            "template-journey",
            ORDER | {"template_id": "302118", "journey_token": "journey-token-of-the-fixtures"},
            84912345678,
        ),
        ("template-uid", ORDER, USER),
        ("oa-text", HELLO, USER),
    ],
)
async def test_a_message_is_one_post_as_the_files_have_it(name, rich, destination):
    wanted = payload(f"{name}.request")
    async with at_work(tokens=Token(WORLD["access_token"])) as (zalo, rig):
        zalo.on_send = zalo.answering(wanted["answer"].removesuffix(".answer"))
        one = attempt(1, rich=rich, destination=destination)
        assert isinstance(await rig.outcome_of(one), Accepted)
        (request,) = zalo.sends
        assert request["line"] == f"{wanted['method']} {wanted['path']} HTTP/1.1"
        assert request["headers"]["content-type"] == "application/json"
        assert {each: request["headers"][each] for each in wanted["headers"]} == wanted["headers"]
        assert request["body"].pop("tracking_id", "") in ("", tracking_id(one))
        assert request["body"] == {key: value for key, value in wanted["json"].items() if key != "tracking_id"}


async def test_connections_are_kept_and_never_more_than_the_window_and_one_to_look():
    async with at_work(window=3) as (zalo, rig):
        for number in range(1, 13, 3):
            rig.submit(*(order(number + offset) for offset in range(3)))
            await rig.settled(number + 2)
        assert len(zalo.sends) == 12
        assert zalo.connections <= 4


async def test_a_kept_connection_that_zalo_closes_is_no_reason_to_send_again():
    async with at_work() as (zalo, rig):
        assert isinstance(await rig.outcome_of(order(1)), Accepted)
        zalo.on_send = lambda request: "cut"
        one = order(2)
        outcome = await rig.outcome_of(one)
        assert outcome == Unknown("connection_lost", (tracking_id(one),))
        assert len(zalo.sends) == 2
        heard = zalo.event(rig.context, "f7a1", number=one.destination, tracking=tracking_id(one))
        (receipt,) = heard.receipts
        assert outcome.provider_refs[0] in receipt.refs
        assert (receipt.destination, receipt.state) == (one.destination, State.DELIVERED)


async def test_where_nobody_is_a_try_is_used_up_and_the_channel_comes_back_by_itself():
    async with at_work() as (zalo, rig):
        port = zalo.port
        await zalo.close()
        await settle_connections(rig.channel)
        assert await rig.outcome_of(order(1)) == Deferred("connect_failed")
        assert rig.channel.free(rig.clock.now()) == 0
        assert "connect_failed" in rig.channel.status().detail
        await zalo.start(port)
        await rig.until_free()
        assert isinstance(await rig.outcome_of(order(2)), Accepted)
        assert rig.channel.status().ready


async def test_a_name_that_does_not_resolve_is_told():
    async with at_work(business_url="http://nowhere.invalid") as (_, rig):
        outcome = await rig.outcome_of(order(1))
        assert isinstance(outcome, Deferred)
        assert outcome.counts


# tokens


async def test_without_a_token_nothing_is_taken_until_there_is_one():
    tokens = Token("")
    async with at_work(tokens=tokens, ready=False) as (zalo, rig):
        assert rig.channel.free(0) == 0
        assert not rig.channel.status().ready
        assert rig.channel.status().detail == "consent needed"
        tokens.token = SECRET
        assert rig.channel.free(0) > 0
        tokens.token = ""
        assert (await rig.outcome_of(order(1))).reason == "no_token"
        tokens.token = "a\r\nb"
        assert rig.channel.free(0) == 0
        assert not zalo.sends


async def test_a_token_that_is_refused_is_asked_for_once_more_and_then_it_is_not_the_token():
    tokens = Token("first")
    async with at_work(tokens=tokens) as (zalo, rig):
        zalo.on_send = zalo.answering("error-124")
        rig.submit(order(1), order(2))
        await rig.settled(2)
        assert {outcome for _, outcome in rig.outcomes} == {Deferred("zalo_-124")}
        assert set(tokens.spoilt) == {"first"}
        tokens.token = "second"
        assert await rig.outcome_of(order(3)) == Deferred("zalo_-124")
        assert set(tokens.spoilt) == {"first"}
        assert rig.channel.status().detail.startswith("stopped (number): -124")
        assert (await rig.outcome_of(order(4))).reason == "oa_stopped:-124"
        assert len(zalo.sends) == 3


async def test_a_token_that_works_again_makes_the_next_refusal_a_first_one():
    tokens = Token("first")
    async with at_work(tokens=tokens) as (zalo, rig):
        for token in ("first", "second"):
            tokens.token = token
            zalo.on_send = zalo.answering("error-124")
            assert await rig.outcome_of(order(1)) == Deferred("zalo_-124")
            zalo.on_send = zalo.accept
            assert isinstance(await rig.outcome_of(order(2)), Accepted)
        assert tokens.spoilt == ["first", "second"]


# stops


async def test_money_stops_what_goes_to_numbers_and_nothing_else_until_zalo_takes_a_message_again():
    clock = FakeClock()
    async with at_work(clock=clock) as (zalo, rig):
        await looked(zalo, clock, 1, "/message/quota")
        zalo.on_send = zalo.answering("error-115")
        refused = await rig.outcome_of(order(1))
        assert refused.reason == "oa_stopped:-115"
        assert (refused.counts, refused.alone) == (False, True)
        assert clock.now() + 60_000 <= refused.until < clock.now() + 71_000
        held = await rig.outcome_of(order(2))
        assert held.reason == "oa_stopped:-115"
        assert len(zalo.sends) == 1, "the second never left"
        assert not rig.channel.status().ready
        assert rig.channel.free(clock.now()) > 0, "messages have to go on to another step"
        zalo.on_send = zalo.answering("oa-message")
        assert isinstance(await rig.outcome_of(attempt(3, rich=HELLO, destination=USER)), Accepted)
        asked, stop = len(zalo.looks), rig.channel._gate.stops.held("number")
        clock.advance(60)
        await until(lambda: stop.open)
        assert len(zalo.looks) > asked
        zalo.on_send = zalo.answering("error-115")
        rig.submit(order(4), order(5))
        await rig.settled(5)
        assert len(zalo.sends) == 3, "one at a time"
        clock.advance(120)
        await until(lambda: rig.channel._gate.stops.held("number") is None)
        zalo.on_send = zalo.accept
        assert isinstance(await rig.outcome_of(order(6)), Accepted)
        assert rig.channel.status().ready
        assert isinstance(await rig.outcome_of(order(7)), Accepted)


async def test_an_empty_wallet_for_trials_stops_trials_only():
    async with at_work() as (zalo, rig):
        trial = {"mode": "development"}
        zalo.on_send = zalo.answering("error-126")
        assert (await rig.outcome_of(order(1, rich=trial))).reason == "oa_stopped:-126"
        zalo.on_send = zalo.accept
        assert (await rig.outcome_of(order(2, rich=trial))).reason == "oa_stopped:-126"
        assert isinstance(await rig.outcome_of(order(3)), Accepted)


async def test_a_stop_stays_while_zalo_still_says_no():
    clock = FakeClock()
    async with at_work(clock=clock) as (zalo, rig):
        await looked(zalo, clock, 1, "/message/quota")
        zalo.on_send = zalo.answering("error-135")
        await rig.outcome_of(order(1))
        zalo.reads["/message/quota"] = payload("error-135.answer")
        clock.advance(60)
        stop = rig.channel._gate.stops.held("number")
        await until(lambda: stop.wait_s == 120)
        assert (await rig.outcome_of(order(2))).until >= clock.now() + 120_000


# hours and quotas


async def test_outside_the_hours_of_its_tag_no_request_leaves():
    night = FakeClock(opening.next_day(EPOCH))
    async with at_work(clock=night) as (zalo, rig):
        for tag in (2, 3):
            held = await rig.outcome_of(order(tag, rich={"tag": tag}))
            assert held.reason == "outside_hours"
            assert (held.counts, held.alone) == (False, True)
            assert 0 <= held.until - (night.now() + 7 * 3_600_000) < opening.SPREAD_MS
        assert not zalo.sends
        assert isinstance(await rig.outcome_of(order(9)), Accepted)
        assert isinstance(await rig.outcome_of(attempt(10, rich=HELLO, destination=USER)), Accepted)


async def test_the_quota_is_asked_for_at_once_and_now_and_then_and_shown():
    clock = FakeClock()
    async with at_work(clock=clock) as (zalo, rig):
        await looked(zalo, clock, 1, "/message/quota")
        (request,) = zalo.looks
        wanted = payload("quota.request")
        assert request["line"] == f"GET {wanted['path']} HTTP/1.1"
        assert "19999 of 20000 left today" in rig.channel.status().detail
        begun = clock.monotonic()
        await looked(zalo, clock, 2, "/message/quota")
        assert QUOTA_EVERY_S - 2 * TICK_S <= clock.monotonic() - begun <= QUOTA_EVERY_S + 2 * TICK_S


async def test_before_the_wall_advertising_gives_way_and_codes_go():
    clock = FakeClock()
    async with at_work(clock=clock, otp_reserve=2_000) as (zalo, rig):
        quota = payload("quota.answer").body
        data = quota["data"] | {"remainingQuota": "1500"}
        zalo.reads["/message/quota"] = zalo.saying(quota | {"data": data})
        await looked(zalo, clock, 1, "/message/quota")
        zalo.on_send = zalo.saying({"error": 0, "data": {"msg_id": "a"}})
        for traffic in (ADS, CARE):
            held = await rig.outcome_of(order(traffic, traffic_class=traffic))
            assert held.reason == "quota_forecast"
            assert 0 <= held.until - opening.next_day(clock.now()) < opening.SPREAD_MS
        assert not zalo.sends
        assert isinstance(await rig.outcome_of(order(8, traffic_class=OTP)), Accepted)
        beyond = order(9, traffic_class=ADS, rich={"tag": 3, "sending_mode": "3"})
        assert isinstance(await rig.outcome_of(beyond), Accepted)
        zalo.on_send = zalo.accept
        await rig.outcome_of(order(10, traffic_class=OTP))
        assert isinstance(await rig.outcome_of(order(11, traffic_class=CARE)), Accepted), "19,999 are left again"


@pytest.mark.parametrize(
    ("code", "rich", "same", "other"),
    [
        ("144", {}, {"template_id": "1"}, {"mode": "development"}),
        ("147", {}, {}, {"template_id": "1"}),
        ("1471", {"tag": 3}, None, {"tag": 3}),
    ],
)
async def test_after_the_wall_nothing_more_is_tried_that_would_meet_it(code, rich, same, other):
    clock = FakeClock()
    async with at_work(clock=clock) as (zalo, rig):
        await looked(zalo, clock, 1, "/message/quota")
        own = {"own_quota": True}
        zalo.on_send = zalo.answering(f"error-{code}")
        held = await rig.outcome_of(order(1, rich=rich | own))
        assert (held.reason, held.counts, held.alone) == (f"zalo_-{code}", False, True)
        zalo.on_send = zalo.accept
        if same is not None:
            held = await rig.outcome_of(order(2, rich=rich | own | same, traffic_class=OTP))
            assert held.reason == "quota_forecast"
            assert len(zalo.sends) == 1
        assert isinstance(await rig.outcome_of(order(3, rich=rich | own | other)), Accepted)


async def test_a_template_with_a_quota_of_its_own_is_looked_at():
    clock = FakeClock()
    async with at_work(clock=clock) as (zalo, rig):
        await looked(zalo, clock, 1, "/message/quota")
        assert isinstance(await rig.outcome_of(order(1, rich={"own_quota": True})), Accepted)
        detail = payload("template-info.answer").body
        left = detail["data"] | {"templateRemainingQuota": "0"}
        zalo.reads["/template/info/v2"] = zalo.saying(detail | {"data": left})
        await looked(zalo, clock, 1, "/template/info/v2?template_id=302117")
        held = await rig.outcome_of(order(2, rich={"own_quota": True}))
        assert held.reason == "quota_forecast"
        assert isinstance(await rig.outcome_of(order(3, rich={"template_id": "1"})), Accepted)


# pace


async def test_a_rate_limit_pauses_everything_until_the_next_minute():
    async with at_work(clock=LateInTheMinute()) as (zalo, rig):
        zalo.on_send = zalo.answering("oa-error-32")
        outcome = await rig.outcome_of(order(1))
        assert (outcome.reason, outcome.counts, outcome.alone) == ("zalo_-32", False, False)
        assert outcome.until % 60_000 == 0
        await rig.watch.until(lambda: rig.channel.free(0) == 0)
        zalo.on_send = zalo.accept
        await rig.until_free()
        assert isinstance(await rig.outcome_of(order(2)), Accepted)


async def test_a_rate_of_our_own_is_kept():
    clock = FakeClock()
    async with at_work(clock=clock, rate_per_s=10) as (_, rig):
        assert rig.channel.free(0) == 1
        await rig.outcome_of(order(1))
        assert rig.channel.free(0) == 0
        clock.advance(0.2)
        assert rig.channel.free(0) == 1


async def test_a_code_that_no_table_knows_is_kept():
    async with at_work() as (zalo, rig):
        zalo.on_send = zalo.saying({"error": -4711, "message": "new"})
        assert await rig.outcome_of(order(1)) == Refused("zalo_-4711: new", lasting=False)


async def test_a_message_with_nothing_for_zalo_is_refused():
    async with at_work() as (zalo, rig):
        assert await rig.outcome_of(attempt(1)) == Refused("nothing_to_send")
        held = await rig.outcome_of(order(2, rich={"journey_token": "a\r\nb"}))
        assert held == Refused("journey_token")
        assert not zalo.sends


# the end


async def test_a_stop_waits_for_answers_and_what_has_not_left_is_not_unknown():
    async with at_work() as (zalo, rig):
        released, asked = asyncio.Event(), Watch()

        async def serve_one(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
            await reader.readexactly(size)
            asked.asked = True
            asked.changed()
            await released.wait()
            _, _, out = zalo.accept({})
            writer.write(f"HTTP/1.1 200 x\r\nContent-Length: {len(out)}\r\n\r\n".encode() + out)
            return False

        asked.asked = False
        zalo._serve_one = serve_one
        await settle_looks(rig)
        rig.submit(order(1))
        await asked.until(lambda: asked.asked)
        stopping = asyncio.create_task(rig.channel.stop(10))
        await asyncio.sleep(0)
        assert rig.channel.free(0) == 0
        released.set()
        await stopping
        assert isinstance(rig.outcomes[0][1], Accepted)


async def settle_looks(rig):
    """Close what the first look left open, so that the next request is one for the script."""
    for wire in list(rig.channel._client._pool._wires):
        wire.abort()
    await settle_connections(rig.channel)


async def test_a_message_whose_connection_was_still_being_made_is_deferred_by_a_stop():
    async with at_work() as (zalo, rig):
        await settle_looks(rig)
        rig.submit(order(1))
        await rig.channel.stop(0)
        assert [outcome for _, outcome in rig.outcomes] == [Deferred("stopped", counts=False)]
        assert (await rig.outcome_of(order(2))).reason == "stopped"
        assert not zalo.sends


async def test_the_probe_stands_where_the_request_is_written():
    class Noting:
        def __init__(self):
            self.at = []

        def armed(self, point):
            return point is Point.LINK_WRITTEN

        def reached(self, point):
            self.at.append(point)

    probe = Noting()
    async with at_work(probe=probe) as (_, rig):
        await rig.outcome_of(order(1))
        assert probe.at == [Point.LINK_WRITTEN]


# what is only asked


async def test_what_is_on_the_phone_makes_a_receipt_and_nothing_else_does():
    async with at_work() as (zalo, rig):
        assert isinstance(rig.channel, Asks)
        answers = {
            "a1": "message-status",
            "b2": "message-status-underway",
            "c3": "message-status-unknown",
            "d4": "error-100",
        }
        zalo.reads["/message/status"] = lambda request: zalo.answering(
            answers[request["line"].split("message_id=")[1].split(" ")[0]]
        )(request)
        questions = [Question(number, 1, 84912345678, ref) for number, ref in enumerate(answers, 1)]
        questions += [Question(9, 1, USER, "a1"), Question(10, 1, 84912345678, "")]
        (receipt,) = await rig.channel.ask(questions)
        assert (receipt.refs, receipt.state, receipt.done_at) == (("a1",), State.DELIVERED, 1_795_480_001_500)
        assert json.loads(receipt.raw)["data"]["status"] == 1
        wanted = payload("message-status.request")
        line = next(look["line"] for look in zalo.looks if "status?" in look["line"])
        assert line == f"GET {wanted['path']}?message_id=a1 HTTP/1.1"
        rig.context.tokens.token = ""
        assert await rig.channel.ask(questions) == []


@pytest.mark.parametrize(
    ("reads", "steps"),
    [
        ({}, [("token", True, "access token"), ("oa", True, "Cửa hàng Loa"), ("quota", True, "19999 of 20000")]),
        (
            {"/v2.0/oa/getoa": payload("oa-error-216.answer")},
            [("token", True, "access"), ("oa", False, "zalo_-216"), ("quota", True, "left")],
        ),
        (
            {"/message/quota": payload("error-135.answer")},
            [("token", True, "access"), ("oa", True, "package"), ("quota", False, "zalo_-135")],
        ),
    ],
)
async def test_a_trial_looks_at_token_account_and_quota_and_sends_nothing(reads, steps):
    async with at_work() as (zalo, rig):
        zalo.reads |= reads
        found = await rig.channel.test()
        assert [(step.name, step.ok) for step in found] == [(name, ok) for name, ok, _ in steps]
        for step, (_, _, detail) in zip(found, steps, strict=True):
            assert detail in step.detail
        assert not zalo.sends


async def test_a_trial_tells_a_consent_of_another_account_and_one_that_is_missing():
    async with at_work(oa_id="12345") as (_, rig):
        step = (await rig.channel.test())[1]
        assert not step.ok
        assert WORLD["oa_id"] in step.detail
        assert "12345" in step.detail
        rig.context.tokens.token = ""
        (step,) = await rig.channel.test()
        assert (step.name, step.ok) == ("token", False)
        assert "loa zalo connect" in step.detail


async def test_templates_are_described_through_the_settings_of_the_channel():
    provider = OWN["zalo"]
    assert isinstance(provider, Describes)
    async with at_work() as (zalo, rig):
        zalo.reads["/template/all"] = payload("template-all.answer")

        async def pause(seconds):
            assert seconds < 1

        found = await provider.describe(rig.context.settings, Asking(7, SECRET, (), pause))
        assert isinstance(found, Described)
        assert [each.template_id for each in found.templates] == ["302117"]
        assert {look["headers"]["access_token"] for look in zalo.looks} == {SECRET}


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Make a server's certificate for 127.0.0.1 that its own authority signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "zalo.test")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder


async def test_the_certificate_is_checked_before_a_byte_leaves(certificate):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    async with at_work() as (zalo, _):
        server = await asyncio.start_server(zalo._serve, "127.0.0.1", 0, ssl=tls)
        address = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for changes, outcome in (
            ({}, Deferred("tls_failed")),
            ({"tls_ca_file": str(certificate / "cert.pem")}, Accepted),
            ({"tls_verify": False}, Accepted),
        ):
            settings = zalo_settings(zalo.port) | {"business_url": address} | changes
            rig = Rig(OWN["zalo"], settings, tokens=Token(SECRET))
            await rig.start()
            found = await rig.outcome_of(order(1))
            assert found == outcome or type(found) is outcome
            await rig.channel.stop(0)
        server.close()
        assert len(zalo.sends) == 2
