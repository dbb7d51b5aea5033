"""The vendor channel against a scripted gateway: connections, pauses, drains, the trial."""

import asyncio
import contextlib
import json

import pytest
from tests.contract.channel.peers import Gateway
from tests.contract.channel.rig import SECRET, Rig, attempt
from tests.support.fakes import EPOCH, FakeClock

from loa.channels.registry import OWN
from loa.channels.vendor.channel import request_id
from loa.domain.outcome import Accepted, Deferred, Refused, Unknown


@contextlib.asynccontextmanager
async def posting(*, clock=None, **changes):
    gateway = await Gateway().start()
    settings = {"base_url": f"http://127.0.0.1:{gateway.port}", "api_key": SECRET} | changes
    rig = Rig(OWN["vendor"], settings, clock=clock)
    try:
        yield gateway, await rig.start()
    finally:
        await rig.channel.stop(0)
        await gateway.close()


async def test_a_message_is_one_post_with_the_key_and_the_vendors_body():
    async with posting() as (gateway, rig):
        one = attempt(1, text="Mã của bạn", encoding="ucs2")
        assert await rig.outcome_of(one) == Accepted(("up1",))
        (request,) = gateway.requests
        assert request["line"] == "POST /api/vendor/v1/sms/send-message HTTP/1.1"
        assert request["headers"]["api-key"] == SECRET
        assert request["headers"]["content-type"] == "application/json"
        assert request["body"]["text"] == "Mã của bạn"
        assert request["body"]["requestId"] == request_id(one)


async def test_connections_are_kept_and_never_more_than_the_window():
    async with posting(window=3) as (gateway, rig):
        for number in range(1, 13, 3):
            rig.submit(*(attempt(number + offset) for offset in range(3)))
            await rig.settled(number + 2)
        assert len(gateway.requests) == 12
        assert gateway.connections <= 3


async def test_a_gateway_that_is_away_pauses_the_channel_which_comes_back_by_itself():
    async with posting() as (gateway, rig):
        port = gateway.port
        await gateway.close()
        outcome = await rig.outcome_of(attempt(1))
        assert outcome == Deferred("connect_failed", counts=False)
        await rig.watch.until(lambda: not rig.channel.free(rig.clock.now()))
        assert not rig.channel.status().ready
        assert rig.channel.status().detail == "connect_failed"
        await gateway.start(port)
        await rig.until_free()
        assert await rig.outcome_of(attempt(2)) == Accepted(("up1",))
        await rig.watch.until(lambda: rig.channel.status().detail == "")


async def test_a_name_that_does_not_resolve_is_deferred():
    async with posting(base_url="http://nowhere.invalid") as (_, rig):
        outcome = await rig.outcome_of(attempt(1))
        assert isinstance(outcome, Deferred)
        assert outcome.reason in ("host_not_found", "connect_failed")


async def test_a_key_that_is_refused_pauses_the_channel_and_the_message_may_go_again():
    async with posting() as (gateway, rig):
        gateway.on_request = gateway.answering(401)
        assert await rig.outcome_of(attempt(1)) == Refused("http_401", lasting=False)
        await rig.watch.until(lambda: not rig.channel.free(rig.clock.now()))
        assert rig.channel.status().detail == "http_401"


async def test_f29_a_throttling_gateway_names_the_length_of_the_pause_however_the_wall_clock_is_set():
    clock = FakeClock()
    async with posting(clock=clock) as (gateway, rig):
        gateway.on_request = gateway.answering(503, Retry_After="30")
        assert await rig.outcome_of(attempt(1)) == Deferred("throttled", until=EPOCH + 30_000, counts=False)
        await rig.watch.until(lambda: not rig.channel.free(clock.now()))
        clock.set_by(3 * 86_400)
        assert rig.channel.free(clock.now()) == 0
        clock.set_by(-4 * 86_400)
        clock.advance(29.9)
        assert rig.channel.free(clock.now()) == 0
        clock.advance(0.1)
        assert rig.channel.free(clock.now()) > 0
        assert rig.channel.status().ready


async def test_a_redirect_is_not_followed():
    async with posting() as (gateway, rig):
        gateway.on_request = gateway.answering(307, Location=f"http://127.0.0.1:{gateway.port}/elsewhere")
        assert await rig.outcome_of(attempt(1)) == Refused("http_307", lasting=False)
        assert len(gateway.requests) == 1


async def test_an_answer_without_end_is_cut_off():
    async with posting() as (gateway, rig):
        gateway.on_request = gateway.answering(200, b'{"referentId": "' + b"x" * 1_000_000 + b'"}')
        outcome = await rig.outcome_of(attempt(1))
        assert isinstance(outcome, Unknown)
        assert outcome.reason == "answer_unreadable"


async def test_an_unknown_outcome_can_be_settled_by_a_report_on_our_request():
    async with posting() as (gateway, rig):
        gateway.on_request = lambda request: "cut"
        one = attempt(1)
        outcome = await rig.outcome_of(one)
        assert outcome == Unknown("connection_lost", (request_id(one),))
        sent = gateway.requests[0]["body"]
        report = {"msisdn": sent["destinations"][0], "requestId": sent["requestId"], "referentId": "up9", "status": 2}
        receipt = OWN["vendor"].read_report(7, report, 0)
        assert outcome.provider_refs[0] in receipt.refs
        assert receipt.destination == one.destination


async def test_a_stop_waits_for_answers_that_come_in_time():
    async with posting() as (gateway, rig):
        release = asyncio.Event()
        answer = gateway.on_request

        async def held(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"ength:" in line)
            gateway.requests.append(json.loads(await reader.readexactly(size)))
            gateway.watch.changed()
            await release.wait()
            status, _, out = answer({})
            writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: {len(out)}\r\n\r\n".encode() + out)
            return False

        gateway._serve_one = held
        rig.submit(attempt(1))
        await gateway.watch.until(lambda: gateway.requests)
        stopping = asyncio.create_task(rig.channel.stop(10))
        await asyncio.sleep(0)
        assert rig.channel.free(0) == 0
        release.set()
        await stopping
        assert [outcome for _, outcome in rig.outcomes] == [Accepted(("up1",))]


@pytest.mark.parametrize(("status", "works"), [(405, True), (401, True), (403, True), (404, False), (200, False)])
async def test_a_trial_reaches_the_gateway_without_sending(status, works):
    async with posting() as (gateway, rig):
        gateway.on_request = gateway.answering(status)
        steps = await rig.channel.test()
        assert [(step.name, step.ok) for step in steps] == [("connect", True), ("answer", works)]
        assert gateway.requests[0]["line"].startswith("GET ")
        await gateway.close()
        assert [(step.name, step.ok) for step in await rig.channel.test()] == [("connect", False)]
