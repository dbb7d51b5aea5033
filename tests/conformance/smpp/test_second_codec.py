"""Our codec against two that we did not write, in both directions: smpplib and smpp.pdu3.

Each case is one PDU as our value and as their field names. Their octets must read as our value, strictly; our
octets must read back as their fields.
"""

import io
from typing import Any

import pytest
import smpplib.smpp
from smpp.pdu import operations
from smpp.pdu.pdu_encoding import PDUEncoder

from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp.codec import decode, encode
from loa.smpp.framing import FrameBuffer

pytestmark = pytest.mark.conformance

RECEIPT = b"id:77 sub:001 dlvrd:001 submit date:2611230101 done date:2611230102 stat:DELIVRD err:000 text:Xin"

# our value, their command, their fields in smpplib's names and types
SMPPLIB: list[tuple[p.Pdu, str, dict[str, Any]]] = [
    (
        p.BindRequest(c.BIND_TRANSCEIVER, 7, "loa", "secret", "VMA", 0x34, 1, 1, "84*"),
        "bind_transceiver",
        {
            "system_id": "loa",
            "password": "secret",
            "system_type": "VMA",
            "interface_version": 0x34,
            "addr_ton": 1,
            "addr_npi": 1,
            "address_range": "84*",
        },
    ),
    (
        p.BindRequest(c.BIND_TRANSMITTER, 7, "loa", "secret"),
        "bind_transmitter",
        {"system_id": "loa", "password": "secret", "interface_version": 0x34},
    ),
    (
        p.BindRequest(c.BIND_RECEIVER, 7, "loa", "secret"),
        "bind_receiver",
        {"system_id": "loa", "password": "secret", "interface_version": 0x34},
    ),
    (
        p.BindResponse(c.BIND_TRANSMITTER_RESP, 7, 0, "smsc", ((0x0210, b"\x34"),)),
        "bind_transmitter_resp",
        {"system_id": "smsc", "sc_interface_version": 0x34},
    ),
    (
        p.SubmitSm(
            7, "CMT", 5, 0, "LOA", 1, 1, "84912345678", 0x40, 0, 1, "261123213005028+", "000000000500000R",
            1, 0, 8, 0, b"\5\0\3\1\2\1" + "Mã".encode("utf-16-be"), ((0x0204, b"\0\x4d"),),
        ),
        "submit_sm",
        {
            "service_type": "CMT",
            "source_addr_ton": 5,
            "source_addr": "LOA",
            "dest_addr_ton": 1,
            "dest_addr_npi": 1,
            "destination_addr": "84912345678",
            "esm_class": 0x40,
            "priority_flag": 1,
            "schedule_delivery_time": "261123213005028+",
            "validity_period": "000000000500000R",
            "registered_delivery": 1,
            "data_coding": 8,
            "short_message": b"\5\0\3\1\2\1" + "Mã".encode("utf-16-be"),
            "user_message_reference": 77,
        },
    ),
    (p.SubmitSmResp(7, 0, "0A1B2C"), "submit_sm_resp", {"message_id": "0A1B2C"}),
    (
        p.DeliverSm(
            7, source="84912345678", destination="LOA", esm_class=4, short_message=RECEIPT,
            tlvs=((0x0427, b"\2"), (0x001E, b"77\0")),
        ),
        "deliver_sm",
        {
            "source_addr": "84912345678",
            "destination_addr": "LOA",
            "esm_class": 4,
            "short_message": RECEIPT,
            "receipted_message_id": "77",
            "message_state": 2,
        },
    ),
    (p.DeliverSmResp(7), "deliver_sm_resp", {"message_id": ""}),
    (
        p.DataSm(7, source="1", destination="2", data_coding=3, tlvs=((0x0424, b"long text"),)),
        "data_sm",
        {"source_addr": "1", "destination_addr": "2", "data_coding": 3, "message_payload": b"long text"},
    ),
    (p.DataSmResp(7, 0, "q"), "data_sm_resp", {"message_id": "q"}),
    (p.QuerySm(7, "77", 5, 0, "LOA"), "query_sm", {"message_id": "77", "source_addr_ton": 5, "source_addr": "LOA"}),
    (
        p.QuerySmResp(7, 0, "77", "261123213005028+", 2, 0),
        "query_sm_resp",
        {"message_id": "77", "final_date": "261123213005028+", "message_state": 2, "error_code": 0},
    ),
    (p.EnquireLink(7), "enquire_link", {}),
    (p.EnquireLinkResp(7), "enquire_link_resp", {}),
    (p.Unbind(7), "unbind", {}),
    (p.UnbindResp(7), "unbind_resp", {}),
    (p.GenericNack(7), "generic_nack", {}),
    (p.AlertNotification(7, 0, 0, "1", 0, 0, "2"), "alert_notification", {"source_addr": "1", "esme_addr": "2"}),
]  # fmt: skip


class _Numbers:
    """What smpplib asks of a client: a sequence number, even when it only reads a PDU."""

    sequence = 7

    def next_sequence(self) -> int:
        return self.sequence


def _theirs(command: str, fields: dict[str, Any]) -> Any:
    return smpplib.smpp.make_pdu(command, client=_Numbers(), **fields)


def _plain(value: Any) -> Any:
    return value.encode("latin-1") if isinstance(value, str) else value


@pytest.mark.parametrize(("ours", "command", "fields"), SMPPLIB, ids=[case[1] for case in SMPPLIB])
def test_smpplib_writes_what_we_read(ours: p.Pdu, command: str, fields: dict[str, Any]):
    assert decode(_theirs(command, fields).generate(), strict=True) == ours


@pytest.mark.parametrize(("ours", "command", "fields"), SMPPLIB, ids=[case[1] for case in SMPPLIB])
def test_smpplib_reads_what_we_write(ours: p.Pdu, command: str, fields: dict[str, Any]):
    read = smpplib.smpp.parse_pdu(encode(ours), client=_Numbers())
    assert read.command == command
    assert read.sequence == 7
    found = {name: getattr(read, name) for name in fields}
    if "receipted_message_id" in found:
        found["receipted_message_id"] = found["receipted_message_id"].rstrip(b"\0")
    assert found == {name: _plain(value) for name, value in fields.items()}


# what smpp.pdu3 can hold without loss: it knows no vendor statuses, drops vendor parameters, and writes the
# parameters of a receipt in its own order
PDU3: list[p.Pdu] = [
    *(case[0] for case in SMPPLIB),
    p.BindResponse(c.BIND_RECEIVER_RESP, 7, 0, "smsc"),
    p.BindResponse(c.BIND_TRANSCEIVER_RESP, 7, 0x0E),
    p.Outbind(7, "smsc", "secret"),
    p.SubmitSmResp(7, 0x58),
    p.SubmitSmResp(7, 0x0A),
    p.GenericNack(7, 0x02),
    p.EnquireLinkResp(7, 0x08),
    p.CancelSm(7, "", "77", 5, 0, "LOA", 1, 1, "84912345678"),
    p.CancelSmResp(7, 0x11),
    p.SubmitSm(0x7FFFFFFF, source="1", destination="2", esm_class=0x40, registered_delivery=0x11, data_coding=3,
               short_message=b"\5\0\3\1\2\1x", tlvs=((0x020C, b"\1\2"), (0x020E, b"\2"), (0x020F, b"\1"))),
    p.SubmitSm(7, source="1", destination="2", tlvs=((0x0424, b"x" * 1000),)),
    p.DeliverSm(7, source="1", destination="2", esm_class=4, tlvs=((0x0427, b"\5"), (0x001E, b"77\0"))),
    p.DeliverSmResp(7, 0x64),
]  # fmt: skip


@pytest.mark.parametrize("ours", PDU3, ids=lambda pdu: f"{type(pdu).__name__}-{pdu.sequence}")
def test_pdu3_reads_what_we_write_and_writes_what_we_read(ours: p.Pdu):
    codec = PDUEncoder()
    read = codec.decode(io.BytesIO(encode(ours)))
    assert read.seqNum == ours.sequence
    assert decode(codec.encode(read), strict=True) == ours


def test_pdu3_agrees_about_names_and_numbers():
    submit = PDUEncoder().decode(io.BytesIO(encode(SMPPLIB[4][0])))
    assert isinstance(submit, operations.SubmitSM)
    assert submit.params["source_addr"] == b"LOA"
    assert submit.params["source_addr_ton"].name == "ALPHANUMERIC"
    assert submit.params["destination_addr"] == b"84912345678"
    assert submit.params["data_coding"].schemeData.name == "UCS2"
    assert submit.params["user_message_reference"] == 77
    assert submit.params["registered_delivery"].receipt.name == "SMSC_DELIVERY_RECEIPT_REQUESTED"


@pytest.mark.parametrize("size", [1, 7, 10])
def test_a_stream_of_their_pdus_is_cut_into_them_whatever_the_reads(size: int):
    stream = b"".join(_theirs(command, fields).generate() for _, command, fields in SMPPLIB)
    buffer = FrameBuffer()
    frames = [frame for start in range(0, len(stream), size) for frame in buffer.feed(stream[start : start + size])]
    assert [decode(frame, strict=True) for frame in frames] == [case[0] for case in SMPPLIB]
