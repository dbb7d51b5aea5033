import asyncio
import base64
import contextlib
import hashlib
import hmac
import io

import aiohttp
import pytest
from tests.unit.simulators.sim_clock import HandClock

from loa.simulators.journal import read_journal
from loa.simulators.pick import ALL, Pick
from loa.simulators.receiver.run import ReceiverOptions, run_receiver
from loa.simulators.receiver.script import ReceiverScript
from loa.simulators.receiver.signature import check

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
NOW = 1_764_000_000_000


def signed(body, *, key=KEY, at=NOW // 1000, message_id="cbk_1"):
    mac = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def post(http, url, body=b"{}", **options):
    async with http.post(url, data=body, allow_redirects=False, **options) as answer:
        return answer.status, answer.headers, await answer.read()


async def test_a_request_is_taken_kept_and_counted(receiver, http):
    events = []
    found = await receiver(on_event=events.append)
    status, _, _ = await post(http, f"{found.url}/hook?a=1", b'{"x":1}', headers={"Webhook-Id": "cbk_7"})
    assert status == 200
    delivery = found.deliveries[0]
    assert (delivery.method, delivery.path, delivery.query, delivery.body) == ("POST", "/hook", "a=1", b'{"x":1}')
    assert (delivery.callback_id, delivery.verdict, delivery.status) == ("cbk_7", "unchecked", 200)
    assert events == [delivery]
    assert (found.counts.requests, found.counts.taken) == (1, 1)


async def test_statuses_are_answered_in_turn(receiver, http):
    found = await receiver(script=ReceiverScript(statuses=(500, 410), status=204))
    assert [(await post(http, found.url))[0] for _ in range(4)] == [500, 410, 204, 204]
    assert found.counts.answered == {500: 1, 410: 1, 204: 2}
    assert found.counts.taken == 2


async def test_throttling_and_redirects_carry_their_headers(receiver, http):
    found = await receiver(script=ReceiverScript(status=429, retry_after="120"))
    status, headers, _ = await post(http, found.url)
    assert (status, headers["Retry-After"]) == (429, "120")
    found.change(ReceiverScript(status=302, redirect_to="http://169.254.169.254/"))
    status, headers, _ = await post(http, found.url)
    assert (status, headers["Location"]) == (302, "http://169.254.169.254/")


async def test_each_path_can_have_its_own_script(receiver, http):
    found = await receiver()
    found.change(ReceiverScript(statuses=(503,)), "/dead")
    assert (await post(http, f"{found.url}/dead"))[0] == 503
    assert (await post(http, f"{found.url}/alive"))[0] == 200
    assert (await post(http, f"{found.url}/dead"))[0] == 200


async def test_a_huge_body_is_poured_out_whole(receiver, http):
    found = await receiver(script=ReceiverScript(body_octets=1_000_000))
    _, _, body = await post(http, found.url)
    assert len(body) == 1_000_000


async def test_a_client_may_leave_a_huge_body_unread(receiver, http):
    found = await receiver(script=ReceiverScript(body_octets=10**12))
    async with http.post(found.url, data=b"") as answer:
        await answer.content.readexactly(10)
        answer.close()
    found.change(ReceiverScript())
    assert (await post(http, found.url))[0] == 200


async def test_a_huge_request_is_cut_off_and_survived(receiver, http):
    found = await receiver()
    assert (await post(http, found.url, io.BytesIO(b"x" * (17 * 1024 * 1024))))[0] == 200
    assert len(found.deliveries[0].body) == 16 * 1024 * 1024


async def test_a_request_can_hang_until_the_receiver_stops(receiver, http):
    found = await receiver(script=ReceiverScript(hang=ALL))
    hanging = asyncio.create_task(post(http, found.url))
    await found.until(lambda counts: counts.hanging == 1)
    assert not hanging.done()
    await found.stop()
    with pytest.raises(aiohttp.ClientError):
        await hanging


async def test_a_connection_can_be_cut_before_the_answer(receiver, http):
    found = await receiver(script=ReceiverScript(close=Pick(numbers=(1,))))
    with pytest.raises(aiohttp.ClientError):
        await post(http, found.url)
    assert (await post(http, found.url))[0] == 200
    assert found.counts.closed == 1


async def test_an_answer_can_wait_for_its_time(receiver, http):
    clock = HandClock(NOW)
    found = await receiver(clock=clock, script=ReceiverScript(delay_s=20, delayed=Pick(numbers=(1,))))
    slow = asyncio.create_task(post(http, f"{found.url}/a"))
    await clock.someone_sleeps()
    assert (await post(http, f"{found.url}/a"))[0] == 200
    assert not slow.done()
    clock.advance(20)
    assert (await slow)[0] == 200


async def test_signatures_are_judged(receiver, http):
    found = await receiver(secret=SECRET, clock=HandClock(NOW))
    await post(http, found.url, b"body", headers=signed(b"body"))
    await post(http, found.url, b"other", headers=signed(b"body"))
    await post(http, found.url, b"body")
    assert [delivery.verdict for delivery in found.deliveries] == ["valid", "invalid", "unsigned"]
    assert found.counts.verdicts == {"valid": 1, "invalid": 1, "unsigned": 1}


def test_any_of_several_signatures_is_enough():
    old, new = signed(b"body", key=b"old"), signed(b"body")
    both = new | {"webhook-signature": old["webhook-signature"] + " " + new["webhook-signature"]}
    assert check(SECRET, both, b"body", NOW) == "valid"
    assert check(SECRET, old, b"body", NOW) == "invalid"


@pytest.mark.parametrize(("seconds", "verdict"), [(299, "valid"), (-299, "valid"), (301, "invalid"), (-301, "invalid")])
def test_a_signature_is_good_for_five_minutes(seconds, verdict):
    assert check(SECRET, signed(b"body", at=NOW // 1000 + seconds), b"body", NOW) == verdict


def test_a_timestamp_that_is_no_number_is_invalid():
    assert check(SECRET, signed(b"body") | {"webhook-timestamp": "soon"}, b"body", NOW) == "invalid"


async def test_a_request_is_in_the_journal_before_its_answer_leaves(receiver, http, tmp_path):
    path = tmp_path / "receiver.jsonl"
    found = await receiver(journal=path, secret=SECRET, clock=HandClock(NOW))
    await post(http, f"{found.url}/hook", '{"chữ":1}'.encode(), headers=signed('{"chữ":1}'.encode()))
    [line] = read_journal(path)
    assert (line["id"], line["path"], line["verdict"], line["status"]) == ("cbk_1", "/hook", "valid", 200)
    assert line["body"] == '{"chữ":1}'


async def test_the_program_announces_itself_and_ends_when_cancelled(http):
    ready = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        run_receiver(
            ReceiverOptions(port=0, scripts=(("/gone", ReceiverScript(status=410)),), on_ready=ready.set_result)
        )
    )
    found = await ready
    assert (await post(http, f"{found.url}/gone"))[0] == 410
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    with pytest.raises(aiohttp.ClientConnectorError):
        await post(http, found.url)
