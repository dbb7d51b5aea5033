"""Answers as receivers really give them: what is taken, what is refused, and what becomes of the connection."""

import asyncio

import pytest

from loa.wire.wire import EXCERPT_BYTES, SPARE_BYTES

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def at(receiver, path="/hook"):
    return f"http://127.0.0.2:{receiver.port}{path}"


def write(*pieces, hang_up=False):
    """Answer with bytes as they are, each piece in a packet of its own."""

    async def answer(writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return not hang_up

    return answer


KEPT = {
    "counted": OK,
    "in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\nTrailer: 1\r\n\r\n",
    "after a wait": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK,
    "by an old server that keeps": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    "with bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "with an empty header": b"HTTP/1.1 200 OK\r\nX-Nothing:\r\nContent-Length: 2\r\n\r\nok",
    "after empty lines": b"\r\n\r\n" + OK,
}
ENDED = {
    "closing": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    "by an old server": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "twice": OK + b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno",
    "with garbage behind": OK + b"garbage",
    "with the start of another behind": OK + b"HT",
}


@pytest.mark.parametrize("raw", KEPT.values(), ids=KEPT)
async def test_a_whole_answer_keeps_its_connection(receive, send, raw):
    receiver = await receive(write(raw))
    for _ in range(3):
        result = await send(at(receiver))
        assert (result.status, result.error, result.excerpt) == (200, "", "ok")
    assert receiver.connections == 1


@pytest.mark.parametrize("raw", ENDED.values(), ids=ENDED)
async def test_a_whole_answer_that_ends_its_connection_does_not_reach_the_next_post(receive, send, raw):
    receiver = await receive(write(raw))
    for connections in (1, 2):
        result = await send(at(receiver))
        assert (result.status, result.error, result.excerpt) == (200, "", "ok")
        assert receiver.connections == connections


@pytest.mark.parametrize("raw", [*KEPT.values(), *ENDED.values()], ids=[*KEPT, *ENDED])
async def test_an_answer_may_come_byte_by_byte(receive, send, raw):
    receiver = await receive(write(*(raw[at : at + 1] for at in range(len(raw)))))
    result = await send(at(receiver))
    assert (result.status, result.error, result.excerpt) == (200, "", "ok")


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"])
async def test_an_answer_may_last_until_the_connection_ends(receive, send, head):
    receiver = await receive(write(head, b"all", b" of it", hang_up=True))
    result = await send(at(receiver))
    assert (result.status, result.error, result.excerpt) == (200, "", "all of it")


@pytest.mark.parametrize(
    ("raw", "status", "excerpt"),
    [
        (b"HTTP", 0, ""),
        (b"HTTP/1.1 200 OK\r\nContent-Le", 0, ""),
        (b"HTTP/1.1 100 Continue\r\n\r\n", 0, ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", 200, "half"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhalf", 200, "half"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", 200, "half"),
    ],
)
async def test_an_answer_that_ends_early_is_told_with_what_came(receive, send, raw, status, excerpt):
    receiver = await receive(write(raw, hang_up=True))
    result = await send(at(receiver))
    assert (result.status, result.error, result.excerpt) == (status, "protocol", excerpt)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x28",
    ],
)
async def test_an_answer_against_the_rules_is_a_breach_at_once(receive, send, raw):
    async def answer(writer):
        writer.write(raw)
        await asyncio.Event().wait()

    receiver = await receive(answer)
    result = await send(at(receiver))
    assert (result.error, result.ok) == ("protocol", False)


@pytest.mark.parametrize(("status", "told"), [("101 Switching Protocols", 101), ("042 Odd", 42)])
async def test_a_status_that_means_nothing_here_is_a_failure(receive, send, answer, status, told):
    receiver = await receive(answer(status, b""))
    result = await send(at(receiver))
    assert (result.status, result.error) == (told, "status")


async def test_a_status_of_naught_is_a_breach(receive, send, answer):
    receiver = await receive(answer("000 Nothing", b""))
    result = await send(at(receiver))
    assert (result.status, result.error) == (0, "protocol")


def flood(start, piece):
    """Answer without end."""

    async def answer(writer):
        writer.write(start)
        while True:
            writer.write(piece * 100)
            await writer.drain()

    return answer


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-Flood: 1\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Flood: ", b"x"),
        (b"HTTP/1.1 200 ", b"OK"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1", b";x=y"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Flood: 1\r\n"),
        (b"", b"\r\n"),
    ],
)
async def test_a_flood_of_anything_but_body_is_a_breach_and_costs_the_connection(receive, send, start, piece):
    receiver = await receive(flood(start, piece))
    result = await send(at(receiver))
    assert result.error == "protocol"
    assert not result.ok
    await receiver.ended.acquire()


async def test_headers_may_be_long_but_not_beyond_measure(receive, send, answer):
    receiver = await receive(answer("200 OK", b"ok", "X-Long: " + "x" * (SPARE_BYTES - 200)))
    assert (await send(at(receiver))).ok
    receiver.answer = answer("200 OK", b"ok", "X-Long: " + "x" * SPARE_BYTES)
    assert (await send(at(receiver))).error == "protocol"


@pytest.mark.parametrize(("length", "connections"), [(EXCERPT_BYTES, 1), (EXCERPT_BYTES + 1, 2)])
async def test_an_answer_of_four_kilobytes_keeps_its_connection_and_a_longer_one_does_not(
    receive, send, answer, length, connections
):
    receiver = await receive(answer("200 OK", b"x" * length))
    for _ in range(2):
        result = await send(at(receiver))
        assert (result.ok, result.excerpt) == (True, "x" * EXCERPT_BYTES)
    assert receiver.connections == connections


async def test_a_long_answer_in_tiny_chunks_is_read_like_any_other(receive, send):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    receiver = await receive(write(head + b"1\r\nx\r\n" * 2 * EXCERPT_BYTES))
    result = await send(at(receiver))
    assert (result.ok, result.excerpt) == (True, "x" * EXCERPT_BYTES)


async def test_an_error_with_an_endless_body_is_still_that_error(receive, send):
    receiver = await receive(flood(b"HTTP/1.1 503 Busy\r\nretry-after: 9\r\nContent-Length: 99999999\r\n\r\n", b"x"))
    result = await send(at(receiver))
    assert (result.status, result.error, result.retry_after_s) == (503, "status", 9)


async def test_an_answer_before_the_question_costs_the_connection_and_answers_nothing(receive, send):
    talk = asyncio.Event()

    async def answer(writer):
        writer.write(OK)
        await talk.wait()
        writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno")
        await writer.drain()

    receiver = await receive(answer)
    assert (await send(at(receiver))).excerpt == "ok"
    talk.set()
    await receiver.ended.acquire()
    assert (await send(at(receiver))).excerpt == "ok"
    assert receiver.connections == 2


async def test_a_connection_reset_before_any_byte_of_the_answer_is_a_lost_connection(receive, send):
    async def reset(writer):
        writer.transport.abort()
        return False

    receiver = await receive(reset)
    result = await send(at(receiver))
    assert (result.status, result.error) == (0, "connect")
    assert len(receiver.requests) == 1
