"""What holds of the SMPP package for any PDU, any cut of the stream and any octets at all."""

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp import receipt, times, tlv
from loa.smpp.codec import SubmitTemplate, decode, encode
from loa.smpp.faults import ProtocolError
from loa.smpp.framing import FrameBuffer
from loa.smpp.outcomes import StatusClass, classify
from loa.smpp.payload import content, decode_text, split_header
from loa.smpp.refs import MODES, candidate_refs, normalise
from loa.smpp.session import Reading, Session, Side, State
from loa.smpp.status import status_name

OCTET = st.integers(0, 255)
SEQUENCE = st.integers(0, 0xFFFFFFFF)
STATUS = st.integers(0, 0xFFFFFFFF)
TLVS = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=4).map(tuple)
COMMANDS = [
    c.BIND_RECEIVER, c.BIND_TRANSMITTER, c.QUERY_SM, c.SUBMIT_SM, c.DELIVER_SM, c.UNBIND, c.CANCEL_SM,
    c.BIND_TRANSCEIVER, c.OUTBIND, c.ENQUIRE_LINK, c.ALERT_NOTIFICATION, c.DATA_SM, c.GENERIC_NACK,
    c.SUBMIT_MULTI, c.REPLACE_SM, 0x10200, 0x80000077,
]  # fmt: skip
COMMANDS += [command | c.RESPONSE_BIT for command in COMMANDS]


def text(limit: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=limit)


# A refusal whose body would read as a list of parameters is the one thing lenient reading turns over.
REF = st.text(st.sampled_from("0123456789abcdefABCDEFxyz-"), max_size=64)
MESSAGE: dict[str, Any] = {
    "sequence": SEQUENCE,
    "service_type": text(5),
    "source_ton": OCTET,
    "source_npi": OCTET,
    "source": text(20),
    "destination_ton": OCTET,
    "destination_npi": OCTET,
    "destination": text(20),
    "esm_class": OCTET,
    "protocol_id": OCTET,
    "priority": OCTET,
    "schedule": text(16),
    "validity": text(16),
    "registered_delivery": OCTET,
    "replace_if_present": OCTET,
    "data_coding": OCTET,
    "default_message_id": OCTET,
    "short_message": st.binary(max_size=255),
    "tlvs": TLVS,
}
ADDRESSES: dict[str, Any] = {
    name: MESSAGE[name]
    for name in ("source_ton", "source_npi", "source", "destination_ton", "destination_npi", "destination")
}
SOURCE: dict[str, Any] = {name: MESSAGE[name] for name in ("source_ton", "source_npi", "source")}
ANSWER: dict[str, Any] = {"sequence": SEQUENCE, "status": STATUS}
BINDS = st.sampled_from(sorted(c.BINDS))

SUBMITS = st.builds(p.SubmitSm, **MESSAGE)
DELIVERIES = st.builds(p.DeliverSm, **MESSAGE)
PDUS: st.SearchStrategy[p.Pdu] = st.one_of(
    SUBMITS,
    DELIVERIES,
    st.builds(
        p.BindRequest,
        BINDS,
        SEQUENCE,
        text(64),
        text(64),
        text(12),
        OCTET,
        OCTET,
        OCTET,
        text(40),
    ),
    st.builds(p.BindResponse, BINDS.map(lambda bind: bind | c.RESPONSE_BIT), SEQUENCE, STATUS, text(64), TLVS),
    st.builds(p.Outbind, SEQUENCE, text(64), text(64)),
    st.builds(p.SubmitSmResp, **ANSWER, message_id=REF, tlvs=TLVS),
    st.builds(p.DeliverSmResp, **ANSWER, message_id=REF, tlvs=TLVS),
    st.builds(p.DataSmResp, **ANSWER, message_id=REF, tlvs=TLVS),
    st.builds(
        p.DataSm,
        sequence=SEQUENCE,
        service_type=text(5),
        **ADDRESSES,
        esm_class=OCTET,
        registered_delivery=OCTET,
        data_coding=OCTET,
        tlvs=TLVS,
    ),
    st.builds(p.QuerySm, sequence=SEQUENCE, message_id=text(64), **SOURCE),
    st.builds(
        p.QuerySmResp,
        **ANSWER,
        message_id=text(64),
        final_date=text(16),
        message_state=OCTET,
        error_code=OCTET,
        tlvs=TLVS,
    ),
    st.builds(p.CancelSm, sequence=SEQUENCE, service_type=text(5), message_id=text(64), **ADDRESSES),
    st.builds(p.AlertNotification, SEQUENCE, OCTET, OCTET, text(64), OCTET, OCTET, text(64), TLVS),
    st.builds(p.EnquireLink, SEQUENCE),
    st.builds(p.Unbind, SEQUENCE),
    *(
        st.builds(kind, **ANSWER, tlvs=TLVS)
        for kind in (p.EnquireLinkResp, p.UnbindResp, p.GenericNack, p.CancelSmResp)
    ),
    st.builds(p.UnknownPdu, st.sampled_from([0x77, 0x10200, 0x80000077]), STATUS, SEQUENCE, st.binary(max_size=60)),
)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Give frames with a sound header and any body, or a sound PDU with some octets changed."""
    if draw(st.booleans()):
        body = draw(st.binary(max_size=120))
        head = (16 + len(body), draw(st.sampled_from(COMMANDS)), draw(STATUS), draw(SEQUENCE))
        return b"".join(field.to_bytes(4, "big") for field in head) + body
    raw = bytearray(encode(draw(PDUS)))
    for _ in range(draw(st.integers(0, 5))):
        raw[draw(st.integers(16, len(raw) - 1)) if len(raw) > 16 else 15] = draw(OCTET)
    cut = draw(st.integers(16, len(raw)))
    return cut.to_bytes(4, "big") + bytes(raw[4:cut])


@given(PDUS)
def test_every_pdu_survives_a_round_trip_in_both_modes(pdu: p.Pdu):
    raw = encode(pdu)
    assert int.from_bytes(raw[:4], "big") == len(raw)
    assert decode(raw, strict=True) == pdu or _reads_as_parameters(pdu)
    assert decode(raw) == pdu or _reads_as_parameters(pdu)
    assert encode(decode(raw)) == raw


def _reads_as_parameters(pdu: p.Pdu) -> bool:
    """Say whether a refusal without a ref is written so that it may read with or without one."""
    return (
        isinstance(pdu, p.SubmitSmResp | p.DeliverSmResp | p.DataSmResp)
        and pdu.status != 0
        and not pdu.message_id
        and bool(pdu.tlvs)
    )


@given(SUBMITS, SEQUENCE)
def test_a_template_writes_what_the_codec_writes(submit: p.SubmitSm, sequence: int):
    written = SubmitTemplate(submit).encode(
        sequence,
        submit.destination,
        submit.short_message,
        data_coding=submit.data_coding,
        esm_class=submit.esm_class,
    )
    assert written == encode(submit, sequence)


@given(frames())
def test_reading_raises_nothing_but_protocol_errors_and_only_for_a_submit_sm(raw: bytes):
    refused = _refusal(raw)
    if refused is not None:
        assert raw[4:8] == c.SUBMIT_SM.to_bytes(4, "big")
        assert not refused.fatal
        assert refused.sequence == int.from_bytes(raw[12:16], "big")


@given(frames())
def test_strict_reading_is_lenient_reading_with_refusals(raw: bytes):
    try:
        strict = decode(raw, strict=True)
    except ProtocolError:
        return
    assert strict == decode(raw)
    assert decode(encode(strict)) == strict


@given(st.binary(max_size=200))
def test_no_octets_at_all_make_the_reader_fail_otherwise(raw: bytes):
    refused = _refusal(raw)
    if refused is not None:
        assert len(refused.answer) == 16
        assert refused.fatal == (len(raw) < 16)


def _refusal(raw: bytes) -> ProtocolError | None:
    try:
        decode(raw)
    except ProtocolError as refused:
        return refused
    return None


def _cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    return [stream[start:end] for start, end in pairwise(ends)]


CUTS = st.lists(st.integers(0, 1500), max_size=12)


@given(st.lists(PDUS, max_size=5), CUTS, st.binary(max_size=20))
def test_any_cut_of_a_stream_gives_the_same_frames(pdus: list[p.Pdu], cuts: list[int], rest: bytes):
    stream = b"".join(map(encode, pdus)) + rest
    whole, parts = FrameBuffer(), FrameBuffer()
    expected = whole.feed(stream)
    found: list[bytes] = []
    for piece in _cut(stream, cuts):
        if parts.fault is None:
            found += parts.feed(piece)
    assert found == expected
    assert expected[: len(pdus)] == [encode(pdu) for pdu in pdus]
    assert (parts.fault is None) == (whole.fault is None)
    if parts.fault is not None and whole.fault is not None:
        assert parts.fault.answer == whole.fault.answer


@given(
    st.sampled_from(State),
    st.sampled_from(Side),
    st.lists(frames(), max_size=5),
    CUTS,
    st.binary(max_size=20),
)
def test_any_cut_of_any_stream_gives_the_same_events(
    state: State, side: Side, stream: list[bytes], cuts: list[int], rest: bytes
):
    octets = b"".join(stream) + rest
    whole, parts = Session(side), Session(side)
    whole.state = parts.state = state
    expected = whole.receive(octets)
    found = [parts.receive(piece) for piece in _cut(octets, cuts)]
    assert _joined(found) == _joined([expected])
    assert parts.state is whole.state


def _joined(readings: list[Reading]) -> tuple[object, ...]:
    return (
        [response for reading in readings for response in reading.responses],
        [request for reading in readings for request in reading.requests],
        b"".join(reading.replies for reading in readings),
        [(fault.reason, fault.answer) for reading in readings for fault in reading.faults],
    )


WORDS = st.sampled_from(
    ["id:", "stat:", "err:", "text:", "Text:", "sub:", "dlvrd:", "submit date:", "done date:", "DELIVRD", "UNDELIV",
     "id", "stat", ",", " ", ";", "\0", "0A1", "2611230102", "1234", "ÿ", "²", "text"]
)  # fmt: skip
CODING = st.one_of(OCTET, st.just(8))
RECEIPTS = st.one_of(
    st.binary(max_size=255),
    st.lists(WORDS, max_size=25).map(lambda words: "".join(words).encode("latin-1")[:255]),
    st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=15).map(
        lambda words: "".join(words).encode("utf-16-be", "surrogatepass")[:255]
    ),
)


@given(RECEIPTS, OCTET, CODING, TLVS, st.booleans())
def test_the_receipt_reader_reads_any_octets(raw: bytes, esm_class: int, coding: int, tlvs: tlv.Tlvs, allow: bool):
    message = p.DeliverSm(esm_class=esm_class, data_coding=coding, short_message=raw, tlvs=tlvs)
    found = receipt.read(message, allow_unflagged=allow)
    flagged = bool(esm_class & 0x24)
    if flagged:
        assert found is not None
    if found is not None:
        assert found.flagged == flagged
        assert flagged or allow
        assert found.state is None or found.state >= 0
        assert all(found.refs)
        receipt.read_date(found.done)
        for mode in MODES:
            for ref in found.refs:
                candidate_refs(ref, mode)


IDS = st.text(st.sampled_from("0123456789abcdefABCDEFxyz-_"), min_size=1, max_size=64)
FIELD_VALUES = {
    "id": IDS,
    "sub": st.sampled_from(["001", "1", ""]),
    "dlvrd": st.sampled_from(["001", "0", ""]),
    "submit date": st.sampled_from(["2611230102", "261123010203", ""]),
    "done date": st.sampled_from(["2611230102", "261123010203", ""]),
    "stat": st.sampled_from(["DELIVRD", "UNDELIV", "EXPIRED", "REJ", "delivered"]),
    "err": st.sampled_from(["000", "0A1", "F", "BLOCKED", ""]),
}


@given(
    st.fixed_dictionaries(FIELD_VALUES),
    st.permutations(list(FIELD_VALUES)),
    st.sampled_from([" ", ",", ", ", "; ", "\r\n"]),
    st.sampled_from([" text:", " Text:", ""]),
    st.booleans(),
)
def test_a_receipt_reads_the_same_in_any_order_of_its_fields(
    values: dict[str, str], order: list[str], separator: str, label: str, upper: bool
):
    fields = separator.join(f"{name.upper() if upper else name}:{values[name]}" for name in order)
    snippet = "Ma OTP id:0 stat:EXPIRED" if label else ""
    raw = (fields + label + snippet).encode()
    found = receipt.read(p.DeliverSm(esm_class=4, short_message=raw))
    assert found is not None
    assert found.raw == raw
    assert (found.ref, found.stat, found.error, found.submitted, found.done, found.sub, found.delivered) == (
        values["id"],
        values["stat"],
        values["err"],
        values["submit date"],
        values["done date"],
        values["sub"],
        values["dlvrd"],
    )
    assert found.text == snippet
    assert found.state is not None


@given(RECEIPTS, OCTET, OCTET, TLVS, st.sampled_from(["gsm7", "gsm7_packed", "latin1", "ascii"]))
def test_any_inbound_message_becomes_text(raw: bytes, esm_class: int, coding: int, tlvs: tlv.Tlvs, default: Any):
    message = p.DeliverSm(esm_class=esm_class, data_coding=coding, short_message=raw, tlvs=tlvs)
    found = content(message, default)
    found.text.encode("utf-8")
    _, body = split_header(raw)
    assert raw.endswith(body)
    if body != raw:
        assert raw[0] == len(raw) - len(body) - 1
    assert found.part is None or 1 <= found.part.number <= found.part.total


@given(st.binary(max_size=100), st.integers(0, 255))
def test_decoding_is_total(raw: bytes, coding: int):
    assert isinstance(decode_text(raw, coding), str)


@given(st.integers(0, 2**64 - 1), st.integers(0, 8), st.booleans())
def test_a_ref_in_the_other_base_is_found_under_every_fitting_mode(number: int, padding: int, upper: bool):
    spelled = f"{number:x}".upper() if upper else f"{number:x}"
    hexadecimal = "0" * padding + spelled
    decimal = "0" * padding + str(number)
    assert normalise(hexadecimal, "resp_hex_dlr_dec") in candidate_refs(decimal, "resp_hex_dlr_dec")
    assert normalise(decimal, "resp_dec_dlr_hex") in candidate_refs(hexadecimal, "resp_dec_dlr_hex")
    for response, found in ((hexadecimal, decimal), (decimal, hexadecimal), (decimal, decimal)):
        assert normalise(response, "auto") in candidate_refs(found, "auto")
    assert normalise(hexadecimal, "same") == candidate_refs(spelled, "same")[0]


@given(st.text(max_size=70))
def test_normalising_a_ref_twice_changes_nothing(ref: str):
    assert normalise(normalise(ref, "auto"), "auto") == normalise(ref, "auto")
    for mode in MODES:
        assert all(candidate_refs(ref, mode))


MOMENTS = st.builds(
    lambda tenths: datetime(2000, 1, 3, tzinfo=UTC) + timedelta(milliseconds=100 * tenths),
    st.integers(0, 99 * 365 * 24 * 36_000),
)


@given(MOMENTS, st.integers(-48, 48))
def test_a_moment_survives_a_round_trip_in_any_offset(moment: datetime, quarters: int):
    aware = moment.astimezone(timezone(timedelta(minutes=15 * quarters)))
    written = times.absolute(aware)
    assert len(written) == 16
    read = times.read(written)
    assert read == aware
    assert isinstance(read, datetime)
    assert read.utcoffset() == aware.utcoffset()


@given(st.timedeltas(timedelta(microseconds=1), times.LONGEST_VALIDITY))
def test_a_validity_never_ends_early_and_is_at_most_a_second_long(duration: timedelta):
    read = times.read(times.relative(duration))
    assert isinstance(read, timedelta)
    assert timedelta(0) <= read - duration < timedelta(seconds=1)


@given(st.text(max_size=20))
def test_reading_a_time_never_raises(written: str):
    assert times.read(written) is None or len(written) == 16


@given(STATUS)
def test_every_status_has_a_name_and_a_meaning(status: int):
    assert status_name(status)
    assert (classify(status) is StatusClass.ACCEPTED) == (status == 0)


@given(SUBMITS, st.integers(0, 0x7FFFFFFF))
def test_numbering_a_pdu_changes_nothing_else(submit: p.SubmitSm, sequence: int):
    assert decode(encode(submit, sequence)) == dataclasses.replace(submit, sequence=sequence)
