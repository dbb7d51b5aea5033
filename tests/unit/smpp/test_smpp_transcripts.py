"""Octets as they stand on the wire, and the PDUs that stop other clients.

The whole PDUs were written by smpplib 2.2.4 with values of our own; the odd ones are cut and patched by hand
after what peers were seen to send.
"""

import pytest

from loa.smpp import pdu as p
from loa.smpp import receipt
from loa.smpp.codec import decode, encode
from loa.smpp.payload import Part, content
from loa.smpp.session import Session, Side, State

HEAD = "0000000500000000000001c5"
HANDSET = "00010138343931323334353637380005004c4f4100"


def deliver(esm_class: int, coding: int, text: bytes, tlvs: str = "") -> bytes:
    """Put a deliver_sm together by hand, apart from the codec under test."""
    tail = f"{esm_class:02x}000000000000{coding:02x}00{len(text):02x}"
    body = bytes.fromhex(HEAD + HANDSET + tail) + text + bytes.fromhex(tlvs)
    return (len(body) + 4).to_bytes(4, "big") + body


def test_a_bind_is_read():
    raw = bytes.fromhex("000000220000000900000000000001c56c6f61007365637265743038000034000000")
    assert decode(raw, strict=True) == p.BindRequest(9, 0x1C5, "loa", "secret08")


def test_a_submit_sm_in_ucs2_is_read_and_written_again():
    raw = bytes.fromhex(
        "000000530000000400000000000001c50005004c4f4100010138343931323334353637380000000000303030303030303030"
        "35303030303052000100080014004d00e3002000631ee70061002000621ea1006e"
    )
    submit = decode(raw, strict=True)
    assert encode(submit) == raw
    assert content(submit).text == "Mã của bạn"
    assert submit.validity == "000000000500000R"


def test_a_submit_sm_resp_is_read():
    raw = bytes.fromhex("000000178000000400000000000001c533433646324100")
    assert decode(raw, strict=True) == p.SubmitSmResp(0x1C5, 0, "3C6F2A")


def test_an_opt_out_from_a_handset_is_read():
    raw = bytes.fromhex(
        "000000350000000500000000000001c500010138343931323334353637380000003830363900000000000000000000055443205143"
    )
    assert content(decode(raw, strict=True)).text == "TC QC"
    assert receipt.read(decode(raw), allow_unflagged=True) is None


def test_a_part_from_a_handset_is_read():
    raw = bytes.fromhex(
        "0000003f0000000500000000000001c5000101383439313233343536373800000038303639004000000000000000000f050003"
        "7a02017068616e206d6f7420"
    )
    found = content(decode(raw, strict=True))
    assert (found.text, found.part) == ("phan mot ", Part(0x7A, 2, 1))


def test_a_receipt_in_data_sm_without_a_text_is_read():
    raw = bytes.fromhex(
        "000000380000010300000000000001c500010138343931323334353637380000004c4f4100040000001e000733433646324100"
        "0427000102"
    )
    found = receipt.read(decode(raw, strict=True))
    assert found is not None
    assert (found.ref, found.state, found.raw) == ("3C6F2A", 2, b"")


DATES = b"submit date:2611230914 done date:2611230915"
ODD = {
    "ten-digit dates": (deliver(4, 0, b"id:3C6F2A sub:001 dlvrd:001 " + DATES + b" stat:DELIVRD err:000 text:Ma"), "3C6F2A", 2),
    "twelve-digit dates": (deliver(4, 0, b"id:3C6F2A sub:001 dlvrd:001 submit date:261123091459 done date:261123091501 stat:DELIVRD err:000 text:"), "3C6F2A", 2),
    "an empty date": (deliver(4, 0, b"id:3C6F2A sub:001 dlvrd:000 submit date:2611230914 done date: stat:EXPIRED err:000 text:"), "3C6F2A", 3),
    "letters in err": (deliver(4, 0, b"id:3C6F2A sub:001 dlvrd:000 " + DATES + b" stat:UNDELIV err:0A1 text:"), "3C6F2A", 5),
    "a vendor parameter with high octets": (deliver(4, 0, b"id:3C6F2A stat:DELIVRD", "14020003ff80fe"), "3C6F2A", 2),
    "a network error with high octets": (deliver(4, 0, b"id:3C6F2A stat:UNDELIV", "042300" "0303ff80"), "3C6F2A", 5),
    "no text at all": (deliver(4, 0, b"", "001e0007" "33433646324100" "0427000102"), "3C6F2A", 2),
    "data_coding 0xF0": (deliver(4, 0xF0, b"id:3C6F2A stat:DELIVRD"), "3C6F2A", 2),
    "data_coding 0x11": (deliver(4, 0x11, b"id:3C6F2A stat:DELIVRD"), "3C6F2A", 2),
    "an undecodable octet": (deliver(4, 0, b"id:3C6F2A stat:DELIVRD text:\xc3\x28\xff"), "3C6F2A", 2),
    "message_state 9": (deliver(4, 0, b"", "001e000733433646324100" "0427000109"), "3C6F2A", 9),
    "message_state of two octets": (deliver(4, 0, b"", "001e000733433646324100" "042700020002"), "3C6F2A", 2),
    "an id without its NUL": (deliver(4, 0, b"", "001e0006334336463241" "0427000102"), "3C6F2A", 2),
    "a parameter cut off": (deliver(4, 0, b"id:3C6F2A stat:DELIVRD", "001e000733433646"), "3C6F", 2),
    "a stray octet at the end": (deliver(4, 0, b"id:3C6F2A stat:DELIVRD", "00"), "3C6F2A", 2),
    "stat shortened": (deliver(4, 0, b"id:3C6F2A sub:1 dlvrd:0 " + DATES + b" stat:REJ err:7"), "3C6F2A", 8),
    "a comma list": (deliver(4, 0, b"3C6F2A,DELIVRD,2611230914,2611230915,0"), "3C6F2A", 2),
    "nothing readable": (deliver(4, 0, b"\xff\x00\x1b\x80"), "", None),
    "a text longer than the PDU": (deliver(4, 0, b"id:3C6F2A stat:DELIVRD text:")[:-1], "3C6F2A", 2),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "ref", "state"), ODD.values(), ids=ODD)
def test_an_odd_receipt_is_read_and_never_drops_the_link(raw: bytes, ref: str, state: int | None):
    raw = len(raw).to_bytes(4, "big") + raw[4:]
    session = Session(Side.CLIENT)
    session.state = State.BOUND_TRX
    reading = session.receive(raw + bytes.fromhex("00000010000000150000000000000007"))
    assert not reading.faults
    assert reading.replies == bytes.fromhex("00000010800000150000000000000007")
    found = receipt.read(reading.requests[0])  # type: ignore[arg-type]
    assert found is not None
    assert (found.ref, found.state) == (ref, state)


@pytest.mark.parametrize(
    "status", [0x400, 0x401, 0x4FF, 0x112, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF], ids=lambda status: hex(status)
)
def test_a_status_nobody_knows_reaches_the_link_as_its_number(status: int):
    session = Session(Side.CLIENT)
    session.state = State.BOUND_TX
    reading = session.receive(bytes.fromhex(f"0000001080000004{status:08x}00000002"))
    assert reading.responses == (p.SubmitSmResp(2, status),)
    assert not reading.faults
