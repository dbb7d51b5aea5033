"""What the script spoils: codes on demand, answers that are none, connections that end, slowness, rates."""

import asyncio
import json

import aiohttp
import pytest
from tests.support.zalo_payloads import WORLD, payload

from loa.errors import ConfigError
from loa.simulators.pick import Pick
from loa.simulators.zalo.script import Fault, Refused, When, ZaloScript, zalo_script_from, zalo_script_values

SEND, UID, TEXT = (payload(f"{name}.request") for name in ("template-send", "template-uid", "oa-text"))
FIRST = When(pick=Pick(first=1))


async def test_a_refusal_is_for_a_surface_a_template_and_a_number(zalo, client):
    refuse = (
        Refused(-115, When("number", pick=Pick(numbers=(2,)))),
        Refused(-119, When("number", pick=Pick(destination="99"))),
        Refused(-213, When("consultation")),
        Refused(-146, When(template="302120")),
    )
    platform = await zalo(refuse=refuse)
    answers = [await client.json(platform.url, SEND) for _ in range(2)]
    answers.append(await client.json(platform.url, SEND, json={**SEND["json"], "phone": "84912345699"}))
    answers.append(await client.json(platform.url, TEXT))
    answers.append(await client.json(platform.url, SEND, json={**SEND["json"], "template_id": "302120"}))
    assert [each["error"] for each in answers] == [0, -115, -119, -213, -146]
    assert (await client.json(platform.url, UID))["error"] == 0
    assert platform.counts.codes == {-115: 1, -119: 1, -213: 1, -146: 1}


async def test_the_same_messages_fall_to_a_share_each_time(zalo, client):
    platform = await zalo(refuse=(Refused(-114, When("number", share=0.5)),))

    async def refused():
        numbers = [str(84912345600 + each) for each in range(40)]
        answers = [await client.json(platform.url, SEND, json={**SEND["json"], "phone": each}) for each in numbers]
        return [each["error"] != 0 for each in answers]

    first = await refused()
    assert first == await refused()
    assert 8 < sum(first) < 32


@pytest.mark.parametrize("does", ["reset", "truncated"])
async def test_a_message_is_accepted_although_its_answer_is_lost(zalo, client, does):
    platform = await zalo(faults=(Fault(does, FIRST),))
    with pytest.raises(aiohttp.ClientError):
        await client.ask(platform.url, SEND)
    assert (platform.counts.accepted, platform.counts.spoilt, platform.counts.shown) == (1, 1, 1)
    assert (await client.json(platform.url, SEND))["error"] == 0


async def test_a_message_is_accepted_and_never_answered(zalo, client):
    platform = await zalo(faults=(Fault("silent"),))
    asking = asyncio.create_task(client.ask(platform.url, SEND))
    await platform.until(lambda counts: counts.shown == 1)
    assert (platform.counts.accepted, platform.counts.answered, asking.done()) == (1, 0, False)
    assert platform.reset_all() == 1
    with pytest.raises(aiohttp.ClientError):
        await asking


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (Fault("page"), 200, "text/html"),
        (Fault("page", status=502), 502, "text/html"),
        (Fault("status"), 500, "text/html"),
        (Fault("status", status=429), 429, "text/html"),
        (Fault("shapeless"), 200, "application/json"),
        (Fault("rate"), 200, "application/json"),
    ],
)
async def test_an_answer_that_is_none_comes_without_effect_unless_told_otherwise(zalo, client, fault, status, kind):
    platform = await zalo(faults=(fault,))
    answered, headers, body = await client.ask(platform.url, SEND)
    assert (answered, platform.counts.accepted) == (status, 0)
    assert headers["Content-Type"].startswith(kind)
    if fault.does == "rate":
        assert (json.loads(body)["error"], headers["X-RateLimit-Remain"]) == (-32, "0")
    if fault.does == "shapeless":
        assert "error" not in json.loads(body)
    platform.change(ZaloScript(faults=(Fault(fault.does, done=True, status=fault.status),)))
    assert (await client.ask(platform.url, SEND))[0] == status
    assert platform.counts.accepted == 1


async def test_nothing_happens_where_a_lost_request_is_told_not_to(zalo, client):
    platform = await zalo(faults=(Fault("reset", FIRST, done=False),))
    with pytest.raises(aiohttp.ClientError):
        await client.ask(platform.url, SEND)
    assert (platform.counts.accepted, platform.oa().remaining) == (0, 20_000)


@pytest.mark.parametrize("slow", [{"faults": (Fault("slow", FIRST, seconds=20),)}, {"answer_delay_s": 20}])
async def test_an_answer_may_come_late(zalo, client, clock, slow):
    platform = await zalo(**slow)
    asking = asyncio.create_task(client.json(platform.url, SEND))
    await platform.until(lambda counts: counts.accepted == 1)
    await clock.someone_sleeps()
    assert platform.counts.answered == 0
    clock.advance(20)
    assert (await asking)["error"] == 0


async def test_too_many_a_second_is_told_by_code_and_headers(zalo, client, clock):
    platform = await zalo(template_rate_per_s=2)
    codes = [(await client.json(platform.url, SEND))["error"] for _ in range(3)]
    assert codes == [0, 0, -32]
    clock.advance(1)
    assert (await client.json(platform.url, SEND))["error"] == 0


async def test_the_calls_of_an_app_are_counted_by_the_minute(zalo, client, clock):
    platform = await zalo(oa_rate_per_minute=2)
    told = [await client.ask(platform.url, TEXT) for _ in range(3)]
    assert [headers["X-RateLimit-Remain"] for _, headers, _ in told] == ["1", "0", "0"]
    assert [json.loads(body)["error"] for *_, body in told] == [0, 0, -32]
    assert (await client.json(platform.url, SEND))["error"] == 0
    clock.advance(60)
    assert (await client.json(platform.url, TEXT))["error"] == 0


async def test_a_path_that_is_none_is_a_page(zalo, client):
    platform = await zalo()
    status, headers, _ = await client.ask(platform.url, SEND, path="/message/templates")
    assert (status, headers["Content-Type"].split(";")[0]) == (404, "text/html")
    assert platform.counts.unknown_paths == 1


@pytest.mark.parametrize("raw", [b"{", b"[]", b"\xff", b"5", b'{"phone": {"a": []}}', b""])
async def test_a_body_that_is_none_is_refused(zalo, client, raw):
    platform = await zalo()
    headers = {**SEND["headers"], "Content-Type": "application/json"}
    async with client.session.post(platform.url + SEND["path"], data=raw, headers=headers) as answer:
        assert json.loads(await answer.read())["error"] == -108


async def test_many_requests_in_one_write_are_answered_in_their_order(zalo):
    platform = await zalo(faults=(Fault("slow", FIRST, seconds=0.0),))
    body = json.dumps(SEND["json"]).encode()
    head = (
        f"POST {SEND['path']} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    request = f"{head}access_token: {WORLD['access_token']}\r\n\r\n".encode() + body
    reader, writer = await asyncio.open_connection("127.0.0.1", platform.port)
    writer.write(request * 5)
    ids = []
    for _ in range(5):
        told = await reader.readuntil(b"\r\n\r\n")
        length = int(told.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        ids.append(json.loads(await reader.readexactly(length))["data"]["msg_id"])
    writer.close()
    assert ids == [each.message_id for each in platform.accepted] == sorted(ids)


async def test_octets_that_are_no_http_end_the_connection(zalo):
    platform = await zalo()
    reader, writer = await asyncio.open_connection("127.0.0.1", platform.port)
    writer.write(b"\x16\x03\x01\x00\xa5\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    writer.close()


def test_a_script_is_read_from_plain_values_and_written_to_them():
    script = ZaloScript(
        faults=(Fault("silent", When("number", pick=Pick(every=3))),), refuse=(Refused(-115),), event_retries_s=(1.0,)
    )
    assert zalo_script_from(json.loads(json.dumps(zalo_script_values(script)))) == script
    assert zalo_script_from({"seen": True}, script).refuse == script.refuse
    with pytest.raises(ConfigError, match="does"):
        zalo_script_from({"faults": [{"does": "dance"}]})
    with pytest.raises(ConfigError, match="speed"):
        zalo_script_from({"speed": 3})
