"""Whatever a tenant writes as a URL and whatever a receiver answers, the callback client keeps its form."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loa.notify.guard import GuardPolicy, parse_url, url_check
from loa.notify.poster import RETRY_AFTER_MAX_S, head_of, read_retry_after
from loa.wire.wire import Origin, Wire

EVERY = GuardPolicy.of(allow_http=True, ports=(), allow_networks=("0.0.0.0/0", "::/0"))

hosts = st.text(max_size=12) | st.sampled_from(
    ["example.vn", "[::1]", "[fe80::1%25eth0]", "bücher.example.", "1.2.3.4"]
)
urls = st.builds(
    "{}://{}{}{}{}".format, *(st.sampled_from(["http", "https", "HTTPS"]), hosts), st.text(), *2 * [st.text()]
)


@given(urls)
@example("https://example.vn/a%0d%0aHost: x")
@example("https://exa%0d%0ample.vn/")
@example("https://example.vn/\x85?\u2028=đ#x")
def test_a_url_that_may_be_called_makes_five_lines_and_no_more(url):
    parsed = parse_url(url)
    if parsed is None or url_check(url, EVERY):
        return
    head = head_of(parsed, "Loa")
    assert head.isascii()
    lines = head.split("\r\n")
    assert len(lines) == (6 if head else 1)
    assert not head or lines[0].count(" ") == 2
    assert "".join(lines).isprintable()


@given(st.text() | st.text("0123456789 +-:,.GMTFriNovUT", max_size=40), st.integers(0, 2**33))
@example("Fri, 06 Nov 9999 23:59:59 -2359", 0)
@example("Mon, 01 Jan 0001 00:00:00 +2359", 0)
def test_any_wish_to_wait_is_read_as_none_to_a_week(asked, now_s):
    assert 0 <= read_retry_after(asked, now_s) <= RETRY_AFTER_MAX_S


class Line(asyncio.Transport):
    """A connection that leads nowhere."""

    def __init__(self):
        super().__init__()
        self.closed = False

    def is_closing(self):
        return self.closed

    def abort(self):
        self.closed = True

    def write(self, data):
        pass


ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 3\r\n\r\nbad",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.0 404 No\r\nX-Empty:\r\n\r\nuntil the end",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5_000,
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
]


def heard(loop, pieces):
    """Give what comes of an answer in these pieces, after which the connection ends."""
    left = []
    wire = Wire(Origin("a.example", 443, tls=True), left.append, loop)
    wire.connection_made(Line())
    asked = wire.send(b"", 0.0)
    for piece in pieces:
        if piece and not wire.closing:
            wire.data_received(piece)
    wire.connection_lost(None)
    assert left == [wire]
    answer = asked.result()
    return answer.status, answer.fault, answer.excerpt, answer.header(b"retry-after")


@pytest.fixture(scope="module")
def loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@given(st.sampled_from(ANSWERS), st.lists(st.integers(0, 5_050), max_size=6))
def test_an_answer_means_the_same_however_it_is_cut_into_packets(loop, raw, cuts):
    places = [0, *sorted(cuts), len(raw)]
    pieces = [raw[start:end] for start, end in pairwise(places)]
    assert heard(loop, pieces) == heard(loop, [raw])


@given(st.binary(max_size=400), st.sampled_from([b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", ANSWERS[2][:60]]))
def test_any_bytes_at_all_are_an_answer_of_some_kind(loop, noise, start):
    status, fault, excerpt, _ = heard(loop, [start + noise, noise])
    assert fault in {"", "protocol", "connect"}
    assert fault or 0 <= status <= 999
    assert len(excerpt) <= 4_096
