"""Writing and reading of PDUs: exact bytes, tolerance of odd ones, refusal of what would lose text."""

import dataclasses

import pytest

from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp import status as s
from loa.smpp import tlv
from loa.smpp.codec import SubmitTemplate, decode, encode, encode_submit_sm
from loa.smpp.faults import EncodeError, ProtocolError

SUBMIT = p.SubmitSm(
    sequence=7,
    source_ton=5,
    source="LOA",
    destination_ton=1,
    destination_npi=1,
    destination="84912345678",
    validity="000000000500000R",
    registered_delivery=1,
    short_message=b"Ma OTP 123456",
)


def frame(command_id: int, body: bytes = b"", *, status: int = 0, sequence: int = 9) -> bytes:
    fields = (16 + len(body), command_id, status, sequence)
    return b"".join(field.to_bytes(4, "big") for field in fields) + body


def test_a_submit_sm_is_written_octet_by_octet_as_the_specification_says():
    body = b"\0\5\0LOA\0\1\x0184912345678\0\0\0\0\x00000000000500000R\0\1\0\0\0\x0dMa OTP 123456"
    assert encode(SUBMIT) == frame(c.SUBMIT_SM, body, sequence=7)


def test_encoding_under_another_sequence_changes_only_the_sequence():
    raw = encode(SUBMIT, 0x7FFFFFFF)
    assert raw[:12] + raw[16:] == encode(SUBMIT)[:12] + encode(SUBMIT)[16:]
    assert raw[12:16] == b"\x7f\xff\xff\xff"
    assert encode_submit_sm(SUBMIT, 0x7FFFFFFF) == raw


def test_a_template_writes_the_same_octets_as_the_whole_pdu():
    model = dataclasses.replace(SUBMIT, destination="", short_message=b"", tlvs=((0x1400, b"x"),))
    written = SubmitTemplate(model).encode(
        3, "84987654321", b"\0\x31", data_coding=8, esm_class=0x40, tlvs=((0x0204, b"\0\1"),)
    )
    assert written == encode(
        dataclasses.replace(
            model,
            sequence=3,
            destination="84987654321",
            short_message=b"\0\x31",
            data_coding=8,
            esm_class=0x40,
            tlvs=((0x1400, b"x"), (0x0204, b"\0\1")),
        )
    )


@pytest.mark.parametrize(
    ("destination", "text", "coding"),
    [("8" * 21, b"", 0), ("8\0", b"", 0), ("8\u20ac", b"", 0), ("8", b"x" * 256, 0), ("8", b"", 256)],
)
def test_a_template_refuses_what_does_not_fit(destination: str, text: bytes, coding: int):
    with pytest.raises(EncodeError):
        SubmitTemplate(SUBMIT).encode(1, destination, text, data_coding=coding)


@pytest.mark.parametrize(
    "pdu",
    [
        dataclasses.replace(SUBMIT, source="x" * 21),
        dataclasses.replace(SUBMIT, destination="8\x004"),
        dataclasses.replace(SUBMIT, service_type="toolong"),
        dataclasses.replace(SUBMIT, validity="0" * 17),
        dataclasses.replace(SUBMIT, source="\u1ea1"),
        dataclasses.replace(SUBMIT, short_message=b"x" * 256),
        dataclasses.replace(SUBMIT, esm_class=256),
        dataclasses.replace(SUBMIT, priority=-1),
        dataclasses.replace(SUBMIT, sequence=1 << 32),
        dataclasses.replace(SUBMIT, tlvs=((0x10000, b""),)),
        dataclasses.replace(SUBMIT, tlvs=((0x0424, b"x" * 0x10000),)),
        p.BindRequest(c.BIND_TRANSCEIVER, password="p" * 65),
        p.SubmitSmResp(1, 0, "i" * 65),
        p.DataSm(1, source="x" * 66),
        p.GenericNack(1, -1),
    ],
)
def test_what_would_not_be_well_formed_is_never_written(pdu: p.Pdu):
    with pytest.raises(EncodeError):
        encode(pdu)


def test_a_password_longer_than_the_text_allows_is_written_because_some_peers_give_them_out():
    bind = p.BindRequest(c.BIND_TRANSMITTER, 1, "system", "p" * 32)
    assert decode(encode(bind), strict=True) == bind


def test_the_password_stays_out_of_the_representation():
    assert "hunter2" not in repr(p.BindRequest(c.BIND_RECEIVER, 1, "system", "hunter2"))
    assert "hunter2" not in repr(p.Outbind(1, "system", "hunter2"))


@pytest.mark.parametrize("kind", [p.SubmitSmResp, p.DataSmResp])
def test_a_refusal_is_written_without_a_body(kind: type[p.SubmitSmResp]):
    assert encode(kind(5, s.ESME_RTHROTTLED)) == frame(kind.command_id, status=0x58, sequence=5)


@pytest.mark.parametrize(
    ("command_id", "expected"),
    [
        (c.SUBMIT_SM_RESP, p.SubmitSmResp(9, 0x401)),
        (c.DELIVER_SM_RESP, p.DeliverSmResp(9, 0x401)),
        (c.DATA_SM_RESP, p.DataSmResp(9, 0x401)),
        (c.QUERY_SM_RESP, p.QuerySmResp(9, 0x401)),
        (c.BIND_TRANSCEIVER_RESP, p.BindResponse(c.BIND_TRANSCEIVER_RESP, 9, 0x401)),
        (c.GENERIC_NACK, p.GenericNack(9, 0x401)),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_a_refusal_without_a_body_is_read_and_its_vendor_status_kept(command_id: int, expected: p.Pdu, strict: bool):
    assert decode(frame(command_id, status=0x401), strict=strict) == expected


def test_a_refusal_that_carries_only_parameters_is_read():
    raw = frame(c.SUBMIT_SM_RESP, bytes.fromhex("0428000150"), status=0x58)
    read = decode(raw)
    assert isinstance(read, p.SubmitSmResp)
    assert read == p.SubmitSmResp(9, 0x58, "", ((tlv.CONGESTION_STATE, b"P"),))
    assert tlv.find_int(read.tlvs, tlv.CONGESTION_STATE) == 80


@pytest.mark.parametrize("body", [b"0A1B", b"\4\x28\0\5P", b"\0\0\0\0"])
def test_a_refusal_whose_body_is_no_list_of_parameters_has_its_body_read_as_the_id(body: bytes):
    read = decode(frame(c.SUBMIT_SM_RESP, body, status=0x58))
    assert isinstance(read, p.SubmitSmResp)
    assert read.message_id == body.partition(b"\0")[0].decode("latin-1")


def test_a_message_id_without_its_nul_is_read_to_the_end_and_refused_when_strict():
    raw = frame(c.SUBMIT_SM_RESP, b"0A1B2C")
    assert decode(raw) == p.SubmitSmResp(9, 0, "0A1B2C")
    with pytest.raises(ProtocolError) as refused:
        decode(raw, strict=True)
    assert refused.value.sequence == 9
    assert refused.value.status == s.ESME_RINVCMDLEN


def test_an_empty_response_with_status_0_gives_an_empty_ref():
    assert decode(frame(c.SUBMIT_SM_RESP)) == p.SubmitSmResp(9, 0, "")


def test_unknown_repeated_and_vendor_parameters_are_kept_in_order():
    tlvs = ((0x1401, b"\x80\xff"), (0x0204, b"\0\1"), (0x1401, b""), (0x9999, b"x"))
    deliver = p.DeliverSm(9, tlvs=tlvs)
    assert decode(encode(deliver)) == deliver
    assert tlv.find(tlvs, 0x1401) == b"\x80\xff"
    assert tlv.find_int(tlvs, 0x0204) == 1
    assert tlv.find_int(((0x0427, b""),), 0x0427) is None


def test_an_unknown_command_keeps_its_body_and_status():
    raw = frame(0x00010200, b"vendor", status=3)
    assert decode(raw) == p.UnknownPdu(0x00010200, 3, 9, b"vendor")
    assert encode(decode(raw)) == raw


def test_a_deliver_sm_that_ends_early_is_read_as_far_as_it_goes():
    whole = encode(p.DeliverSm(9, source="84912345678", destination="LOA", short_message=b"id:1 stat:DELIVRD"))
    for end in range(16, len(whole)):
        read = decode(whole[:end])
        assert isinstance(read, p.DeliverSm)
        assert b"id:1 stat:DELIVRD".startswith(read.short_message)
    assert decode(whole[:-3]).short_message == b"id:1 stat:DELI"


def test_a_submit_sm_that_ends_early_is_refused_with_a_response_of_its_own():
    whole = encode(dataclasses.replace(SUBMIT, tlvs=((0x0424, b"text"),)))
    mandatory = len(encode(SUBMIT))
    for end in range(16, len(whole)):
        if mandatory <= end < mandatory + 4:
            assert decode(whole[:end]).short_message == SUBMIT.short_message
            continue
        with pytest.raises(ProtocolError) as refused:
            decode(whole[:end])
        assert refused.value.answer_id == c.SUBMIT_SM_RESP
        assert refused.value.sequence == 7
        assert not refused.value.fatal
        assert decode(refused.value.answer) == p.SubmitSmResp(7, refused.value.status)


@pytest.mark.parametrize(
    "raw",
    [
        frame(c.ENQUIRE_LINK, b"x"),
        frame(c.DELIVER_SM_RESP, b"\0\0"),
        frame(c.SUBMIT_SM_RESP, b"i" * 65 + b"\0"),
        frame(c.ENQUIRE_LINK) + b"beyond",
        frame(c.OUTBIND, b"a\0b"),
        frame(c.DATA_SM, b"\0\0"),
    ],
)
def test_strict_reading_refuses_what_lenient_reading_takes(raw: bytes):
    decode(raw)
    with pytest.raises(ProtocolError):
        decode(raw, strict=True)


@pytest.mark.parametrize("raw", [b"", b"\0" * 15])
def test_less_than_a_header_is_no_pdu(raw: bytes):
    with pytest.raises(ProtocolError) as refused:
        decode(raw)
    assert refused.value.fatal


def test_views_and_bytearrays_are_read_like_bytes():
    raw = encode(SUBMIT)
    assert decode(memoryview(raw)) == decode(bytearray(raw)) == SUBMIT


def test_a_tlv_only_receipt_with_an_empty_text_is_a_deliver_sm_like_any_other():
    deliver = p.DeliverSm(9, esm_class=4, tlvs=((0x001E, b"77\0"), (0x0427, b"\2"), (0x0423, b"\3\xff\x80")))
    assert decode(encode(deliver)) == deliver


@pytest.mark.parametrize(
    "pdu",
    [
        p.QuerySm(9, "77", 5, 0, "LOA"),
        p.QuerySmResp(9, 0, "77", "261123213005028+", 2, 0xFF),
        p.CancelSm(9, "", "77", 5, 0, "LOA", 1, 1, "84912345678"),
        p.CancelSmResp(9, s.ESME_RCANCELFAIL),
        p.DataSm(9, source="l" * 64, destination="2", tlvs=((tlv.MESSAGE_PAYLOAD, b"x" * 0xFFFF),)),
        p.AlertNotification(9, 1, 1, "84912345678", 0, 0, "LOA", ((tlv.MS_AVAILABILITY_STATUS, b"\0"),)),
        p.EnquireLinkResp(9, 0, ((tlv.CONGESTION_STATE, b"c"),)),
    ],
)
def test_the_rarer_pdus_are_read_as_they_were_written(pdu: p.Pdu):
    assert decode(encode(pdu), strict=True) == pdu


def test_pdus_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SUBMIT.sequence = 1  # type: ignore[misc]
