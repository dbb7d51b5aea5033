"""Cutting of the byte stream into frames."""

import pytest

from loa.smpp import pdu as p
from loa.smpp.codec import encode
from loa.smpp.faults import ProtocolError
from loa.smpp.framing import LARGEST_FRAME, FrameBuffer

FRAMES = [
    encode(p.EnquireLink(1)),
    encode(p.SubmitSmResp(2, 0, "abc")),
    encode(p.DeliverSm(3, short_message=b"x" * 200)),
    encode(p.DataSm(4, tlvs=((0x0424, b"y" * 65535),))),
]
STREAM = b"".join(FRAMES)


@pytest.mark.parametrize("size", [1, 3, 4, 7, 10, 16, 17, 4096, len(STREAM)])
def test_any_cut_of_the_stream_gives_the_same_frames(size: int):
    buffer = FrameBuffer()
    frames = []
    for start in range(0, len(STREAM), size):
        frames += buffer.feed(STREAM[start : start + size])
    assert frames == FRAMES
    assert buffer.pending == 0


def test_a_frame_that_has_not_ended_is_held():
    buffer = FrameBuffer()
    assert buffer.feed(FRAMES[0] + FRAMES[1][:-1]) == [FRAMES[0]]
    assert buffer.pending == len(FRAMES[1]) - 1
    assert buffer.feed(b"") == []
    assert buffer.feed(FRAMES[1][-1:]) == [FRAMES[1]]


@pytest.mark.parametrize("length", [0, 1, 15])
def test_a_length_below_a_header_breaks_the_stream_at_once(length: int):
    buffer = FrameBuffer()
    assert buffer.feed(FRAMES[0] + length.to_bytes(4, "big")) == [FRAMES[0]]
    assert buffer.fault is not None
    assert buffer.fault.answer == encode(p.GenericNack(0, 2))
    with pytest.raises(ProtocolError):
        buffer.feed(FRAMES[0])


@pytest.mark.parametrize("size", [1, 5, 100])
def test_an_absurd_length_is_refused_under_the_sequence_number_of_its_header(size: int):
    header = (LARGEST_FRAME + 1).to_bytes(4, "big") + b"\0\0\0\4\0\0\0\0\0\0\0\x2a"
    buffer = FrameBuffer()
    stream = FRAMES[1] + header
    frames = []
    for start in range(0, len(stream), size):
        frames += buffer.feed(stream[start : start + size])
    assert frames == [FRAMES[1]]
    assert buffer.fault is not None
    assert buffer.fault.fatal
    assert buffer.fault.answer == encode(p.GenericNack(42, 2))
    assert buffer.pending == 0


def test_the_largest_frame_passes():
    whole = LARGEST_FRAME.to_bytes(4, "big") + b"\0" * (LARGEST_FRAME - 4)
    assert FrameBuffer().feed(whole) == [whole]
    small = FrameBuffer(largest=64)
    assert small.feed((65).to_bytes(4, "big") + b"\0" * 61) == []
    assert small.fault is not None


def test_a_peer_that_speaks_another_protocol_is_refused():
    buffer = FrameBuffer()
    assert buffer.feed(b"GET / HTTP/1.1\r\nHost: smsc\r\n\r\n") == []
    assert buffer.fault is not None
