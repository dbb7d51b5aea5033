"""One callback over real sockets: what is sent, and what every kind of receiver makes of it."""

import asyncio
import socket
import time

import pytest
from standardwebhooks import Webhook

from loa.notify.guard import GuardPolicy
from loa.notify.names import REMEMBER_S
from loa.notify.poster import HttpCallbackSender, read_retry_after
from loa.notify.signature import new_secret
from loa.ports.callback_sender import PostResult
from loa.wire.wire import EXCERPT_BYTES

NOW = 1_794_000_000


def at(receiver, path="/hook", host="127.0.0.2", scheme="http"):
    return f"{scheme}://{host}:{receiver.port}{path}"


async def test_a_callback_arrives_whole_and_another_library_verifies_it(receive, send):
    receiver = await receive()
    secrets = (new_secret(), new_secret())
    body = '{"msisdn":"84912345667","error":"đã hết hạn"}'.encode()
    result = await send(at(receiver, "/hook?shop=1"), body, secrets, int(time.time()))
    assert result.ok
    assert (result.status, result.error, result.excerpt, result.retry_after_s) == (200, "", "ok", 0)
    ((first, headers, got),) = receiver.requests
    assert first == "POST /hook?shop=1 HTTP/1.1"
    assert got == body
    for secret in secrets:
        assert Webhook(secret).verify(got, headers)["msisdn"] == "84912345667"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "Loa/1.2.3"
    assert headers["accept-encoding"] == "identity"
    assert headers["webhook-id"] == "cb_01ARZ3"
    assert set(headers) - {name for name in headers if name.startswith("webhook-")} == {
        *("host", "content-type", "content-length", "user-agent", "accept-encoding")
    }


async def test_posts_share_a_connection_and_no_cookie(receive, send, answer):
    receiver = await receive(answer("200 OK", b"ok", "Set-Cookie: a=b; Path=/"))
    for _ in range(3):
        assert (await send(at(receiver))).ok
    assert receiver.connections == 1
    assert all("cookie" not in headers for _, headers, _ in receiver.requests)


async def test_an_answer_without_a_body_is_fine(receive, send, answer):
    receiver = await receive(answer("204 No Content", b""))
    result = await send(at(receiver))
    assert (result.ok, result.status, result.error, result.excerpt) == (True, 204, "", "")


async def test_proxies_of_the_environment_are_not_used(receive, send, monkeypatch):
    receiver = await receive()
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert (await send(at(receiver))).ok


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
async def test_a_redirect_is_a_failure_and_is_not_followed(receive, send, answer, status):
    target = await receive()
    receiver = await receive(answer(status, b"", f"Location: {at(target)}"))
    result = await send(at(receiver))
    assert (result.status, result.error) == (int(status[:3]), "redirect")
    assert not result.ok
    assert target.requests == []


async def test_a_redirect_to_the_metadata_address_is_not_followed(receive, send, answer):
    receiver = await receive(answer("302 Found", b"", "Location: http://169.254.169.254/latest/meta-data"))
    result = await send(at(receiver))
    assert (result.status, result.error) == (302, "redirect")
    assert len(receiver.requests) == 1


async def test_a_name_that_changes_to_loopback_is_blocked_at_its_second_look_up(receive, send, answer):
    receiver = await receive(answer("200 OK", b"ok", "Connection: close"))
    url = at(receiver, host="rebind.example")
    assert (await send(url)).ok
    send.addresses = ("127.0.0.1",)
    send.later = REMEMBER_S
    result = await send(url)
    assert (result.status, result.error) == (0, "blocked_address")
    assert len(send.looked_up) == 2
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1/", "blocked_address"),
        ("http://169.254.169.254/", "blocked_address"),
        ("http://[::ffff:127.0.0.2]/", "blocked_address"),
        ("http://127.1/", "blocked_scheme"),
        ("ftp://example.vn/", "blocked_scheme"),
        ("http://user:pw@127.0.0.2/", "blocked_scheme"),
        ("nonsense", "blocked_scheme"),
    ],
)
async def test_a_url_that_is_not_allowed_is_never_tried(send, url, error):
    result = await send(url)
    assert (result.status, result.error) == (0, error)
    assert send.looked_up == []


async def test_a_secret_in_a_bad_form_is_told(receive, send):
    receiver = await receive()
    assert await send(at(receiver), secrets=("plain",)) == PostResult(0, "secret")
    assert receiver.requests == []


async def test_a_receiver_that_never_answers_times_out(receive, send):
    async def hang(writer):
        await asyncio.Event().wait()

    receiver = await receive(hang)
    send.timeout_s = 0.1
    result = await send(at(receiver))
    assert (result.status, result.error) == (0, "timeout")
    assert 90 <= result.elapsed_ms < 3_000


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: "])
async def test_a_receiver_that_drips_times_out_although_bytes_come(receive, send, head):
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    async def drip(writer):
        writer.write(head)

        def another():
            if not writer.is_closing():
                writer.write(b"x")
                loop.call_later(0.02, another)

        another()
        await stop.wait()

    receiver = await receive(drip)
    send.timeout_s = 0.15
    result = await send(at(receiver))
    assert result.error == "timeout"
    assert not result.ok


async def test_an_endless_answer_is_cut_and_the_connection_dropped(receive, send):
    sent, dropped = [0], asyncio.Event()

    async def flood(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65_536)
                sent[0] += 65_536
                await writer.drain()
        except ConnectionError:
            dropped.set()
            raise

    receiver = await receive(flood)
    result = await send(at(receiver))
    assert result.ok
    assert result.excerpt == "x" * EXCERPT_BYTES
    await dropped.wait()
    assert sent[0] < 64 * 1024 * 1024
    assert len(receiver.requests) == 1


async def test_an_answer_that_claims_to_be_compressed_is_not_unpacked(receive, send, answer):
    receiver = await receive(answer("200 OK", b"\x1f\x8b\x08 no gzip", "Content-Encoding: gzip"))
    result = await send(at(receiver))
    assert result.ok
    assert "no gzip" in result.excerpt


async def test_the_excerpt_is_text_whatever_came(receive, send, answer):
    receiver = await receive(answer("200 OK", b"a\x00b\xff" + "đ".encode()))
    assert (await send(at(receiver))).excerpt == "ab\ufffdđ"


@pytest.mark.parametrize(
    ("status", "headers", "retry_after_s"),
    [
        ("410 Gone", (), 0),
        ("429 Too Many Requests", ("Retry-After: 120",), 120),
        ("503 Unavailable", ("Retry-After: Fri, 06 Nov 2026 22:25:00 GMT",), 3_900),
        ("500 Error", ("Retry-After: soon",), 0),
        ("404 Not Found", (), 0),
    ],
)
async def test_an_error_status_is_told_with_its_wish_to_wait(receive, send, answer, status, headers, retry_after_s):
    receiver = await receive(answer(status, b"no", *headers))
    result = await send(at(receiver), timestamp_s=NOW)
    assert (result.status, result.error, result.excerpt) == (int(status[:3]), "status", "no")
    assert result.retry_after_s == retry_after_s


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("0", 0),
        ("  7 ", 7),
        ("-5", 0),
        ("1.5", 0),
        ("99999999999999999999", 7 * 86_400),
        ("Fri, 06 Nov 2026 21:20:01 GMT", 1),
        ("Fri, 06 Nov 2026 21:20:01", 1),
        ("Fri, 06 Nov 2020 00:00:00 GMT", 0),
        ("Fri, 06 Nov 2099 00:00:00 GMT", 7 * 86_400),
        ("Fri, 99 Nov 2026 00:00:00 GMT", 0),
        ("", 0),
        ("٣", 0),
    ],
)
def test_retry_after_is_read_as_seconds_or_date_within_a_week(asked, seconds):
    assert read_retry_after(asked, NOW) == seconds


async def test_a_port_where_nobody_listens_is_a_failure_to_connect(send):
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
    result = await send(f"http://127.0.0.2:{port}/")
    assert (result.status, result.error) == (0, "connect")


async def test_a_receiver_that_hangs_up_is_asked_once_only(receive, send):
    async def hang_up(writer):
        return False

    receiver = await receive(hang_up)
    assert (await send(at(receiver))).error == "connect"
    assert len(receiver.requests) == 1


async def test_a_kept_connection_that_closes_is_not_tried_again_in_secret(receive, send):
    answers = iter((True, False))

    async def once(writer):
        if not next(answers):
            return False
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        return True

    receiver = await receive(once)
    assert (await send(at(receiver))).ok
    assert (await send(at(receiver))).error == "connect"
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("garbage", [b"SMTP ready\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00\x01\x02\r\n\r\n"])
async def test_an_answer_that_is_no_http_is_a_breach_of_protocol(receive, send, garbage):
    async def babble(writer):
        writer.write(garbage)
        await asyncio.Event().wait()

    receiver = await receive(babble)
    result = await send(at(receiver))
    assert (result.status, result.error) == (0, "protocol")


async def test_an_answer_that_ends_early_is_a_breach_of_protocol(receive, send):
    async def half(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        return False

    receiver = await receive(half)
    result = await send(at(receiver))
    assert (result.status, result.error) == (200, "protocol")
    assert not result.ok


async def test_a_name_that_does_not_exist_is_told(send):
    send.addresses = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    assert (await send("http://nowhere.example/")).error == "resolve"


async def test_tls_with_a_good_certificate_works(receive, send, authority, tmp_path):
    receiver = await receive(tls=authority.server(tmp_path, "hook.example", days_left=5))
    send.tls = authority.client()
    result = await send(at(receiver, host="hook.example", scheme="https"))
    assert result.ok
    assert receiver.requests[0][1]["host"] == f"hook.example:{receiver.port}"


@pytest.mark.parametrize(("name", "days_left"), [("hook.example", -1), ("other.example", 5)])
async def test_an_expired_or_foreign_certificate_is_refused(receive, send, authority, tmp_path, name, days_left):
    receiver = await receive(tls=authority.server(tmp_path, name, days_left))
    send.tls = authority.client()
    result = await send(at(receiver, host="hook.example", scheme="https"))
    assert (result.status, result.error) == (0, "tls")
    assert receiver.requests == []


async def test_a_certificate_of_an_unknown_authority_is_refused(receive, send, authority, tmp_path):
    receiver = await receive(tls=authority.server(tmp_path, "hook.example", days_left=5))
    assert (await send(at(receiver, host="hook.example", scheme="https"))).error == "tls"
    assert receiver.requests == []


async def test_a_dead_receiver_does_not_hold_up_a_healthy_one(receive, send):
    async def hang(writer):
        await asyncio.Event().wait()

    dead, healthy = await receive(hang), await receive()
    send.timeout_s = 1.0
    waiting = [asyncio.ensure_future(send(at(dead))) for _ in range(50)]
    answers = await asyncio.gather(*(send(at(healthy)) for _ in range(50)))
    assert all(answer.ok for answer in answers)
    assert not any(task.done() for task in waiting)
    assert {result.error for result in await asyncio.gather(*waiting)} == {"timeout"}


async def test_a_url_can_be_checked_when_an_endpoint_is_saved():
    sender = HttpCallbackSender(GuardPolicy())
    assert sender.url_check("https://example.vn/hook") == ""
    assert sender.url_check("http://example.vn/hook") == "scheme"
    assert sender.url_check("https://10.0.0.1/") == "private"
    await sender.close()
